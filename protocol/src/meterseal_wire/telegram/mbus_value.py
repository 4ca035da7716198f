"""Data fields to exact values: integers, BCD, real32, dates, variable length (EN 13757-3 annex A, types A to J).

No floats: a number is (integer mantissa, power of ten); a real32 is a fraction over a power of two and so has an
exact finite decimal. All fields come here least significant byte first.
"""

from meterseal_wire.telegram.errors import Unsupported

NONE, INTEGER, REAL, BCD, VARIABLE, SELECTION = "none", "integer", "real", "bcd", "variable", "selection"
# The low four bits of a DIF: how the data is coded, how many bytes it takes.
CODINGS = (
    (NONE, 0),
    (INTEGER, 1),
    (INTEGER, 2),
    (INTEGER, 3),
    (INTEGER, 4),
    (REAL, 4),
    (INTEGER, 6),
    (INTEGER, 8),
    (SELECTION, 0),
    (BCD, 1),
    (BCD, 2),
    (BCD, 3),
    (BCD, 4),
    (VARIABLE, 0),
    (BCD, 6),
)


def signed(raw):
    """Two's complement (type B)."""
    value = int.from_bytes(raw, "little")
    if raw and raw[-1] & 0x80:
        value -= 1 << (8 * len(raw))
    return value


def digits(raw):
    """The nibbles as hex text, most significant first."""
    return "".join(["%02X" % byte for byte in reversed(raw)])


def bcd(raw):
    """(number, whether all digits are decimal) of packed digits; F in front is minus (type A).

    Meters send digits A to F where they have no value. What number those make is libmbus' rule, kept so that both
    print the same: such a digit counts 0 in front of a byte and 10 to 15 behind. It is never a reading.
    """
    spelled = digits(raw)
    minus = spelled[:1] == "F"
    number = 0
    for byte in reversed(raw):
        high = byte >> 4
        number = 100 * number + (10 * high if high < 10 else 0) + (byte & 0x0F)
    decimal = True
    for digit in spelled[1:] if minus else spelled:
        decimal = decimal and digit <= "9"
    return -number if minus else number, decimal


def real32(raw):
    """(mantissa, power of ten), exact, of an IEEE 754 binary32 (type H); text nan, inf or -inf where it is none."""
    bits = int.from_bytes(raw, "little")
    minus, power, fraction = bits >> 31, bits >> 23 & 0xFF, bits & 0x7FFFFF
    if power == 0xFF:
        return ("-" if minus else "") + ("nan" if fraction else "inf")
    if power:
        fraction |= 0x800000
    else:
        power = 1
    power -= 150
    if fraction == 0:
        return 0, 0
    while fraction & 1 == 0 and power < 0:
        fraction >>= 1
        power += 1
    if minus:
        fraction = -fraction
    if power >= 0:
        return fraction << power, 0
    # f / 2^k = f * 5^k / 10^k
    return fraction * 5**-power, power


def date_text(raw):
    """A date, type G (2 bytes): YYYY-MM-DD. Fields as sent: day 00 is every day, month 15 every month."""
    year = raw[0] >> 5 | raw[1] >> 1 & 0x78
    return "%04d-%02d-%02d" % (2000 + year, raw[1] & 0x0F, raw[0] & 0x1F)


# What libmbus prints where the meter says that its clock is not valid.
NOT_VALID = "1900-01-00T00:00:00Z"


def moment_text(raw):
    """A date with time, type F (4 bytes) or type I (6 bytes): YYYY-MM-DDTHH:MM:SSZ in the meter's own time.

    The Z is what libmbus prints; the standard knows no zone. A year to 80 without century is of 2000.
    """
    if len(raw) == 6:
        second, raw = raw[0] & 0x3F, raw[1:]
        century = 1
    else:
        second = 0
        century = raw[1] >> 5 & 3
    if raw[0] & 0x80:
        return NOT_VALID
    year = raw[2] >> 5 | raw[3] >> 1 & 0x78
    if century == 0 and year <= 80:
        century = 1
    date = "%04d-%02d-%02d" % (1900 + 100 * century + year, raw[3] & 0x0F, raw[2] & 0x1F)
    return date + "T%02d:%02d:%02dZ" % (raw[1] & 0x1F, raw[0] & 0x3F, second)


def time_text(raw):
    """A time of day, type J (3 bytes): HH:MM:SS."""
    return "%02d:%02d:%02d" % (raw[2] & 0x1F, raw[1] & 0x3F, raw[0] & 0x3F)


TIMES = {2: date_text, 3: time_text, 4: moment_text, 6: moment_text}


def text(raw):
    """ISO 8859-1 text, sent last character first; ends at a zero byte, other control characters become blanks.

    Control characters never reach a terminal: a meter's name is a stranger's text.
    """
    found = []
    for byte in reversed(raw):
        if byte == 0:
            break
        found.append(" " if byte < 0x20 or 0x7F <= byte < 0xA0 else chr(byte))
    return "".join(found)


def hex_text(raw):
    """Bytes as they were sent, two digits each with a blank between."""
    return " ".join(["%02X" % byte for byte in raw])


def variable_bytes(length, at):
    """How many data bytes follow a length byte of variable data (LVAR); raises Unsupported where it is reserved."""
    if length <= 0xBF:
        return length
    if length & 0x0F <= 9 and length < 0xE0:
        return length & 0x0F
    if 0xE0 <= length <= 0xEF:
        return length - 0xE0
    if 0xF0 <= length <= 0xF4:
        return 4 * (length - 0xEC)
    if length in (0xF5, 0xF6):
        return 48 if length == 0xF5 else 64
    raise Unsupported(at, "length code %02X of variable data is reserved" % length)


def decimal_text(mantissa, power):
    """A number as exact decimal text with all its digits: (101, -3) is 0.101, (5, 2) is 500."""
    if power >= 0:
        return str(mantissa * 10**power)
    sign = "-" if mantissa < 0 else ""
    figures = str(abs(mantissa))
    figures = "0" * (1 - power - len(figures)) + figures
    return sign + figures[:power] + "." + figures[power:]
