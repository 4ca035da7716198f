"""From version 1 of the store to version 2 and back: all of it or nothing, and nothing is lost either way."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from edge.tests.plant import Plant
from edge.tests.test_store import candidates, refusal, signed

from meterseal_edge.errors import StoreFailed
from meterseal_edge.folder import STORE
from meterseal_edge.restore import recount
from meterseal_edge.store import migration, schema
from meterseal_edge.store.sqlite import SqliteStore

# As the release before made it (edge 0.1.0, store/schema.py).
VERSION_1 = """
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
TABLES = ("chain", "statement", "evidence", "root", "quarantine")


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that both versions have."""
    with closing(sqlite3.connect(path)) as db:
        return {name: db.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in TABLES}


def tables(path: Path) -> dict[str, str]:
    """Name and SQL of what a file has, blanks and the quotes of a renamed table aside."""
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: "".join(sql.replace('"', "").split()) for name, sql in found}


def version(path: Path) -> int:
    """PRAGMA user_version."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A file of version 1 with five statements, one of them entered, evidence and a refusal."""
    path = tmp_path / STORE
    with closing(sqlite3.connect(path)) as db:
        db.executescript(f"PRAGMA journal_mode = WAL; {VERSION_1} PRAGMA user_version = 1;")
    (tmp_path / "new").mkdir()
    with closing(SqliteStore(tmp_path / "new" / STORE)) as store:
        store.append(candidates(signed(5), (b"plan",)), [refusal(b"x")], 7)
        store.enter([(2, b"receipt")])
    content = rows(tmp_path / "new" / STORE)
    with closing(sqlite3.connect(path)) as db, db:
        for name in TABLES:
            for row in content[name]:
                db.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    return path


def test_an_older_file_is_brought_up_with_everything_in_it_and_a_copy_kept_beside(old: Path) -> None:
    """Issue 6 point 9: upgrade with schema migration and way back."""
    before = rows(old)
    with closing(SqliteStore(old)) as store:
        assert store.counts() == (5, 1, 1)
        assert store.append(candidates(signed(6))[5:], [], 8) == 5
    copy = old.with_name(f"{STORE}.version-1")
    assert (version(old), version(copy)) == (2, 1)
    assert rows(copy) == before
    assert [row for row in rows(old)["statement"] if row[0] < 5] == before["statement"]
    fresh = old.parent / "new" / STORE
    assert tables(old) == tables(fresh)


def test_the_way_back_loses_nothing_that_came_since(old: Path) -> None:
    """The release before reads it again: its very tables, and every statement, the newest too."""
    with closing(SqliteStore(old)) as store:
        store.append(candidates(signed(6))[5:], [], 8)
    after = rows(old)
    assert schema.lower(old) == 1
    assert version(old) == 1
    assert rows(old) == after
    script = old.with_name("made")
    with closing(sqlite3.connect(script)) as db:
        db.executescript(VERSION_1)
    assert tables(old) == tables(script)
    with closing(SqliteStore(old)) as store:
        assert store.counts() == (6, 1, 1)


def test_what_retention_let_go_comes_back_empty_for_a_version_that_knows_no_retention(old: Path) -> None:
    """Version 1 reads the bytes of statements without a receipt alone, and wants something in the column."""
    SqliteStore(old).close()
    with closing(sqlite3.connect(old)) as db, db:
        db.execute("UPDATE statement SET raw = NULL WHERE leaf = 2")
    schema.lower(old)
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("SELECT raw FROM statement WHERE leaf = 2").fetchone() == (b"",)


def test_a_step_that_fails_leaves_the_file_as_it_was(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One transaction: all of it or nothing. The planted step fails after the old table is gone."""
    before, made = rows(old), tables(old)
    steps = (*migration.RAISE[1][:-1], "CREATE TABLE note (name TEXT, oops")
    monkeypatch.setitem(schema.RAISE, 1, steps)
    with pytest.raises(StoreFailed, match="cannot be opened"):
        SqliteStore(old)
    assert (version(old), rows(old), tables(old)) == (1, before, made)


def test_without_room_for_the_copy_nothing_is_begun(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fills the disk would leave neither version usable."""
    monkeypatch.setattr(migration, "COPIES", 1e12)
    with pytest.raises(StoreFailed, match="Give the disk room"):
        SqliteStore(old)
    assert version(old) == 1
    assert not old.with_name(f"{STORE}.version-1").exists()


def test_a_newer_file_is_refused_untouched(old: Path) -> None:
    """Whoever goes back a release without `meterseal edge downgrade` reads what to do."""
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA user_version = 3")
    with pytest.raises(StoreFailed, match="of version 3 and this edge reads 2"):
        SqliteStore(old)
    with pytest.raises(StoreFailed, match="no way down"):
        schema.lower(old)


def test_an_edge_of_before_goes_on_with_its_log(tmp_path: Path) -> None:
    """Down, as the release before has it, and up again: the mark of before still fits, and the store holds."""
    plant = Plant(tmp_path)
    plant.open()
    plant.work(260)
    plant.close()
    schema.lower(plant.settings.folder / STORE)
    plant.open()
    plant.work(1)
    assert plant.box.log.tip()[0] == 262
    plant.close()
    assert recount(plant.settings, plant.settings.folder / STORE)[1] == []
