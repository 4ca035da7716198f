"""M-Bus frames (EN 13757-2, format class FT1.2): bytes of a line to frames and back.

    E5                                          acknowledgement
    10 C A checksum 16                          short: no user data
    68 L L 68 C A CI data... checksum 16        long; a control frame has no data

L counts C, A, CI and data; the checksum is the sum of those bytes modulo 256.

A frame is at most 261 bytes, so every function here takes bounded time for each frame. After a damaged frame the
link layer lets the line fall idle and the master asks again (EN 13757-2 section 5.6): `FrameReader` therefore drops
what it holds when it raises; it does not hunt for a start byte inside damaged bytes.
"""

from meterseal_wire.telegram.errors import BadChecksum, BadFrame, BadLength, Truncated

ACK = b"\xe5"
SHORT, LONG, STOP = 0x10, 0x68, 0x16
SND_NKE, SND_UD, REQ_UD1, REQ_UD2, RSP_UD = 0x40, 0x53, 0x5A, 0x5B, 0x08
FRAME_COUNT_BIT = 0x20
FROM_MASTER = 0x40
SELECTED, ALL_WITH_ANSWER, ALL = 0xFD, 0xFE, 0xFF
CI_SELECT = 0x52
LONGEST = 261
WILD_DIGIT, WILD_BYTE = 0x0F, 0xFF


class Frame:
    """One frame. `kind` is ack, short, control or long; `ci` is None and `data` empty where there is none."""

    def __init__(self, kind, control=None, address=None, ci=None, data=b""):
        self.kind = kind
        self.control = control
        self.address = address
        self.ci = ci
        self.data = data

    def __eq__(self, other):
        return isinstance(other, Frame) and self.fields() == other.fields()

    def __hash__(self):
        return hash(self.fields())

    def __repr__(self):
        return "Frame(%r, %r, %r, %r, %r)" % self.fields()

    def fields(self):
        """Kind, control, address, ci, data as a tuple."""
        return self.kind, self.control, self.address, self.ci, self.data


def size(data, at=0):
    """Bytes of the frame that begins at `at`, or None while too few bytes are there to tell.

    Raises BadFrame or BadLength as soon as no later byte can make it a frame.
    """
    if at >= len(data):
        return None
    first = data[at]
    if first == ACK[0]:
        return 1
    if first == SHORT:
        return 5
    if first != LONG:
        raise BadFrame(at, "start byte %02X" % first)
    if len(data) - at > 1 and data[at + 1] < 3:
        raise BadLength(at + 1, "length %d, where control, address and CI alone are 3" % data[at + 1])
    if len(data) - at < 3:
        return None
    if data[at + 1] != data[at + 2]:
        raise BadLength(at + 2, "lengths %d and %d" % (data[at + 1], data[at + 2]))
    return data[at + 1] + 6


def missing(data, at=0):
    """How many more bytes the frame at `at` wants at least; 0 when it is complete. Raises as `size` does."""
    whole = size(data, at)
    if whole is None:
        return 1
    return max(0, at + whole - len(data))


def split_frame(data, at=0):
    """The frame at `at` and the offset after it, or None while it is not complete.

    Raises BadFrame, BadLength or BadChecksum.
    """
    whole = size(data, at)
    if whole is None or at + whole > len(data):
        return None
    end = at + whole
    if whole == 1:
        return Frame("ack"), end
    body = at + 1 if data[at] == SHORT else at + 4
    if body == at + 4 and data[at + 3] != LONG:
        raise BadFrame(at + 3, "second start byte %02X" % data[at + 3])
    if data[end - 1] != STOP:
        raise BadFrame(end - 1, "stop byte %02X" % data[end - 1])
    want = checksum(data[body : end - 2])
    if data[end - 2] != want:
        raise BadChecksum(end - 2, "checksum %02X where the bytes add up to %02X" % (data[end - 2], want))
    if data[at] == SHORT:
        return Frame("short", data[at + 1], data[at + 2]), end
    kind = "control" if whole == 9 else "long"
    return Frame(kind, data[at + 4], data[at + 5], data[at + 6], bytes(data[at + 7 : end - 2])), end


