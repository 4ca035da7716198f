"""What people sign off: rows, one a meter and result, and the root over them that the signature covers.

A row is deterministic CBOR [result identity, position, meter, outcome, largest error]: outcome 1 passed or 2 failed,
the error in ppm with its sign, rounded half away from zero, of the point that is farthest from zero. Rows travel
beside the statement as its evidence items, and `ROWS` is the tree hash over them. So a person signs exactly what
`meterseal inspect` shows, and the judge compares it with what it computes. Which rows a result has is judge/sheet.py's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.tree import tree_hash

PARTS = (bytes, int, str, int, int)
HASH_BYTES, LONGEST_METER = 32, 48


@dataclass(frozen=True, slots=True)
class Row:
    """One meter in one result: outcome `kinds.PASSED` or `kinds.FAILED`, its largest error in ppm."""

    result: bytes
    position: int
    meter: str
    outcome: int
    largest_ppm: int

    def encoded(self) -> bytes:
        """Its evidence item."""
        return bytes(encode([self.result, self.position, self.meter, self.outcome, self.largest_ppm]))


@lru_cache(maxsize=1024)
def read_row(item: bytes) -> Row | None:
    """The row that an evidence item holds; None where it is none."""
    try:
        value = scan(item)
    except WireError:
        return None
    if not isinstance(value, list) or [type(part) for part in value] != list(PARTS):
        return None
    row = Row(*value)
    sized = len(row.result) == HASH_BYTES and len(row.meter) <= LONGEST_METER and row.position >= 0
    return row if sized and row.outcome in (kinds.PASSED, kinds.FAILED) else None


def rows_of(items: Sequence[bytes]) -> list[Row]:
    """The rows among evidence items, in their order."""
    return [row for row in map(read_row, items) if row is not None]


def payload(role: int, items: Sequence[bytes], time_s: int) -> dict[int, Any]:
    """Payload of a sign-off in `role` over rows as evidence items, at `time_s` (Unix seconds)."""
    return {L.ROLE: role, L.ROWS: tree_hash(list(items)), L.TIME_S: time_s}
