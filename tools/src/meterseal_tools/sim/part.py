"""One of several front ends on one bench: some positions, the reference on a channel of its own, a crystal of its own.

It stands where `front_end.FrontEnd` wants a bench. Its clock started at another moment and runs `ppm` off the rig's,
and its gates are its own, so a fixture that mixes figures of two front ends gets ratios that are wrong.
"""

from dataclasses import dataclass

from meterseal_tools.sim.bench import Bench

MILLION = 1_000_000


@dataclass(frozen=True)
class Crystal:
    """The rig's clock as this front end has it: `ppm` faster, and `ahead` ticks ahead."""

    bench: Bench
    ppm: int
    ahead: int

    @property
    def ticks_per_s(self) -> int:
        """What it says of itself; how wrong it is it does not know."""
        return self.bench.clock.ticks_per_s

    def now(self) -> int:
        """Its own ticks now."""
        return self.ticks(self.bench.clock.now()) + self.ahead

    def ticks(self, of_the_rig: int) -> int:
        """Its ticks for a stretch of the rig's."""
        return of_the_rig * (MILLION + self.ppm) // MILLION

    def real_seconds_until(self, tick: int) -> float:
        """Seconds of the wall until its own `tick`."""
        return self.bench.clock.real_seconds_until((tick - self.ahead) * MILLION // (MILLION + self.ppm))


class Part:
    """The bench as a front end sees it that has the positions `first` to `last`."""

    def __init__(self, bench: Bench, first: int, last: int, crystal: Crystal) -> None:
        self.bench, self.clock = bench, crystal
        self.spec, self.climate, self.history = bench.spec, bench.climate, bench.history
        self.positions = range(first, last + 1)
        self.lost_reference = False
        self._gates: dict[int, tuple[int, int | None]] = {}

    @property
    def channels(self) -> int:
        """The reference and its positions."""
        return 1 + len(self.positions)

    def position(self, channel: int) -> int:
        """The bench's number of a channel; 0 is the reference's."""
        return self.positions[channel - 1] if channel else 0

    def set_flow(self, flow_ml_per_h: int) -> None:
        """Move the bench's one valve."""
        self.bench.set_flow(flow_ml_per_h)

    def closed_check(self, seconds: int) -> tuple[int, int, int, int]:
        """The bench's closed check."""
        return self.bench.closed_check(seconds)

    def arm(self, mask: int) -> int:
        """Start its gates of `mask` anew; its own ticks."""
        now = self.bench.clock.now()
        for channel in self._chosen(mask):
            self._gates[channel] = (now, None)
        return self.clock.now()

    def disarm(self, mask: int) -> int:
        """Close its gates of `mask`; its own ticks."""
        now = self.bench.clock.now()
        for channel in self._chosen(mask):
            armed, closed = self._gates.get(channel, (now, now))
            self._gates[channel] = (armed, now if closed is None else closed)
        return self.clock.now()

    def _chosen(self, mask: int) -> list[int]:
        return [channel for channel in range(self.channels) if mask >> channel & 1]

    def counts(self, _now: int) -> list[tuple[int, int, int]]:
        """(intervals, first, last) of its channels, in its own ticks since its own arming."""
        return [self._count(channel) for channel in range(self.channels)]

    def _count(self, channel: int) -> tuple[int, int, int]:
        if channel not in self._gates or (channel == 0 and self.lost_reference):
            return 0, 0, 0
        armed, closed = self._gates[channel]
        last = self.bench.clock.now() if closed is None else closed
        count, early, late = self.bench.figures(self.position(channel), armed, last)
        return count, self.clock.ticks(early), self.clock.ticks(late)
