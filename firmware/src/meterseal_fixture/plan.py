"""The plan document: which flows in which order, and what a fixture must have counted at each.

The registry's rule pack makes it (`meterseal_protocol.rules.plan`); the fixture only obeys it and signs its hash.
Points run in the order in which they stand; before the first one the run-in, where there is one.
"""

from meterseal_fixture.errors import Refused
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.point import REFERENCE_METER, STATIC
from meterseal_wire.scan import scan

FIELDS = (L.MEDIUM, L.RULES, L.PLAN_POINTS)
OPTIONAL = (L.MODE, L.METHOD, L.RUN_IN, L.STABILITY)
METHODS = (REFERENCE_METER, STATIC)
MOST_POINTS = 32


class PlanPoint:
    """One flow: mL/h, least counts (of the meter; static: of the reference), least volume in microlitres, settling in
    ms, how many repeats. `band` (least, greatest) is where the measured flow must stay for `window_ms` before counting,
    found within `within_ms`; a window of 0 asks for nothing.
    """

    def __init__(self, row: list[int]) -> None:
        self.flow, self.least_counts, self.least_ul, self.settle_ms, self.repeats = row
        self.band = (0, 0)
        self.window_ms = self.within_ms = 0


class Plan:
    """A plan as read: `document` bytes, their SHA-256 `digest`, `medium`, and `points` in order.

    `method` is one of METHODS, `mode` the only one in which it may be run (None: any), `run_in` (mL/h, ms) or None.
    """

    def __init__(self, document: bytes, medium: int, points: list[PlanPoint]) -> None:
        self.document = document
        self.digest = sha256(document)
        self.medium = medium
        self.points = points
        self.method = REFERENCE_METER
        self.mode: int | None = None
        self.run_in: tuple[int, int] | None = None

    def steps(self) -> list[tuple[int, int, PlanPoint]]:
        """(index of the point, repeat, point) in the order in which they are run."""
        found = []
        for index, point in enumerate(self.points):
            for repeat in range(point.repeats):
                found.append((index, repeat, point))
        return found


def read_plan(document: bytes) -> Plan:
    """The plan in deterministic CBOR, or Refused with code `plan.malformed` and why."""
    try:
        fields = scan(document)
    except WireError as wrong:
        raise Refused("plan.malformed", str(wrong))
    if not isinstance(fields, dict) or [name for name in FIELDS if name not in fields]:
        raise Refused("plan.malformed", "MEDIUM, RULES, PLAN_POINTS")
    for name in fields:
        if name not in FIELDS + OPTIONAL:
            raise Refused("plan.malformed", "label %s" % name)
    _need(is_count(fields[L.MEDIUM]) and fields[L.MEDIUM] in (kinds.WATER, kinds.GAS), "MEDIUM")
    _need(isinstance(fields[L.RULES], bytes) and len(fields[L.RULES]) == 32, "RULES")
    plan = Plan(document, fields[L.MEDIUM], _points(fields[L.PLAN_POINTS]))
    _read_rest(plan, fields)
    return plan


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise Refused("plan.malformed", what)


def _read_rest(plan: Plan, fields) -> None:
    method, mode = fields.get(L.METHOD, REFERENCE_METER), fields.get(L.MODE)
    _need(is_count(method) and method in METHODS, "METHOD")
    _need(mode is None or (is_count(mode) and mode in kinds.MODES), "MODE")
    plan.method, plan.mode = method, mode
    if L.RUN_IN in fields:
        row = fields[L.RUN_IN]
        _need(_are_counts(row, 2) and row[0] > 0, "RUN_IN")
        plan.run_in = (row[0], row[1])
    if L.STABILITY in fields:
        row = fields[L.STABILITY]
        _need(isinstance(row, list) and len(row) == 3 and _are_counts(row[:2], 2), "STABILITY")
        _need(0 < row[0] <= row[1], "STABILITY")
        _read_bands(plan.points, row)


def _read_bands(points: list[PlanPoint], row) -> None:
    window_ms, within_ms, bands = row
    _need(isinstance(bands, list) and len(bands) == len(points), "STABILITY")
    for point, band in zip(points, bands):
        _need(_are_counts(band, 2) and band[0] <= point.flow <= band[1], "STABILITY")
        point.band, point.window_ms, point.within_ms = (band[0], band[1]), window_ms, within_ms


def _points(rows: object) -> list[PlanPoint]:
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_POINTS:
        raise Refused("plan.malformed", "PLAN_POINTS")
    for row in rows:
        if not _is_point(row):
            raise Refused("plan.malformed", "PLAN_POINTS %d" % rows.index(row))
    return [PlanPoint(row) for row in rows]


def _are_counts(row: object, count: int) -> bool:
    return isinstance(row, list) and len(row) == count and all(is_count(number) for number in row)


def _is_point(row: object) -> bool:
    if not isinstance(row, list) or not _are_counts(row, 5):
        return False
    return bool(row[0] > 0 and row[1] > 0 and 0 < row[4] <= MOST_POINTS)


def is_count(value: object) -> bool:
    """True for an integer from 0 on. MicroPython and CPython disagree whether True is one: here it is not."""
    return isinstance(value, int) and value is not True and value is not False and value >= 0
