"""What flowed when: flow as steps in time, its volume exact, and the tick at which a volume is reached.

Flow is constant within a step, so volume is a sum of products of integers. A ramp is a staircase of short steps:
still exact, and near enough to a valve that opens over a second or two. Volume is counted in flow units: one
flow unit is 1 mL/h for one tick, so a millilitre is 3600 times ticks_per_s of them.
"""

from bisect import bisect_left, bisect_right
from fractions import Fraction

SECONDS_PER_HOUR = 3600
NL_PER_ML = 1_000_000


class FlowHistory:
    """Steps (first tick, flow in mL/h) from tick 0, where nothing flows, up to now and a little beyond.

    `set` may only be called with growing ticks. A ramp in progress is cut off by the next `set`; `cuts` counts
    that, so that whoever remembers sums over steps knows when to forget them.
    """

    def __init__(self, ticks_per_s: int, ramp_ticks: int = 0, ramp_steps: int = 8) -> None:
        self.ticks_per_s = ticks_per_s
        self.ramp_ticks = ramp_ticks
        self.ramp_steps = ramp_steps
        self.starts = [0]
        self.flows = [0]
        self.cuts = 0
        self.units_per_ml = SECONDS_PER_HOUR * ticks_per_s

    def set(self, tick: int, flow_ml_per_h: int) -> None:
        """From `tick` on go to `flow_ml_per_h`, at once or by the ramp. Closing (0) is always at once."""
        before = self.flow_at(tick)
        while len(self.starts) > 1 and self.starts[-1] >= tick:
            self.starts.pop()
            self.flows.pop()
            self.cuts += 1
        steps = self.ramp_steps if self.ramp_ticks and flow_ml_per_h else 1
        for step in range(1, steps + 1):
            self._step(
                tick + self.ramp_ticks * (step - 1) // steps,
                before + (flow_ml_per_h - before) * step // steps,
            )

    def _step(self, tick: int, flow: int) -> None:
        if flow == self.flows[-1]:
            return
        if tick <= self.starts[-1]:
            self.flows[-1] = flow
            return
        self.starts.append(tick)
        self.flows.append(flow)

    def flow_at(self, tick: int) -> int:
        """Flow in mL/h at `tick`."""
        return self.flows[bisect_right(self.starts, tick) - 1]

    def extremes(self, first: int, last: int) -> tuple[int, int]:
        """Least and greatest flow in mL/h from tick `first` to tick `last`, both included."""
        found = self.flows[bisect_right(self.starts, first) - 1 : bisect_right(self.starts, last)]
        return min(found), max(found)

    def units(self, tick: int) -> int:
        """Flow units passed from tick 0 to `tick`."""
        total = 0
        for index, (start, flow) in enumerate(zip(self.starts, self.flows, strict=True)):
            if start >= tick:
                break
            following = self.starts[index + 1] if index + 1 < len(self.starts) else tick
            total += flow * (min(following, tick) - start)
        return total

    def volume_nl(self, first: int, last: int) -> Fraction:
        """Nanolitres that passed between two ticks, exact."""
        return Fraction((self.units(last) - self.units(first)) * NL_PER_ML, self.units_per_ml)

    def reached(self, first: int, volume_nl: Fraction) -> int | None:
        """The first tick by which `volume_nl` has passed since `first`; None where the flow never brings it."""
        target = volume_nl * self.units_per_ml / NL_PER_ML + self.units(first)
        passed = [self.units(start) for start in self.starts]
        index = bisect_left(passed, target) - 1
        if index < 0:
            return first
        if not self.flows[index]:
            return None
        return max(first, self.starts[index] - (passed[index] - target) // self.flows[index])
