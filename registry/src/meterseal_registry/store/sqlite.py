"""SQLite as the registry's store: WAL, synchronous FULL, one writer."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from meterseal_registry.errors import StoreFailed
from meterseal_registry.store.contract import Issued, Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    leaf INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, entered_s INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS evidence (
    leaf INTEGER NOT NULL, ordinal INTEGER NOT NULL, item BLOB NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (leaf, ordinal)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS certificate (
    number INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, meter TEXT NOT NULL, result BLOB NOT NULL,
    status INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS certificate_meter ON certificate (meter);
"""
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")
ENTRIES = "SELECT leaf, identity, raw, entered_s FROM entry ORDER BY leaf"
EVIDENCE = "SELECT item, since FROM evidence WHERE leaf = ? ORDER BY ordinal"
OF_METER = "SELECT identity, meter, result, number, status FROM certificate WHERE meter = ? ORDER BY number"
HELP = "Restore a backup or give the disk room"


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
            raise StoreFailed(f"{path} cannot be opened: {error}. {HELP}") from None

    def append(self, rows: list[Row], issued: Issued | None = None) -> None:
        """Write rows with their evidence, and a certificate's status, in one transaction."""
        self._transaction(lambda: self._append(rows, issued))

    def add_evidence(self, leaf: int, evidence: tuple[bytes, ...], since: int) -> None:
        """Write the evidence of an entry that came without any, when the log had `since` leaves."""
        self._transaction(lambda: self._write_evidence(leaf, evidence, since))

    def rows(self) -> Iterator[Row]:
        """Every entry in log order, evidence included."""
        for leaf, identity, raw, entered_s in self._read(ENTRIES):
            items = self._read(EVIDENCE, leaf)
            since = items[0][1] if items else 0
            yield Row(leaf, identity, raw, entered_s, tuple(item[0] for item in items), since)

    def set_status(self, index: int, status: int) -> None:
        """Change one certificate's status."""
        change = "UPDATE certificate SET status = ? WHERE number = ?"
        self._transaction(lambda: self._db.execute(change, (status, index)))

    def statuses(self) -> list[int]:
        """Every certificate's status in the order of its index."""
        return [row[0] for row in self._read("SELECT status FROM certificate ORDER BY number")]

    def issued(self, meter: str) -> list[Issued]:
        """A meter's certificates in the order of their index."""
        return [Issued(*row) for row in self._read(OF_METER, meter)]

    def close(self) -> None:
        """Release the files."""
        with self._lock:
            self._db.close()

    def _append(self, rows: list[Row], issued: Issued | None) -> None:
        self._db.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?)",
            [(row.leaf, row.identity, row.raw, row.entered_s) for row in rows],
        )
        for row in rows:
            self._write_evidence(row.leaf, row.evidence, row.since)
        if issued is not None:
            fields = (issued.index, issued.identity, issued.meter, issued.result, issued.status)
            self._db.execute("INSERT INTO certificate VALUES (?, ?, ?, ?, ?)", fields)

    def _write_evidence(self, leaf: int, evidence: tuple[bytes, ...], since: int) -> None:
        items = [(leaf, ordinal, item, since) for ordinal, item in enumerate(evidence)]
        self._db.executemany("INSERT INTO evidence VALUES (?, ?, ?, ?)", items)

    def _read(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.Error as error:
                raise StoreFailed(f"the store cannot be read: {error}. {HELP}") from None

    def _transaction(self, write: Callable[[], object]) -> None:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                write()
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise StoreFailed(
                    f"nothing was written: {error}. {HELP}; what was sent may be sent again"
                ) from None
