"""Records of the variable data structure: DIF DIFE* VIF VIFE* data (EN 13757-3 clauses 6.2 to 6.5).

A record is read in one pass over its bytes; ten DIFE and ten VIFE are the most it may have, so time is linear in the
telegram. What a combinable VIFE says stands in `modifiers`; powers of ten and offsets are worked into the number.
A VIFE that reports an error of the record stands in `error`, and so do BCD digits above 9: the value is then printed,
never used as a reading.

Where a VIFE makes the data the date or the duration of an event, libmbus still prints a number in the VIF's unit. We
print the same number and give the date, or the seconds, in `modifiers`.
"""

from meterseal_wire.telegram import mbus_value as value
from meterseal_wire.telegram.errors import TooManyExtensions, Truncated, Unsupported
from meterseal_wire.telegram.mbus_units import COMBINABLE, RECORD_ERRORS, meaning

FUNCTIONS = ("Instantaneous value", "Maximum value", "Minimum value", "Value during error state")
MANUFACTURER, MORE_FOLLOW, FILLER, READOUT_REQUEST = 0x0F, 0x1F, 0x2F, 0x7F
EXTENSION = 0x80
PLAIN_TEXT, ANY, MANUFACTURER_VIF = 0x7C, 0x7E, 0x7F
EXTENSION_TABLES = (0xFD, 0xFB)
MOST_EXTENSIONS = 10
LARGEST_OFFSET = 0x7B
# Bytes of a date (type G) after VIF 6C, of a time (J), a moment (F, I) after 6D; any other length is a number.
TIME_BYTES = {0x6C: (2,), 0x6D: (3, 4, 6)}
DATED_BYTES = (2, 4, 6)
DURATION_STEPS = (1, 60, 3600, 86400)


class Record:
    """One value of a meter.

    `number` is (mantissa, power of ten) in `unit`, or None; then `text` holds text, a time or hex bytes, or None
    where the record has no data. `kind` is number, text, time, bytes or none. `at` and `end` bound the data field in
    the frame, `coding` is its DIF code (low four bits), `modifiers` and `error` come from combinable VIFE.
    """

    def __init__(self, function, storage=0, tariff=0, device=0):
        self.function = function
        self.storage = storage
        self.tariff = tariff
        self.device = device
        self.quantity = ""
        self.unit = ""
        self.kind = value.NONE
        self.number = None
        self.text = None
        self.coding = None
        self.at = self.end = 0
        self.modifiers = []
        self.error = None

    def value_text(self):
        """The value as exact decimal text, as its text, or as empty text."""
        if self.number is not None:
            return value.decimal_text(self.number[0], self.number[1])
        return self.text or ""


class _Scale:
    """How the raw number becomes a number in the unit: times multiplier, times ten to the power, plus offsets.

    `dates` are the indexes of those modifiers for which the data is a date, `durations` (index, seconds a step) of
    those for which it is a duration.
    """

    def __init__(self, multiplier, power):
        self.multiplier = multiplier
        self.power = power
        self.offsets = []
        self.dates = []
        self.durations = []

    def apply(self, number):
        mantissa, power = number[0] * self.multiplier, number[1] + self.power
        for offset in self.offsets:
            least = min(power, offset)
            mantissa = mantissa * 10 ** (power - least) + 10 ** (offset - least)
            power = least
        return mantissa, power


class _Bytes:
    """A position in the frame that cannot run past the end of the user data."""

    def __init__(self, data, at, end):
        self.data = data
        self.at = at
        self.end = end

    def byte(self, what):
        return self.take(1, what)[0]

    def take(self, count, what):
        if count > self.end - self.at:
            raise Truncated(self.end, "%s wants %d bytes, %d are left" % (what, count, self.end - self.at))
        start = self.at
        self.at = start + count
        return self.data[start : self.at]


