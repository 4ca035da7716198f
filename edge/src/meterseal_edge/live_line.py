"""What the page shows of a fixture's own live line: known words and small numbers, everything else dropped.

The line comes from whoever may publish on the live topic. A NaN or half a surrogate in it would break the JSON that
every browser is sent, and a list without end would fill the memory.
"""

import json
from typing import Any

LINE_BYTES = 16384
WORD_CHARACTERS, POSITIONS, LARGEST = 16, 64, 1 << 53  # JavaScript's integers end at 2^53
NUMBERS = ("point", "of", "pending")


def parse(payload: bytes) -> dict[str, Any]:
    """The JSON object in a payload, or an empty one where there is none."""
    if len(payload) > LINE_BYTES:
        return {}
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def shown(told: dict[str, Any]) -> dict[str, Any]:
    """`now`, `point`, `of`, `pending` and `positions` [{"position", "state"}], each only in its right shape."""
    found: dict[str, Any] = {name: told[name] for name in NUMBERS if _is_count(told.get(name))}
    if _is_word(told.get("now")):
        found["now"] = told["now"]
    rows = told.get("positions")
    if isinstance(rows, list):
        found["positions"] = [
            {"position": row["position"], "state": row["state"]} for row in rows[:POSITIONS] if _is_row(row)
        ]
    return found


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and _is_count(row.get("position")) and _is_word(row.get("state"))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def _is_word(value: Any) -> bool:
    return (
        isinstance(value, str) and len(value) <= WORD_CHARACTERS and value.isascii() and value.isprintable()
    )
