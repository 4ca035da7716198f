"""A water or gas meter's answer to 901F: its registers as exact numbers.

    current 4 BCD + unit, settlement day 4 BCD + unit, ss mm hh DD MM YY CC, status 2       after SER, 19 bytes

Registers have eight digits, two of them decimals, lowest first. A bench uses the current register alone: it is refused
unless it is digits in a unit of volume. Real meters send FF, 00 or nonsense for a settlement or a clock that they do
not keep, so what cannot be read there is None and is no reason to refuse the register; the bytes stay in the frame.
"""

from meterseal_wire.telegram.cjt188 import (
    ABNORMAL,
    ANY,
    CURRENT,
    FROM_METER,
    FUNCTION,
    HEAD,
    READ,
    parse_frame,
)
from meterseal_wire.telegram.cjt188_errors import BadDigits, BadFrame, BadLength, MeterRefused, Unsupported

READING_BYTES = 19
DECIMALS = 2
WATER, GAS = 0x10, 0x30
# Unit byte -> (name, power of ten that makes cubic metres).
VOLUMES = {
    0x29: ("L", -3),
    0x2A: ("10 L", -2),
    0x2B: ("100 L", -1),
    0x2C: ("m^3", 0),
    0x2D: ("10 m^3", 1),
    0x2E: ("100 m^3", 2),
}
VALVE_CLOSED, VALVE_FAULT, BATTERY_LOW = 0x01, 0x02, 0x04


class Reading:
    """What a meter says of itself.

    `current` and `settlement` are (mantissa, power of ten) in m^3 (`settlement` may be None), `units` their two unit
    bytes, `clock` "YYYY-MM-DDThh:mm:ss" or None, `status` the two bytes as sent: in the first, bit 0 valve closed (both
    low bits: at fault), bit 2 battery low; the second is the maker's.
    """

    def __init__(self, frame, current, settlement, units):
        self.meter = frame.meter
        self.digits = frame.digits()
        self.serial = frame.serial
        self.current = current
        self.settlement = settlement
        self.units = units
        self.clock = clock(frame.data[10:17])
        self.status = frame.data[17:19]


def decode(data):
    """The `Reading` in the bytes of one answer. Raises Cjt188Error; MeterRefused where the meter answers abnormally."""
    frame = parse_frame(data)
    at = len(data) - len(frame.data) - 2
    return reading(frame, at)


def reading(frame, at=HEAD + 3):
    """The `Reading` in a frame whose data begin at offset `at`. Raises Cjt188Error."""
    if not frame.control & FROM_METER:
        raise BadFrame(at, "control %02X: a question, not a meter's answer" % frame.control)
    if frame.control & ABNORMAL:
        status = frame.data if len(frame.data) == 2 else None
        raise MeterRefused(at, "the meter answers abnormally, control %02X" % frame.control, status)
    if frame.control & FUNCTION != READ or frame.identifier != CURRENT:
        raise Unsupported(at, "control %02X, identifier %04X" % (frame.control, frame.identifier))
    if not volume_meter(frame.meter):
        raise Unsupported(at, "a meter of kind %02X sends other fields" % frame.meter)
    if len(frame.data) != READING_BYTES:
        raise BadLength(at, "a reading has %d bytes, here are %d" % (READING_BYTES, len(frame.data)))
    current = register(frame.data[0:5], at)
    return Reading(frame, current, _kept(frame.data[5:10]), (frame.data[4], frame.data[9]))


def volume_meter(meter):
    """True for kinds 10 to 19 (water) and 30 to 39 (gas), and for AA, with which some meters echo an open question."""
    return meter == ANY or (meter & 0xF0 in (WATER, GAS) and meter & 0x0F <= 9)


def register(raw, at=0):
    """(mantissa, power of ten) in m^3 of four BCD bytes and a unit; raises BadDigits or Unsupported."""
    for place in range(4):
        if raw[place] >> 4 > 9 or raw[place] & 0x0F > 9:
            raise BadDigits(at + place, "register byte %02X is not two digits" % raw[place])
    if raw[4] not in VOLUMES:
        raise Unsupported(at + 4, "unit %02X is no volume" % raw[4])
    return number(raw[:4]), VOLUMES[raw[4]][1] - DECIMALS


def number(raw):
    """The whole number of BCD bytes, lowest first. The digits are checked before."""
    found = 0
    for byte in reversed(raw):
        found = found * 100 + (byte >> 4) * 10 + (byte & 0x0F)
    return found


def clock(raw):
    """Seven BCD bytes ss mm hh DD MM YY CC as text, or None where they are no time of a calendar."""
    if any(byte >> 4 > 9 or byte & 0x0F > 9 for byte in raw):
        return None
    second, minute, hour, day, month = [number(raw[place : place + 1]) for place in range(5)]
    year = number(raw[5:7])
    if second > 59 or minute > 59 or hour > 23 or not 1 <= month <= 12 or not 1 <= day <= _days(year, month):
        return None
    return "%04d-%02d-%02dT%02d:%02d:%02d" % (year, month, day, hour, minute, second)


def _days(year, month):
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _kept(raw):
    try:
        return register(raw)
    except (BadDigits, Unsupported):
        return None
