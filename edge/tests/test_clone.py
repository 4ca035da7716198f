"""A cloned key: two fixtures that sign with one key. The second history is found, kept as evidence, never covered."""

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
from edge.tests.conftest import Box
from edge.tests.site import Site, wait_until

from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.verify import verify
from meterseal_tools.broker import start_broker
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity

COMMON, OWN = 4, 4  # below the quarantine bound of conftest


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A running edge."""
    with start_broker(tmp_path / "broker") as broker:
        found = Site(tmp_path, broker)
        found.edge.start()
        yield found
        found.close()


def ticks(fixture: ModelFixture, word: str, count: int) -> None:
    """So many more events."""
    for number in range(count):
        fixture.event("tick", f"{word} {number}")


def twins(fixture: ModelFixture) -> tuple[ModelFixture, ModelFixture]:
    """A fixture with a past, and its copy; from there each goes its own way."""
    ticks(fixture, "common", COMMON - 1)
    clone = copy.deepcopy(fixture)
    ticks(fixture, "first", OWN)
    ticks(clone, "second", OWN)
    return fixture, clone


def test_two_fixtures_with_one_key_are_a_fork_and_only_one_history_is_ever_covered(site: Site) -> None:
    """Design section 6: two statements at one place are a fork. Both speak at once, over the same topic, in a real
    broker: whoever comes first at a place stands there, and every custody names a head that is in the log.
    """
    fixture = ModelFixture(site.world.author("W1"))
    fixture.boot()
    one, other = twins(fixture)
    bystander = ModelFixture(site.world.author("G1"))
    bystander.boot()
    ticks(bystander, "alone", OWN)
    for mine, its in zip(one.signed, other.signed, strict=True):
        site.offer("W1", mine)
        site.offer("W1", its)
    for item in bystander.signed:
        site.offer("G1", item)
    wait_until(lambda: site.summary()["durable"] == COMMON + OWN + len(bystander.signed), "one history")
    wait_until(lambda: site.summary()["quarantined"] == OWN, "the other history in quarantine")
    codes = {(alarm["fixture"], alarm["code"]) for alarm in site.summary()["alarms"]}
    assert ("W1", "chain.fork") in codes
    assert not any(name == "G1" for name, _ in codes)
    history = {(1, seq): item.identity for seq, item in enumerate(one.signed)}
    wait_until(lambda: len(site.down["W1"]) > 0, "custody")
    for raw in tuple(site.down["W1"]):
        told = verify(raw, site.world.ring("edge")).statement.payload
        assert history[told[L.EPOCH], told[L.SEQ]] == told[L.HEAD]


def test_a_clone_that_knows_the_key_alone_and_boots_anew_is_a_fork(box: Box) -> None:
    """A key read out of a fixture and put into a fresh one: its first boot contradicts the one that is held."""
    original = box.fixture()
    ticks(original, "first", OWN)
    box.offer(*original.signed)
    stranger = box.fixture()
    ticks(stranger, "second", 1)
    box.offer(*stranger.signed)
    assert box.state.refusals() == {"chain.fork": 2}
    assert box.log.tip()[0] == OWN + 1


def test_both_sides_of_a_fork_stay_as_evidence(box: Box) -> None:
    """Design section 6: exportable as a proof. The stored statement and the quarantined one name the same place."""
    one, other = twins(box.fixture())
    box.offer(*one.signed, *other.signed)
    kept = [identity(raw) for raw in box.store.refusals("W1")]
    assert kept == [item.identity for item in other.signed[COMMON:]]
    assert box.store.identity_at(one.author.thumbprint, 1, COMMON) == one.signed[COMMON].identity


def test_the_clone_is_found_too_when_it_speaks_first(box: Box) -> None:
    """Nobody can tell which twin is the honest one: the fork is what is said, and neither is silently dropped."""
    one, other = twins(box.fixture())
    box.offer(*other.signed)
    box.offer(*one.signed)
    assert box.state.alarms() == {"chain.fork": OWN}
    assert box.log.tip()[0] == COMMON + OWN
    assert {item.identity for item in one.signed[COMMON:]} == set(map(identity, box.store.refusals("W1")))
