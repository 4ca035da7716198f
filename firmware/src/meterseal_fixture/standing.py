"""Station 1, static start and stop: meters are read at rest, a counted volume passes, meters are read again.

    flow 0 and the reference at rest -> its gate opens -> meters are read -> valve opens, flow settles, steady window
    -> enough passed -> valve closes, the reference comes to rest -> its gate closes -> meters are read

The whole volume counts, with its start and its stop; the flows of the row are those seen once the flow was steady.
The reference's counts are edges, as whole ones as a gate that waits for no edge can have. How much has passed is
reckoned from the measured flow and only decides when to stop; what is signed are the counts. No meter is read, and
nothing is written, between the first counted edge and the last.

An edge before the valve opens, or after it had REST_LIMIT_MS to close, ends the run with `flow.not_closed`. A meter
whose register did not move leaves with NO_FLOW and its row; one that cannot be read leaves with its own reason.
"""

import asyncio

from meterseal_fixture.bench import POLL_MS, REFERENCE, Bench, Gate, StopButton, Watch
from meterseal_fixture.errors import BenchFault, MeterFault
from meterseal_fixture.plan import PlanPoint
from meterseal_fixture.positions import COUNTING, DONE, READING, Position, live
from meterseal_fixture.pulses import Counts, FrontEnd
from meterseal_fixture.result import END, START
from meterseal_wire import kinds
from meterseal_wire.encode import encode
from meterseal_wire.point import STATIC

REST_MS = 2000
REST_LIMIT_MS = 60000
UL_S_PER_ML_H = 3600  # microlitres times this are mL/h times milliseconds


class StandingBench(Bench):
    """Runs static points over `front`; `bus` reads the meters."""

    def __init__(self, front: FrontEnd, button: StopButton, bus) -> None:
        super().__init__(front, button)
        self.bus = bus

    def mask(self, positions: list[Position]) -> int:  # noqa: ARG002 - whoever takes part, it is that one gate
        """The reference's gate alone: meters are read, not counted."""
        return 1 << REFERENCE

    def reference(self, counts: Counts, number: int) -> tuple[int, ...]:  # noqa: ARG002 - one gate for all
        """The one reference that is counted, whichever front end has the position."""
        return counts.channels[REFERENCE]

    async def run_point(
        self, step: tuple[int, int, PlanPoint], positions: list[Position], changed=None
    ) -> None:
        """One repeat of one point, a row appended to every position that could be read before and after it."""
        index, repeat, point = step
        taking_part = live(positions)
        before: dict[int, int] = {}
        after: dict[int, int] = {}
        await self.front.set_flow(0)
        await self._open_gates(taking_part)
        await self._come_to_rest()
        # Armed once more: what the reference counted on its way to rest is no part of the point.
        gate = Gate(await self.front.arm(self.mask(taking_part)))
        await self._read(taking_part, START, (index, repeat), before)
        if _edges(await self.front.counts()):
            raise BenchFault("flow.not_closed")
        if changed:
            changed()
        await self._let_through(point, live(taking_part), gate)
        closed = await self._close_gates(taking_part)
        counts = await self._figures()
        self.counting = False
        await self._read(taking_part, END, (index, repeat), after)
        duration_ms = (closed - gate.opened) * 1000 // self.front.ticks_per_s
        for position in live(taking_part):
            steps = after[position.number] - before[position.number]
            position.points.append(_row(position, (index, repeat, duration_ms), (steps, counts), gate))
            if steps == 0:
                position.end_early(kinds.NO_FLOW)
        self._add_up(counts)

    async def _let_through(self, point: PlanPoint, positions: list[Position], gate: Gate) -> None:
        """Open, wait for a steady flow, close once enough has passed, and wait until nothing moves any more."""
        watch = Watch(point, await self.front.now(), self.front.ticks_per_s)
        await self._settle(point)
        wanted = point.least_ul * UL_S_PER_ML_H * self.front.ticks_per_s
        passed, last = 0, (await self._look(gate, positions)).ticks
        while True:
            self.button.check()
            sample, counts = await self._look(gate, positions), await self._seen()
            passed, last = passed + sample.flow * (sample.ticks - last) * 1000, sample.ticks
            if passed >= wanted and _edges(counts) >= point.least_counts:
                break
            if watch.quiet_ticks(REFERENCE, counts) > watch.quiet // 2:
                raise BenchFault("reference.silent" if sample.flow else "bench.no_flow")
            await asyncio.sleep_ms(POLL_MS)
        for position in live(positions):
            position.state = DONE
        await self.front.set_flow(0)
        await self._come_to_rest()

    async def _come_to_rest(self) -> None:
        """Until neither a flow nor an edge was seen for REST_MS; BenchFault where that does not come."""
        begun = since = await self.front.now()
        edges = -1
        while True:
            self.button.check()
            sample, counts = await self.front.sample(), await self.front.counts()
            if sample.flow or _edges(counts) != edges:
                edges, since = _edges(counts), sample.ticks
            elif sample.ticks - since >= self._ticks(REST_MS):
                return
            if sample.ticks - begun > self._ticks(REST_LIMIT_MS):
                raise BenchFault("flow.not_closed")
            await asyncio.sleep_ms(POLL_MS)

    async def _read(self, positions, when: int, place: tuple[int, int], found: dict[int, int]) -> None:
        """Registers into `found` by position, their telegrams into the positions' leaves."""
        for position in live(positions):
            self.button.check()
            position.state = READING
            try:
                address = position.start.address if position.start else position.bus
                reading = await self.bus.read(address)
                self.bus.check(reading, address)
            except MeterFault as fault:
                position.end_early(fault.reason, fault.code)
                continue
            found[position.number] = reading.register
            position.leaves.append(encode([position.number, when, reading.telegram, place[0], place[1]]))
            position.state = COUNTING


def _edges(counts: Counts) -> int:
    # A channel's figure is whole intervals: one less than its edges, and nothing where there was none.
    intervals, _, last = counts.channels[REFERENCE]
    return intervals + 1 if last else 0


def _row(
    position: Position, when: tuple[int, int, int], seen: tuple[int, Counts], gate: Gate
) -> tuple[int, ...]:
    meter_mk, meter_10pa = gate.meters[position.number]
    return (
        when[0],
        when[1],
        STATIC,
        0,
        0,
        _edges(seen[1]),
        0,
        seen[0],
        meter_mk.mean(),
        gate.ref_mk.mean(),
        meter_10pa.mean(),
        gate.ref_10pa.mean(),
        when[2],
        gate.flow.least,
        gate.flow.greatest,
    )
