"""SQLite as the registry's store: WAL, synchronous FULL, one writer."""

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from meterseal_registry.errors import StoreFailed
from meterseal_registry.store.contract import Issued, Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    leaf INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, entered_s INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS evidence (
    leaf INTEGER NOT NULL, ordinal INTEGER NOT NULL, item BLOB NOT NULL, PRIMARY KEY (leaf, ordinal)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS naming (
    meter TEXT NOT NULL, leaf INTEGER NOT NULL, PRIMARY KEY (meter, leaf)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS certificate (
    number INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, meter TEXT NOT NULL, result BLOB NOT NULL,
    status INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS certificate_meter ON certificate (meter);
"""
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")


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

    def append(
        self, rows: list[Row], meters: dict[bytes, tuple[str, ...]], issued: Issued | None = None
    ) -> None:
        """Write rows with their evidence, the meters each names and a certificate's status, in one transaction."""
        evidence = [(row.leaf, n, item) for row in rows for n, item in enumerate(row.evidence)]
        naming = [(meter, row.leaf) for row in rows for meter in sorted(set(meters.get(row.identity, ())))]
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?)",
                [(row.leaf, row.identity, row.raw, row.entered_s) for row in rows],
            )
            database.executemany("INSERT INTO evidence VALUES (?, ?, ?)", evidence)
            database.executemany("INSERT INTO naming VALUES (?, ?)", naming)
            if issued is not None:
                row = (issued.index, issued.identity, issued.meter, issued.result, issued.status)
                database.execute("INSERT INTO certificate VALUES (?, ?, ?, ?, ?)", row)

    def rows(self) -> Iterator[Row]:
        """Every entry in log order, evidence included."""
        with self._lock:
            found = self._db.execute(
                "SELECT leaf, identity, raw, entered_s FROM entry ORDER BY leaf"
            ).fetchall()
            for leaf, identity, raw, entered_s in found:
                items = self._db.execute("SELECT item FROM evidence WHERE leaf = ? ORDER BY ordinal", (leaf,))
                yield Row(leaf, identity, raw, entered_s, tuple(item[0] for item in items))

    def naming(self, meter: str) -> list[bytes]:
        """Identities of the entries that name a meter, in log order."""
        query = "SELECT identity FROM entry JOIN naming USING (leaf) WHERE meter = ? ORDER BY leaf"
        with self._lock:
            return [row[0] for row in self._db.execute(query, (meter,))]

    def set_status(self, index: int, status: int) -> None:
        """Change one certificate's status."""
        with self._transaction() as database:
            database.execute("UPDATE certificate SET status = ? WHERE number = ?", (status, index))

    def issued(self) -> list[Issued]:
        """Every certificate in the order of its index."""
        query = "SELECT identity, meter, result, number, status FROM certificate ORDER BY number"
        with self._lock:
            return [Issued(*row) for row in self._db.execute(query)]

    def close(self) -> None:
        """Release the files."""
        with self._lock:
            self._db.close()

    def _transaction(self) -> "_Transaction":
        return _Transaction(self._db, self._lock)


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK and StoreFailed."""

    def __init__(self, database: sqlite3.Connection, lock: threading.RLock) -> None:
        self._db = database
        self._lock = lock

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._lock.release()
            raise StoreFailed(f"nothing was written: {error}") from None
        return self._db

    def __exit__(self, kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if error is None:
                self._db.execute("COMMIT")
        except sqlite3.Error as failed:
            error = failed
        if error is not None and self._db.in_transaction:
            self._db.execute("ROLLBACK")
        self._lock.release()
        if isinstance(error, sqlite3.Error):
            raise StoreFailed(f"nothing was written: {error}") from None
