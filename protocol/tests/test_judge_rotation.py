"""chain.rotation: a rotated key, signed by both keys, before the judge (chain.md and proof.md, A rotated key)."""

from typing import Any

import pytest

from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.rotation import countersigned
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.suites import ED25519, Suite

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, of P-256


class Rotating:
    """A trial whose fixture has a grant for its next key too."""

    def __init__(self, suite: Suite | None = None) -> None:
        self.new = PrivateKey.generate(suite) if suite else PrivateKey.generate()
        self.trial = Trial()
        self.trial.regrant("fixture W1")
        world = self.trial.world
        fields = {**world.fixture_fields("W1"), L.SUBJECT_KEY: self.new.public.cose}
        fields[L.PARENT] = self.trial.record.enter(world.grants["delegation"]).statement.identity
        world.grants["fixture W1 next"] = world.grant("province", kinds.FIXTURE, fields)
        self.trial.record.keys.add(self.new.public)
        self.trial.begin()

    def rotate(self, **said: Any) -> ModelFixture:
        """The old key's last statement, entered; the fixture under its new key."""
        heir = self.trial.fixture.hand_over(self.new, **said)
        self.trial.enter(self.trial.fixture.signed[-1])
        return heir

    def go_on(self, heir: ModelFixture) -> Trial:
        """The new key boots and runs."""
        self.trial.fixture = heir
        self.trial.enter(heir.boot())
        return self.trial.run()


def reasons(trial: Trial) -> dict[str, tuple[int, ...]]:
    """Of the decision now."""
    return dict(trial.decide().reasons)


@pytest.mark.parametrize("suite", [None, ED25519])
def test_a_chain_goes_on_under_a_key_that_signed_for_it(suite: Suite | None) -> None:
    """Both keys signed: the meter that the new one tests is granted, and so is the one before."""
    rotating = Rotating(suite)
    rotating.trial.run()
    heir = rotating.rotate()
    assert reasons(rotating.trial) == {}
    assert reasons(rotating.go_on(heir)) == {}


def forged(rotating: Rotating) -> dict[str, Any]:
    """Bytes of the right length."""
    return {"COUNTERSIGNATURE": bytes(64)}


def by_another_key(rotating: Rotating) -> dict[str, Any]:
    """Somebody else's signature over the same change."""
    return {"SUBJECT_KEY": PrivateKey.generate().public.cose}


def for_another_place(rotating: Rotating) -> dict[str, Any]:
    """The new key signed for the place after this one."""
    old = rotating.trial.fixture
    place = (old.epoch, old.seq + 2, old.head)
    said = countersigned(old.author.thumbprint, rotating.new, place, "")
    return {"COUNTERSIGNATURE": said[L.COUNTERSIGNATURE]}


def respelled(rotating: Rotating) -> dict[str, Any]:
    """In the place of s stands n - s (decisions/0006)."""
    old = rotating.trial.fixture
    place = (old.epoch, old.seq + 1, old.head)
    signature = countersigned(old.author.thumbprint, rotating.new, place, "a new key")[L.COUNTERSIGNATURE]
    s = int.from_bytes(signature[32:], "big")
    return {"COUNTERSIGNATURE": signature[:32] + (ORDER - s).to_bytes(32, "big")}


def unsigned(rotating: Rotating) -> dict[str, Any]:
    """No second signature at all."""
    return {"COUNTERSIGNATURE": None}


def to_nobody(rotating: Rotating) -> dict[str, Any]:
    """No new key."""
    return {"SUBJECT_KEY": None}


def to_no_point(rotating: Rotating) -> dict[str, Any]:
    """The shape of a COSE_Key does not make it one."""
    return {"SUBJECT_KEY": {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}}


@pytest.mark.parametrize(
    "wrong", [forged, by_another_key, for_another_place, respelled, unsigned, to_nobody, to_no_point]
)
def test_a_rotation_that_the_new_key_did_not_sign_refuses_from_there_on(wrong: Any) -> None:
    """The meter before it keeps its answer; the next run of the old key is refused, and is a fork besides."""
    rotating = Rotating()
    rotating.trial.run()
    rotating.rotate(**wrong(rotating))
    assert rotating.trial.decide().granted
    found = reasons(rotating.trial.run())
    assert found["chain.rotation"] == (1, 3) and "chain.fork" in found


@pytest.mark.parametrize("after, codes", [(True, {"chain.rotation"}), (False, set())])
def test_the_boundary_is_the_leaf_of_the_rotation(after: bool, codes: set[str]) -> None:
    """The result before it in the chain was logged just before, or just after: the log decides, as with forks."""
    rotating = Rotating()
    trial = rotating.trial
    trial.attempt()
    seat = trial.seat()
    result = trial.fixture.result([seat])
    trial.fixture.hand_over(rotating.new, COUNTERSIGNATURE=bytes(64))
    event = trial.fixture.signed[-1]
    for item in (event, result) if after else (result, event):
        trial.enter(item)
    trial.litres = seat.end
    trial.sign()
    assert trial.codes() == codes


@pytest.mark.parametrize("said, codes", [({"COUNTERSIGNATURE": bytes(64)}, {"chain.rotation"}), ({}, set())])
def test_the_new_keys_runs_rest_on_the_rotation_that_its_boot_follows(
    said: dict[str, Any], codes: set[str]
) -> None:
    """Also in a later epoch, when that boot is no link of the run any more."""
    rotating = Rotating()
    trial = rotating.go_on(rotating.rotate(**said))
    assert set(reasons(trial)) == codes
    trial.enter(trial.fixture.boot())
    assert set(reasons(trial.run())) == codes


def test_a_rotation_that_nobody_follows_harms_no_stranger() -> None:
    """Another bench says that it handed over to this one's key: unless this one's boot follows it, it says nothing."""
    trial = Trial().begin()
    other = ModelFixture(trial.world.author("G1"))
    trial.enter(other.boot())
    other.hand_over(PrivateKey.generate(), SUBJECT_KEY=trial.world.cose("W1"))
    trial.enter(other.signed[-1])
    assert trial.run().codes() == set()
