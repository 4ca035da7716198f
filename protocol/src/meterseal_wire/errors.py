"""What can be wrong with a peer's bytes. One root, stable codes, the byte where it shows."""


class WireError(Exception):
    """The peer's bytes break the format. Refuse, count, keep the connection.

    `at` is the byte offset in what was scanned, `why` one plain sentence.
    """

    code = "wire"

    def __init__(self, at, why):
        super().__init__(at, why)
        self.at = at
        self.why = why

    def __str__(self):
        return "%s at byte %d: %s" % (self.code, self.at, self.why)


class Truncated(WireError):
    """The input ends inside an item (RFC 8949 section 3)."""

    code = "wire.truncated"


class NotShortest(WireError):
    """An argument is longer than needed (RFC 8949 section 4.2.1)."""

    code = "wire.not_shortest"


class KeyOrder(WireError):
    """Map keys are out of bytewise order, or one stands twice (RFC 8949 section 4.2.1)."""

    code = "wire.key_order"


class NotAllowed(WireError):
    """Well-formed CBOR that our profile leaves out: floats, indefinite lengths, tags but 18, undefined."""

    code = "wire.not_allowed"


class OverLimit(WireError):
    """Too large, too deep, or an integer outside plus or minus 2^63 - 1."""

    code = "wire.over_limit"


class BadText(WireError):
    """Text that is not UTF-8 (RFC 3629)."""

    code = "wire.text"


class Trailing(WireError):
    """Bytes after the one item that was expected."""

    code = "wire.trailing"


class BadShape(WireError):
    """The right CBOR in the wrong shape: a label missing, unknown or of another type."""

    code = "wire.shape"


class UnknownSuite(WireError):
    """No row of the suite table has this algorithm, or this interpreter lacks the row's hash."""

    code = "wire.suite"
