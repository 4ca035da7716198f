"""What the judge reads about one meter, picked from a log by a pure rule.

Two people with the same log pick the same evidence: every attempt that names the meter; what closed it; the chain
around both, from the boot of each epoch; the beacons those attempts cite; the newest scope of the meter. Entries
beyond the log size do not exist.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from meterseal_protocol.statement import Statement
from meterseal_wire import labels as L
from meterseal_wire.tree import tree_hash

CLOSERS = (L.KIND_RESULT, L.KIND_ABANDONED)
Place = tuple[bytes, int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified statement in a log: `key` is the thumbprint it verified under, `entered_s` its *not after*."""

    statement: Statement
    key: bytes
    leaf: int
    entered_s: int

    @property
    def place(self) -> Place:
        """(key, epoch, seq) of a chained statement."""
        chain = self.statement.chain
        return (self.key, chain[0], chain[1]) if chain else (self.key, 0, 0)


@dataclass(frozen=True)
class Evidence:
    """All that speaks about `meter` in a log of `log_size` leaves; `blobs` are evidence items by identity."""

    meter: str
    entries: tuple[Entry, ...]
    log_size: int
    blobs: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def of_kind(self, kind: int) -> list[Entry]:
        """Entries of one kind, in log order."""
        return self._by_kind.get(kind, [])

    @cached_property
    def _by_kind(self) -> dict[int, list[Entry]]:
        found: dict[int, list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda entry: entry.leaf):
            found.setdefault(entry.statement.typ, []).append(entry)
        return found


@lru_cache(maxsize=256)
def evidence_root(items: tuple[bytes, ...]) -> bytes:
    """Tree hash over evidence items. All meters of a run share theirs, so it is kept."""
    return bytes(tree_hash(list(items)))


def names(entry: Entry, meter: str) -> bool:
    """True if this attempt has a position with the meter."""
    return any(position[L.METER] == meter for position in entry.statement.payload[L.POSITIONS])


def select(
    meter: str, pool: Iterable[Entry], log_size: int, blobs: Mapping[bytes, tuple[bytes, ...]] | None = None
) -> Evidence:
    """The evidence about `meter` among the entries of `pool` with leaf below `log_size`."""
    known = [entry for entry in pool if entry.leaf < log_size]
    attempts = [e for e in known if e.statement.typ == L.KIND_ATTEMPT and names(e, meter)]
    opened = {entry.place for entry in attempts}
    closers = [e for e in known if e.statement.typ in CLOSERS and closes(e) in opened]
    reach = _reach([e for e in known if e.statement.chain], attempts, closers)
    cited = {entry.statement.payload[L.BEACON] for entry in attempts}
    chosen = [e for e in known if _wanted(e, reach, cited)]
    scopes = [e for e in known if e.statement.typ == L.KIND_SCOPE and e.statement.payload[L.METER] == meter]
    chosen += sorted(scopes, key=lambda e: e.leaf)[-1:]
    chosen.sort(key=lambda e: e.statement.identity)
    mine = {e.statement.identity for e in chosen}
    kept = {name: items for name, items in (blobs or {}).items() if name in mine and items}
    return Evidence(meter, tuple(chosen), log_size, kept)


def closes(entry: Entry) -> Place:
    """(key, epoch, seq) of the attempt that a result or abandonment closes."""
    epoch, seq = entry.statement.payload[L.ATTEMPT]
    return entry.key, epoch, seq


def _reach(chained: list[Entry], attempts: list[Entry], closers: list[Entry]) -> dict[tuple[bytes, int], int]:
    """By (key, epoch), the highest sequence number that concerns the meter.

    Up to the attempt and to what closed it; every epoch that lies between the two; and the boot that follows, since
    it says which head the fixture still held.
    """
    reach: dict[tuple[bytes, int], int] = {}

    def take(key: bytes, epoch: int, seq: int) -> None:
        reach[key, epoch] = max(seq, reach.get((key, epoch), 0))

    for key, epoch, seq in [entry.place for entry in (*attempts, *closers)]:
        take(key, epoch, seq)
    for closer in closers:
        key, opened, _ = closes(closer)
        for between in chained:
            if between.key == key and opened <= between.place[1] < closer.place[1]:
                take(*between.place)
    for key, epoch in list(reach):
        later = [entry.place[1] for entry in chained if entry.key == key and entry.place[1] > epoch]
        if later:
            take(key, min(later), 0)
    return reach


def _wanted(entry: Entry, reach: Mapping[tuple[bytes, int], int], cited: set[bytes]) -> bool:
    statement = entry.statement
    if statement.typ == L.KIND_BEACON:
        return statement.identity in cited
    if statement.chain is None:
        return False
    return statement.chain[1] <= reach.get((entry.key, statement.chain[0]), -1)
