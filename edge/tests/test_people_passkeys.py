"""Passkeys: what is refused. That a real one opens the door is tested in Chromium (test_people_browser.py)."""

import random
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from edge.tests.conftest import Box
from edge.tests.office import Office

from meterseal_edge.errors import NotTaken
from meterseal_edge.people import passkeys
from meterseal_edge.people.passkeys import CHALLENGE_S, Challenges


@pytest.fixture
def office(box: Box) -> Iterator[Office]:
    """A fresh office."""
    with closing(Office(box)) as found:
        yield found


def is_refused(challenges: Challenges, ticket: str, account: int) -> bool:
    """True if the ticket gives no challenge."""
    try:
        challenges.take(ticket, account)
    except NotTaken as error:
        return error.code == "edge.passkey"
    return False


def test_a_challenge_is_taken_once_by_whom_it_was_given_to_and_soon(office: Office) -> None:
    """WebAuthn level 3, 13.4.3: challenges are fresh, and an answer to an older one is a replay."""
    challenges = office.desk.passkeys.challenges
    ticket = challenges.give(b"one", 7)
    assert challenges.take(ticket, 7) == b"one"
    assert is_refused(challenges, ticket, 7)
    assert is_refused(challenges, challenges.give(b"two", 7), 8)
    late = challenges.give(b"three", 7)
    office.clock.ahead_s += CHALLENGE_S + 1
    assert is_refused(challenges, late, 7)
    assert is_refused(challenges, "nothing", -1)


def test_challenges_are_bounded_and_the_oldest_goes_first(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may ask for one without logging in."""
    monkeypatch.setattr(passkeys, "CHALLENGES", 3)
    challenges = office.desk.passkeys.challenges
    tickets = [challenges.give(bytes([n]), 0) for n in range(5)]
    assert [is_refused(challenges, ticket, 0) for ticket in tickets] == [True, True, False, False, False]


def test_the_browser_is_asked_for_two_factors_and_for_this_host(office: Office) -> None:
    """UserVerification required, residentKey required (WebAuthn level 3, 5.4.4); rp.id is the origin's host."""
    li = office.hire("Li", "verifier")
    asked = office.desk.passkeys.begin_add(li.account)["options"]
    assert asked["rp"]["id"] == "localhost"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    login = office.desk.passkeys.begin_login()["options"]
    assert (login["rpId"], login["userVerification"]) == ("localhost", "required")


VALUES: list[Any] = [None, 0, "", "x", "AAAA", [], {}, {"clientDataJSON": "e30"}, "\ud800", 1 << 70, "=" * 9]


def test_whatever_a_client_sends_is_refused_by_code_and_never_a_fault(office: Office) -> None:
    """Two thousand seeded answers of every shape to a real challenge."""
    li, drawn = office.hire("Li", "verifier").account, random.Random(11)
    values = {
        "id": b"\x01\x02\x03",
        "account": li.id,
        "public": b"\xa0",
    }
    office.roll.change("INSERT INTO passkey VALUES (?, ?, ?, 0, 0)", *values.values())
    names = ("id", "rawId", "type", "response", "authenticatorAttachment")
    inner = ("clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject")
    for _ in range(1000):
        said = {name: drawn.choice([*VALUES, "AQID", "public-key"]) for name in names if drawn.random() < 0.9}
        if drawn.random() < 0.7:
            said |= {"id": "AQID", "rawId": "AQID", "type": "public-key"}
            said["response"] = {name: drawn.choice([*VALUES, "AQID"]) for name in inner}
        for work in (login_with, add_with):
            with pytest.raises(NotTaken) as caught:
                work(office, said)
            assert caught.value.code == "edge.passkey"


def login_with(office: Office, said: dict[str, Any]) -> None:
    """An answer to a login's challenge."""
    office.desk.passkeys.opens(office.desk.passkeys.begin_login()["ticket"], said)


def add_with(office: Office, said: dict[str, Any]) -> None:
    """An answer to a registration's challenge."""
    account = office.roll.named("Li")
    office.desk.passkeys.add(account, office.desk.passkeys.begin_add(account)["ticket"], said)
