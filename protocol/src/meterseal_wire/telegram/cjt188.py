"""CJ/T 188 frames of water and gas meters: bytes of a line to frames and back.

    FE... 68 T A0..A6 C L DI DI SER data... checksum 16

T is the kind of meter, A0 to A6 its address in BCD, lowest byte first; L counts DI, SER and data; the checksum is the
sum of all bytes from 68 on, modulo 256. Meters send the two bytes of DI in either order (public captures of both are
in the tests): both are read, and a question can be asked in either.

The text of CJ/T 188-2018 could not be read here. Held against public captures: frame, sum, 901F, and 810A in an answer.
From secondary sources alone: the kinds of meter, the unit codes, the shape of an abnormal answer. Not checked at all:
that A101 and A102 are asked with control code 04 and carry no data.
"""

from meterseal_wire.telegram.cjt188_errors import BadChecksum, BadDigits, BadFrame, BadLength, Truncated

WAKE, START, STOP = 0xFE, 0x68, 0x16
ANY = 0xAA
ANYONE = b"\xaa" * 7
READ, READ_ADDRESS, WRITE = 0x01, 0x03, 0x04
FROM_METER, ABNORMAL, FUNCTION = 0x80, 0x40, 0x1F
CURRENT, ADDRESS, ENTER_VERIFICATION, LEAVE_VERIFICATION = 0x901F, 0x810A, 0xA101, 0xA102
IDENTIFIERS = (CURRENT, ADDRESS, ENTER_VERIFICATION, LEAVE_VERIFICATION)
# 68 T A0..A6 C L before what L counts, checksum and 16 behind it.
HEAD, TAIL = 11, 2
WAKE_BYTES = 3
METERS = {
    0x10: "cold water",
    0x11: "hot water",
    0x12: "drinking water",
    0x13: "reclaimed water",
    0x20: "heat",
    0x21: "cooling",
    0x30: "gas",
    0x40: "electricity",
}


class Frame:
    """One frame: kind of `meter`, `address` (7 bytes as sent), `control`, and `field`, what L counts.

    `identifier`, `low_first` (the order of its bytes), `serial` and `data` are what stands in the field; in an abnormal
    answer the field has no identifier: it is None, and so is the serial of an empty field.
    """

    def __init__(self, meter, address, control, field):
        self.meter = meter
        self.address = bytes(address)
        self.control = control
        self.field = bytes(field)
        self.identifier, self.low_first, self.serial = None, True, None
        if control & ABNORMAL:
            self.serial = self.field[0] if self.field else None
            self.data = self.field[1:]
        else:
            if len(self.field) > 1:
                self.identifier, self.low_first = identified(self.field[:2])
            self.serial = self.field[2] if len(self.field) > 2 else None
            self.data = self.field[3:]

    def __eq__(self, other):
        return isinstance(other, Frame) and self.fields() == other.fields()

    def __hash__(self):
        return hash(self.fields())

    def __repr__(self):
        return "Frame(%r, %r, %r, %r)" % self.fields()

    def fields(self):
        """Meter, address, control, field as a tuple."""
        return self.meter, self.address, self.control, self.field

    def digits(self):
        """The address as 14 digits, highest first; AA stands for any two."""
        return "".join(["%02X" % self.address[place] for place in range(6, -1, -1)])


def identified(pair):
    """(identifier, whether its low byte came first) of two bytes; one that is unknown in both orders is low first."""
    high_first = pair[0] << 8 | pair[1]
    if high_first in IDENTIFIERS:
        return high_first, False
    return pair[0] | pair[1] << 8, True


def field(identifier, serial, data=b"", low_first=True):
    """DI, SER and data as bytes."""
    low, high = identifier & 0xFF, identifier >> 8
    return bytes((low, high, serial) if low_first else (high, low, serial)) + bytes(data)


def address_bytes(digits):
    """The 7 address bytes of 14 decimal digits, highest first; ValueError for anything else: the caller's fault."""
    if len(digits) != 14 or not all("0" <= digit <= "9" for digit in digits):
        raise ValueError("an address is 14 decimal digits, not %r" % (digits,))
    return bytes([int(digits[place : place + 2], 16) for place in range(12, -1, -2)])


