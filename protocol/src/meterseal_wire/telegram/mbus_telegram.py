"""A meter's answer to identity and records (EN 13757-3 clauses 5 to 7; CI 70, 72, 73, 76, 77).

`decode` takes one frame, checks it (see mbus) and gives a `Telegram`, or raises one MBusError. `volume` finds the
register that a bench reads. Mode 2 (CI 76, 77) sends numbers with the most significant byte first.
"""

from meterseal_wire.telegram import mbus_value as value
from meterseal_wire.telegram.errors import BadFrame, BadLength, MeterError, NoRegister, Truncated, Unsupported
from meterseal_wire.telegram.mbus import FROM_MASTER, RSP_UD, parse_frame
from meterseal_wire.telegram.mbus_record import FUNCTIONS, Record, records
from meterseal_wire.telegram.mbus_units import FIXED_MEDIA, fixed_unit, medium_name

APPLICATION_ERROR, VARIABLE, FIXED, MODE_2 = 0x70, 0x72, 0x73, 0x04
HEADER_BYTES = 12
FIXED_BYTES = 16
DATA_AT = 7
ACCESS_DEMAND_AND_FLOW = 0x30
BINARY_COUNTERS, STORED_COUNTERS = 0x01, 0x02
HISTORIC = 0x3E
ACTUAL, STORED = "Actual value", "Stored value"


class Identity:
    """Who answers. `id` is 8 digits of text, `manufacturer` three letters, `medium` a number and `medium_name` its
    name; `access`, `status` and `signature` are numbers. The fixed structure has no manufacturer, version and
    signature: None. `secondary` is the 8 bytes as sent, or None.
    """

    def __init__(self, digits, medium, medium_name, access, status):
        self.id = digits
        self.medium = medium
        self.medium_name = medium_name
        self.access = access
        self.status = status
        self.manufacturer = None
        self.version = None
        self.signature = None
        self.secondary = None


class Telegram:
    """A decoded answer: primary `address`, `control`, `ci`, `identity`, list of `records`.

    `more_follow` is true where the meter has another telegram with further records.
    """

    def __init__(self, frame, identity, found, more_follow=False):
        self.address = frame.address
        self.control = frame.control
        self.ci = frame.ci
        self.identity = identity
        self.records = found
        self.more_follow = more_follow


def decode(data):
    """The `Telegram` in the bytes of one frame. Raises MBusError; MeterError where the meter reports one itself."""
    data = bytes(data)
    frame = parse_frame(data)
    if frame.ci is None:
        raise Unsupported(0, "a %s frame carries no reading" % frame.kind)
    if frame.control & FROM_MASTER:
        raise Unsupported(4, "control %02X: a master's request, not a meter's answer" % frame.control)
    if frame.control & ~ACCESS_DEMAND_AND_FLOW != RSP_UD:
        raise BadFrame(4, "control %02X is none of an answer" % frame.control)
    if frame.ci == APPLICATION_ERROR:
        raise MeterError(DATA_AT, frame.data[0] if frame.data else 0)
    msb_first = bool(frame.ci & MODE_2)
    if frame.ci & ~MODE_2 == VARIABLE:
        return _variable(data, frame, msb_first)
    if frame.ci & ~MODE_2 == FIXED:
        return _fixed(frame, msb_first)
    raise Unsupported(6, "control information %02X" % frame.ci)


def _variable(data, frame, msb_first):
    if len(frame.data) < HEADER_BYTES:
        raise Truncated(DATA_AT + len(frame.data), "a header has 12 bytes, here are %d" % len(frame.data))
    header = frame.data
    number = _ordered(header[:4], msb_first)
    identity = Identity(value.digits(number), header[7], medium_name(header[7]), header[8], header[9])
    identity.manufacturer = manufacturer_text(_ordered(header[4:6], msb_first))
    identity.version = header[6]
    identity.signature = int.from_bytes(_ordered(header[10:12], msb_first), "little")
    identity.secondary = header[:8]
    end = DATA_AT + len(frame.data)
    found, more_follow = records(data, DATA_AT + HEADER_BYTES, end, msb_first)
    return Telegram(frame, identity, found, more_follow)


