"""Planted bugs, one for each promise to people: the check passes on the honest edge and finds the bug in the other.

Each check is what a test of this suite asserts, in its shortest form; each bug is one line that somebody could write.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from edge.tests.batch import BAD_PPM, GOOD_PPM
from edge.tests.conftest import Box
from edge.tests.office import PASSWORD, Office

from meterseal_edge.errors import NotTaken
from meterseal_edge.people import (
    corrections,
    credentials,
    desk,
    keys,
    said,
    seals,
    sessions,
    sheet,
    throttle,
    trail,
)
from meterseal_edge.people.passkeys import Challenges
from meterseal_edge.people.trail import broken_at
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.statement import read
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity

Check = Callable[[Office], bool]


@pytest.fixture
def office(box: Box) -> Iterator[Office]:
    """An office whose pages are served."""
    with closing(Office(box)) as found, found.served():
        yield found


def refuses(work: Callable[[], Any]) -> bool:
    """True if the work is refused."""
    try:
        work()
    except NotTaken:
        return True
    return False


def acts_need_the_token(office: Office) -> bool:
    """No token, no act."""
    visitor = office.visit(office.hire("Li", "verifier"))
    visitor.csrf = ""
    return visitor.post("/api/logout", {}).status_code == 403


def a_code_opens_once(office: Office) -> bool:
    """The same code again is refused."""
    li = office.hire("Li", "verifier")
    code = li.code()
    credentials.opens(office.roll, "Li", PASSWORD, code)
    return refuses(lambda: credentials.opens(office.roll, "Li", PASSWORD, code))


def two_people_are_needed(office: Office) -> bool:
    """One person with one key, or with two, is not all three."""
    li = office.equip("Li", "verifier", "checker", "approver")
    attempt, _ = office.bench.run(GOOD_PPM)
    found = office.sheet(attempt.identity)
    for role in (1, 2):
        office.desk.sayings.take_signoff(li.account, found, li.signs(found.rows, role))
        li.key = PrivateKey.generate()
        office.give_key(li)
        office.grant(li.key.public.cose, [1, 2, 3])
    return refuses(lambda: office.desk.sayings.take_signoff(li.account, found, li.signs(found.rows, 3)))


def rows_must_be_the_edges(office: Office) -> bool:
    """A row less is refused."""
    li = office.equip("Li", "verifier")
    attempt, _ = office.bench.run(GOOD_PPM, BAD_PPM)
    found = office.sheet(attempt.identity)
    return refuses(lambda: office.desk.sayings.take_signoff(li.account, found, li.signs(found.rows[:1], 1)))


def a_grant_is_needed(office: Office) -> bool:
    """A key that the authority never granted signs nothing."""
    li = office.hire("Li", "verifier")
    office.give_key(li)
    attempt, _ = office.bench.run(GOOD_PPM)
    found = office.sheet(attempt.identity)
    return refuses(lambda: office.desk.sayings.take_signoff(li.account, found, li.signs(found.rows, 1)))


def what_was_taken_back_counts_no_more(office: Office) -> bool:
    """After a correction the role is missing again."""
    li = office.equip("Li", "verifier")
    attempt, _ = office.bench.run(GOOD_PPM)
    found = office.sheet(attempt.identity)
    raw = li.signs(found.rows, 1)
    office.desk.sayings.take_signoff(li.account, found, raw)
    corrections.take_correction(office.desk.sayings, li.account, found, li.correction(identity(raw)))
    return office.desk.sayings.signed(found.rows[0].result) == [] and office.desk.sayings.signers(found) == {}


def others_take_nothing_back(office: Office) -> bool:
    """A signature is its signer's to take back."""
    li, wang = office.equip("Li", "verifier"), office.equip("Wang", "verifier")
    attempt, _ = office.bench.run(GOOD_PPM)
    found = office.sheet(attempt.identity)
    raw = li.signs(found.rows, 1)
    office.desk.sayings.take_signoff(li.account, found, raw)
    work = (office.desk.sayings, wang.account, found, wang.correction(identity(raw)))
    return refuses(lambda: corrections.take_correction(*work))


def seals_are_for_what_passed(office: Office) -> bool:
    """A meter that failed gets no seal."""
    li = office.equip("Li", "verifier")
    attempt, _ = office.bench.run(BAD_PPM)
    found = office.sheet(attempt.identity)
    raw = li.marks(found.rows[0], "S-1")
    return refuses(lambda: seals.take_marks(office.desk.sayings, li.account, found, raw))


def a_name_waits(office: Office) -> bool:
    """After five failures the next attempt waits."""
    visitor = office.visit()
    said_ = {"name": "Li", "password": "wrong wrong wrong", "code": "000000"}
    return [visitor.post("/api/login", said_).status_code for _ in range(6)] == [401] * 5 + [429]


def a_session_ends(office: Office) -> bool:
    """After an idle hour."""
    visitor = office.visit(office.hire("Li", "verifier"))
    office.clock.ahead_s += 3601
    return visitor.get("/api/me").json()["name"] is None


