"""Station 2, intent: which meters, which plan, after which beacon. Signed before water flows."""

from meterseal_fixture.order import Order
from meterseal_fixture.positions import Position
from meterseal_wire import kinds
from meterseal_wire import labels as L


class Intent:
    """An order and what was found before it may begin: beacon identity, capture clock, closed-bench check."""

    def __init__(self, order: Order, beacon: bytes, clock: tuple[int, ...], checks: tuple[int, ...]) -> None:
        self.order = order
        self.beacon = beacon
        self.clock = clock
        self.checks = checks


def attempt_payload(intent: Intent, counter: int) -> dict[int, object]:
    """The payload of an `attempt` (design section 5); `counter` is this attempt's number."""
    order = intent.order
    payload: dict[int, object] = {
        L.MODE: order.mode,
        L.COUNTER: counter,
        L.PLAN: order.plan.digest,
        L.OPERATOR: order.operator,
        L.BEACON: intent.beacon,
        L.CLOCK: intent.clock,
        L.POSITIONS: [_position(position) for position in order.positions],
        L.BENCH_CHECKS: intent.checks,
    }
    if order.tenant:
        payload[L.TENANT] = order.tenant
    return payload


def _position(position: Position) -> dict[int, object]:
    # Named by its mark where it was scanned, whatever the bus says as well; a meter that said nothing and was not
    # scanned is named by the operator alone.
    by_bus = position.start and position.read_by == kinds.BY_HAND
    fields: dict[int, object] = {
        L.POSITION: position.number,
        L.METER: position.meter,
        L.TYPE: position.type_number,
        L.READ_BY: kinds.BY_BUS if by_bus else position.read_by,
    }
    if position.start:
        fields[L.ELECTRONIC_ADDRESS] = position.start.address
    if position.start and position.start.register is not None:
        fields[L.START_REGISTER] = position.start.register
    return fields
