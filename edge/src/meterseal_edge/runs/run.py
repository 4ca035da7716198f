"""One run with all that is held of it: the attempt, its plan, what closed it, and the evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meterseal_edge.runs.catalogue import Listed
from meterseal_edge.store.contract import Kept, Store
from meterseal_protocol.entry import Entry
from meterseal_protocol.statement import Statement, read
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan


@dataclass(frozen=True)
class Run:
    """`attempt` and `closer` are None where retention let their bytes go; `closer` also while the run is open."""

    listed: Listed
    attempt: Entry | None
    closer: Entry | None
    plan: tuple[bytes, ...]
    evidence: tuple[bytes, ...]
    entered: tuple[bool, bool]

    @property
    def result(self) -> Entry | None:
        """What closed it, where that is a result: before it is there, nothing is known of any error."""
        return self.closer if self.closer and self.closer.statement.typ == L.KIND_RESULT else None

    @property
    def seats(self) -> list[Mapping[int, Any]]:
        """The attempt's positions."""
        found: list[Mapping[int, Any]] = self.attempt.statement.payload[L.POSITIONS] if self.attempt else []
        return found

    def outcome(self, position: int) -> Mapping[int, Any] | None:
        """The result's entry of a position."""
        rows = self.result.statement.payload[L.POSITIONS] if self.result else []
        return next((row for row in rows if row[L.POSITION] == position), None)

    def telegrams(self, position: int) -> list[tuple[int, bytes]]:
        """(0 start or 1 end, bytes) of what was read from the meter at a position."""
        found = (_telegram(item) for item in self.evidence)
        return [item[1:] for item in found if item is not None and item[0] == position]


def _telegram(item: bytes) -> tuple[int, int, bytes] | None:
    try:
        value = scan(item)
    except WireError:
        return None
    if not isinstance(value, list) or [type(part) for part in value] != [int, int, bytes]:
        return None
    return value[0], value[1], value[2]


def load(store: Store, listed: Listed) -> Run:
    """A run from the store; StoreFailed where it can't be read."""
    attempt, opened = _entry(store, listed.leaf)
    closer, closed = _entry(store, listed.closer) if listed.closer is not None else (None, False)
    evidence = store.evidence(listed.closer) if listed.closer is not None else ()
    return Run(listed, attempt, closer, store.evidence(listed.leaf), evidence, (opened, closed))


def _entry(store: Store, leaf: int) -> tuple[Entry | None, bool]:
    [row] = store.kept(leaf, leaf + 1)
    return as_entry(row), row.entered


def as_entry(row: Kept) -> Entry | None:
    """A stored statement as the judge takes it. It was verified before it was stored; its time is the edge's."""
    if row.raw is None:
        return None
    statement: Statement = read(row.raw)
    return Entry(statement, row.key, row.leaf, row.received_s)
