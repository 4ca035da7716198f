"""The plan document: which flows in which order, and what a fixture must have counted at each.

The registry's rule pack makes it (`meterseal_protocol.rules.plan`); the fixture only obeys it and signs its hash.
"""

from meterseal_fixture.errors import Refused
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

FIELDS = (L.MEDIUM, L.RULES, L.PLAN_POINTS)
MOST_POINTS = 32


class PlanPoint:
    """One flow: mL/h, least meter counts, least volume in microlitres, settling in ms, how many repeats."""

    def __init__(self, row: list[int]) -> None:
        self.flow, self.least_counts, self.least_ul, self.settle_ms, self.repeats = row


class Plan:
    """A plan as read: `document` bytes, their SHA-256 `digest`, `medium`, and `points` in order."""

    def __init__(self, document: bytes, medium: int, points: list[PlanPoint]) -> None:
        self.document = document
        self.digest = sha256(document)
        self.medium = medium
        self.points = points

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
    if not isinstance(fields, dict) or sorted(fields) != sorted(FIELDS):
        raise Refused("plan.malformed", "MEDIUM, RULES, PLAN_POINTS")
    if not is_count(fields[L.MEDIUM]) or fields[L.MEDIUM] not in (kinds.WATER, kinds.GAS):
        raise Refused("plan.malformed", "MEDIUM")
    if not isinstance(fields[L.RULES], bytes) or len(fields[L.RULES]) != 32:
        raise Refused("plan.malformed", "RULES")
    return Plan(document, fields[L.MEDIUM], _points(fields[L.PLAN_POINTS]))


def _points(rows: object) -> list[PlanPoint]:
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST_POINTS:
        raise Refused("plan.malformed", "PLAN_POINTS")
    for row in rows:
        if not _is_point(row):
            raise Refused("plan.malformed", "PLAN_POINTS %d" % rows.index(row))
    return [PlanPoint(row) for row in rows]


def _is_point(row: object) -> bool:
    if not isinstance(row, list) or len(row) != 5:
        return False
    if not all(is_count(number) for number in row):
        return False
    return bool(row[0] > 0 and row[1] > 0 and 0 < row[4] <= MOST_POINTS)


def is_count(value: object) -> bool:
    """True for an integer from 0 on. MicroPython and CPython disagree whether True is one: here it is not."""
    return isinstance(value, int) and value is not True and value is not False and value >= 0
