"""SQLite as the edge's store: WAL, synchronous FULL, one writer, one transaction a batch.

With synchronous FULL in WAL mode SQLite syncs the log before a commit returns (sqlite.org/pragma.html), so what
`append` has returned survives power loss as far as the disk keeps its own promise. A disk that lies about fsync
is not covered. Statements and their log order are one row: there is no state in which one is there without the
other.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from meterseal_edge.errors import StoreFailed
from meterseal_edge.events import Candidate, Refused
from meterseal_edge.store.contract import Chain, Stored
from meterseal_wire.chain import Head

SCHEMA = """
CREATE TABLE IF NOT EXISTS statement (
    leaf INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, key BLOB NOT NULL, epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL, raw BLOB NOT NULL, received_s INTEGER NOT NULL, receipt BLOB,
    UNIQUE (key, epoch, seq)
);
CREATE INDEX IF NOT EXISTS statement_unentered ON statement (leaf) WHERE receipt IS NULL;
CREATE TABLE IF NOT EXISTS evidence (
    leaf INTEGER NOT NULL, ordinal INTEGER NOT NULL, item BLOB NOT NULL, PRIMARY KEY (leaf, ordinal)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS quarantine (
    raw BLOB NOT NULL, key BLOB NOT NULL, fixture TEXT NOT NULL, code TEXT NOT NULL, why TEXT NOT NULL,
    received_s INTEGER NOT NULL, UNIQUE (raw, code, fixture)
);
CREATE INDEX IF NOT EXISTS quarantine_fixture ON quarantine (fixture);
"""
ENTER = "UPDATE statement SET receipt = ? WHERE leaf = ? AND receipt IS NULL"
T = TypeVar("T")
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")
HEAD = "SELECT epoch, seq, identity FROM statement WHERE key = ? ORDER BY epoch DESC, seq DESC LIMIT 1"
OLDEST = "SELECT epoch, seq FROM statement WHERE key = ? ORDER BY epoch, seq LIMIT 1"
PLACE = "SELECT identity FROM statement WHERE key = ? AND epoch = ? AND seq = ?"
UNENTERED = (
    "SELECT leaf, key, identity, raw FROM statement WHERE receipt IS NULL AND leaf > ? ORDER BY leaf LIMIT ?"
)
RECEIPTS = "SELECT receipt FROM statement WHERE key = ? AND (epoch, seq) > (?, ?) ORDER BY epoch, seq LIMIT ?"


class SqliteStore:
    """A `Store` in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            for pragma in PRAGMAS:
                self._db.execute(pragma)
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise StoreFailed(
                f"{path} cannot be opened: {error}. Restore a backup or give the disk room"
            ) from None
        # Counted once: the page asks often, and a full count reads every row.
        self._size = int(self._one("SELECT COALESCE(MAX(leaf) + 1, 0) FROM statement")[0])
        self._waiting = int(self._one("SELECT COUNT(*) FROM statement WHERE receipt IS NULL")[0])

    def append(self, fresh: list[Candidate], refused: list[Refused], received_s: int) -> int:
        """Write all of it in one transaction; the leaf of the first fresh statement."""
        with self._lock:
            first = self._size
            try:
                self._transaction(lambda: self._write(first, fresh, refused, received_s))
            except sqlite3.Error as error:
                raise StoreFailed(
                    f"nothing was stored: {error}. Give the disk room; fixtures keep their queues"
                ) from None
            self._size += len(fresh)
            self._waiting += len(fresh)
            return first

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

    def _write(self, first: int, fresh: list[Candidate], refused: list[Refused], received_s: int) -> None:
        rows = []
        items = []
        for leaf, candidate in enumerate(fresh, first):
            statement = candidate.statement
            epoch, seq = statement.chain[:2] if statement.chain else (0, 0)
            rows.append((leaf, statement.identity, candidate.key, epoch, seq, statement.raw, received_s))
            items += [(leaf, ordinal, item) for ordinal, item in enumerate(candidate.evidence)]
        self._db.executemany("INSERT INTO statement VALUES (?, ?, ?, ?, ?, ?, ?, NULL)", rows)
        self._db.executemany("INSERT INTO evidence VALUES (?, ?, ?)", items)
        self._db.executemany(
            "INSERT OR IGNORE INTO quarantine VALUES (?, ?, ?, ?, ?, ?)",
            [(item.raw, item.key, item.fixture, item.code, item.why, received_s) for item in refused],
        )
        # Last: a statement may be refused and link later in the same batch.
        self._db.executemany("DELETE FROM quarantine WHERE raw = ?", [(c.statement.raw,) for c in fresh])

    def head(self, key: bytes) -> Head | None:
        """The newest linked statement of a key."""
        row = self._one(HEAD, key)
        return Head(*row) if row else None

    def begins(self, key: bytes) -> tuple[int, int] | None:
        """Epoch and seq of the oldest statement of a key."""
        row = self._one(OLDEST, key)
        return (row[0], row[1]) if row else None

    def identity_at(self, key: bytes, epoch: int, seq: int) -> bytes | None:
        """Identity stored at one place of a key's chain."""
        row = self._one(PLACE, key, epoch, seq)
        return row[0] if row else None

    def identities(self) -> Iterator[bytes]:
        """Identities in log order."""
        return (row[0] for row in self._all("SELECT identity FROM statement ORDER BY leaf"))

    def chains(self) -> list[Chain]:
        """What is held of each key."""
        rows = self._all("SELECT key, COUNT(*), MAX(received_s) FROM statement GROUP BY key")
        return [Chain(key, count, last_s, Head(*self._one(HEAD, key))) for key, count, last_s in rows]

    def unentered(self, after: int, most: int) -> list[Stored]:
        """The oldest statements without a registry receipt whose leaf is above `after`."""
        with self._lock:
            rows = self._all(UNENTERED, after, most)
            return [Stored(leaf, key, name, raw, self._evidence(leaf)) for leaf, key, name, raw in rows]

    def _evidence(self, leaf: int) -> tuple[bytes, ...]:
        rows = self._all("SELECT item FROM evidence WHERE leaf = ? ORDER BY ordinal", leaf)
        return tuple(row[0] for row in rows)

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
        found = (row[0] for row in self._all(RECEIPTS, key, *after, most))
        return list(takewhile(lambda receipt: receipt is not None, found))

    def counts(self) -> tuple[int, int, int]:
        """(durable, entered, quarantined)."""
        with self._lock:
            quarantined = int(self._one("SELECT COUNT(*) FROM quarantine")[0])
            return self._size, self._size - self._waiting, quarantined

    def quarantined(self, fixture: str) -> int:
        """How many refusals of one fixture are kept."""
        return int(self._one("SELECT COUNT(*) FROM quarantine WHERE fixture = ?", fixture)[0])

    def refusals(self, fixture: str) -> list[bytes]:
        """The refused bytes of one fixture."""
        return [row[0] for row in self._all("SELECT raw FROM quarantine WHERE fixture = ?", fixture)]

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
