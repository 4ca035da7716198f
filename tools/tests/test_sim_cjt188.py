"""The simulated CJ/T 188 line: who answers, in which steps, and what a lost master leaves behind."""

from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.cjt188 import CjtLine, CjtSlave
from meterseal_tools.sim.meter import ErrorCurve, Meter
from meterseal_wire.telegram import cjt188
from meterseal_wire.telegram.cjt188_reading import decode

FLAT = ErrorCurve((20_000, 0), (3_000_000, 0))


def line_of(*slaves: CjtSlave) -> CjtLine:
    """A line whose moment is always the first tick."""
    return CjtLine(lambda: list(slaves), lambda: 0)


def slave(serial: str, litres: int) -> CjtSlave:
    """A meter that stands at so many litres and a part of the next, and is in no pipe."""
    return CjtSlave(Meter(CATALOGUE["itron_bm"], serial, FLAT, litres))


def read(found: CjtSlave) -> bytes:
    """The question for its register."""
    return bytes(cjt188.read_current(found.address[0], found.address[1:]))


def test_an_address_has_the_serial_in_its_lowest_bytes() -> None:
    """CJ/T 188: 10 is cold water, then seven bytes, lowest digits first."""
    assert slave("10000001", 0).address == bytes((0x10, 0x01, 0x00, 0x00, 0x10, 0x33, 0x22, 0x11))


def test_the_meter_that_is_asked_answers_and_only_that_one() -> None:
    """Two on the line; 12 340 L are 1 234 steps of 0.01 m3."""
    first, second = slave("10000001", 12_340), slave("10000002", 50)
    line = line_of(first, second)
    reading = decode(line.feed(read(first)))
    assert (reading.digits[-8:], reading.current) == ("10000001", (1234, -2))


def test_in_verification_mode_the_register_is_finer_and_afterwards_it_is_not() -> None:
    """A step of 0.01 L is 10^-5 m3: the litres, and the part of a litre behind them."""
    one = slave("10000001", 12_345)
    line = line_of(one)
    line.feed(bytes(cjt188.enter_verification(one.address[0], one.address[1:])))
    mantissa, power = decode(line.feed(read(one))).current
    assert (one.verifying, power, mantissa // 100) == (True, -5, 12_345)
    line.feed(bytes(cjt188.leave_verification(one.address[0], one.address[1:])))
    assert (one.verifying, decode(line.feed(read(one))).current) == (False, (1234, -2))


def test_a_question_in_two_parts_is_one_and_half_a_question_is_forgotten_with_its_master() -> None:
    """Bytes come as a UART gives them; after a power cut the rest of the old question is no part of the next."""
    one = slave("10000001", 1000)
    line, question = line_of(one), read(one)
    assert line.feed(question[:5]) == b"" and line.feed(question[5:])
    line.feed(question[:5])
    line.reset()
    assert decode(line.feed(question)).current == (100, -2)


def test_a_silent_meter_says_nothing() -> None:
    """By its own fault or by the bus's."""
    for own in (True, False):
        one = slave("10000001", 1000)
        one.meter.silent, one.faults.silent = own, not own
        assert line_of(one).feed(read(one)) == b""
