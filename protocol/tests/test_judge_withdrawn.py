"""Authority that was taken back, firmware, keys in two roles: what the judge says of a test that rested on them."""

import pytest

from meterseal_protocol.testing.people import says
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import START_S
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.sign1 import identity

BEACON_S = START_S + 60  # not before: when Trial.begin enters its beacon
RESULT_S = BEACON_S + 60 + 180  # not after


def withdraw(trial: Trial, name: str, from_s: int) -> None:
    """The grant of that name no longer counts from a second on; signed by the province."""
    said = {L.STATEMENT: identity(trial.world.grants[name]), L.TAINTED_FROM_S: from_s, L.DETAIL: "found out"}
    trial.enter(says(trial.world, "province", L.KIND_WITHDRAWAL, {**said, L.TIME_S: trial.record.now_s}))


@pytest.mark.parametrize(
    "name, code",
    [
        ("fixture W1", "fixture.suspended"),
        ("manufacturer", "grant.withdrawn"),
        ("type water", "grant.withdrawn"),
    ],
)
@pytest.mark.parametrize("when", ["before", "within", "after"])
def test_a_withdrawal_reaches_back_to_its_second_and_no_further(name: str, code: str, when: str) -> None:
    """Tainted from the beacon's second: refused. One later: it straddles. One after the result: nothing."""
    from_s = {"before": BEACON_S, "within": BEACON_S + 1, "after": RESULT_S + 1}[when]
    trial = Trial().begin().run()
    withdraw(trial, name, from_s)
    assert trial.codes() == {"before": {code}, "within": {"time.straddles"}, "after": set()}[when]


def with_firmware(digest: bytes) -> Trial:
    """A pack that asks for firmware by grant, and a grant for one digest."""
    trial = Trial(rules={"firmware_needed": 1})
    fields = {
        L.PARENT: identity(trial.world.grants["delegation"]),
        L.FIRMWARE_DIGEST: digest,
        L.FIRMWARE_VERSION: "0.1.0",
        L.BOARD: "model",
        L.FIRMWARE_FLOOR: 0,
    }
    trial.world.grants["firmware"] = trial.world.grant("province", kinds.FIRMWARE, fields)
    return trial.begin().run()


@pytest.mark.parametrize("digest, codes", [(b"model firmware", set()), (b"another", {"firmware.unknown"})])
def test_the_boot_names_firmware_that_was_granted(digest: bytes, codes: set[str]) -> None:
    """The model fixture's boot has SHA-256 of "model firmware"."""
    assert with_firmware(sha256(digest)).codes() == codes


def test_firmware_that_was_withdrawn_taints_its_tests() -> None:
    """From the beacon's second on."""
    trial = with_firmware(sha256(b"model firmware"))
    withdraw(trial, "firmware", BEACON_S)
    assert trial.codes() == {"firmware.withdrawn"}


def test_a_key_has_one_role() -> None:
    """The fixture's key is granted to a person too: kinds 5 and 9, whoever signs with it."""
    trial = Trial()
    fields = {**trial.world.person_fields("verifier"), L.SUBJECT_KEY: trial.world.cose("W1")}
    parent = {L.PARENT: identity(trial.world.grants["delegation"])}
    trial.world.grants["person W1"] = trial.world.grant("province", kinds.PERSON, {**fields, **parent})
    decision = trial.begin().run().decide()
    assert decision.outcome == kinds.REFUSED
    assert decision.reasons == (("key.two_roles", (kinds.FIXTURE, kinds.PERSON)),)
