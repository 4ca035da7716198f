"""The CJ/T 188 line: meters that answer to their address, in steps of 0.01 L while they are in verification mode.

The answers are those of the codec's own simulated meter (`meterseal_wire.telegram.cjt188_slave`), at the volume that
the bench's meter has registered by then. An address here is as the fixture's settings want it: the kind of meter, then
seven bytes lowest first, the meter's serial in the lowest four.
"""

from collections.abc import Callable

from meterseal_tools.sim.meter import Meter
from meterseal_tools.sim.slave import BusFaults
from meterseal_wire import kinds
from meterseal_wire.telegram import cjt188, cjt188_slave

WATER, GAS = 0x10, 0x30
MAKER_DIGITS = "112233"
UL_PER_CENTILITRE = 10_000  # a step of 0.01 L
LONGEST = 512


class CjtSlave:
    """The bus side of one meter; of its faults only `silent` is one of this bus."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.faults = BusFaults()
        kind = WATER if meter.data.medium == kinds.WATER else GAS
        self._state = cjt188_slave.Meter(kind, MAKER_DIGITS + meter.serial, 0)

    @property
    def address(self) -> bytes:
        """Eight bytes."""
        return bytes((self._state.meter,)) + bytes(cjt188.address_bytes(self._state.digits))

    @property
    def verifying(self) -> bool:
        """True while it is in verification mode."""
        return bool(self._state.verifying)

    def answer(self, question: bytes, tick: int) -> bytes:
        """What it sends at that tick; empty where it stays quiet."""
        if self.faults.silent or self.meter.silent:
            return b""
        volume = int(self.meter.volume_ul(tick) // UL_PER_CENTILITRE)
        said, self._state = cjt188_slave.answer(self._state.at(volume), question)
        return bytes(said or b"")


class CjtLine:
    """A station on the rig's meter line. `now` gives the tick at which an answer is made."""

    def __init__(self, slaves: Callable[[], list[CjtSlave]], now: Callable[[], int]) -> None:
        self._slaves, self._now = slaves, now
        self._input = b""

    def feed(self, data: bytes) -> bytes:
        """The answers to a question, once it is whole."""
        self._input = (self._input + data)[-LONGEST:]
        if cjt188.missing(self._input):
            return b""
        question, self._input = self._input, b""
        return b"".join(slave.answer(question, self._now()) for slave in self._slaves())

    def poll(self) -> bytes:
        """Nothing ever waits."""
        return b""

    def sleep_s(self) -> float:
        """For ever, as far as this line is concerned."""
        return 60.0

    def reset(self) -> None:
        """Forget a half-received question: the master lost its power."""
        self._input = b""
