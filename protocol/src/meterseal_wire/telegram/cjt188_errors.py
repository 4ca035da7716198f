"""What can be wrong with a CJ/T 188 telegram. One family of TelegramError, stable codes, the byte where it shows."""

from meterseal_wire.telegram.errors import TelegramError


class Cjt188Error(TelegramError):
    """Refused as a CJ/T 188 telegram."""

    code = "cjt188"


class BadFrame(Cjt188Error):
    """Start, stop or control byte is not one of a frame, or not one of what was awaited."""

    code = "cjt188.frame"


class BadLength(Cjt188Error):
    """The length is too small, another than the identifier's, or bytes stand after the end."""

    code = "cjt188.length"


class BadChecksum(Cjt188Error):
    """The sum of the bytes from 68 on is another than the checksum byte."""

    code = "cjt188.checksum"


class Truncated(Cjt188Error):
    """The bytes end inside a frame."""

    code = "cjt188.truncated"


class BadDigits(Cjt188Error):
    """A byte that has to be two decimal digits is none: in a meter's address or in the register that counts."""

    code = "cjt188.digits"


class Unsupported(Cjt188Error):
    """A sound frame with a kind of meter, an identifier or a unit that is no volume's."""

    code = "cjt188.unsupported"


class MeterRefused(Cjt188Error):
    """The meter answers abnormally. `status` is its two status bytes, or None where it sent none."""

    code = "cjt188.meter"

    def __init__(self, at, why, status=None):
        super().__init__(at, why)
        self.status = status


# Every code that a refused telegram can carry.
CODES = tuple(
    kind.code for kind in (BadFrame, BadLength, BadChecksum, Truncated, BadDigits, Unsupported, MeterRefused)
)
