"""Where a meter's pulse edges fall, computed from the flow history instead of stepped through.

A train advances by a whole number of progress per tick that depends on the flow alone; `UNIT` of progress is one
pulse. The rate is rounded once per flow, at one part in more than 10^13, and everything after that is exact: an
edge is the first tick at which the progress reaches a multiple of `UNIT`. Capture jitter delays an edge by up to
`jitter` ticks, by a mix of seed and edge number, so it is the same whenever it is asked for.
"""

from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction

from meterseal_tools.sim.flow import FlowHistory

NOTHING = Fraction()
SCALE = 10**12
MIX = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def mix(seed: int, number: int) -> int:
    """64 bits that look random and depend on both numbers only (splitmix64's finaliser)."""
    value = (seed * MIX + number * 0xD1B54A32D192ED03 + MIX) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


class PulseTrain:
    """Pulses of one device in one flow history, from the tick `since` on.

    `pulses_per_ml` gives, for a flow in mL/h on the bench, pulses for each mL that passes the bench. `phase` is
    how far into its first pulse the device stands, 0 <= phase < 1.
    """

    def __init__(
        self,
        history: FlowHistory,
        pulses_per_ml: Callable[[int], Fraction],
        since: int = 0,
        phase: Fraction = NOTHING,
    ) -> None:
        self.history = history
        self.since = since
        self.unit = history.units_per_ml * SCALE
        self.jitter, self.seed = 0, 0
        self._per_ml = pulses_per_ml
        self._phase = int(phase * self.unit)
        self._rates: dict[int, int] = {0: 0}
        self._starts: list[int] = []
        self._progress: list[int] = []
        self._cuts = history.cuts

    def with_jitter(self, jitter: int, seed: int) -> "PulseTrain":
        """The same train, each edge delayed by 0 to `jitter` ticks."""
        self.jitter, self.seed = jitter, seed
        return self

    def _rate(self, flow: int) -> int:
        if flow not in self._rates:
            self._rates[flow] = round(flow * self._per_ml(flow) * SCALE)
        return self._rates[flow]

    def _extend(self) -> None:
        """Bring the progress at each step's start up to date; a ramp that was cut off is forgotten."""
        starts = self.history.starts
        if self._cuts != self.history.cuts:
            self._starts, self._progress, self._cuts = [], [], self.history.cuts
        for index in range(len(self._starts), len(starts)):
            if index:
                before = starts[index - 1]
                progress = self._progress[-1] + self._advance(index - 1, before, starts[index])
            else:
                progress = self._phase
            self._starts.append(starts[index])
            self._progress.append(progress)

    def _advance(self, index: int, first: int, last: int) -> int:
        return self._rate(self.history.flows[index]) * max(0, last - max(first, self.since))

    def progress(self, tick: int) -> int:
        """Phase and progress from `since` to `tick`, in units of which `unit` make a pulse."""
        self._extend()
        index = max(0, bisect_left(self._starts, tick) - 1)
        return self._progress[index] + self._advance(index, self._starts[index], tick)

    def pulses(self, tick: int) -> Fraction:
        """Pulses up to `tick` with their fraction, the phase at `since` included."""
        return Fraction(self.progress(tick), self.unit)

    def edge(self, number: int) -> int | None:
        """The tick of edge `number` (from 1); None where the flow so far set never brings it."""
        target = number * self.unit
        self._extend()
        index = bisect_left(self._progress, target) - 1
        if index < 0:
            return None
        rate = self._rate(self.history.flows[index])
        if not rate:
            return None
        start = max(self._starts[index], self.since)
        return start - (self._progress[index] - target) // rate + self._delay(number)

    def _delay(self, number: int) -> int:
        return mix(self.seed, number) % (self.jitter + 1) if self.jitter else 0

    def edges(self, tick: int) -> int:
        """How many edges have come up to and including `tick`."""
        number = self.progress(tick) // self.unit
        while number:
            at = self.edge(number)
            if at is None or at <= tick:
                break
            number -= 1
        return number

    def gate(self, first: int, last: int) -> tuple[int, int, int]:
        """(whole intervals, first edge, last edge) of the edges after `first` up to `last`, in ticks since `first`.

        Zeros where no edge fell inside; with one edge the interval count is 0 and both ticks are that edge's.
        """
        low, high = self.edges(first) + 1, self.edges(last)
        early, late = (self.edge(low), self.edge(high)) if high >= low else (None, None)
        if early is None or late is None:
            return 0, 0, 0
        return high - low, early - first, late - first
