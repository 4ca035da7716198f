"""What the log says by meter and by place: the attempts that name a meter, what closed them, the newest of each kind.

Fed entry by entry in leaf order, at the start and while running alike, so both know the same. `owed` are the meters
about which something was learned that no decision has read yet: an attempt was closed, by its result, by being
abandoned, or by the boot after a break; witnesses had seen a result that is not granted; people signed off, marked,
corrected or measured again; a grant was withdrawn
or a batch sampled; or evidence came after its statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from meterseal_protocol.evidence import CLOSERS, Entry, Place, closes
from meterseal_protocol.statement import Statement
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

ONE_METER = (L.KIND_MARKS, L.KIND_NOTICE, L.KIND_REMEASUREMENT)
ROW_METER = 2  # place of the meter in a row that is signed off


@dataclass
class Catalogue:
    """Entries in leaf order, and indexes over them."""

    pool: list[Entry] = field(default_factory=list)
    grants: list[Entry] = field(default_factory=list)
    authority: list[Entry] = field(default_factory=list)
    said: dict[bytes, list[str]] = field(default_factory=dict)
    beacon: Entry | None = None
    naming: dict[str, list[Entry]] = field(default_factory=dict)
    opened: dict[Place, list[Entry]] = field(default_factory=dict)
    closed: dict[Place, list[Entry]] = field(default_factory=dict)
    running: dict[bytes, set[Place]] = field(default_factory=dict)
    results: dict[bytes, Entry] = field(default_factory=dict)
    newest: dict[tuple[int, str], Entry] = field(default_factory=dict)
    decided: dict[str, None] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)

    def add(self, entry: Entry, evidence: tuple[bytes, ...] = ()) -> None:
        """The next entry of the log, with its evidence items."""
        self.pool.append(entry)
        typ = entry.statement.typ
        if typ == L.KIND_GRANT:
            self.grants.append(entry)
            self.authority.append(entry)
        elif typ == L.KIND_WITHDRAWAL:
            self.authority.append(entry)
            self._owe_all(self.decided, entry.leaf)
        elif typ == L.KIND_SAMPLING:
            maker = f"{entry.statement.payload[L.MAKER]}."
            self._owe_all([meter for meter in self.decided if meter.startswith(maker)], entry.leaf)
        elif typ in (*ONE_METER, L.KIND_SIGNOFF, L.KIND_CORRECTION):
            self._people(entry, evidence)
        elif typ == L.KIND_BEACON:
            self.beacon = entry
        elif typ == L.KIND_ATTEMPT:
            self._attempt(entry)
        elif typ in CLOSERS:
            self._close(entry)
        elif typ == L.KIND_BOOT:
            self._boot(entry)
        elif typ == L.KIND_SIGHTING:
            self._sighted(entry)
        elif typ in (L.KIND_SCOPE, L.KIND_DECISION):
            self.newest[typ, entry.statement.payload[L.METER]] = entry
            if typ == L.KIND_DECISION:
                self.decided[entry.statement.payload[L.METER]] = None

    def entries_of(self, meter: str) -> list[bytes]:
        """Identities of the attempts that name a meter and of what closes them, in log order."""
        attempts = self.naming.get(meter, [])
        closers = [entry for attempt in attempts for entry in self.closed.get(attempt.place, ())]
        by_leaf = {entry.leaf: entry.statement.identity for entry in (*attempts, *closers)}
        return [by_leaf[leaf] for leaf in sorted(by_leaf)]

    def decision(self, meter: str) -> Statement | None:
        """The newest decision about a meter."""
        entry = self.newest.get((L.KIND_DECISION, meter))
        return entry.statement if entry else None

    def evidence_came(
        self, statement: Statement, key: bytes, size: int, evidence: tuple[bytes, ...] = ()
    ) -> None:
        """Evidence of a statement came after it, when the log had `size` leaves."""
        if statement.typ == L.KIND_SIGNOFF:
            self.said[statement.identity] = signed_off(evidence)
            self._owe_all(self.said[statement.identity], size)
            return
        epoch, seq = (
            statement.payload[L.ATTEMPT] if statement.typ in CLOSERS else (statement.chain or (0, 0))[:2]
        )
        if (key, epoch, seq) in self.closed:
            self._owe((key, epoch, seq), size)

    def _people(self, entry: Entry, evidence: tuple[bytes, ...]) -> None:
        """What somebody said of meters: a correction speaks of those that the corrected statement spoke of."""
        statement = entry.statement
        if statement.typ in ONE_METER:
            found = [statement.payload[L.METER]]
        elif statement.typ == L.KIND_SIGNOFF:
            found = signed_off(evidence)
        else:
            named = (statement.payload[L.REPLACES], statement.payload.get(L.REPLACEMENT, b""))
            found = [meter for name in named for meter in self.said.get(name, ())]
        self.said[statement.identity] = found
        self._owe_all(found, entry.leaf)

    def _owe_all(self, meters: Iterable[str], leaf: int) -> None:
        for meter in meters:
            self.owed[meter] = max(leaf, self.owed.get(meter, 0))

    def _attempt(self, entry: Entry) -> None:
        for meter in meters_of(entry):
            self.naming.setdefault(meter, []).append(entry)
        self.opened.setdefault(entry.place, []).append(entry)
        if entry.place in self.closed:
            self._owe(entry.place, entry.leaf)
        else:
            self.running.setdefault(entry.key, set()).add(entry.place)

    def _close(self, entry: Entry) -> None:
        place = closes(entry)
        self.closed.setdefault(place, []).append(entry)
        if entry.statement.typ == L.KIND_RESULT:
            self.results[entry.statement.identity] = entry
        self.running.get(entry.key, set()).discard(place)
        self._owe(place, entry.leaf)

    def _boot(self, entry: Entry) -> None:
        """Attempts that stand open at a break count as tries: their meters are looked at again."""
        running = self.running.get(entry.key, set())
        for place in sorted(place for place in running if place[1] < entry.place[1]):
            running.discard(place)
            self._owe(place, entry.leaf)

    def _sighted(self, entry: Entry) -> None:
        """An earlier *not after* may cure what was decided; what is granted already it can only date back."""
        result = self.results.get(entry.statement.payload[L.STATEMENT])
        for attempt in self.opened.get(closes(result), ()) if result else ():
            doubted = [meter for meter in meters_of(attempt) if not self._granted(meter)]
            self._owe_all(doubted, entry.leaf)

    def _granted(self, meter: str) -> bool:
        newest = self.decision(meter)
        return newest is not None and newest.payload[L.OUTCOME] == kinds.GRANTED

    def _owe(self, place: Place, leaf: int) -> None:
        for attempt in self.opened.get(place, ()):
            self._owe_all(meters_of(attempt), leaf)


def meters_of(attempt: Entry) -> list[str]:
    """The meters an attempt names, each once."""
    return list(dict.fromkeys(position[L.METER] for position in attempt.statement.payload[L.POSITIONS]))


def signed_off(rows: Iterable[bytes]) -> list[str]:
    """The meters that rows under a sign-off name, each once; what is no row names none."""
    found: dict[str, None] = {}
    for raw in rows:
        try:
            row = scan(raw)
        except WireError:
            continue
        if isinstance(row, list) and len(row) > ROW_METER and isinstance(row[ROW_METER], str):
            found[row[ROW_METER]] = None
    return list(found)