def _start(data):
    """Offset of 68 behind the preamble, or of the end where there is no more than that; BadFrame for other bytes."""
    at = 0
    while at < len(data) and data[at] == WAKE:
        at += 1
    if at < len(data) and data[at] != START:
        raise BadFrame(at, "start byte %02X" % data[at])
    return at


def missing(data):
    """How many more bytes the first frame of `data` wants at least; 0 when it is complete. Raises BadFrame."""
    at = _start(data)
    held = len(data) - at
    if held < HEAD:
        return HEAD + TAIL - held
    return max(0, HEAD + data[at + 10] + TAIL - held)


def split_frame(data):
    """The first `Frame` in `data` and the offset after it, or None while it is not complete. Raises Cjt188Error."""
    if missing(data):
        return None
    at = _start(data)
    end = at + HEAD + data[at + 10] + TAIL
    if data[end - 1] != STOP:
        raise BadFrame(end - 1, "stop byte %02X" % data[end - 1])
    want = checksum(data[at : end - TAIL])
    if data[end - 2] != want:
        raise BadChecksum(end - 2, "checksum %02X where the bytes add up to %02X" % (data[end - 2], want))
    control = data[at + 9]
    if control & ABNORMAL and not control & FROM_METER:
        raise BadFrame(at + 9, "control %02X is neither a question's nor an answer's" % control)
    if not control & ABNORMAL and data[at + 10] < 3:
        raise BadLength(at + 10, "length %d, where identifier and serial alone are 3" % data[at + 10])
    _check_address(data, at + 2, control)
    return Frame(data[at + 1], data[at + 2 : at + 9], control, data[at + HEAD : end - TAIL]), end


def _check_address(data, at, control):
    """Two digits in every byte; AA, any two, in a question alone."""
    for place in range(at, at + 7):
        byte = data[place]
        if byte == ANY and not control & FROM_METER:
            continue
        if byte >> 4 > 9 or byte & 0x0F > 9:
            raise BadDigits(place, "address byte %02X is not two digits" % byte)


def parse_frame(data):
    """The one frame that `data` is; raises Cjt188Error where it is damaged, cut short or followed by more."""
    found = split_frame(data)
    if found is None:
        raise Truncated(len(data), "%d bytes or more are missing at the end of the frame" % missing(data))
    frame, end = found
    if end != len(data):
        raise BadLength(end, "%d bytes after the end of the frame" % (len(data) - end))
    return frame


def checksum(body):
    """Sum of bytes modulo 256, from 68 on."""
    return sum(body) & 0xFF


def build(frame, wake=WAKE_BYTES):
    """A frame's bytes behind so many FE. ValueError for an address or field that does not fit: the caller's fault."""
    if len(frame.address) != 7 or len(frame.field) > 0xFF:
        raise ValueError("an address has 7 bytes and a field at most 255")
    body = (
        bytes((START, frame.meter)) + frame.address + bytes((frame.control, len(frame.field))) + frame.field
    )
    return bytes([WAKE] * wake) + body + bytes((checksum(body), STOP))


def read_current(meter, address, serial=0, low_first=True):
    """Ask a meter for its registers (901F); `address` is 7 bytes as sent."""
    return build(Frame(meter, address, READ, field(CURRENT, serial, b"", low_first)))


def read_address(meter=ANY, serial=0, low_first=True):
    """Ask the only meter on the line for its address (810A)."""
    return build(Frame(meter, ANYONE, READ_ADDRESS, field(ADDRESS, serial, b"", low_first)))


def enter_verification(meter, address, serial=0, low_first=True):
    """Put a meter into verification mode (A101). Take it out again, also when the attempt is abandoned."""
    return build(Frame(meter, address, WRITE, field(ENTER_VERIFICATION, serial, b"", low_first)))


def leave_verification(meter, address, serial=0, low_first=True):
    """Take a meter out of verification mode (A102)."""
    return build(Frame(meter, address, WRITE, field(LEAVE_VERIFICATION, serial, b"", low_first)))
