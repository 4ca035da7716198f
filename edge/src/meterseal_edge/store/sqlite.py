"""SQLite as the edge's store: WAL, synchronous FULL, one writer, one transaction a batch.

With synchronous FULL in WAL mode SQLite syncs the log before a commit returns (sqlite.org/pragma.html), so what
`append` has returned survives power loss as far as the disk keeps its own promise. A disk that lies about fsync
is not covered. Statements and their log order are one row: there is no state in which one is there without the
other.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from itertools import groupby, takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from meterseal_edge.errors import StoreFailed
from meterseal_edge.events import Candidate, Refused
from meterseal_edge.store.contract import Chain, Kept, Root, Stored
from meterseal_edge.store.schema import PRAGMAS, prepare
from meterseal_wire.chain import Head
from meterseal_wire.scan import scan

CHAINS = "SELECT id, key, epoch, seq, head, first_epoch, first_seq, statements, last_s FROM chain"
NEW_CHAIN = "INSERT INTO chain VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
MOVE_CHAIN = "UPDATE chain SET epoch = ?, seq = ?, head = ?, statements = ?, last_s = ? WHERE id = ?"
STATEMENT = "INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?, ?, NULL)"
REFUSAL = "INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?, ?)"
ENTER = "UPDATE statement SET receipt = ? WHERE leaf = ? AND receipt IS NULL"
PLACE = "SELECT identity FROM statement WHERE chain = ? AND epoch = ? AND seq = ?"
UNENTERED = """
SELECT leaf, chain, identity, raw, items FROM statement LEFT JOIN evidence USING (leaf)
WHERE receipt IS NULL AND leaf > ? ORDER BY leaf LIMIT ?
"""
RECEIPTS = (
    "SELECT receipt FROM statement WHERE chain = ? AND (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?"
)
NOTE = "SELECT value FROM note WHERE name = ?"
WRITE_NOTE = "INSERT INTO note VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
IDENTITIES = "SELECT identity FROM statement WHERE leaf >= ? AND leaf < ? ORDER BY leaf"
ROOTS = "SELECT hash FROM root WHERE level = ? AND place >= ? AND place < ? ORDER BY place"
KEPT = """
SELECT leaf, chain, raw, received_s, receipt IS NOT NULL FROM statement WHERE leaf >= ? AND leaf < ? ORDER BY leaf
"""
WAITS_SINCE = "SELECT received_s FROM statement WHERE receipt IS NULL ORDER BY leaf LIMIT 1"
EVIDENCE_BYTES = 65536
T = TypeVar("T")


class SqliteStore:
    """A `Store` in one SQLite file. Chains are held in memory too: every statement asks for its own."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            for pragma in PRAGMAS:
                self._db.execute(pragma)
            prepare(self._db, path)
        except sqlite3.Error as error:
            raise StoreFailed(
                f"{path} cannot be opened: {error}. Restore a backup or give the disk room"
            ) from None
        # Counted once: the page asks often, and a full count reads every row.
        self._size = int(self._one("SELECT COALESCE(MAX(leaf) + 1, 0) FROM statement")[0])
        self._waiting = int(self._one("SELECT COUNT(*) FROM statement WHERE receipt IS NULL")[0])
        self._refused: dict[str, int] = self._refusals()
        rows = self._all(CHAINS)
        self._ids = {row[1]: row[0] for row in rows}
        self._keys = {row[0]: row[1] for row in rows}
        self._chains = {
            row[1]: Chain(row[1], row[7], row[8], Head(*row[2:5]), (row[5], row[6])) for row in rows
        }

    def append(
        self, fresh: list[Candidate], refused: list[Refused], received_s: int, roots: Sequence[Root] = ()
    ) -> int:
        """Write all of it in one transaction; the leaf of the first fresh statement."""
        with self._lock:
            first, moved = self._size, self._moved(fresh, received_s)
            ids = self._ids | {
                key: len(self._ids) + n for n, key in enumerate(moved.keys() - self._ids.keys(), 1)
            }
            quarantined = bool(self._refused)

            def write() -> None:
                self._write_chains(moved, ids)
                self._write(first, fresh, received_s, ids)
                self._db.executemany("INSERT INTO root VALUES (?, ?, ?)", roots)
                self._db.executemany(REFUSAL, [(*item, received_s) for item in refused])
                # Last: a statement may be refused and link later in the same batch.
                if refused or quarantined:
                    self._db.executemany(
                        "DELETE FROM quarantine WHERE raw = ?", [(one.raw,) for one in fresh]
                    )

            try:
                self._transaction(write)
            except sqlite3.Error as error:
                raise StoreFailed(
                    f"nothing was stored: {error}. Give the disk room; fixtures keep their queues"
                ) from None
            self._size += len(fresh)
            self._waiting += len(fresh)
            self._chains.update(moved)
            self._ids = ids
            self._keys.update({ids[key]: key for key in moved})
            if refused or quarantined:
                self._refused = self._refusals()
            return first

    def _moved(self, fresh: list[Candidate], received_s: int) -> dict[bytes, Chain]:
        """The chains as they stand once `fresh` is stored, in which each key's statements are in order."""
        moved: dict[bytes, Chain] = {}
        for key, group in groupby(sorted(fresh, key=itemgetter(2)), key=itemgetter(2)):
            mine = list(group)
            old, end = self._chains.get(key), mine[-1]
            count = len(mine) + (old.statements if old else 0)
            begins = old.begins if old else mine[0].chain[:2]
            moved[key] = Chain(key, count, received_s, Head(*end.chain[:2], end.identity), begins)
        return moved

    def _transaction(self, write: Callable[[], T]) -> T:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            found = write()
            self._db.execute("COMMIT")
            return found
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _write_chains(self, moved: dict[bytes, Chain], ids: dict[bytes, int]) -> None:
        for key, now in moved.items():
            head = (now.head.epoch, now.head.seq, now.head.identity)
            if key in self._ids:
                self._db.execute(MOVE_CHAIN, (*head, now.statements, now.last_s, ids[key]))
            else:
                self._db.execute(NEW_CHAIN, (ids[key], key, *head, *now.begins, now.statements, now.last_s))

    def _write(self, first: int, fresh: list[Candidate], received_s: int, ids: dict[bytes, int]) -> None:
        rows = [
            (leaf, ids[one.key], one.chain[0], one.chain[1], one.identity, one.raw, received_s)
            for leaf, one in enumerate(fresh, first)
        ]
        items = [(leaf, one.evidence) for leaf, one in enumerate(fresh, first) if one.evidence]
        self._db.executemany(STATEMENT, rows)
        self._db.executemany("INSERT INTO evidence VALUES (?, ?)", items)

    def _refusals(self) -> dict[str, int]:
        return dict(self._all("SELECT fixture, COUNT(*) FROM quarantine GROUP BY fixture"))

    def head(self, key: bytes) -> Head | None:
        """The newest linked statement of a key."""
        chain = self._chains.get(key)
        return chain.head if chain else None

    def begins(self, key: bytes) -> tuple[int, int] | None:
        """Epoch and seq of the oldest statement of a key."""
        chain = self._chains.get(key)
        return chain.begins if chain else None

    def identity_at(self, key: bytes, epoch: int, seq: int) -> bytes | None:
        """Identity stored at one place of a key's chain."""
        row = self._one(PLACE, self._ids.get(key), epoch, seq)
        return row[0] if row else None

    def identities(self, start: int, end: int) -> list[bytes]:
        """Identities of the leaves from `start` up to `end`."""
        return [row[0] for row in self._all(IDENTITIES, start, end)]

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        """Hashes of a level, 1 or higher, from place `start` up to `end`."""
        return [row[0] for row in self._all(ROOTS, level, start, end)]

    def chains(self) -> list[Chain]:
        """What is held of each key."""
        return list(self._chains.values())

    def unentered(self, after: int, most: int) -> list[Stored]:
        """The oldest statements without a registry receipt whose leaf is above `after`."""
        rows = self._all(UNENTERED, after, most)
        return [
            Stored(leaf, self._keys[chain], name, raw, tuple(scan(items, EVIDENCE_BYTES)) if items else ())
            for leaf, chain, name, raw, items in rows
        ]

    def enter(self, receipts: list[tuple[int, bytes]]) -> None:
        """Keep receipts (leaf, bytes): these statements are entered."""
        rows = [(raw, leaf) for leaf, raw in receipts]
        with self._lock:
            try:
                written = self._transaction(lambda: self._db.executemany(ENTER, rows).rowcount)
            except sqlite3.Error as error:
                raise StoreFailed(
                    f"receipts were not stored: {error}. They will be asked for again"
                ) from None
            self._waiting -= max(written, 0)

    def receipts(self, key: bytes, after: tuple[int, int], most: int) -> list[bytes]:
        """Receipts of a key's statements after a place, oldest first, up to the first that has none yet."""
        found = (row[0] for row in self._all(RECEIPTS, self._ids.get(key), *after, most))
        return list(takewhile(lambda receipt: receipt is not None, found))

    def counts(self) -> tuple[int, int, int]:
        """(durable, entered, quarantined)."""
        with self._lock:
            return self._size, self._size - self._waiting, sum(self._refused.values())

    def quarantined(self, fixture: str) -> int:
        """How many refusals of one fixture are kept."""
        return self._refused.get(fixture, 0)

    def refusals(self, fixture: str) -> list[bytes]:
        """The refused bytes of one fixture."""
        return [row[0] for row in self._all("SELECT raw FROM quarantine WHERE fixture = ?", fixture)]

    def kept(self, start: int, end: int) -> list[Kept]:
        """Statements of the leaves from `start` up to `end`."""
        return [
            # A release that knew no retention writes empty bytes for those that went.
            Kept(leaf, self._keys[chain], raw or None, received_s, bool(entered))
            for leaf, chain, raw, received_s, entered in self._all(KEPT, start, end)
        ]

    def evidence(self, leaf: int) -> tuple[bytes, ...]:
        """Evidence items of a leaf; none where there are none, or where retention let them go."""
        row = self._one("SELECT items FROM evidence WHERE leaf = ?", leaf)
        return tuple(scan(row[0], EVIDENCE_BYTES)) if row else ()

    def waits_since(self) -> int | None:
        """When the oldest statement without a registry receipt came (Unix seconds); None where none waits."""
        row = self._one(WAITS_SINCE)
        return int(row[0]) if row else None

    def note(self, name: str) -> bytes | None:
        """What was noted under a name."""
        row = self._one(NOTE, name)
        return row[0] if row else None

    def write_note(self, name: str, value: bytes) -> None:
        """Note something under a name, in the place of what was noted before."""
        with self._lock:
            try:
                self._transaction(lambda: self._db.execute(WRITE_NOTE, (name, value)))
            except sqlite3.Error as error:
                raise StoreFailed(f"nothing was noted: {error}. Give the disk room") from None

    def close(self) -> None:
        """Release the files."""
        with self._lock:
            self._db.close()

    def _one(self, query: str, *values: object) -> tuple[Any, ...]:
        # An empty tuple where there is no row.
        return next(iter(self._all(query, *values)), ())

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise StoreFailed(f"the store cannot be read: {error}. Restore a backup") from None
