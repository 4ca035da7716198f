"""Everything in a store recomputed from the statements' own bytes; each fault is one line that names the leaf.

Read beside a running edge without disturbing it: one read transaction, nothing is written. What holds afterwards: the
file is whole for SQLite, leaves are 0 to n - 1, each statement is the one its identity names, signed by the key it is
filed under (where grants are given), linked to the one before; evidence and receipts are of their statements; the rows
that the log's roots come from are those of the tree computed here. A statement whose bytes retention let go counts by
its identity, and must have a receipt.
"""

import sqlite3
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from meterseal_edge.errors import StoreFailed
from meterseal_edge.examine import covers
from meterseal_edge.log import Frontier
from meterseal_edge.store.contract import Root
from meterseal_protocol import receipt
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.verify import verify
from meterseal_wire.chain import LINKED, Head, link
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

ROWS = """
SELECT leaf, key, statement.epoch, statement.seq, identity, raw, received_s, receipt, items
FROM statement LEFT JOIN chain ON chain = id LEFT JOIN evidence USING (leaf) ORDER BY leaf
"""
KINDS = (int, bytes, int, int, bytes, bytes, int, bytes, bytes)
MAY_LACK = {5, 7, 8}
ORPHANS = "SELECT leaf FROM evidence WHERE leaf NOT IN (SELECT leaf FROM statement) ORDER BY leaf"
CHAINS = "SELECT key, epoch, seq, head, first_epoch, first_seq, statements FROM chain ORDER BY id"
ROOT = "SELECT level, place, hash FROM root ORDER BY level, place"
HASH, EVIDENCE_BYTES, MOST_FAULTS, AT_ONCE = 32, 65536, 1000, 256


class Fault(NamedTuple):
    """One thing that is wrong: at which leaf (None: of the whole file), and what."""

    leaf: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.leaf is None else f"leaf {self.leaf}: {self.what}"


class Row(NamedTuple):
    """A statement as it is stored; `raw` is None where retention let it go."""

    leaf: int
    key: bytes
    epoch: int
    seq: int
    identity: bytes
    raw: bytes | None
    received_s: int
    receipt: bytes | None
    items: bytes | None


@dataclass
class Keys:
    """Whose signatures can be checked: every key that is known, and those of registries. Empty: none."""

    all: KeyRing
    registries: KeyRing


@dataclass
class _Chain:
    head: Head
    begins: tuple[int, int]
    statements: int