def records(data, at, end, msb_first=False):
    """(list of Record, whether more follow in another telegram) of the user data between two offsets of a frame.

    `msb_first` is mode 2 (CI 76): numbers with the most significant byte first. Raises MBusError.
    """
    source = _Bytes(data, at, end)
    found = []
    while source.at < end:
        dif = data[source.at]
        if dif == FILLER:
            source.at += 1
        elif dif in (MANUFACTURER, MORE_FOLLOW):
            found.append(_manufacturer(source))
            return found, dif == MORE_FOLLOW
        elif dif == READOUT_REQUEST:
            source.at += 1
            found.append(Record("Global readout request"))
        else:
            found.append(_record(source, msb_first))
    return found, False


def _manufacturer(source):
    dif = source.byte("a DIF")
    record = Record("More records follow" if dif == MORE_FOLLOW else "Manufacturer specific")
    record.at, record.end = source.at, source.end
    record.kind = "bytes"
    record.coding = dif
    record.text = value.hex_text(source.take(source.end - source.at, "manufacturer data"))
    return record


def _record(source, msb_first):
    record = _information(source)
    scale, times = _meaning(source, record)
    raw = _data(source, record, msb_first, times)
    for index in scale.dates:
        if len(raw) in value.TIMES:
            record.modifiers[index] += ": " + value.TIMES[len(raw)](raw)
    if record.number is not None:
        for index, step in scale.durations:
            seconds = value.decimal_text(record.number[0] * step, record.number[1])
            record.modifiers[index] += ": %s s" % seconds
        record.number = scale.apply(record.number)
    return record


def _information(source):
    """DIF and DIFE: coding, function, storage number, tariff, device (EN 13757-3 clause 6.3)."""
    start = source.at
    dif = byte = source.byte("a DIF")
    if dif & 0x0F == 0x0F:
        raise Unsupported(start, "DIF %02X is reserved" % dif)
    record = Record(FUNCTIONS[dif >> 4 & 3], storage=dif >> 6 & 1)
    record.coding = dif & 0x0F
    count = 0
    while byte & EXTENSION:
        if count == MOST_EXTENSIONS:
            raise TooManyExtensions(source.at, "more than ten DIFE")
        byte = source.byte("a DIFE")
        record.storage |= (byte & 0x0F) << (4 * count + 1)
        record.tariff |= (byte >> 4 & 3) << (2 * count)
        record.device |= (byte >> 6 & 1) << count
        count += 1
    return record


def _meaning(source, record):
    """VIF and VIFE: quantity, unit, scale; of which lengths data is a time (EN 13757-3 clauses 6.4, 6.5)."""
    vif = source.byte("a VIF")
    code = vif & 0x7F
    if code == PLAIN_TEXT:
        count = source.byte("the length of a plain text VIF")
        record.unit = "-"
        record.quantity = value.text(source.take(count, "a plain text VIF"))
        scale = _Scale(1, 0)
    vifes = _extensions(source, vif)
    times = TIME_BYTES.get(code, ())
    if vif in EXTENSION_TABLES:
        code = vifes.pop(0)[1] & 0x7F
        times = DATED_BYTES if vif == 0xFD and code in (0x30, 0x70) else ()
    if code != PLAIN_TEXT or vif in EXTENSION_TABLES:
        table = vif if vif in EXTENSION_TABLES else None
        record.quantity, record.unit, multiplier, power = meaning(table, code)
        scale = _Scale(multiplier, power)
    if vif == MANUFACTURER_VIF | EXTENSION:
        record.modifiers.extend(["manufacturer's %02X" % byte for _, byte in vifes])
    else:
        _combine(record, scale, vifes)
    return scale, times


def _extensions(source, vif):
    """[(offset, VIFE)] after a VIF; FD and FB count as having theirs."""
    found = []  # type: list[tuple[int, int]]
    byte = vif
    while byte & EXTENSION:
        if len(found) == MOST_EXTENSIONS:
            raise TooManyExtensions(source.at, "more than ten VIFE")
        at = source.at
        byte = source.byte("a VIFE")
        found.append((at, byte))
    return found


