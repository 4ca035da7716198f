"""Station 9: the tree holds exactly what is durable, in the store's order, and its head is signed."""

from pathlib import Path

import pytest
from edge.tests.conftest import Box
from edge.tests.test_ingest import root_by_hand

from meterseal_edge.checkpoint import Checkpointer
from meterseal_edge.custody import Promiser
from meterseal_edge.errors import StoreFailed
from meterseal_edge.log import EdgeLog
from meterseal_protocol.checkpoint import read
from meterseal_protocol.errors import UnknownKey
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L


def grown(box: Box, count: int) -> ModelFixture:
    """A fixture that offered a boot and events, `count` in all."""
    fixture = box.fixture()
    for number in range(count - 1):
        fixture.event("tick", str(number))
    box.offer(*fixture.signed)
    return fixture


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 21])
def test_the_root_is_that_of_rfc_9162_over_identities_in_the_stores_order(box: Box, count: int) -> None:
    """RFC 9162 section 2.1.1, reckoned by hand in test_ingest.py."""
    fixture = grown(box, count)
    assert box.log.tip() == (count, root_by_hand([item.identity for item in fixture.signed]))


def test_an_empty_log_has_the_hash_of_nothing(box: Box) -> None:
    """RFC 9162 section 2.1.1: MTH({}) = SHA-256()."""
    assert box.log.tip() == (
        0,
        bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    )


def test_a_log_opened_again_has_the_same_root(box: Box) -> None:
    """log.py: rebuilt from the store at the start."""
    grown(box, 13)
    assert EdgeLog(box.store).tip() == box.log.tip()


def test_a_store_that_fails_leaves_the_tree_as_it_was(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """log.py: it grows only after the store's transaction returned."""
    grown(box, 3)
    before = box.log.tip()

    def full(*_: object) -> int:
        raise StoreFailed("database or disk is full")

    monkeypatch.setattr(box.store, "append", full)
    with pytest.raises(StoreFailed):
        grown(box, 5)
    assert box.log.tip() == before


def test_nothing_to_write_touches_no_disk(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch of duplicates needs no fsync: what it repeats is durable already."""
    fixture = grown(box, 3)

    def never(*_: object) -> int:
        raise StoreFailed("touched")

    monkeypatch.setattr(box.store, "append", never)
    box.offer(*fixture.signed)
    assert len(box.recorder.custody) == 2


def test_custody_for_a_key_without_a_statement_is_refused(box: Box) -> None:
    """custody.py: signed only over what the log holds."""
    promiser = Promiser(box.world.author("edge"), box.log)
    with pytest.raises(StoreFailed, match="without a durable statement"):
        promiser.promise(bytes(32), "W1")


def test_a_checkpoint_verifies_under_the_edges_key_and_names_origin_size_and_root(box: Box) -> None:
    """Design section 11: /checkpoint; C2SP checkpoint: origin, size, root."""
    fixture = grown(box, 6)
    raw = Checkpointer(box.world.author("edge"), box.log).checkpoint()
    found, key = read(raw, box.world.ring("edge"))
    assert (found.origin, found.size) == ("edge/EDGE1", 6)
    assert found.root == root_by_hand([item.identity for item in fixture.signed])
    assert found.time_s > 1_700_000_000
    assert key.thumbprint == box.world.keys["edge"].thumbprint
    with pytest.raises(UnknownKey):
        read(raw, box.world.ring("registry"))


def test_each_promise_is_over_the_log_as_it_stood(box: Box, tmp_path: Path) -> None:
    """Design section 6: log size and root pin the promise to one state of the log."""
    fixture = box.fixture()
    for number in range(4):
        fixture.event("tick", str(number))
    for item in fixture.signed:
        box.offer(item)
    ring = box.world.ring("edge")
    payloads = [verify(raw, ring).statement.payload for raw in box.recorder.custody]
    identities = [item.identity for item in fixture.signed]
    assert [(p[L.SEQ], p[L.LOG_SIZE]) for p in payloads] == [(n, n + 1) for n in range(5)]
    assert [p[L.LOG_ROOT] for p in payloads] == [root_by_hand(identities[: n + 1]) for n in range(5)]
