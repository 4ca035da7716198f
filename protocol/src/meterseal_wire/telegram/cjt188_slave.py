"""A simulated CJ/T 188 meter: a question's bytes in, the answer's bytes and the meter afterwards out.

Its display has steps of 0.01 m^3; in verification mode it answers in steps of 0.01 L, eight digits of it in both.
"""

from meterseal_wire.telegram.cjt188 import (
    ABNORMAL,
    ADDRESS,
    ANY,
    CURRENT,
    ENTER_VERIFICATION,
    FROM_METER,
    LEAVE_VERIFICATION,
    READ,
    READ_ADDRESS,
    WRITE,
    Frame,
    address_bytes,
    build,
    field,
    parse_frame,
)
from meterseal_wire.telegram.cjt188_errors import Cjt188Error
from meterseal_wire.telegram.mbus_slave import packed_bcd

LITRE, CUBIC_METRE = 0x29, 0x2C
CENTILITRES_A_STEP = 1000  # 0.01 m^3
REGISTER = 10**8
KNOWN = ((READ, CURRENT), (READ_ADDRESS, ADDRESS), (WRITE, ENTER_VERIFICATION), (WRITE, LEAVE_VERIFICATION))


class Meter:
    """One meter, never changed: kind of `meter`, `digits` of its address, volume in `centilitres`.

    `clock` is 7 bytes of BCD (ss mm hh DD MM YY CC), `status` two bytes; `verifying` tells the mode.
    """

    def __init__(self, meter, digits, centilitres, clock=bytes(7), status=bytes(2)):
        self.meter = meter
        self.digits = digits
        self.centilitres = centilitres
        self.clock = clock
        self.status = status
        self.verifying = False

    def at(self, centilitres):
        """The same meter at another volume."""
        found = Meter(self.meter, self.digits, centilitres, self.clock, self.status)
        found.verifying = self.verifying
        return found

    def mode(self, verifying):
        """The same meter in or out of verification mode."""
        found = self.at(self.centilitres)
        found.verifying = verifying
        return found


def answer(meter, question):
    """(the answer's bytes, the Meter afterwards). No bytes, None, for damage and for questions to others."""
    try:
        asked = parse_frame(question)
    except Cjt188Error:
        return None, meter
    own = address_bytes(meter.digits)
    if asked.control & FROM_METER or not _means(asked, meter.meter, own):
        return None, meter
    after, control = meter, asked.control | FROM_METER
    if asked.data or (asked.control, asked.identifier) not in KNOWN:
        said = bytes((asked.serial,)) + meter.status
        control |= ABNORMAL
    else:
        said = field(asked.identifier, asked.serial, b"", asked.low_first)
        if asked.identifier == CURRENT:
            register = _register(meter)
            said += register + register + meter.clock + meter.status
        elif asked.control == WRITE:
            after = meter.mode(asked.identifier == ENTER_VERIFICATION)
    return build(Frame(meter.meter, own, control, said)), after


def _means(asked, kind, own):
    if asked.meter not in (ANY, kind):
        return False
    return all(byte in (ANY, mine) for byte, mine in zip(asked.address, own))


def _register(meter):
    if meter.verifying:
        return packed_bcd(meter.centilitres % REGISTER, 4) + bytes((LITRE,))
    return packed_bcd(meter.centilitres // CENTILITRES_A_STEP % REGISTER, 4) + bytes((CUBIC_METRE,))
