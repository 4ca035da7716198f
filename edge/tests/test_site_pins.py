"""Topic, name and signing key pinned together, in an edge without a network; and what a forgetful edge would do."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from edge.tests.conftest import Box
from edge.tests.site import wait_until

from meterseal_edge.errors import BadSite
from meterseal_edge.site import identities
from meterseal_edge.site.identities import Identities
from meterseal_edge.site.pins import Pins
from meterseal_protocol.testing.fixture import ModelFixture


class Pinned:
    """An edge whose fixtures W1 and G1 are enrolled with the world's keys."""

    def __init__(self, box: Box) -> None:
        self.box, self.path = box, box.folder / "identities.json"
        self.keys = {name: box.world.keys[name].thumbprint for name in ("W1", "G1")}
        self.known = Identities()
        for serial, (name, key) in enumerate(self.keys.items(), 1):
            self.known = self.known.issued(name, key, serial)
        self.write(self.known)
        self.pins = box.ingest.pins = Pins(self.path, box.state)

    def write(self, known: Identities) -> None:
        """As `enrol` and `revoke` do."""
        identities.save(self.path, known)

    def codes(self) -> set[tuple[str, str]]:
        """(fixture, code) of the alarms."""
        return {(one["fixture"], one["code"]) for one in self.box.state.snapshot()["alarms"]}

    def custody(self) -> int:
        """How many custodies went out."""
        return len(self.box.recorder.custody)


@pytest.fixture
def pinned(box: Box) -> Pinned:
    """An edge with pins."""
    return Pinned(box)


def takes_an_enrolled_key(pinned: Pinned) -> bool:
    """Enrolled under its own name: covered."""
    pinned.box.offer(pinned.box.fixture("W1").signed[0])
    return pinned.custody() == 1


def refuses_a_key_from_the_batch_after_its_revocation(pinned: Pinned) -> bool:
    """Nothing that the stolen key signs is stored or covered, and an alarm says so."""
    fixture = pinned.box.fixture("W1")
    pinned.box.offer(fixture.signed[0])
    pinned.write(pinned.known.revoked("W1", 5))
    pinned.box.offer(fixture.event("tick", "stolen"))
    durable, _, quarantined = pinned.box.store.counts()
    return (durable, quarantined, pinned.custody()) == (1, 1, 1) and ("W1", "edge.revoked") in pinned.codes()


def refuses_it_within_a_batch_that_others_are_in(pinned: Pinned) -> bool:
    """One stolen fixture does not hold up the rest of its batch."""
    stolen, other = pinned.box.fixture("W1"), pinned.box.fixture("G1")
    pinned.write(pinned.known.revoked("W1", 5))
    parcels = [pinned.box.parcel(stolen.signed[0]), pinned.box.parcel(other.signed[0], fixture="G1")]
    pinned.box.ingest.keep(parcels)
    return pinned.box.store.counts() == (1, 0, 1) and pinned.box.recorder.acknowledged == [1, 2]


def refuses_a_key_that_is_enrolled_under_another_name(pinned: Pinned) -> bool:
    """The grant says W1, a person enrolled the key as W7: nobody speaks until both agree."""
    pinned.write(Identities().issued("W7", pinned.keys["W1"], 1))
    pinned.box.offer(pinned.box.fixture("W1").signed[0])
    return pinned.custody() == 0 and ("W1", "edge.enrolment") in pinned.codes()


def keeps_what_it_knew_when_the_list_is_damaged(pinned: Pinned) -> bool:
    """Damage neither lets a revoked key in nor shuts an honest one out."""
    stolen, other = pinned.box.fixture("W1"), pinned.box.fixture("G1")
    pinned.write(pinned.known.revoked("W1", 5))
    pinned.pins.look()
    pinned.path.write_text("damaged")
    pinned.box.offer(stolen.signed[0])
    pinned.box.offer(other.signed[0], fixture="G1")
    return pinned.box.store.counts() == (1, 0, 1) and ("", "edge.site") in pinned.codes()


PROMISES = [
    takes_an_enrolled_key,
    refuses_a_key_from_the_batch_after_its_revocation,
    refuses_it_within_a_batch_that_others_are_in,
    refuses_a_key_that_is_enrolled_under_another_name,
    keeps_what_it_knew_when_the_list_is_damaged,
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_pins_keep_each_promise(pinned: Pinned, promise: Callable[[Pinned], bool]) -> None:
    """Design section 11: the edge pins topic and certificate name to the COSE key; issue 6 point 6."""
    assert promise(pinned)


def never_looks(_pins: Pins) -> None:
    """Plants: the list is read at the start alone."""


def empties_itself(pins: Pins) -> None:
    """Plants: what cannot be read counts as nobody."""
    try:
        pins._identities = identities.load(pins._path or Path())
    except BadSite:
        pins._identities = Identities()


def any_name(pins: Pins, key: bytes, _fixture: str) -> tuple[str, str] | None:
    """Plants: a key is asked about, and not under which name."""
    return ("edge.revoked", "") if pins._identities.is_revoked(key) else None


def any_key(_pins: Pins, _key: bytes, _fixture: str) -> tuple[str, str] | None:
    """Plants: nobody is asked about."""
    return None


PLANTED = [
    ("look", never_looks, refuses_a_key_from_the_batch_after_its_revocation),
    ("look", empties_itself, keeps_what_it_knew_when_the_list_is_damaged),
    ("refusal", any_name, refuses_a_key_that_is_enrolled_under_another_name),
    ("refusal", any_key, refuses_it_within_a_batch_that_others_are_in),
]


@pytest.mark.parametrize("method,fault,promise", PLANTED)
def test_a_planted_fault_breaks_the_promise_that_it_is_about(
    pinned: Pinned,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    fault: Callable[..., object],
    promise: Callable[[Pinned], bool],
) -> None:
    """Design section 1 item 11."""
    monkeypatch.setattr(Pins, method, fault)
    assert not promise(pinned)


def test_a_key_revoked_under_one_name_is_revoked_under_every_name(pinned: Pinned) -> None:
    """A key that was stolen is stolen."""
    known = pinned.known.issued("W9", pinned.keys["W1"], 9).revoked("W9", 5)
    pinned.write(known)
    pinned.pins.look()
    assert pinned.pins.refusal(pinned.keys["W1"], "W1") is not None


def test_a_file_that_is_put_back_with_the_same_size_and_time_is_read_again(pinned: Pinned) -> None:
    """Files are replaced whole, so each is another inode, whatever its clock says."""
    stat = pinned.path.stat()
    pinned.write(pinned.known.revoked("W1", 5))
    pinned.pins.look()
    pinned.write(pinned.known)
    os.utime(pinned.path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    pinned.pins.look()
    assert pinned.pins.refusal(pinned.keys["W1"], "W1") is None


def test_the_watch_tells_an_operator_and_ends_when_asked(pinned: Pinned) -> None:
    """pins.run: an alarm though nobody offers anything."""
    stop = threading.Event()
    watch = threading.Thread(target=pinned.pins.run, args=(stop,))
    watch.start()
    pinned.write(pinned.known.revoked("G1", 5))
    wait_until(lambda: ("G1", "edge.revoked") in pinned.codes(), "the alarm")
    stop.set()
    watch.join(10)
    assert not watch.is_alive()


def test_without_a_list_grants_alone_decide(box: Box) -> None:
    """An edge on a broker without TLS, as in the demo."""
    box.ingest.pins = Pins(None, box.state)
    box.offer(ModelFixture(box.world.author("W1")).boot())
    assert box.store.counts() == (1, 0, 0)
