"""What the SQLite store promises: all or nothing, in order, and still there for the next process."""

import sqlite3
from pathlib import Path

import pytest

from meterseal_registry.errors import StoreFailed
from meterseal_registry.store.contract import Issued, Row
from meterseal_registry.store.sqlite import SqliteStore

FIRST = Row(0, b"a" * 32, b"raw 0", 100, (b"one", b"two"))
SECOND = Row(1, b"b" * 32, b"raw 1", 101)
ISSUED = Issued(b"b" * 32, "DEMO.1", b"r" * 32, 0, 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store lies."""
    return tmp_path / "registry.sqlite"


@pytest.fixture
def store(path: Path) -> SqliteStore:
    """A new store."""
    return SqliteStore(path)


def test_what_was_appended_is_there_for_the_next_process(store: SqliteStore, path: Path) -> None:
    """Entries in leaf order, evidence in its order, certificates with their status."""
    store.append([FIRST])
    store.append([SECOND], ISSUED)
    store.close()
    again = SqliteStore(path)
    assert list(again.rows()) == [FIRST, SECOND]
    assert (again.issued("DEMO.1"), again.statuses()) == ([ISSUED], [0])
    assert again.issued("DEMO.2") == []


def test_of_a_refused_transaction_nothing_is_left(store: SqliteStore) -> None:
    """The second row breaks the uniqueness of identities, so the first is not written either."""
    twin = Row(2, SECOND.identity, b"raw 2", 102)
    with pytest.raises(StoreFailed, match="nothing was written"):
        store.append([FIRST, SECOND, twin], ISSUED)
    assert list(store.rows()) == [] and store.statuses() == []
    store.append([FIRST])
    assert list(store.rows()) == [FIRST]


def test_a_certificate_and_its_status_are_written_together_or_not_at_all(store: SqliteStore) -> None:
    """A place in the status list that is taken already refuses the entry too."""
    store.append([SECOND.__class__(0, b"c" * 32, b"raw", 100)], ISSUED)
    with pytest.raises(StoreFailed):
        store.append([SECOND], Issued(b"d" * 32, "DEMO.2", b"r" * 32, 0, 0))
    assert [row.leaf for row in store.rows()] == [0]


def test_evidence_that_came_later_says_when(store: SqliteStore) -> None:
    """`since` is the number of leaves when it came; 0 for evidence that came with its statement."""
    store.append([FIRST, SECOND])
    store.add_evidence(1, (b"late",), 2)
    rows = list(store.rows())
    assert [(row.evidence, row.since) for row in rows] == [((b"one", b"two"), 0), ((b"late",), 2)]
    with pytest.raises(StoreFailed):
        store.add_evidence(1, (b"other",), 3)
    assert list(store.rows()) == rows


def test_a_status_changes_alone(store: SqliteStore) -> None:
    """One bit pair of the status list, the others as they were."""
    store.append([FIRST], Issued(FIRST.identity, "DEMO.1", b"r" * 32, 0, 0))
    store.append([SECOND], Issued(SECOND.identity, "DEMO.1", b"s" * 32, 1, 0))
    store.set_status(0, 1)
    assert store.statuses() == [1, 0]
    assert [item.status for item in store.issued("DEMO.1")] == [1, 0]


def test_a_writer_that_holds_the_file_is_an_error_with_a_name(store: SqliteStore, path: Path) -> None:
    """Another process writes: nothing half-written here, and the next try succeeds."""
    store._db.execute("PRAGMA busy_timeout = 1")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match="locked"):
        store.append([FIRST])
    other.execute("ROLLBACK")
    other.close()
    store.append([FIRST])
    assert list(store.rows()) == [FIRST]


def test_a_full_disk_enters_nothing_and_room_lets_it_go_on(store: SqliteStore) -> None:
    """SQLite's own limit on pages gives the same error as a full disk: SQLITE_FULL."""
    store.append([FIRST])
    [pages] = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    large = Row(1, SECOND.identity, bytes(1 << 20), 101)
    with pytest.raises(StoreFailed, match="full"):
        store.append([large])
    assert list(store.rows()) == [FIRST]
    store._db.execute("PRAGMA max_page_count = 100000")
    store.append([large])
    assert [row.leaf for row in store.rows()] == [0, 1]


def test_a_file_that_is_no_database_is_one_sentence(path: Path) -> None:
    """Design section 13: one sentence that says what and what to do."""
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreFailed, match="cannot be opened"):
        SqliteStore(path)


def test_a_closed_store_cannot_be_read(store: SqliteStore) -> None:
    """Reading fails under the same name as writing."""
    store.close()
    with pytest.raises(StoreFailed, match="cannot be read"):
        store.statuses()


def test_every_commit_is_synced(store: SqliteStore) -> None:
    """sqlite.org/pragma.html: WAL with synchronous FULL (2) syncs the log before a commit returns."""
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
