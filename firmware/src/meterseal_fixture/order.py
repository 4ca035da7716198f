"""The operator's order: one JSON object from the panel, checked before anything moves."""

from meterseal_fixture.errors import Refused
from meterseal_fixture.plan import Plan, is_count, read_plan
from meterseal_fixture.positions import Position
from meterseal_fixture.tray import bus_of
from meterseal_wire import kinds
from meterseal_wire.point import STATIC

FIELDS = ("do", "plan", "mode", "operator", "tenant", "positions")
POSITION_FIELDS = ("position", "meter", "type", "bus")
# Two telegrams of 261 bytes at most with their place, kept in one record of 64 KiB beside the statement.
MOST_PAIRS = 100
# A position's meter may come from the tray.
ROWS = (sorted(POSITION_FIELDS), sorted(POSITION_FIELDS[:1] + POSITION_FIELDS[2:]))


class Order:
    """What to run: plan, mode, operator (first bytes of a key's thumbprint), tenant (may be empty), positions."""

    def __init__(self, plan: Plan, mode: int, people: tuple[bytes, str], positions: list[Position]) -> None:
        self.plan = plan
        self.mode = mode
        self.operator, self.tenant = people
        self.positions = positions


def read_order(fields: dict[str, object], places: int, tray: dict[int, str] | None = None) -> Order:
    """The order in a parsed panel line, for a bench of `places` positions. Refused names the field.

    A position without `meter` takes it from `tray`, where what was scanned stands by its position.
    """
    for name in fields:
        if name not in FIELDS:
            raise Refused("order.field", name)
    plan = read_plan(_hex(fields, "plan", 16384))
    mode = fields.get("mode")
    if not is_count(mode) or mode not in kinds.MODES:
        raise Refused("order.field", "mode")
    if plan.mode is not None and mode != plan.mode:
        raise Refused("plan.mode", plan.mode)
    people = (_hex(fields, "operator", 32), _text(fields, "tenant", 16, least=0))
    rows = fields.get("positions")
    if not isinstance(rows, list) or not rows:
        raise Refused("order.field", "positions")
    positions = [_position(row, places, tray or {}) for row in rows]
    _refuse_doubles(positions)
    pairs = len(positions) * (1 + len(plan.steps()))
    if plan.method == STATIC and pairs > MOST_PAIRS:
        raise Refused("plan.telegrams", pairs)
    return Order(plan, mode, people, sorted(positions, key=lambda position: position.number))


def _position(row: object, places: int, tray: dict[int, str]) -> Position:
    if not isinstance(row, dict) or sorted(row) not in ROWS:
        raise Refused("order.field", "positions")
    number = row["position"]
    if not is_count(number):
        raise Refused("order.field", "position")
    if not 0 < number <= places:
        raise Refused("order.position", number)
    bus = _hex(row, "bus", 8)
    if len(bus) != 8:
        raise Refused("order.field", "bus")
    if "meter" in row:
        return Position(number, _text(row, "meter", 48), _text(row, "type", 32), bus)
    if number not in tray:
        raise Refused("order.meter", number)
    scanned = Position(number, tray[number], _text(row, "type", 32), bus_of(bus, tray[number]))
    scanned.read_by = kinds.BY_MARK
    return scanned


def _refuse_doubles(positions: list[Position]) -> None:
    numbers: set[int] = set()
    meters: set[str] = set()
    for position in positions:
        if position.number in numbers:
            raise Refused("order.position", position.number)
        if position.meter in meters:
            raise Refused("order.meter", position.meter)
        numbers.add(position.number)
        meters.add(position.meter)


def _hex(fields: dict[str, object], name: str, most: int) -> bytes:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > 2 * most:
        raise Refused("order.field", name)
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise Refused("order.field", name)


def _text(fields: dict[str, object], name: str, most: int, least: int = 1) -> str:
    value = fields.get(name, "" if least == 0 else None)
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise Refused("order.field", name)
    return value