class Recount:
    """One pass over a file. `faults` runs it; `size`, `root` and `pruned` are right once it has ended."""

    def __init__(self, path: Path, keys: Keys | None = None) -> None:
        self.path = path
        self.keys = keys or Keys(KeyRing(), KeyRing())
        self.size, self.pruned = 0, 0
        self._frontier = Frontier()
        self._names: list[bytes] = []
        self._roots: list[Root] = []
        self._chains: dict[bytes, _Chain] = {}

    @property
    def root(self) -> bytes:
        """Root of the tree over all identities."""
        self._grow()
        return self._frontier.root()

    def faults(self) -> Iterator[Fault]:
        """Every fault; a file that SQLite can't read any further ends it."""
        try:
            db = open_to_read(self.path)
        except sqlite3.Error as error:
            yield Fault(None, f"{self.path} cannot be opened: {error}")
            return
        try:
            db.execute("BEGIN")
            yield from self._all(db)
        except sqlite3.Error as error:
            yield Fault(None, f"the file cannot be read: {error}")
        finally:
            db.close()

    def _all(self, db: sqlite3.Connection) -> Iterator[Fault]:
        for [said] in db.execute(f"PRAGMA integrity_check({MOST_FAULTS})"):
            if said != "ok":
                yield Fault(None, f"SQLite: {said}")
        for values in db.execute(ROWS):
            yield from self._row(values)
        for [leaf] in db.execute(ORPHANS):
            yield Fault(leaf, "there is evidence for a leaf that is not there")
        yield from self._tiles([Root(*row) for row in db.execute(ROOT)])
        yield from self._heads(db.execute(CHAINS).fetchall())

    def _row(self, values: tuple[Any, ...]) -> Iterator[Fault]:
        place = self.size
        self.size += 1
        if values[0] != place:
            yield Fault(place, f"is missing: the next one stored is leaf {values[0]!r}")
            self.size = values[0] + 1
        wrong = [
            n for n, (value, kind) in enumerate(zip(values, KINDS, strict=True)) if not _is(n, value, kind)
        ]
        if wrong or len(values[4]) != HASH:
            yield Fault(values[0], "its columns are not of their kinds")
            self._name(bytes(HASH))
            return
        row = Row(*values)
        self._name(row.identity)
        prev = None
        if row.raw is None:
            self.pruned += 1
            if row.receipt is None:
                yield Fault(row.leaf, "its bytes are gone and no receipt covers it")
        else:
            found = yield from self._statement(row, row.raw)
            prev = found.chain[2] if found and found.chain else None
        yield from self._linked(row, prev)
        yield from self._receipt(row)

    def _name(self, name: bytes) -> None:
        self._names.append(name)
        if len(self._names) == AT_ONCE:
            self._grow()

    def _grow(self) -> None:
        self._frontier, roots = self._frontier.grown(self._names)
        self._names.clear()
        self._roots += roots

    def _statement(self, row: Row, raw: bytes) -> Generator[Fault, None, Statement | None]:
        try:
            named = identity(raw) == row.identity
            found = read(raw)
        except (ProtocolError, WireError) as error:
            yield Fault(row.leaf, f"is no statement: {error}")
            return None
        if not named:
            yield Fault(row.leaf, "its bytes are not those that its identity names")
        if found.chain is None or found.chain[:2] != (row.epoch, row.seq):
            yield Fault(row.leaf, f"says another place in its chain than {row.epoch}/{row.seq}")
        if found.kid != row.key[: len(found.kid)]:
            yield Fault(row.leaf, "is filed under another key than it names")
        elif len(self.keys.all):
            yield from self._signature(row, raw)
        yield from self._evidence(row, found)
        return found

    def _signature(self, row: Row, raw: bytes) -> Iterator[Fault]:
        try:
            signer = verify(raw, self.keys.all).key.thumbprint
        except (ProtocolError, WireError) as error:
            yield Fault(row.leaf, str(error))
            return
        if signer != row.key:
            yield Fault(row.leaf, "is signed by another key than it is filed under")

    def _evidence(self, row: Row, found: Statement) -> Iterator[Fault]:
        if row.items is None:
            return
        try:
            items = scan(row.items, EVIDENCE_BYTES)
        except WireError as error:
            yield Fault(row.leaf, f"its evidence cannot be read: {error}")
            return
        whole = isinstance(items, list) and all(isinstance(item, bytes) for item in items)
        if not whole or not covers(found, tuple(items)):
            yield Fault(row.leaf, "its evidence is not what it covers")

    def _linked(self, row: Row, prev: bytes | None) -> Iterator[Fault]:
        before = self._chains.get(row.key)
        head = Head(row.epoch, row.seq, row.identity)
        if before is None:
            self._chains[row.key] = _Chain(head, (row.epoch, row.seq), 1)
            return
        said = before.head.identity if prev is None else prev
        if link(before.head, (row.epoch, row.seq, said), row.identity, None) != LINKED:
            yield Fault(row.leaf, f"does not follow {before.head.epoch}/{before.head.seq} of its key")
        before.head, before.statements = head, before.statements + 1

    def _receipt(self, row: Row) -> Iterator[Fault]:
        if row.receipt is None or not len(self.keys.registries):
            return
        try:
            receipt.check(row.receipt, row.identity, self.keys.registries)
        except (ProtocolError, WireError) as error:
            yield Fault(row.leaf, f"its receipt does not hold: {error}")

    def _tiles(self, stored: list[Root]) -> Iterator[Fault]:
        self._grow()
        there = {(root.level, root.place): root.hash for root in stored}
        for level, place, computed in self._roots:
            kept = there.pop((level, place), None)
            if kept != computed:
                what = "is missing" if kept is None else "is not that of the tree"
                yield Fault(
                    (place + 1) * 256**level - 1, f"the root of tile {place} below level {level} {what}"
                )
        for level, place in there:
            yield Fault(
                None,
                f"there is a root for a tile of the log that is not full: level {level!r}, place {place!r}",
            )

    def _heads(self, rows: list[tuple[Any, ...]]) -> Iterator[Fault]:
        for key, epoch, seq, head, *first, count in rows:
            name = key.hex()[:16] if isinstance(key, bytes) else repr(key)
            chain = self._chains.pop(key, None)
            if chain is None:
                yield Fault(None, f"key {name} has a chain and no statement")
                continue
            held = (chain.head.epoch, chain.head.seq, chain.head.identity, [*chain.begins], chain.statements)
            if (epoch, seq, head, first, count) != held:
                yield Fault(None, f"the chain of key {name} is not that of its statements")


def _is(place: int, value: object, kind: type) -> bool:
    return isinstance(value, kind) or (value is None and place in MAY_LACK)


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing; sqlite3.Error where the file can't be opened. StoreFailed for no file."""
    if not path.is_file():
        raise StoreFailed(f"there is no store at {path}")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    db.execute("PRAGMA query_only = ON").fetchall()
    return db