def a_key_has_to_be_proved(office: Office) -> bool:
    """Somebody else's public key can't be claimed."""
    li, cose = office.hire("Li", "verifier"), bytes(encode(PrivateKey.generate().public.cose))
    return refuses(lambda: keys.enrol(office.desk.trail, li.account, cose, li.proof(cose)))


def a_changed_act_is_found(office: Office) -> bool:
    """An act whose text was changed, and the hashes made again, has no signature of the edge."""
    office.desk.trail.write(1, "login", {})
    row = office.roll.one("SELECT number, at_s FROM act")
    assert row is not None
    chained = trail._hash(trail.START, row[0], row[1], (1, "log out", "{}"))
    office.roll.all("DROP TRIGGER act_stays")
    office.roll.change("UPDATE act SET what = 'log out', hash = ?", chained)
    return broken_at(office.roll, [office.box.world.keys["edge"].public]) == 1


def a_challenge_is_used_once(office: Office) -> bool:
    """A ticket gives its challenge once."""
    challenges = office.desk.passkeys.challenges
    ticket = challenges.give(b"x", 0)
    challenges.take(ticket, 0)
    return refuses(lambda: challenges.take(ticket, 0))


def a_tenant_sees_its_own(office: Office) -> bool:
    """Another tenant's run is not found."""
    visitor = office.visit(office.hire("Li", "verifier", tenant="T1"))
    attempt, _ = office.bench.run(GOOD_PPM, tenant="T2")
    return visitor.get(f"/api/runs/{attempt.identity.hex()}/sign").status_code == 404


def by_keys_alone(signed: Any) -> dict[int, set[bytes]]:
    """Two keys taken for two people."""
    found: dict[int, set[bytes]] = {}
    for role, (_, key) in signed:
        found.setdefault(role, set()).add(key)
    return found


def kept_challenge(self: Challenges, ticket: str, _account: int) -> bytes:
    """A challenge that is not taken away."""
    return self._given[ticket][0]


def kept_unasked(sayings: said.Sayings, account: Any, found: sheet.Sheet, raw: bytes) -> None:
    """Whatever is well signed is kept."""
    sayings.keep(account, found, sayings.verified(account, raw, read(raw).typ), [])


WHATEVER_WAS_SIGNED = "SELECT DISTINCT role FROM said WHERE result = ? AND typ = ?"

PLANTED: dict[str, tuple[Check, Any, str, Any]] = {
    "no token is asked for": (acts_need_the_token, sessions, "check_csrf", lambda *_: None),
    "a code counts twice": (a_code_opens_once, credentials, "spend", lambda *_: True),
    "one key may be everybody": (two_people_are_needed, sheet.Sheet, "people_missing", lambda *_: 0),
    "keys are counted, not people": (two_people_are_needed, said, "signers", by_keys_alone),
    "the root is not compared": (rows_must_be_the_edges, said, "tree_hash", lambda _: EQUAL),
    "a correction changes nothing": (
        what_was_taken_back_counts_no_more,
        said,
        "ROLES_OF",
        WHATEVER_WAS_SIGNED,
    ),
    "anybody takes back": (others_take_nothing_back, corrections, "take_correction", kept_unasked),
    "failed meters are sealed": (seals_are_for_what_passed, seals, "take_marks", kept_unasked),
    "no grant is asked for": (a_grant_is_needed, said.Judge, "may_sign", lambda *_: True),
    "nobody waits": (a_name_waits, throttle.Throttle, "_left", lambda *_: 0),
    "sessions stay for ever": (a_session_ends, sessions, "IDLE_S", 1 << 40),
    "a key is taken unproved": (a_key_has_to_be_proved, keys.PublicKey, "from_cose", lambda _: UNPROVED),
    "the trail is not signed": (a_changed_act_is_found, trail, "_signed", lambda *_: True),
    "a challenge stays": (a_challenge_is_used_once, Challenges, "take", kept_challenge),
    "everybody sees all": (a_tenant_sees_its_own, desk.Account, "sees", lambda *_: True),
}


class Equal:
    """Equal to everything."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, _other: object) -> bool:
        return True

    def __ne__(self, _other: object) -> bool:
        return False


EQUAL = Equal()


class Unproved:
    """A key that verifies whatever it is shown."""

    def __init__(self) -> None:
        key = PrivateKey.generate().public
        self.suite, self.cose, self.thumbprint = key.suite, key.cose, key.thumbprint

    def verify(self, _message: bytes, _signature: bytes) -> None:
        """Nothing is refused."""


UNPROVED = Unproved()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found_and_the_honest_edge_passes(
    office: Office, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design section 1, idea 11: every guarantee has an experiment, and each a planted bug that it finds."""
    check, place, what, bug = PLANTED[name]
    if name == "a key is taken unproved":
        monkeypatch.setattr(keys, "encode", lambda _: EQUAL)
    monkeypatch.setattr(place, what, bug)
    assert not check(office)


@pytest.mark.parametrize("check", sorted({row[0] for row in PLANTED.values()}, key=lambda f: f.__name__))
def test_the_honest_edge_passes_every_check(office: Office, check: Check) -> None:
    """The other half: without a bug none of the checks complains."""
    assert check(office)
