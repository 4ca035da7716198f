"""What can be wrong with a telegram. One root, stable codes, the byte where it shows.

`TelegramError` is the root; `MBusError` here and `Cjt188Error` in cjt188_errors are its two families.
"""


class TelegramError(Exception):
    """The meter's bytes are not a telegram that can be read. Ask again, or end the position with this code.

    `at` is the byte offset in what was given, `why` one plain sentence.
    """

    code = "telegram"

    def __init__(self, at, why):
        super().__init__(at, why)
        self.at = at
        self.why = why

    def __str__(self):
        return "%s at byte %d: %s" % (self.code, self.at, self.why)


class MBusError(TelegramError):
    """Refused as an M-Bus telegram (EN 13757)."""

    code = "mbus"


class BadFrame(MBusError):
    """Start, stop or control byte is not one of the link layer's (EN 13757-2 section 5; EN 60870-5-2)."""

    code = "mbus.frame"


class BadLength(MBusError):
    """The two length bytes differ, are too small, or bytes stand after the end (EN 60870-5-1 format class FT1.2)."""

    code = "mbus.length"


class BadChecksum(MBusError):
    """The sum of control, address and user data is another than the checksum byte (FT1.2)."""

    code = "mbus.checksum"


class Truncated(MBusError):
    """The bytes end inside a frame, a header or a record."""

    code = "mbus.truncated"


class TooManyExtensions(MBusError):
    """More than ten DIFE or ten VIFE in one record (EN 13757-3 section 6.3)."""

    code = "mbus.extensions"


class Unsupported(MBusError):
    """A control information, data information or length code that is reserved, or is no answer of a meter."""

    code = "mbus.unsupported"


class NoRegister(MBusError):
    """The telegram is sound but has no one volume register to read."""

    code = "mbus.no_register"


class MeterError(MBusError):
    """The meter answered with an application error (EN 13757-3, CI 70): its number and name.

    `code` names it too, as in `mbus.meter.application_busy`.
    """

    code = "mbus.meter"

    def __init__(self, at, number):
        name, word = APPLICATION_ERRORS.get(number, ("Unknown error (0x%02X)" % number, "unknown"))
        super().__init__(at, "the meter answers: " + name)
        self.number = number
        self.name = name
        self.code = MeterError.code + "." + word


# Number in the telegram -> the name that libmbus prints, the last word of our code.
APPLICATION_ERRORS = {
    0: ("Unspecified error", "unspecified"),
    1: ("Unimplemented CI-Field", "unimplemented_ci"),
    2: ("Buffer too long, truncated", "buffer_too_long"),
    3: ("Too many records", "too_many_records"),
    4: ("Premature end of record", "premature_end_of_record"),
    5: ("More than 10 DIFE´s", "too_many_difes"),
    6: ("More than 10 VIFE´s", "too_many_vifes"),
    7: ("Reserved", "reserved"),
    8: ("Application busy", "application_busy"),
    9: ("Too many readouts", "too_many_readouts"),
}

# Every code that a refused telegram can carry.
CODES = tuple(
    kind.code
    for kind in (BadFrame, BadLength, BadChecksum, Truncated, TooManyExtensions, Unsupported, NoRegister)
) + tuple(
    MeterError.code + "." + word
    for word in [APPLICATION_ERRORS[number][1] for number in range(len(APPLICATION_ERRORS))] + ["unknown"]
)
