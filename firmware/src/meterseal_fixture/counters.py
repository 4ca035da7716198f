"""Station 1, counts, without a front end: the board's own pulse counters. They count edges and know no time of any.

Asked like one `FrontEnd`, so static start and stop, the window of steady flow and the closed bench need no other
code. A point that is timed by pulses does: `stamps` is False, and an order of such a plan is refused (`plan.stamps`).

Promises, and why they hold:

- A unit that goes round loses nothing: it stands at `around` different values, and only differences are ever taken. A
  look comes every LOOK_MS. One so late that at the row's greatest rate a unit could have gone round whole would make
  an ambiguous difference: then a gate that is open gives no figures any more, and the run ends with `counter.late`.
- No time is made up. `first` and `last` of a channel are the looks that first and last saw its count changed; they tell
  whether it still counts, and are signed nowhere. The row's resolution is the longest that may lie between two looks.
- Flow is what the reference counted, over the newest stretch that has ENOUGH edges or is LONGEST_MS long. It decides
  when a flow is steady and when enough has passed, and stands in the row as its least and greatest flow.
- What a sensor does not know is not made up either: `sensor.unknown`, and the run ends.

Not covered: pulses faster than the row's greatest rate.
"""

import asyncio
import time

from meterseal_fixture.errors import FrontEndSilent
from meterseal_fixture.pulses import Counts, Sample
from meterseal_fixture.settings import QUANTITIES

LOOK_MS = 20
REMEMBER_MS = 100
LONGEST_MS = 10000
ENOUGH = 100
REF_10PA = QUANTITIES.index("ref_10pa")
MS_PER_S, US_PER_MS = 1000, 1000


class Clock:
    """The interpreter's milliseconds, carried on to any length; look at least once in six days."""

    def __init__(self) -> None:
        self._raw = time.ticks_ms()
        self._ms = 0

    def ms(self) -> int:
        """Milliseconds since this clock was made."""
        raw = time.ticks_ms()
        self._ms += time.ticks_diff(raw, self._raw)
        self._raw = raw
        return self._ms

    def us(self) -> int:
        """The same in microseconds, in steps of a thousand."""
        return US_PER_MS * self.ms()


class Gate:
    """What one channel counted while it was open, from `armed` ms on."""

    def __init__(self, armed: int, is_open: bool) -> None:
        self.open, self.lost = is_open, False
        self.edges = self.first = self.last = 0
        self._armed = armed

    def count(self, edges: int, ms: int) -> None:
        """So many more, seen at `ms`."""
        if self.open and edges:
            seen = max(1, ms - self._armed)
            self.first = self.first or seen
            self.edges, self.last = self.edges + edges, seen

    def figures(self) -> list[int]:
        """(whole intervals, first seen, last seen) in ms since it was armed."""
        return [self.edges - 1, self.first, self.last] if self.edges else [0, 0, 0]


