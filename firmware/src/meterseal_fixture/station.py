"""The station: what one run is, from the operator's order to a kept result, as a table and as one function.

A try begins with the signed attempt, before water flows. From there a run ends in exactly one of two statements,
`result` or `abandoned`; if the power goes, the next boot signs the second (startup.py).
"""

import asyncio
import gc

from meterseal_fixture.attempt import Intent, attempt_payload
from meterseal_fixture.bench import Bench, StopButton
from meterseal_fixture.checked import LastCheck
from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.desk import Desk
from meterseal_fixture.errors import FixtureError, FrontEndSilent, LineLost, MeterFault, Refused
from meterseal_fixture.meters import MeterBus
from meterseal_fixture.offer import Offer
from meterseal_fixture.order import Order
from meterseal_fixture.panel import Panel
from meterseal_fixture.positions import READING, WAITING, Position, Reading, live
from meterseal_fixture.pulses import FrontEnd
from meterseal_fixture.result import abandoned_payload, leaves, result_payload
from meterseal_fixture.settings import Settings
from meterseal_fixture.standing import StandingBench
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.point import STATIC

IDLE, PREPARING, OPEN, RUNNING, SETTLING = "idle", "preparing", "open", "running", "settling"
NEXT = {
    (IDLE, "order_accepted"): PREPARING,
    (PREPARING, "given_up"): IDLE,
    (PREPARING, "attempt_signed"): OPEN,
    (OPEN, "flow_started"): RUNNING,
    (OPEN, "abandoned"): IDLE,
    (RUNNING, "counted"): SETTLING,
    (RUNNING, "abandoned"): IDLE,
    (SETTLING, "result_signed"): IDLE,
}
# The panel knows four words: while meters are read before the attempt, it shows what is about to be.
SHOWN = {IDLE: "idle", PREPARING: "open", OPEN: "open", RUNNING: "running", SETTLING: "settling"}
# Why a run was abandoned, by the code of what ended it; everything else is a fault of the bench.
REASONS = {"run.stopped": kinds.OPERATOR, "bench.no_flow": kinds.NO_FLOW, "flow.unsteady": kinds.NO_FLOW}
EVENT_NAME, EVENT_DETAIL = 32, 200
CAN_STOP = (PREPARING, OPEN, RUNNING)


class OutOfOrder(FixtureError):
    """An event that cannot happen in this state: a fault of the program, so the application ends."""

    code = "station.out_of_order"


def step(state: str, event: str) -> str:
    """The next state, or OutOfOrder naming both."""
    if (state, event) not in NEXT:
        raise OutOfOrder("station.out_of_order", "%s in %s" % (event, state))
    return NEXT[state, event]