def _combine(record, scale, vifes):
    """Work the combinable VIFE into record and scale."""
    at = 0
    while at < len(vifes):
        code = vifes[at][1] & 0x7F
        at += 1
        if code < 0x20:
            if code:
                record.error = RECORD_ERRORS.get(code, "record error %02X" % code)
        elif 0x70 <= code <= 0x77:
            scale.power += code - 0x76
        elif 0x78 <= code <= LARGEST_OFFSET:
            scale.offsets.append(code - 0x7B)
            record.modifiers.append("offset of 10^%d added" % (code - 0x7B))
        elif code == 0x7D:
            scale.power += 3
        elif code == 0x7C and at < len(vifes):
            record.modifiers.append("second table %02X" % (vifes[at][1] & 0x7F))
            at += 1
        elif code == 0x7F:
            record.modifiers.extend(
                ["manufacturer's %02X" % byte for _, byte in vifes[at:]] or ["manufacturer's"]
            )
            break
        else:
            _event(record, scale, code)


def _event(record, scale, code):
    """The VIFE of limits, durations and dates (E100 to E110), and those that only say more."""
    side = "upper" if code & 8 else "lower"
    which = "last" if code & 4 else "first"
    edge = "end" if code & 1 else "begin"
    says = "reserved %02X" % code
    is_date = code == 0x39
    if code in COMBINABLE:
        says = COMBINABLE[code]
    elif 0x40 <= code <= 0x4F and code & 2:
        says = "date (time) of %s of %s exceed of the %s limit" % (edge, which, side)
        is_date = True
    elif 0x40 <= code <= 0x4F and code & 7 < 2:
        says = ("number of exceeds of the %s limit" if code & 1 else "%s limit value") % side
    elif 0x50 <= code <= 0x5F:
        says = "duration of %s exceed of the %s limit" % (which, side)
        scale.durations.append((len(record.modifiers), DURATION_STEPS[code & 3]))
    elif 0x60 <= code <= 0x67:
        says = "duration of " + which
        scale.durations.append((len(record.modifiers), DURATION_STEPS[code & 3]))
    elif 0x68 <= code <= 0x6F and code & 2:
        says = "date (time) of %s of %s" % (edge, which)
        is_date = True
    if is_date:
        scale.dates.append(len(record.modifiers))
    record.modifiers.append(says)


def _data(source, record, msb_first, times):
    """Read the data field into the record; gives its bytes, least significant first."""
    kind, count = value.CODINGS[record.coding]
    if kind == value.VARIABLE:
        return _variable(source, record, msb_first)
    raw = _field(source, record, count, msb_first)
    if kind == value.INTEGER and count in times:
        record.kind = "time"
        record.text = value.TIMES[count](raw)
    elif kind == value.INTEGER:
        _number(record, (value.signed(raw), 0))
    elif kind == value.BCD:
        _bcd(record, raw)
    elif kind == value.REAL:
        number = value.real32(raw)
        if isinstance(number, str):
            record.kind = "text"
            record.text = number
        else:
            _number(record, number)
    return raw


def _field(source, record, count, msb_first):
    record.at = source.at
    raw = source.take(count, "a data field")
    record.end = source.at
    return bytes(reversed(raw)) if msb_first else raw


def _variable(source, record, msb_first):
    """Variable length data: text, BCD of either sign, or a long binary number (EN 13757-3, LVAR)."""
    at = source.at
    length = source.byte("the length of variable data")
    raw = _field(source, record, value.variable_bytes(length, at), msb_first)
    if length <= 0xBF:
        record.kind = "text"
        record.text = value.text(raw)
    elif length >= 0xE0:
        record.kind = "bytes"
        record.text = value.hex_text(reversed(raw))
    else:
        _bcd(record, raw)
        if length >= 0xD0:
            record.number = (-record.number[0], 0)
    return raw


def _bcd(record, raw):
    number, decimal = value.bcd(raw)
    _number(record, (number, 0))
    if not decimal:
        record.error = record.error or "not decimal digits"


def _number(record, number):
    record.kind = "number"
    record.number = number
