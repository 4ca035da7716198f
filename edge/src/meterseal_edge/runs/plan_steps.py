"""The flows of a plan in the order in which they run: known before anything is measured, since the attempt signs it."""

from collections.abc import Sequence
from typing import Any

from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

PARTS = ("flow_ml_per_h", "least_counts", "least_volume_ul", "settle_ms", "repeats")
MOST_STEPS = 256


def plan_points(items: Sequence[bytes]) -> list[dict[str, int]]:
    """The points of an attempt's plan document; none where it is not held, or is none."""
    try:
        document: Any = scan(items[0]) if items else None
    except WireError:
        return []
    rows = document.get(L.PLAN_POINTS) if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        return []
    return [dict(zip(PARTS, row, strict=True)) for row in rows]


def steps(items: Sequence[bytes]) -> list[int]:
    """Flow (mL/h) of each step, repeats counted: what a fixture calls point 1, 2, ... while it runs."""
    found = [
        row["flow_ml_per_h"] for row in plan_points(items) for _ in range(min(row["repeats"], MOST_STEPS))
    ]
    return found[:MOST_STEPS]


def _is_row(row: object) -> bool:
    return isinstance(row, list) and len(row) == len(PARTS) and all(type(part) is int for part in row)
