"""Station 6 beside the edge: several processes give what one gives, in the order in which it came, or the edge ends."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge.tests.conftest import Box
from edge.tests.site import Site, wait_until
from hypothesis import given
from hypothesis import strategies as st

from meterseal_edge.errors import WorkerLost
from meterseal_edge.events import Candidate, Parcel, Refused
from meterseal_edge.examiners import AHEAD, Beside, Here, dealt
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_tools.broker import start_broker


@pytest.fixture
def beside(box: Box) -> Iterator[Beside]:
    """Two processes that know the box's keys."""
    found = Beside(box.keys, 2)
    yield found
    found.close()


def mixed(box: Box) -> list[Parcel]:
    """Parcels of all sorts: several statements in one, a stranger's, damaged ones, evidence that nothing covers."""
    fixture, other = box.fixture("W1"), box.fixture("G1")
    for number in range(30):
        fixture.event("tick", str(number))
    parcels = [box.parcel(*fixture.signed[at : at + 4]) for at in range(0, 28, 4)]
    parcels.insert(2, box.parcel(*other.signed, fixture="W1"))
    parcels.insert(4, box.message(b"\x9f\xff"))
    parcels.insert(5, box.message(fixture.signed[0].raw))
    return [*parcels, box.parcel(*other.signed, fixture="G1")]


def test_processes_beside_the_edge_find_what_the_edge_itself_finds(box: Box, beside: Beside) -> None:
    """examiners.py: in the order of the parcels. 28 of W1 are good, 1 is on the wrong topic, 2 parcels are damaged, and
    1 of G1 is good.
    """
    parcels, here = mixed(box), Here(box.keys)
    for examiner in (here, beside):
        examiner.start(parcels)
    expected, found = here.finish(), beside.finish()
    assert found == expected
    assert sum(isinstance(one, Candidate) for one in found.found) == 29
    assert [one.code for one in found.found if isinstance(one, Refused)] == [
        "edge.topic",
        "wire.not_allowed",
        "edge.parcel",
    ]


def test_batches_that_were_handed_over_together_come_back_in_their_order(box: Box, beside: Beside) -> None:
    """examiners.py: AHEAD batches may be under way, an empty one among them."""
    parcels = mixed(box)
    for one in ([parcels[0]], []):
        beside.start(one)
    assert AHEAD == 2
    assert [len(beside.finish().found) for _ in range(AHEAD)] == [4, 0]


def test_a_grant_that_is_learnt_reaches_the_processes(box: Box) -> None:
    """Design section 13: an unknown key is refused until it is granted."""
    grant = box.world.grants.pop("fixture W1")
    box.reopen()
    for path in (box.folder / "grants").iterdir():
        if path.read_bytes() == grant:
            path.unlink()
    box.reopen()
    examiner, parcel = Beside(box.keys, 1), box.parcel(*box.fixture().signed)
    try:
        examiner.start([parcel])
        [refused] = examiner.finish().found
        box.keys.learn([grant])
        examiner.start([parcel])
        [candidate] = examiner.finish().found
    finally:
        examiner.close()
    assert isinstance(refused, Refused)
    assert refused.code == "verify.unknown_key"
    assert isinstance(candidate, Candidate)


def test_more_bytes_than_a_pipe_holds_stop_nobody(box: Box, beside: Beside) -> None:
    """A pipe holds some 200 KiB; two batches of 4 MB each way pass it."""
    big = [box.message(b"\x81\x81\x59\xff\xf0" + bytes(65_520)) for _ in range(64)]
    beside.start(big)
    beside.start(big)
    assert [len(beside.finish().found) for _ in range(2)] == [64, 64]


def test_a_process_that_ends_ends_the_edge(box: Box, beside: Beside) -> None:
    """main.py: a thread that breaks ends the process with 70, and whoever watches starts it again."""
    worker, _ = beside._workers[0]
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(10)

    def ask() -> None:
        beside.start(mixed(box))
        beside.finish()

    with pytest.raises(WorkerLost):
        ask()


@given(st.lists(st.integers(0, 70_000), max_size=60), st.integers(1, 9))
def test_parts_keep_the_order_and_lose_nothing(sizes: list[int], hands: int) -> None:
    """examiners.py: neighbours stay together."""
    said = [(str(number), bytes(size)) for number, size in enumerate(sizes)]
    parts = dealt(said, hands)
    assert len(parts) == hands
    assert [one for part in parts for one in part] == said


def test_parts_are_of_about_equal_bytes() -> None:
    """By hand: 60 payloads of 100 bytes for 3 hands are 20 each."""
    assert [len(part) for part in dealt([("W1", bytes(100))] * 60, 3)] == [20, 20, 20]


def children(pid: int) -> list[int]:
    """Processes that a process started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def test_a_killed_edge_leaves_no_process_behind_and_loses_nothing(tmp_path: Path) -> None:
    """examiners.py: a worker ends when its pipe ends. A broker, a whole edge with two workers, SIGKILL."""
    with start_broker(tmp_path / "broker") as broker:
        site = Site(tmp_path, broker, workers=2)
        try:
            site.edge.start()
            assert site.edge._process is not None
            workers = children(site.edge._process.pid)
            assert len(workers) >= 2
            made = ModelFixture(site.world.author("W1"))
            made.boot()
            site.offer("W1", made.signed[0])
            site.edge.kill()
            wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers' end")
            site.edge.start()
            wait_until(lambda: site.summary()["durable"] == 1, "what the broker held")
        finally:
            site.close()