class Counters:
    """Counters of the board itself: `units` is (one function a channel that gives what it stands at, the reference
    first; the number of values it takes), `row` the board's row of `capability`, `reference` (sensors, nanolitres a
    pulse), `flow` whoever sets the flow, `clock` a Clock.
    """

    stamps = False

    def __init__(self, units, row, reference, flow, clock) -> None:
        self._units, self._around = units
        self._row, self.flow, self._clock = row, flow, clock
        self._sensors, self._nl = reference
        self.clock, self.ticks_per_s, self.channels = row.clock(), row.ticks_per_s, row.channels
        self.rows: list[tuple[object, ...]] = [(row.name, row.channels) + row.clock() + (row.rate_hz,)]
        self.bounced: list[int] = []
        self.gone: dict[int, str] = {}
        self._late_ms = self._around * MS_PER_S // row.rate_hz
        self._stands = [unit() for unit in self._units]
        self._looked, self._passed, self._lates = clock.ms(), 0, 0
        self._gates = [Gate(0, False) for _ in self._units]
        self._history = [(self._looked, 0)]

    async def describe(self) -> str:
        """The row's name; everything else is known from the start."""
        name: str = self._row.name
        return name

    async def tend(self) -> None:
        """Look at counters and sensors, for ever."""
        while True:
            self._look()
            self._sensors.step()
            await asyncio.sleep_ms(LOOK_MS)

    async def now(self) -> int:
        """Milliseconds: the ticks of this source."""
        return self._look()

    async def set_flow(self, ml_per_h: int) -> None:
        """Ask for a flow; 0 closes the valve."""
        await self.flow.set_flow(ml_per_h)

    async def closed_bench(self, seconds: int) -> tuple[int, ...]:
        """(pressure before, after in 10 Pa, seconds, counts at zero flow) with the bench closed."""
        start, until = self._pressure(), self._look() + MS_PER_S * seconds
        passed, lates = self._passed, self._lates
        while self._look() < until:
            await asyncio.sleep_ms(LOOK_MS)
        if self._lates != lates:
            raise FrontEndSilent("counter.late")
        return start, self._pressure(), seconds, self._passed - passed

    def longest_ms(self, seconds: int) -> int:
        """For how long `closed_bench` may keep its caller waiting."""
        return 2 * MS_PER_S * seconds

    async def sample(self) -> Sample:
        """Flow from the reference's counts, temperatures and pressures from the sensors."""
        flow = self._flow()
        while flow is None:
            await asyncio.sleep_ms(LOOK_MS)
            flow = self._flow()
        state = self._sensors.state(flow)
        if state is None:
            raise FrontEndSilent("sensor.unknown", QUANTITIES[self._sensors.unknown()])
        return Sample([self._looked] + state)

    async def arm(self, mask: int) -> int:
        """Open the gates of `mask` anew; the ticks of that moment."""
        now = self._look()
        for channel, gate in enumerate(self._gates):
            if mask >> channel & 1:
                self._gates[channel] = Gate(now, True)
            elif not gate.open:
                gate.lost = False
        return now

    async def counts(self) -> Counts:
        """The figures of all gates, zeros for positions without a counter; `counter.late` where they are not known."""
        found = [self._look()]
        if any(gate.lost for gate in self._gates):
            raise FrontEndSilent("counter.late")
        for gate in self._gates:
            found += gate.figures()
        return Counts(found + [0, 0, 0] * max(0, self._sensors.positions + 1 - len(self._gates)))

    async def disarm(self, mask: int) -> int:
        """Close the gates of `mask`; their figures stay. The ticks of that moment."""
        now = self._look()
        for channel, gate in enumerate(self._gates):
            if mask >> channel & 1:
                gate.open = False
        return now

    def _look(self) -> int:
        now: int = self._clock.ms()
        late, self._looked = now - self._looked >= self._late_ms, now
        for channel, unit in enumerate(self._units):
            stands = unit()
            edges, self._stands[channel] = (stands - self._stands[channel]) % self._around, stands
            self._gates[channel].count(edges, now)
            self._gates[channel].lost = self._gates[channel].lost or (late and self._gates[channel].open)
            self._passed += 0 if channel else edges
        if late:
            self._lates += 1
            self._history = []
        self._remember(now)
        return now

    def _remember(self, now: int) -> None:
        history = self._history
        if not history or now - history[-1][0] >= REMEMBER_MS:
            history.append((now, self._passed))
        # One that is LONGEST_MS old or older must stay: it is where the longest stretch begins.
        while len(history) > 1 and now - history[1][0] >= LONGEST_MS:
            history.pop(0)

    def _flow(self) -> int | None:
        """mL/h, None while the counters have been looked at for too short a time to say."""
        now = self._look()
        for at in range(len(self._history) - 1, -1, -1):
            when, passed = self._history[at]
            ms, edges = now - when, self._passed - passed
            if ms >= LONGEST_MS or (ms >= MS_PER_S and edges >= ENOUGH):
                break
        else:
            when, passed = self._history[0]
            ms, edges = now - when, self._passed - passed
            if ms < MS_PER_S:
                return None
        # 1 nL a ms is 3.6 mL/h.
        ml_per_h: int = (36 * self._nl * edges + 5 * ms) // (10 * ms)
        return ml_per_h

    def _pressure(self) -> int:
        found: int | None = self._sensors.value(REF_10PA)
        if found is None:
            raise FrontEndSilent("sensor.unknown", QUANTITIES[REF_10PA])
        return found
