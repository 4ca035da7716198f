"""A captured telegram as the template of a simulated meter: the same layout with another reading.

Only the register's data field, the access number, the id and the checksum change, so the bytes stay what the real
meter's maker chose. Works on the variable data structure in mode 1 (CI 72).
"""

from meterseal_wire.telegram import mbus_value as value
from meterseal_wire.telegram.errors import Unsupported
from meterseal_wire.telegram.mbus import checksum
from meterseal_wire.telegram.mbus_telegram import DATA_AT, VARIABLE, decode, volume_record

ACCESS_AT = DATA_AT + 8
FABRICATION = "Fabrication No"


def with_reading(template, volume_units, id=None, access=None):  # noqa: A002 - the header's own name for it
    """`template` (one frame) with `volume_units` in its volume register and its checksum made again.

    `volume_units` counts the register's own steps: 101 where the register reads 0.101 m^3. `id` is 8 decimal digits
    and goes into the header and into fabrication numbers that equal the old id; `access` is 0 to 255.
    Raises MBusError for a template that cannot carry it, ValueError for a number that does not fit.
    """
    telegram = decode(template)
    if telegram.ci != VARIABLE:
        raise Unsupported(6, "a template is a variable data structure, CI 72")
    frame = bytearray(template)
    register = volume_record(telegram)
    frame[register.at : register.end] = field(register, volume_units)
    if id is not None:
        _put_id(frame, telegram, id)
    if access is not None:
        if not 0 <= access <= 0xFF:
            raise ValueError("access number %d is not a byte" % access)
        frame[ACCESS_AT] = access
    frame[-2] = checksum(frame[4:-2])
    return bytes(frame)


def field(record, number):
    """The data field of `record` with another whole number, in the same coding and width.

    Raises Unsupported for a coding that is neither BCD nor integer, ValueError where the number does not fit.
    """
    kind, count = value.CODINGS[record.coding]
    if kind == value.BCD:
        return packed_bcd(number, count)
    if kind != value.INTEGER:
        raise Unsupported(record.at, "a register coded as %s cannot be set" % kind)
    if not 0 <= number < 1 << (8 * count - 1):
        raise ValueError("%d does not fit an integer of %d bytes" % (number, count))
    return number.to_bytes(count, "little")


def packed_bcd(number, count):
    """`number` as `count` bytes of packed BCD, least significant byte first; ValueError where it does not fit."""
    if not 0 <= number < 100**count:
        raise ValueError("%d does not fit %d BCD digits" % (number, 2 * count))
    found = []
    for _ in range(count):
        number, pair = divmod(number, 100)
        found.append(pair // 10 << 4 | pair % 10)
    return bytes(found)


def _put_id(frame, telegram, digits):
    if len(digits) != 8 or not digits.isdigit():
        raise ValueError("an id is 8 decimal digits, not %r" % (digits,))
    number = int(digits)
    frame[DATA_AT : DATA_AT + 4] = packed_bcd(number, 4)
    for record in telegram.records:
        if _repeats_id(record, telegram.identity.id):
            frame[record.at : record.end] = field(record, number)


def _repeats_id(record, old):
    return (
        record.quantity == FABRICATION
        and value.CODINGS[record.coding][0] in (value.BCD, value.INTEGER)
        and record.end - record.at >= 4
        and "%08d" % record.number[0] == old
    )
