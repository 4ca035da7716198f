"""The tables of the edge's SQLite file, and what brings an older file up to them."""

import sqlite3
from pathlib import Path

from meterseal_edge.errors import StoreFailed
from meterseal_edge.store.migration import LOWER, NOTE, RAISE, STATEMENT, UNENTERED, change, copy_beside

VERSION = 2
PRAGMAS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")
SCHEMA = f"""
CREATE TABLE chain (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
    head BLOB NOT NULL, first_epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL,
    statements INTEGER NOT NULL, last_s INTEGER NOT NULL
);
{STATEMENT.format(name="statement", raw="")};
{UNENTERED};
{NOTE};
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
    """Make the tables in a new file, bring an older one up to date; StoreFailed for a newer one."""
    [version] = db.execute("PRAGMA user_version").fetchone()
    tables = db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if version == 0 and not tables:
        db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        return
    if version not in RAISE and version != VERSION:
        raise StoreFailed(
            f"{path} is of version {version} and this edge reads {VERSION}. Use the edge that made it"
        )
    if version != VERSION:
        copy_beside(db, path, version)
    for step in range(version, VERSION):
        change(db, RAISE[step], step + 1)


def lower(path: Path) -> int:
    """Bring a store one version down, for the edge of the release before; the version that it has then.

    Nothing is lost. StoreFailed where it can't be done.
    """
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        try:
            [version] = db.execute("PRAGMA user_version").fetchone()
            if version not in LOWER:
                raise StoreFailed(f"{path} is of version {version}, and there is no way down from it")
            if db.execute("SELECT 1 FROM note WHERE name = 'ended'").fetchone():
                raise StoreFailed(
                    f"{path} holds a log that a declared restore began, which version 1 knows nothing of"
                )
            change(db, LOWER[version], version - 1)
        finally:
            db.close()
    except sqlite3.Error as error:
        raise StoreFailed(f"{path} was left as it is: {error}") from None
    return int(version) - 1