class Station:
    """Runs orders one at a time. `lines` is (front end, meter bus); `offer` knows the newest beacon and the link."""

    def __init__(
        self,
        settings: Settings,
        lines: tuple[FrontEnd, MeterBus],
        chronicle: Chronicle,
        panel: Panel,
        offer: Offer,
    ) -> None:
        self.settings = settings
        self.front, self.bus = lines
        self.chronicle, self.panel, self.offer = chronicle, panel, offer
        self.state = IDLE
        self.counter = 0
        self.heap = self.heap_code = 0
        self.firmware = b""
        self.granted = offer.down.delivery.granted
        self.button = StopButton()
        self.bench: Bench = Bench(self.front, self.button)
        self._static = False
        self.checked = LastCheck(chronicle.keep.folder)
        self.desk = Desk(self, settings.positions)
        self._order: Order | None = None
        self._rows: list[dict[str, object]] = []
        self._at = (0, 0)
        self._ordered = asyncio.Event()

    # What the panel asks for.

    def order(self, fields: dict[str, object]) -> None:
        """Accept a run, or Refused with why not. The run itself happens in `run`."""
        if self.state != IDLE:
            raise Refused("order.busy")
        if self.chronicle.keep.full:
            raise Refused("keep.full")
        self._beacon()
        self._order = self._accept(fields)
        if self.offer.beacon_is_old():
            self.panel.complain("beacon.old")
        self.button.pressed = False
        self._go("order_accepted")
        self._ordered.set()

    def _accept(self, fields: dict[str, object]) -> Order:
        order = self.desk.read(fields)
        try:
            self.granted.check(order)
        except Refused:
            self.desk.ended()
            raise
        return order

    def stop(self) -> None:
        """End the run under way at the next step; Refused where there is none that can still be stopped."""
        if self.state not in CAN_STOP:
            raise Refused("order.idle")
        self.button.pressed = True

    def changed(self) -> None:
        """Show the panel how things stand."""
        if self._order:
            self._rows = [{"position": one.number, "state": one.state} for one in self._order.positions]
        status: dict[str, object] = {}
        if self.offer.down.delivery.status:
            status["update"] = self.offer.down.delivery.status
        if self.offer.down.question.time_s is not None:
            status["time_s"] = self.offer.down.question.time_s
        if self.offer.down.kept_number is not None:
            status["beacon_kept"] = self.offer.down.kept_number
        status.update(self.granted.status())
        status.update(
            {
                "now": SHOWN[self.state],
                "point": self._at[0],
                "of": self._at[1],
                "positions": self._rows,
                "epoch": self.chronicle.epoch,
                "seq": self.chronicle.seq,
                "pending": self.chronicle.keep.count,
                "free": self.chronicle.keep.free,
                "link": self.offer.link_state(),
                "beacon": self.offer.down.beacon_number,
                "heap": self.heap,
                "heap_code": self.heap_code,
                "check": self.checked.age(self.chronicle.epoch, self.counter),
            }
        )
        status.update(self.desk.status())
        self.panel.show(status)

    # A run.

    async def run(self) -> None:
        """Carry out orders for ever."""
        while True:
            await self._ordered.wait()
            self._ordered.clear()
            if self._order:
                await self.perform(self._order)
                self._tell_bench()
            self._order, self._at = None, (0, 0)
            self.desk.ended()
            gc.collect()
            self.changed()
            # Last: the next order may come while meters are talked to.
            await self.to_normal()

    async def perform(self, order: Order) -> None:
        """One run: read, check, promise, count, read again, sign."""
        try:
            intent = await self._prepare(order)
        except LineLost:
            raise
        except FixtureError as cause:
            self.panel.complain(cause.code, cause.detail)
            self._go("given_up")
            return
        place = self._sign_attempt(intent)
        try:
            await self._count(order)
        except LineLost:
            raise
        except FixtureError as cause:
            await self._abandon(place, order, cause)
            return
        await self._read_meters(order.positions, at_end=True)
        self._sign_result(place, order)

    async def to_normal(self) -> None:
        """Meters in verification mode are taken out of it; who does not answer is written down."""
        for address in await self.bus.leave_all():
            self.note("meter still verifying", address.hex())

    async def _prepare(self, order: Order) -> Intent:
        self._static = order.plan.method == STATIC
        self.bench = Bench(self.front, self.button)
        if self._static:
            self.bench = StandingBench(self.front, self.button, self.bus)
        self.front.gone.clear()
        await self.front.set_flow(0)
        await self._read_meters(order.positions, at_end=False)
        if not live(order.positions):
            raise Refused("meters.none")
        checks = await self.front.closed_bench(self.settings.closed_bench_s)
        self.button.check()
        return Intent(order, self._beacon(), self.front.clock, checks)

    def _beacon(self) -> bytes:
        if self.offer.down.beacon is None:
            raise Refused("beacon.missing")
        return self.offer.down.beacon

    async def _read_meters(self, positions: list[Position], at_end: bool) -> None:
        for position in positions:
            if not at_end:
                self.button.check()
                await self._read_start(position)
            elif position.start and position.ended in (None, kinds.NO_FLOW):
                self.button.alive()
                await self._read_end(position, position.start.address)

    async def _read_start(self, position: Position) -> None:
        position.state = READING
        self.changed()
        try:
            position.start = await self._identify(position.bus)
            position.state = WAITING
        except MeterFault as fault:
            self._leave_out(position, fault.reason, fault.code)
        self.changed()

    async def _identify(self, address: bytes) -> Reading:
        """The meter at an address that may be open, in verification mode where its register is what is measured."""
        reading: Reading = await self.bus.read(address)
        self.bus.check(reading, address)
        if self._static:
            await self.bus.enter(reading.address)
            found, reading = reading.address, await self.bus.read(reading.address)
            self.bus.check(reading, found)
        return reading

    async def _read_end(self, position: Position, address: bytes) -> None:
        before, position.state = position.state, READING
        self.changed()
        try:
            position.end = await self.bus.read(address)
            self.bus.check(position.end, address)
            position.state = before
        except MeterFault as fault:
            self._leave_out(position, fault.reason, fault.code)
        self.changed()

    def _leave_out(self, position: Position, reason: int, code: str) -> None:
        # A position that ended before keeps its first reason.
        position.end_early(reason if position.ended is None else position.ended)
        self.panel.complain(code, position.number)

    async def _count(self, order: Order) -> None:
        steps = order.plan.steps()
        if order.plan.run_in:
            self._go("flow_started")
            self.panel.tell("run_in", ml_per_h=order.plan.run_in[0])
            await self.bench.run_in(order.plan.run_in[0], order.plan.run_in[1])
        for number, one in enumerate(steps):
            taking_part = live(order.positions)
            if not taking_part:
                break
            self.button.check()
            self._at = (number + 1, len(steps))
            if self.state == OPEN:
                self._go("flow_started")
            self.panel.tell("flow_started", point=number + 1, of=len(steps), ml_per_h=one[2].flow)
            self.changed()
            await self.bench.run_point(one, order.positions, self.changed)
            for position in taking_part:
                if not position.live():
                    self.panel.complain(position.why, position.number)
            self.changed()
        await self.front.set_flow(0)
        self._go("counted")

    # Its three statements.

    def _sign_attempt(self, intent: Intent) -> tuple[int, int]:
        self._weigh()
        payload = attempt_payload(intent, self.counter + 1)
        place = self.chronicle.sign(L.KIND_ATTEMPT, payload, [intent.order.plan.document])
        self.counter += 1
        self.desk.signed()
        self._ended("attempt_signed", place, counter=self.counter)
        return place

    def _sign_result(self, place: tuple[int, int], order: Order) -> None:
        evidence = leaves(order.positions)
        payload = result_payload(place, order.positions, self.bench.conditions, evidence)
        self._weigh()
        signed = self.chronicle.sign(L.KIND_RESULT, payload, evidence, closes=place)
        if order.mode == kinds.CHECK and len(live(order.positions)) == len(order.positions):
            self.checked.done(self.chronicle.epoch, self.counter)
        self._ended("result_signed", signed, attempt=place)

    async def _abandon(self, place: tuple[int, int], order: Order, cause: FixtureError) -> None:
        self.panel.complain(cause.code, cause.detail)
        try:
            raw = await self.bench.cut_short()
        except FrontEndSilent:
            raw = self.bench.raw_counts()
        if self.bench.stuck and self.bench.stuck.code != cause.code:
            self.panel.complain(self.bench.stuck.code, self.bench.stuck.detail)
        reason = REASONS.get(cause.code, kinds.FAULT)
        self._weigh()
        payload = abandoned_payload(place, reason, raw)
        signed = self.chronicle.sign(L.KIND_ABANDONED, payload, leaves(order.positions), closes=place)
        self._ended("abandoned", signed, attempt=place, reason=kinds.REASON_NAMES[reason])
        if reason != kinds.OPERATOR:
            self.note(cause.code, str(cause.detail))

    def _tell_bench(self) -> None:
        for code in sorted(set(self.front.gone.values())):
            those = sorted(place for place, why in self.front.gone.items() if why == code)
            self.note(code, "positions %s" % " ".join(str(place) for place in those))
        # Not counted by the front end, so the run stands; but a contact that bounces is on its way to worse.
        if self.bench.bounced:
            found = sorted(self.bench.bounced.items())
            self.panel.complain("pulse.bounce", ", ".join(str(channel) for channel, _ in found))
            self.note("pulse.bounce", " ".join("%d:%d" % pair for pair in found))
            self.bench.bounced = {}

    def note(self, name: str, detail: str = "") -> bool:
        """Sign an `event`: something that a run's own statements do not say. False, and nothing signed, where gates are
        open or the store is full: a run goes before it.
        """
        if self.bench.counting or self.chronicle.keep.full:
            return False
        payload: dict[int, object] = {L.EVENT: name[:EVENT_NAME], L.DETAIL: detail[:EVENT_DETAIL]}
        epoch, seq = self.chronicle.sign(L.KIND_EVENT, payload)
        self.panel.tell("noted", name=name, epoch=epoch, seq=seq)
        return True

    def _ended(self, event: str, place: tuple[int, int], **more: object) -> None:
        self._go(event)
        self.panel.tell(event, epoch=place[0], seq=place[1], **more)

    def _go(self, event: str) -> None:
        self.state = step(self.state, event)
        self.changed()

    def _weigh(self) -> None:
        # A quiet moment: no gate is open. What lives now is the most a run needs besides a signature's garbage.
        gc.collect()
        self.heap = max(self.heap, gc.mem_alloc())
