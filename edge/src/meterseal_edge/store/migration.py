"""From one version of the edge's SQLite file to the next and back, each in one transaction.

Version 2 lets a statement's bytes go once a receipt covers it (retention), and has notes: which log the store holds,
under which keys it was served, how far retention has come. Before an older file is changed a copy of it is put beside
it; the way back that loses nothing is `lower`, since the copy lacks whatever came after it.
"""

import shutil
import sqlite3
from pathlib import Path

from meterseal_edge.errors import StoreFailed

STATEMENT = """
CREATE TABLE {name} (
    leaf INTEGER PRIMARY KEY, chain INTEGER NOT NULL REFERENCES chain, epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL, identity BLOB NOT NULL, raw BLOB {raw}, received_s INTEGER NOT NULL,
    receipt BLOB, UNIQUE (chain, epoch, seq)
)"""
UNENTERED = "CREATE INDEX statement_unentered ON statement (leaf) WHERE receipt IS NULL"
NOTE = "CREATE TABLE note (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
COPY = "INSERT INTO statement_new SELECT leaf, chain, epoch, seq, identity, {raw}, received_s, receipt FROM statement"
COPIES = 2.2  # a copy beside the file, and the table once more within it


def _rebuilt(raw: str, copied: str) -> tuple[str, ...]:
    return (
        STATEMENT.format(name="statement_new", raw=raw),
        COPY.format(raw=copied),
        "DROP TABLE statement",
        "ALTER TABLE statement_new RENAME TO statement",
        UNENTERED,
    )


RAISE = {1: (*_rebuilt("", "raw"), NOTE)}
LOWER = {2: (*_rebuilt("NOT NULL", "COALESCE(raw, x'')"), "DROP TABLE note")}


def copy_beside(db: sqlite3.Connection, path: Path, version: int) -> Path:
    """A whole copy of the file as it is, named after its version; StoreFailed where the disk has no room for it."""
    needed = int(path.stat().st_size * COPIES)
    if shutil.disk_usage(path.parent).free < needed:
        raise StoreFailed(
            f"{path} is to be brought up to date and that needs {needed >> 20} MiB more. Give the disk room"
        )
    place = path.with_name(f"{path.name}.version-{version}")
    part = place.with_name(f"{place.name}.part")
    part.unlink(missing_ok=True)
    copy = sqlite3.connect(part)
    try:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    finally:
        copy.close()
    part.replace(place)
    return place


def change(db: sqlite3.Connection, steps: tuple[str, ...], version: int) -> None:
    """Take these steps and set the version, all of it or nothing."""
    db.execute("PRAGMA foreign_keys = OFF").fetchall()
    db.execute("BEGIN IMMEDIATE")
    try:
        for step in steps:
            db.execute(step)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("COMMIT")
    except sqlite3.Error:
        db.execute("ROLLBACK")
        raise
