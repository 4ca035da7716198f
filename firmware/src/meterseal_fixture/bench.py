"""Station 1, water: flow points run one after the other, each ending in one row of raw integers a position.

Time is the capture clock's alone: settling, quiet meters and durations are counted in its ticks, so a bench whose
clock runs faster than the wall needs no other code. Sleeps here only keep from asking too often.

Where the plan gives a window, the measured flow must stay in the point's band for it before gates open. If it has
not within the plan's time, the run ends: `flow.unsteady`, signed as NO_FLOW, since no flow to measure at came.

A front end that falls silent, or loses its reference, beside others takes its positions with it (`joined`): they end
with FAULT and without a row of that point, as nobody knows what was counted there; the others go on.

A point ends when every position that still takes part has its least counts. A meter that gives no edge for
longer than QUIET_FACTOR times the plan's volume should take (and QUIET_S) leaves the run with NO_FLOW, and a row
that shows what the reference counted meanwhile. A reference that gives none for half as long ends the run: with
NO_FLOW where the meters are quiet too (a dry pipe), with FAULT where they go on counting.
"""

import asyncio
import time

from meterseal_fixture.errors import BenchFault, Stopped
from meterseal_fixture.plan import PlanPoint
from meterseal_fixture.positions import COUNTING, DONE, Position, live
from meterseal_fixture.pulses import Counts, FrontEnd, Sample
from meterseal_fixture.result import Conditions, Spread
from meterseal_wire import kinds
from meterseal_wire.point import REFERENCE_METER

POLL_MS = 10
QUIET_S = 60
QUIET_FACTOR = 3
REFERENCE = 0
LEAST_REFERENCE = 2
FULL = 1 << 32  # counts and ticks of a point are signed in 32 bits (design section 5)


class StopButton:
    """What the operator's stop leaves behind; `check` raises Stopped once it was pressed. `seen` is when that was asked
    last, in the board's milliseconds: whoever asks is alive (vital.py).
    """

    def __init__(self) -> None:
        self.pressed = False
        self.seen = time.ticks_ms()

    def alive(self) -> None:
        """Somebody takes steps."""
        self.seen = time.ticks_ms()

    def check(self) -> None:
        """Called between any two steps of a run."""
        self.alive()
        if self.pressed:
            raise Stopped


class Gate:
    """What one point saw while its gates were open."""

    def __init__(self, opened: int) -> None:
        self.opened = opened
        self.flow, self.ref_mk, self.ref_10pa = Spread(), Spread(), Spread()
        self.meters: dict[int, tuple[Spread, Spread]] = {}

    def see(self, sample: Sample, positions: list[Position]) -> None:
        """Take one sample of flow, temperatures and pressures in."""
        self.flow.see(sample.flow)
        self.ref_mk.see(sample.ref[0])
        self.ref_10pa.see(sample.ref[1])
        for position in positions:
            mk, pressure = self.meters.setdefault(position.number, (Spread(), Spread()))
            mk.see(sample.meters[position.number - 1][0])
            pressure.see(sample.meters[position.number - 1][1])