def parse_frame(data):
    """The one frame that `data` is; raises MBusError where it is damaged, cut short or followed by more."""
    found = split_frame(data)
    if found is None:
        raise Truncated(len(data), "%d bytes or more are missing at the end of the frame" % missing(data))
    frame, end = found
    if end != len(data):
        raise BadLength(end, "%d bytes after the end of the frame" % (len(data) - end))
    return frame


class FrameReader:
    """Frames out of a stream: `feed` what came, `take` until it gives None.

    `take` raises MBusError for damaged bytes, once, and has then forgotten everything that was fed before.
    """

    def __init__(self):
        self._held = b""
        self._at = 0

    def feed(self, chunk):
        """Add bytes as they came from the line, in pieces of any size."""
        self._held = self._held[self._at :] + bytes(chunk)
        self._at = 0

    def take(self):
        """The next complete `Frame`, or None when more bytes are needed."""
        held, at = self._held, self._at
        # Forget first: when the frame is damaged, nothing of it may be read again.
        self.clear()
        found = split_frame(held, at)
        self._held = held
        self._at = at
        if found is None:
            return None
        frame, self._at = found
        return frame

    def missing(self):
        """How many more bytes to wait for, at least; 0 when `take` will give a frame or raise."""
        try:
            return missing(self._held, self._at)
        except (BadFrame, BadLength):
            return 0

    def clear(self):
        """Forget what is held: the line was idle, or the peer is asked again."""
        self._held = b""
        self._at = 0


def checksum(body):
    """Sum of bytes modulo 256 (FT1.2)."""
    return sum(body) & 0xFF


def short_frame(control, address):
    """A short frame's 5 bytes."""
    body = bytes((control, address))
    return bytes((SHORT,)) + body + bytes((checksum(body), STOP))


def long_frame(control, address, ci, data=b""):
    """A long frame (a control frame where `data` is empty). ValueError above 252 bytes of data: the caller's fault."""
    if len(data) > LONGEST - 9:
        raise ValueError("%d bytes of user data; a frame holds 252" % len(data))
    body = bytes((control, address, ci)) + bytes(data)
    return bytes((LONG, len(body), len(body), LONG)) + body + bytes((checksum(body), STOP))


def snd_nke(address):
    """Initialise a slave's link; to address FD it also ends a selection. The slave answers E5."""
    return short_frame(SND_NKE, address)


def req_ud2(address, frame_count_bit=True):
    """Ask for class 2 data. Toggle the bit after each answer that came, keep it to have the last one repeated."""
    return short_frame(REQ_UD2 | (FRAME_COUNT_BIT if frame_count_bit else 0), address)


def select(secondary):
    """Select the slave whose secondary address these 8 bytes are (F digits and FF bytes match any); it answers E5.

    After that it answers `req_ud2(SELECTED)` until another selection or `snd_nke(SELECTED)` (EN 13757-3 section 11).
    """
    if len(secondary) != 8:
        raise ValueError("a secondary address has 8 bytes, not %d" % len(secondary))
    return long_frame(SND_UD, SELECTED, CI_SELECT, secondary)


def selects(pattern, secondary):
    """True if the 8 bytes of a selection fit the slave's own 8 bytes (EN 13757-3 section 11.3, wildcards)."""
    if len(pattern) != 8:
        return False
    for asked, own in zip(pattern[:4], secondary[:4]):
        for shift in (0, 4):
            digit = asked >> shift & 0x0F
            if digit not in (WILD_DIGIT, own >> shift & 0x0F):
                return False
    if bytes(pattern[4:6]) not in (b"\xff\xff", bytes(secondary[4:6])):
        return False
    return all(asked in (WILD_BYTE, own) for asked, own in zip(pattern[6:], secondary[6:]))
