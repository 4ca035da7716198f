"""Station 8: all or nothing, in one file; what was returned as stored is there after the process is gone."""

import sqlite3
from pathlib import Path

import pytest
from edge.tests.conftest import Box

from meterseal_edge.errors import StoreFailed
from meterseal_edge.events import Candidate, Refused
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.statement import read
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.world import World

KEY = b"k" * 32


def signed(count: int) -> list[Signed]:
    """A boot and events, signed for real."""
    fixture = ModelFixture(World().author("W1"))
    fixture.boot()
    for number in range(count - 1):
        fixture.event("tick", str(number))
    return fixture.signed


def candidates(items: list[Signed], evidence: tuple[bytes, ...] = ()) -> list[Candidate]:
    """As the ingest hands them over."""
    return [Candidate.of(read(item.raw), KEY, "W1", evidence) for item in items]


def refusal(raw: bytes, code: str = "chain.gap", fixture: str = "W1") -> Refused:
    """A refusal of these bytes."""
    return Refused(raw, KEY, fixture, code, "why")


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    """A fresh store."""
    return SqliteStore(tmp_path / "edge.sqlite")


def test_a_commit_is_synced_before_it_returns(store: SqliteStore) -> None:
    """sqlite.org/pragma.html: in WAL mode only synchronous=FULL (2) syncs the log at each commit."""
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_statements_get_leaves_in_order_and_are_found_by_place(store: SqliteStore) -> None:
    """Station 8: verified to (leaf, root) in one transaction."""
    items = signed(4)
    assert store.append(candidates(items[:3], (b"plan", b"more")), [], 5) == 0
    assert store.append(candidates(items[3:]), [], 6) == 3
    assert store.identities(0, 4) == [item.identity for item in items]
    assert store.identity_at(KEY, 1, 2) == items[2].identity
    assert store.identity_at(KEY, 1, 9) is None
    head = store.head(KEY)
    assert head is not None
    assert (head.epoch, head.seq, head.identity) == (1, 3, items[3].identity)
    assert store.begins(KEY) == (1, 0)
    assert store.begins(b"x") is None
    assert store.head(b"x") is None
    [chain] = store.chains()
    assert (chain.key, chain.statements, chain.last_s, chain.head.seq) == (KEY, 4, 6, 3)


def test_evidence_keeps_its_order(store: SqliteStore) -> None:
    """CONTRACT: a result's leaves need their order, which the evidence root is over."""
    store.append(candidates(signed(1), (b"b", b"a", b"b")), [], 0)
    [item] = store.unentered(-1, 10)
    assert item.evidence == (b"b", b"a", b"b")


def test_a_batch_that_cannot_be_written_whole_is_not_written_at_all(store: SqliteStore) -> None:
    """contract.py: when append raises, neither statement nor refusal nor log order of the batch is there."""
    items = candidates(signed(3))
    store.append(items[:1], [], 0)
    with pytest.raises(StoreFailed, match="nothing was stored"):
        store.append([items[1], items[2], items[1]], [refusal(b"raw")], 0)
    assert store.counts() == (1, 0, 0)
    assert store.append(items[1:], [], 0) == 1
    assert store.counts() == (3, 0, 0)


def test_a_disk_that_is_full_fails_the_append_and_once_there_is_room_it_goes_on(store: SqliteStore) -> None:
    """sqlite.org/pragma.html: max_page_count makes the file full (SQLITE_FULL) without filling this disk."""
    items = candidates(signed(40), (bytes(3000),))
    store.append(items[:1], [], 0)
    [pages] = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()
    with pytest.raises(StoreFailed, match="full"):
        store.append(items[1:], [], 0)
    assert store.counts() == (1, 0, 0)
    store._db.execute("PRAGMA max_page_count = 1000000").fetchall()
    assert store.append(items[1:], [], 0) == 1
    assert store.counts()[0] == 40


def test_receipts_are_kept_once_and_counted(store: SqliteStore) -> None:
    """Ten words: entered. A second receipt for the same statement changes nothing."""
    store.append(candidates(signed(4)), [], 0)
    store.enter([(1, b"receipt"), (2, b"receipt")])
    store.enter([(1, b"another")])
    assert store.counts() == (4, 2, 0)
    assert [item.leaf for item in store.unentered(-1, 10)] == [0, 3]
    assert [item.leaf for item in store.unentered(0, 10)] == [3]
    assert [item.leaf for item in store.unentered(-1, 1)] == [0]
    kept = store._db.execute("SELECT receipt FROM statement WHERE leaf = 1").fetchone()
    assert kept == (b"receipt",)


def test_the_same_refusal_is_kept_once_and_counted_by_fixture(store: SqliteStore) -> None:
    """A fixture offers the same again and again; that must not fill its quarantine."""
    for _ in range(3):
        store.append([], [refusal(b"a"), refusal(b"b"), refusal(b"a", fixture="G1")], 0)
    assert store.counts() == (0, 0, 3)
    assert (store.quarantined("W1"), store.quarantined("G1"), store.quarantined("X")) == (2, 1, 0)
    assert sorted(store.refusals("W1")) == [b"a", b"b"]


def test_what_is_stored_now_leaves_the_quarantine_in_the_same_step(store: SqliteStore) -> None:
    """contract.py: a refusal of what append takes in is forgotten, even one of the same batch."""
    items = signed(2)
    store.append([], [refusal(items[0].raw), refusal(b"other")], 0)
    store.append(candidates(items), [refusal(items[1].raw)], 0)
    assert store.refusals("W1") == [b"other"]


def test_everything_is_there_after_the_file_is_opened_again(tmp_path: Path) -> None:
    """Station 8, *if the power fails here*: either all or nothing."""
    path = tmp_path / "edge.sqlite"
    first = SqliteStore(path)
    items = signed(3)
    first.append(candidates(items), [refusal(b"x")], 0)
    first.enter([(0, b"r")])
    first.close()
    second = SqliteStore(path)
    assert second.counts() == (3, 1, 1)
    assert second.identities(0, 9) == [item.identity for item in items]
    assert second.append([], [], 0) == 3


@pytest.mark.parametrize("content", [b"this is no database, though it is long enough to be one" * 40])
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """Design section 13: store damaged: it says so."""
    path = tmp_path / "edge.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreFailed, match="cannot be opened"):
        SqliteStore(path)


def test_a_store_that_cannot_be_read_raises_store_failed_from_every_question(store: SqliteStore) -> None:
    """contract.py: all of it may raise StoreFailed, and nothing else: each thread of the edge knows that one."""
    store.close()
    questions = (
        lambda: store.append([], [], 0),
        lambda: store.identity_at(KEY, 1, 0),
        lambda: store.identities(0, 1),
        lambda: store.roots(1, 0, 1),
        lambda: store.unentered(-1, 1),
        lambda: store.receipts(KEY, (0, 0), 1),
        lambda: store.enter([(0, b"r")]),
        lambda: store.refusals("W1"),
    )
    for question in questions:
        with pytest.raises(StoreFailed):
            question()


def test_another_writer_that_holds_the_file_is_a_failure_and_not_a_hole(tmp_path: Path, box: Box) -> None:
    """sqlite.org/lang_transaction.html: BEGIN IMMEDIATE fails while another connection writes."""
    box.store._db.execute("PRAGMA busy_timeout = 0").fetchall()
    other = sqlite3.connect(box.folder / "edge.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    items = signed(2)
    with pytest.raises(StoreFailed, match="locked"):
        box.store.append(candidates(items), [], 0)
    other.execute("ROLLBACK")
    other.close()
    assert box.store.append(candidates(items), [], 0) == 0
