"""Strict CBOR in: exactly what `encode` can produce, within limits, else one error with its byte.

Promise: for every input, either a value whose encoding is the input, byte for byte, or a WireError. So a
statement has one spelling, and a hash over it names one meaning (RFC 8949 section 4.2.1). General decoders are
not a gate: cbor2 6.3 accepts `18 00` for 0 and ignores trailing bytes.

Refused although well-formed: floats, indefinite lengths, tags other than 18, undefined and unassigned simple
values, integers outside plus or minus 2^63 - 1, nesting deeper than 8, more than 16 KiB. Not checked here:
Unicode NFC, which needs tables the device has not (`meterseal_protocol.statement` checks it).
"""

from meterseal_wire.encode import LARGEST, Tag
from meterseal_wire.errors import (
    BadText,
    KeyOrder,
    NotAllowed,
    NotShortest,
    OverLimit,
    Trailing,
    Truncated,
)

STATEMENT_BYTES = 16384
NESTING = 8
SIMPLE = {20: False, 21: True, 22: None}


def scan(data, limit=STATEMENT_BYTES, nesting=NESTING):
    """The one value in `data`; raises WireError with the offset of the first byte that is wrong."""
    if len(data) > limit:
        raise OverLimit(limit, "%d bytes where %d are allowed" % (len(data), limit))
    scanner = _Scanner(bytes(data))
    value = scanner.item(nesting)
    if scanner.at != len(data):
        raise Trailing(scanner.at, "%d bytes after the end" % (len(data) - scanner.at))
    return value


class _Scanner:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def item(self, nesting):
        start = self.at
        major, argument = self.head()
        if major == 0:
            return self.bounded(start, argument)
        if major == 1:
            return -1 - self.bounded(start, argument, 1)
        if major == 2:
            return self.take(argument)
        if major == 3:
            return _text(self.take(argument), self.at - argument)
        if major == 7:
            return _simple(argument, start)
        if nesting == 0:
            raise OverLimit(start, "nested deeper than allowed")
        if major == 4:
            self.room(argument)
            return [self.item(nesting - 1) for _ in range(argument)]
        if major == 5:
            return self.map(argument, nesting - 1)
        if argument != 18:
            raise NotAllowed(start, "tag %d; only 18 (COSE_Sign1) is used" % argument)
        return Tag(argument, self.item(nesting - 1))

    def head(self):
        start = self.at
        first = self.take(1)[0]
        major, short = first >> 5, first & 31
        if short < 24:
            return major, short
        if short > 27:
            why = "indefinite length" if short == 31 else "reserved length %d" % short
            raise NotAllowed(start, why)
        if major == 7:
            why = "simple value in two bytes" if short == 24 else "a float"
            raise NotAllowed(start, why)
        width = 1 << (short - 24)
        argument = int.from_bytes(self.take(width), "big")
        if argument < (24 if width == 1 else 1 << (4 * width)):
            raise NotShortest(start, "%d fits in fewer bytes" % argument)
        return major, argument

    def take(self, count):
        self.room(count)
        start = self.at
        self.at = start + count
        return self.data[start : self.at]

    def room(self, count):
        # Every item takes at least one byte, so a longer array or map cannot be complete either.
        if count > len(self.data) - self.at:
            raise Truncated(len(self.data), "%d more bytes announced at %d" % (count, self.at))

    def bounded(self, start, argument, below=0):
        if argument > LARGEST - below:
            raise OverLimit(start, "integer outside plus or minus 2^63 - 1")
        return argument

    def map(self, count, nesting):
        self.room(2 * count)
        found = {}
        last = b""
        for _ in range(count):
            start = self.at
            key = self.item(0)
            if not isinstance(key, (int, str)) or key is True or key is False:
                raise NotAllowed(start, "a map key that is neither an integer nor text")
            spelled = self.data[start : self.at]
            if spelled <= last:
                raise KeyOrder(start, "key %r twice or out of order" % (key,))
            last = spelled
            found[key] = self.item(nesting)
        return found


def _simple(argument, start):
    if argument not in SIMPLE:
        raise NotAllowed(start, "simple value %d" % argument)
    return SIMPLE[argument]


def _text(raw, start):
    _check_utf8(raw, start)
    return raw.decode()


# Second byte ranges of RFC 3629 section 4 where they are narrower than 80..BF.
_SECOND = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}


def _check_utf8(raw, start):
    at = 0
    while at < len(raw):
        first = raw[at]
        if first < 0x80:
            at += 1
            continue
        more = (
            1 if 0xC2 <= first <= 0xDF else 2 if 0xE0 <= first <= 0xEF else 3 if 0xF0 <= first <= 0xF4 else 0
        )
        low, high = _SECOND.get(first, (0x80, 0xBF))
        tail = raw[at + 1 : at + 1 + more]
        if not more or len(tail) < more or not low <= tail[0] <= high:
            raise BadText(start + at, "not UTF-8")
        for byte in tail[1:]:
            if byte & 0xC0 != 0x80:
                raise BadText(start + at, "not UTF-8")
        at += 1 + more
