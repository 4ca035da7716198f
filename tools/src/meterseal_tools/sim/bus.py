"""The M-Bus line: frames from the master to every slave, and all their answers on one pair of wires at once.

A slave sends a 0 by drawing more current, so where two send together a 0 wins: the line carries the AND of their
waveforms. Slaves do not begin in the same bit. What the master's UART then makes of it is what comes out here:
8E1, low bit first (EN 13757-2); a byte with wrong parity or stop bit is passed on as it was read, and a zero in
the stop bit's place begins the next byte, as in most UARTs.
"""

from collections.abc import Callable

from meterseal_tools.sim.pulses import mix
from meterseal_tools.sim.slave import Slave
from meterseal_wire.telegram.errors import MBusError
from meterseal_wire.telegram.mbus import Frame, FrameReader

BITS_PER_BYTE = 11
LATEST_START_BITS = 22


def waveform(data: bytes) -> list[int]:
    """The bits of some bytes on the line: start 0, eight bits, even parity, stop 1."""
    bits: list[int] = []
    for byte in data:
        ones = [byte >> bit & 1 for bit in range(8)]
        bits += [0, *ones, sum(ones) & 1, 1]
    return bits


def heard(bits: list[int]) -> bytes:
    """What a UART makes of bits on the line, idle high after their end."""
    found, at = bytearray(), 0
    line = bits + [1] * BITS_PER_BYTE
    while at < len(bits):
        if line[at]:
            at += 1
            continue
        found.append(sum(line[at + 1 + bit] << bit for bit in range(8)))
        at += BITS_PER_BYTE - 1
    return bytes(found)


def together(answers: list[tuple[int, bytes]]) -> bytes:
    """What a master hears where each answer begins at its own bit: (start bit, bytes)."""
    waves = [[1] * start + waveform(data) for start, data in answers]
    longest = max(len(wave) for wave in waves)
    return heard([min(wave[at] if at < len(wave) else 1 for wave in waves) for at in range(longest)])


class Bus:
    """All slaves on one line. `now` gives the tick at which an answer is made."""

    def __init__(self, slaves: Callable[[], list[Slave]], now: Callable[[], int], seed: int = 1) -> None:
        self._slaves, self._now, self._seed = slaves, now, seed
        self._reader = FrameReader()

    def reset(self) -> None:
        """Forget a half-received frame: the master lost its power."""
        self._reader.clear()

    def feed(self, data: bytes) -> bytes:
        """What the master hears after sending `data`. A damaged frame gets no answer."""
        self._reader.feed(data)
        said = b""
        while True:
            try:
                frame = self._reader.take()
            except MBusError:
                continue
            if frame is None:
                return said
            if frame.control is not None:
                said += self._answers(frame)

    def _answers(self, frame: Frame) -> bytes:
        tick = self._now()
        answers = [(self._start(slave), slave.answer(frame, tick)) for slave in self._slaves()]
        speaking = [(start, raw) for start, raw in answers if raw]
        return together(speaking) if speaking else b""

    def _start(self, slave: Slave) -> int:
        return mix(self._seed, int(slave.meter.serial)) % LATEST_START_BITS
