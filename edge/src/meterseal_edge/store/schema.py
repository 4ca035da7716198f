"""The tables of the edge's SQLite file, and what brings an older file up to them."""

import sqlite3
from pathlib import Path

from meterseal_edge.errors import StoreFailed

VERSION = 1
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")
SCHEMA = """
CREATE TABLE chain (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    head BLOB NOT NULL, first_epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL,
    statements INTEGER NOT NULL, last_s INTEGER NOT NULL
);
CREATE TABLE statement (
    leaf INTEGER PRIMARY KEY, chain INTEGER NOT NULL REFERENCES chain, epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL, identity BLOB NOT NULL, raw BLOB NOT NULL, received_s INTEGER NOT NULL,
    receipt BLOB, UNIQUE (chain, epoch, seq)
);
CREATE INDEX statement_unentered ON statement (leaf) WHERE receipt IS NULL;
CREATE TABLE evidence (leaf INTEGER PRIMARY KEY, items BLOB NOT NULL);
CREATE TABLE root (
    level INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, place)
) WITHOUT ROWID;
CREATE TABLE quarantine (
    raw BLOB NOT NULL, key BLOB NOT NULL, fixture TEXT NOT NULL, code TEXT NOT NULL, why TEXT NOT NULL,
    received_s INTEGER NOT NULL, UNIQUE (raw, code, fixture)
);
CREATE INDEX quarantine_fixture ON quarantine (fixture);
"""


def prepare(db: sqlite3.Connection, path: Path) -> None:
    """Make the tables in a new file; StoreFailed for a file of another version."""
    [version] = db.execute("PRAGMA user_version").fetchone()
    tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if version == 0 and not tables:
        db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
    elif version != VERSION:
        raise StoreFailed(
            f"{path} is of version {version} and this edge reads {VERSION}. Use the edge that made it"
        )