class Bench:
    """Runs points over `front`; `counting` is True between arming and disarming, `tally` has the raw counts, `bounced`
    the edges that the front end took for bounce, by channel.
    """

    def __init__(self, front: FrontEnd, button: StopButton) -> None:
        self.front = front
        self.button = button
        self.counting = False
        self.stuck: BenchFault | None = None
        self.conditions = Conditions()
        self.tally: dict[int, list[int]] = {}
        self.bounced: dict[int, int] = {}
        self._open: list[Position] = []

    async def run_point(
        self, step: tuple[int, int, PlanPoint], positions: list[Position], changed=None
    ) -> None:
        """One repeat of one point, a row appended to every position that took part.

        `changed`, if given, is called once the gates are open.
        """
        index, repeat, point = step
        taking_part = live(positions)
        await self._settle(point)
        gate = await self._open_gates(taking_part)
        if changed:
            changed()
        closed = await self._count(point, taking_part, gate)
        counts = await self._figures()
        duration_ms = (closed - gate.opened) * 1000 // self.front.ticks_per_s
        for position in taking_part:
            if position.number not in self.front.gone:
                position.points.append(_row(position, (index, repeat, duration_ms), counts, gate))
        self._add_up(counts)

    async def run_in(self, flow: int, ms: int) -> None:
        """Let it flow before the first point, uncounted: air goes out, and meters come to what they will be."""
        await self.front.set_flow(flow)
        await self._wait(ms)

    def mask(self, positions: list[Position]) -> int:
        """The gates of a point: the reference's and those of the meters."""
        mask = 1 << REFERENCE
        for position in positions:
            mask |= 1 << position.number
        return mask

    async def _settle(self, point: PlanPoint) -> None:
        await self.front.set_flow(point.flow)
        await self._wait(point.settle_ms)
        if point.window_ms:
            await self._steady(point)

    async def _wait(self, ms: int) -> None:
        until = await self.front.now() + self._ticks(ms)
        while await self.front.now() < until:
            self.button.check()
            await asyncio.sleep_ms(POLL_MS)

    async def _steady(self, point: PlanPoint) -> None:
        window, within = self._ticks(point.window_ms), self._ticks(point.within_ms)
        begun = since = await self.front.now()
        while True:
            self.button.check()
            sample = await self.front.sample()
            if not point.band[0] <= sample.flow <= point.band[1]:
                since = sample.ticks
            elif sample.ticks - since >= window:
                return
            if sample.ticks - begun > within:
                raise BenchFault("flow.unsteady" if sample.flow else "bench.no_flow", sample.flow or "")
            await asyncio.sleep_ms(POLL_MS)

    def _ticks(self, ms: int) -> int:
        return ms * self.front.ticks_per_s // 1000

    async def _open_gates(self, positions: list[Position]) -> Gate:
        for position in positions:
            position.state = COUNTING
        self.counting = True
        self._open = positions
        return Gate(await self.front.arm(self.mask(positions)))

    async def _seen(self) -> Counts:
        counts = await self.front.counts()
        self._isolate()
        return counts

    def _isolate(self) -> None:
        for position in live(self._open):
            if position.number in self.front.gone:
                position.end_early(kinds.FAULT, self.front.gone[position.number])

    async def _figures(self) -> Counts:
        counts = await self._seen()
        if any(number >= FULL for channel in counts.channels for number in channel):
            raise BenchFault("counter.overflow")
        return counts

    async def _count(self, point: PlanPoint, positions: list[Position], gate: Gate) -> int:
        watch = Watch(point, gate.opened, self.front.ticks_per_s)
        await self._look(gate, positions)
        while not watch.finished(await self._seen(), positions):
            self.button.check()
            await asyncio.sleep_ms(POLL_MS)
            await self._look(gate, positions)
        closed = await self._close_gates(positions)
        self.counting = False
        return closed

    async def _close_gates(self, positions: list[Position]) -> int:
        closed = await self.front.disarm(self.mask(positions))
        for channel, edges in enumerate(self.front.bounced):
            if edges:
                self.bounced[channel] = self.bounced.get(channel, 0) + edges
        return closed

    async def _look(self, gate: Gate, positions: list[Position]) -> Sample:
        sample = await self.front.sample()
        if sample.ticks - gate.opened >= FULL:
            # No edge that comes from here on has a number that could be signed.
            raise BenchFault("counter.overflow")
        self._isolate()
        gate.see(sample, [position for position in positions if position.number not in self.front.gone])
        self.conditions.see(sample.air, sample.humidity)
        return sample

    def _add_up(self, counts: Counts) -> None:
        for position in self._open:
            raw = self.tally.setdefault(position.number, [0, 0])
            raw[0] += counts.channels[position.number][0]
            raw[1] += self.reference(counts, position.number)[0]
        self._open = []

    def reference(self, counts: Counts, number: int) -> tuple[int, ...]:
        """The reference's figures beside position `number`."""
        return counts.reference(number)

    async def cut_short(self) -> list[tuple[int, int, int]]:
        """Water off and gates closed; raw counts so far as (position, meter counts, reference counts). `stuck` is then
        the fault of a valve that did not close: the counts are read all the same.
        """
        try:
            try:
                await self.front.set_flow(0)
            except BenchFault as fault:
                self.stuck = fault
            if self._open:
                await self._close_gates(self._open)
                self._add_up(await self.front.counts())
        finally:
            # Also where the front end is silent: what it counts on is no run's any more.
            self.counting = False
        return self.raw_counts()

    def raw_counts(self) -> list[tuple[int, int, int]]:
        """(position, meter counts, reference counts) of all gates that were closed and read."""
        return [(number, raw[0], raw[1]) for number, raw in sorted(self.tally.items())]


class Watch:
    """Tells when a point is finished and which meters have gone quiet, on the capture clock."""

    def __init__(self, point: PlanPoint, opened: int, ticks_per_s: int) -> None:
        self.least_counts = point.least_counts
        expected_s = point.least_ul * 36 // (point.flow * 10)
        self.quiet = ticks_per_s * max(QUIET_S, QUIET_FACTOR * expected_s)
        self.opened = opened
        self.seen: dict[int, tuple[int, int]] = {}

    def finished(self, counts: Counts, positions: list[Position]) -> bool:
        """True when every live position and the reference have enough; ends positions that are quiet.

        BenchFault when the reference is quiet.
        """
        if not live(positions):
            return True
        done = self._enough(REFERENCE, LEAST_REFERENCE, counts)
        quiet = {position.number: self.quiet_ticks(position.number, counts) for position in live(positions)}
        silence = self.quiet_ticks(REFERENCE, counts)
        if silence > self.quiet // 2:
            # Who still counts now has been quiet for less than half as long as the reference.
            if quiet and min(quiet.values()) < silence // 2:
                raise BenchFault("reference.silent")
            raise BenchFault("bench.no_flow")
        for position in live(positions):
            if self._enough(position.number, self.least_counts, counts):
                position.state = DONE
            elif quiet[position.number] > self.quiet:
                position.end_early(kinds.NO_FLOW)
            else:
                done = False
        return done

    def _enough(self, channel: int, least: int, counts: Counts) -> bool:
        return counts.channels[channel][0] >= least

    def quiet_ticks(self, channel: int, counts: Counts) -> int:
        """For how long that channel has given no edge."""
        edges = counts.channels[channel][2]
        last, since = self.seen.get(channel, (0, self.opened))
        if edges != last:
            since = counts.ticks
            self.seen[channel] = (edges, since)
        return counts.ticks - since


def _row(position: Position, when: tuple[int, int, int], counts: Counts, gate: Gate) -> tuple[int, ...]:
    index, repeat, duration_ms = when
    meter, reference = counts.channels[position.number], counts.reference(position.number)
    meter_mk, meter_10pa = gate.meters[position.number]
    return (
        index,
        repeat,
        REFERENCE_METER,
        meter[0],
        meter[2] - meter[1],
        reference[0],
        reference[2] - reference[1],
        0,
        meter_mk.mean(),
        gate.ref_mk.mean(),
        meter_10pa.mean(),
        gate.ref_10pa.mean(),
        duration_ms,
        gate.flow.least,
        gate.flow.greatest,
    )