def _fixed(frame, msb_first):
    """Two counters with medium and units in two bytes (EN 1434-3; M-Bus documentation 4.8, section 6.2)."""
    data = frame.data
    if len(data) < FIXED_BYTES:
        raise Truncated(DATA_AT + len(data), "the fixed structure has 16 bytes, here are %d" % len(data))
    if len(data) > FIXED_BYTES:
        raise BadLength(DATA_AT + FIXED_BYTES, "the fixed structure has 16 bytes, here are %d" % len(data))
    status = data[5]
    medium = data[6] >> 6 | data[7] >> 4 & 0x0C
    identity = Identity(
        value.digits(_ordered(data[:4], msb_first)), medium, FIXED_MEDIA[medium], data[4], status
    )
    first = _counter(data, 0, status, msb_first)
    second = _counter(data, 1, status, msb_first)
    if data[7] & 0x3F == HISTORIC:
        second.quantity = first.quantity
        second.storage = 1
        second.modifiers.append("historic, in the unit of the first counter: " + first.unit)
    return Telegram(frame, identity, [first, second])


def _counter(data, index, status, msb_first):
    unit, quantity, _ = fixed_unit(data[6 + index] & 0x3F)
    stored = status & STORED_COUNTERS
    record = Record(STORED if stored else ACTUAL, storage=1 if stored else 0)
    record.unit = unit
    record.quantity = quantity
    record.at = DATA_AT + 8 + 4 * index
    record.end = record.at + 4
    raw = _ordered(data[8 + 4 * index : 12 + 4 * index], msb_first)
    number, decimal = (value.signed(raw), True) if status & BINARY_COUNTERS else value.bcd(raw)
    if decimal:
        record.kind = "number"
        record.number = (number, 0)
    else:
        record.kind = "text"
        record.text = value.digits(raw)
        record.error = "not decimal digits"
    return record


def _ordered(raw, msb_first):
    return bytes(reversed(raw)) if msb_first else raw


def manufacturer_text(raw):
    """Three letters from two bytes, five bits each (EN 62056-21 names; EN 13757-3 clause 5.5)."""
    code = raw[0] | raw[1] << 8
    return "".join([chr(64 + (code >> shift & 0x1F)) for shift in (10, 5, 0)])


def electronic_address(identity):
    """The 8 bytes of the secondary address as sent: id 4, manufacturer 2, version 1, medium 1.

    Raises Unsupported for the fixed structure, which has none.
    """
    if identity.secondary is None:
        raise Unsupported(6, "the fixed structure carries no manufacturer and version")
    return identity.secondary


def volume_record(telegram):
    """The Record that is the meter's volume register.

    It is instantaneous, in m^3, of tariff 0 and device 0, without an error and without a combinable VIFE that makes
    it something else (a pulse increment, a flow back, a future value). The current one (storage 0) where there is
    one, else the only stored one. Raises NoRegister.
    """
    found = [record for record in telegram.records if _is_volume(record)]
    current = [record for record in found if record.storage == 0]
    chosen = current or found
    if len(chosen) != 1:
        many = "%d volume registers and none to prefer" % len(chosen)
        raise NoRegister(DATA_AT, many if chosen else "no volume register")
    return chosen[0]


def _is_volume(record):
    return (
        record.quantity == "Volume"
        and _volume_power(record.unit) is not None
        and record.function in (FUNCTIONS[0], ACTUAL, STORED)
        and record.tariff == record.device == 0
        and record.number is not None
        and record.error is None
        and not record.modifiers
    )


def _volume_power(unit):
    """Power of ten that makes m^3 of a unit, None for gallons and feet."""
    if unit == "m^3":
        return 0
    for code in range(0x26, 0x2F):
        name, _, power = fixed_unit(code)
        if name == unit:
            return power
    return None


def holder(telegrams):
    """Which of a meter's telegrams, in the order in which they came, has its register: the index of the first with a
    current one (storage 0), else of the only one with a stored one. Raises NoRegister. `volume` of that one alone is
    what `volume` of all their records together would be, so one frame is evidence enough.
    """
    stored = []
    for index, telegram in enumerate(telegrams):
        try:
            record = volume_record(telegram)
        except NoRegister:
            continue
        if record.storage == 0:
            return index
        stored.append(index)
    if len(stored) != 1:
        raise NoRegister(DATA_AT, "no volume register in %d telegrams, or several" % len(telegrams))
    return stored[0]


def volume(telegram):
    """(mantissa, power of ten) of the volume register in m^3; raises NoRegister. See `volume_record`."""
    record = volume_record(telegram)
    return record.number[0], record.number[1] + _volume_power(record.unit)
