"""SQLite as the edge's store: WAL, synchronous FULL, one writer, one transaction a batch.

With synchronous FULL in WAL mode SQLite syncs the log before a commit returns (sqlite.org/pragma.html), so what
`append` has returned survives power loss as far as the disk keeps its own promise. A disk that lies about fsync
is not covered. Statements and their log order are one row: there is no state in which one is there without the
other.
"""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from meterseal_edge.errors import StoreFailed
from meterseal_edge.events import Candidate, Refused
from meterseal_edge.store.contract import Stored
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
    received_s INTEGER NOT NULL, UNIQUE (raw, code)
);
CREATE INDEX IF NOT EXISTS quarantine_fixture ON quarantine (fixture);
"""
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON")


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
        self._size = self._one("SELECT COALESCE(MAX(leaf) + 1, 0) FROM statement")[0]

    def append(self, fresh: list[Candidate], refused: list[Refused], received_s: int) -> int:
        """Write all of it in one transaction; the leaf of the first fresh statement."""
        with self._lock:
            first = int(self._size)
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._write(first, fresh, refused, received_s)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise StoreFailed(
                    f"nothing was stored: {error}. Give the disk room; fixtures keep their queues"
                ) from None
            self._size = first + len(fresh)
            return first

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

    def head(self, key: bytes) -> Head | None:
        """The newest linked statement of a key."""
        row = self._one(
            "SELECT epoch, seq, identity FROM statement WHERE key = ? ORDER BY epoch DESC, seq DESC LIMIT 1",
            key,
        )
        return Head(*row) if row else None

    def identity_at(self, key: bytes, epoch: int, seq: int) -> bytes | None:
        """Identity stored at one place of a key's chain."""
        row = self._one(
            "SELECT identity FROM statement WHERE key = ? AND epoch = ? AND seq = ?", key, epoch, seq
        )
        return row[0] if row else None

    def identities(self) -> Iterator[bytes]:
        """Identities in log order."""
        with self._lock:
            yield from (row[0] for row in self._db.execute("SELECT identity FROM statement ORDER BY leaf"))

    def unentered(self, most: int) -> list[Stored]:
        """The oldest statements without a registry receipt."""
        with self._lock:
            rows = self._db.execute(
                "SELECT leaf, identity, raw FROM statement WHERE receipt IS NULL ORDER BY leaf LIMIT ?",
                (most,),
            ).fetchall()
            return [Stored(leaf, identity, raw, self._evidence(leaf)) for leaf, identity, raw in rows]

    def _evidence(self, leaf: int) -> tuple[bytes, ...]:
        rows = self._db.execute("SELECT item FROM evidence WHERE leaf = ? ORDER BY ordinal", (leaf,))
        return tuple(row[0] for row in rows)

    def enter(self, receipts: list[tuple[int, bytes]]) -> None:
        """Keep receipts (leaf, bytes): these statements are entered."""
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._db.executemany(
                    "UPDATE statement SET receipt = ? WHERE leaf = ?", [(r, leaf) for leaf, r in receipts]
                )
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise StoreFailed(f"receipts were not stored: {error}") from None

    def counts(self) -> tuple[int, int, int]:
        """(durable, entered, quarantined)."""
        durable, entered = self._one("SELECT COUNT(*), COUNT(receipt) FROM statement")
        return int(durable), int(entered), int(self._one("SELECT COUNT(*) FROM quarantine")[0])

    def quarantined(self, fixture: str) -> int:
        """How many refusals of one fixture are kept."""
        return int(self._one("SELECT COUNT(*) FROM quarantine WHERE fixture = ?", fixture)[0])

    def close(self) -> None:
        """Release the files."""
        with self._lock:
            self._db.close()

    def _one(self, query: str, *values: object) -> tuple:  # type: ignore[type-arg]
        with self._lock:
            try:
                row: tuple = self._db.execute(query, values).fetchone()  # type: ignore[type-arg]
            except sqlite3.Error as error:
                raise StoreFailed(f"the store cannot be read: {error}. Restore a backup") from None
            return row
