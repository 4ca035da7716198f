"""Bugs that the experiments must find (design section 1, item 11). Each experiment passes over the honest edge first.

Those of `test_power.py` need a power cut: acknowledging, or promising, before the commit.
"""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
from edge.tests.conftest import BOUND, Box
from edge.tests.site import Site, wait_until

from meterseal_edge.errors import StoreFailed
from meterseal_protocol.merkle import Tree
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.verify import verify
from meterseal_tools.broker import start_broker
from meterseal_tools.services import Service
from meterseal_wire import labels as L

COUNT = 6


def grown(fixture: ModelFixture, word: str = "tick") -> ModelFixture:
    """With COUNT events more."""
    for number in range(COUNT):
        fixture.event(word, str(number))
    return fixture


def counts_once(box: Box) -> bool:
    """Everything offered twice: stored once, acknowledged twice."""
    fixture = grown(box.fixture())
    try:
        box.offer(*fixture.signed)
        box.offer(*fixture.signed)
    except StoreFailed:
        return False
    once = box.store.identities(0, 2 * COUNT + 2) == [item.identity for item in fixture.signed]
    return once and len(box.recorder.acknowledged) == 2 * len(fixture.signed)


def covers_what_is_there(box: Box) -> bool:
    """With one statement missing: custody ends before it, and its root holds its head."""
    signed = grown(box.fixture()).signed
    for item in (*signed[:3], signed[4]):
        box.offer(item)
    box.offer(signed[2], signed[4])
    stored = box.store.identities(0, COUNT)
    for raw in box.recorder.custody:
        told = verify(raw, box.world.ring("edge")).statement.payload
        held = stored[: told[L.LOG_SIZE]]
        tree = Tree()
        for name in held:
            tree.append(name)
        if told[L.HEAD] not in held or tree.root() != told[L.LOG_ROOT]:
            return False
    return len(box.recorder.custody) > 0


def bounds_what_it_refuses(box: Box) -> bool:
    """Garbage beyond the bound is neither kept nor acknowledged."""
    box.ingest.keep([box.message(b"\xff" + bytes([number])) for number in range(3 * BOUND)])
    return box.store.quarantined("W1") == BOUND and not box.recorder.acknowledged


def bounds_what_strangers_leave(box: Box) -> bool:
    """A name for each piece of garbage: all together are kept as those of one fixture are."""
    box.ingest.keep([box.message(b"\xff", f"X{number}") for number in range(3 * BOUND)])
    return box.store.counts()[2] == BOUND and not box.recorder.acknowledged


def tells_a_fork(box: Box) -> bool:
    """A second history under one key is refused by name."""
    one, other = box.fixture(), box.fixture()
    box.offer(*grown(one, "one").signed)
    box.offer(*grown(other, "other").signed)
    return "chain.fork" in box.state.refusals()


FOUND_BY: dict[str, Callable[[Box], bool]] = {
    "forgets_duplicates": counts_once,
    "covers_beyond_a_gap": covers_what_is_there,
    "promises_before_the_log": covers_what_is_there,
    "quarantine_without_bound": bounds_what_it_refuses,
    "acknowledges_what_it_drops": bounds_what_it_refuses,
    "quarantine_a_name": bounds_what_strangers_leave,
    "takes_a_fork_for_a_duplicate": tells_a_fork,
}


@pytest.mark.parametrize("holds", dict.fromkeys(FOUND_BY.values()), ids=lambda one: one.__name__)
def test_the_honest_edge_passes_each_experiment(box: Box, holds: Callable[[Box], bool]) -> None:
    """Without this the next test would prove nothing."""
    assert holds(box)


@pytest.mark.parametrize("bug", FOUND_BY)
def test_each_planted_bug_is_found(box: Box, bug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 6, faults: planted bugs that the suite finds."""
    import_module(f"edge.tests.planted.{bug}").plant(monkeypatch)
    assert not FOUND_BY[bug](box)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with a mosquitto; the edge is not started yet."""
    with start_broker(tmp_path / "broker") as broker:
        found = Site(tmp_path, broker)
        yield found
        found.close()


def arrives_though_the_edge_was_away(site: Site) -> int:
    """How much of what is published once, while the edge is away, is durable once it is back and a marker came."""
    fixture = ModelFixture(site.world.author("W1"))
    fixture.boot()
    grown(fixture)
    site.edge.start()
    site.offer("W1", fixture.signed[0])
    wait_until(lambda: site.summary()["durable"] == 1, "the boot durable")
    site.edge.kill()
    for item in fixture.signed[1:]:
        site.offer("W1", item)
    site.edge.start()
    marker = ModelFixture(site.world.author("G1"))
    site.offer("G1", marker.boot())
    wait_until(lambda: len(site.down["G1"]) > 0, "the marker's custody")
    return int(site.summary()["durable"]) - 2


def test_what_the_broker_kept_for_an_edge_that_was_away_arrives(site: Site) -> None:
    """Issue 6, ingest: a subscriber that reconnects continues its session."""
    assert arrives_though_the_edge_was_away(site) == COUNT


def test_an_edge_that_drops_its_queue_on_reconnect_is_found(site: Site) -> None:
    """Planted bug: a new session at each connection."""
    module = "edge.tests.planted.drops_the_queue_on_reconnect"
    site.edge = Service(module, site.edge.settings, site.edge.health)
    assert arrives_though_the_edge_was_away(site) == 0
