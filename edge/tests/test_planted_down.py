"""Bugs planted where the edge speaks to fixtures: dispatch, clock, beacon. Each check is what the tests of those files
assert, in its shortest form; it passes over the honest edge and finds each bug.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from edge.tests.conftest import Box
from edge.tests.site import SmallRegistry
from edge.tests.test_beacon import Post, beacon
from edge.tests.test_dispatch import DIGEST, NONE, Desk

from meterseal_edge import clock
from meterseal_edge.beacon import OLD_S, BeaconKeeper
from meterseal_edge.clock import Clock
from meterseal_edge.dispatch import Dispatch
from meterseal_edge.grant_line import AGAIN_S, TRIES, GrantLine
from meterseal_edge.granting import PLAN, TENANT
from meterseal_edge.keybook import Keybook
from meterseal_edge.offers import Granted, name_of
from meterseal_edge.pace import AT_ONCE, Pace
from meterseal_edge.presence import Presence
from meterseal_edge.standing import Standing
from meterseal_edge.update_line import UpdateLine
from meterseal_protocol.errors import UnknownKey
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build

Check = Callable[[Desk], bool]


def sends_what_is_lacked_alone(desk: Desk) -> bool:
    """A plan that is held is not sent, one that is lacked is."""
    item = desk.put_plan()
    held = frozenset({name_of(item)})
    return desk.comes(plans=held, tenants=NONE) == [] and desk.comes(plans=NONE, tenants=NONE) == [item]


def sends_to_a_granted_key_alone(desk: Desk) -> bool:
    """Another fixture's key on this topic gets nothing."""
    desk.put_plan()
    return desk.comes(key=desk.key("G1"), nonce=bytes(16), plans=NONE, tenants=NONE) == []


def sends_tenants_to_their_benches_alone(desk: Desk) -> bool:
    """A tenant of another bench stays here."""
    own = desk.put_tenant("BENCH-W1")
    desk.put_tenant("BENCH-G1", name="BETA")
    return desk.comes(plans=NONE, tenants=NONE) == [own]


def sends_nothing_that_has_ended(desk: Desk) -> bool:
    """A second after its window."""
    desk.put_plan(WINDOW=[1, desk.date_s - 1])
    return desk.comes(plans=NONE, tenants=NONE) == []


def stops_what_was_withdrawn_under_way(desk: Desk) -> bool:
    """After `begin`, the withdrawal comes: no part follows."""
    item = desk.put_firmware()
    desk.board()
    desk.withdraw(item[2])
    return desk.says(update={"there": {}}) == []


def repeats_with_a_bound(desk: Desk) -> bool:
    """A fixture that never answers gets an item TRIES times."""
    desk.put_plan()
    sent = desk.comes(plans=NONE, tenants=NONE)
    for _ in range(3 * TRIES):
        sent += desk.later(AGAIN_S + 1)
    return len(sent) == TRIES


def answers_with_a_bound(desk: Desk) -> bool:
    """A thousand questions at once, AT_ONCE answers."""
    found = [answer for number in range(1000) for answer in desk.comes(nonce=number.to_bytes(16, "big"))]
    return len(found) == AT_ONCE


def gives_up_what_was_given_up(desk: Desk) -> bool:
    """A firmware that a fixture gave up does not come back by itself."""
    desk.put_firmware()
    return desk.board(slot="bad", staged=DIGEST) == desk.board(slot="bad", staged=DIGEST) == []


def resumes_where_it_was(desk: Desk) -> bool:
    """What lies in the slot already is not sent again: nothing but the end is missing here."""
    item = desk.put_firmware()
    desk.board()
    there = {path: len(data) for path, data in item[3]}
    return [part[0] for part in desk.says(update={"there": there})] == ["finish"]


def binds_time_to_the_question(desk: Desk) -> bool:
    """time.md: a token has the nonce that was asked and the key that asked, and no other."""
    for number in (1, 2):
        nonce = number.to_bytes(16, "big")
        [raw] = desk.comes(nonce=nonce)
        told = verify(raw, desk.box.world.ring("edge")).statement.payload
        if (told.get(L.NONCE), told[L.KEY], told[L.TIME_S]) != (nonce, desk.key(), desk.date_s):
            return False
        desk.date_s += 7
    return True


def passes_on_newer_beacons_alone(desk: Desk) -> bool:
    """Number 4 after number 5 goes to nobody, also after a start."""
    author = SmallRegistry(desk.box.world).author
    post = Post(desk.box)
    for number in (5, 4):
        post.keeper.take(beacon(author, number))
    again = Post(desk.box)
    again.keeper.recall()
    again.keeper.take(beacon(author, 4))
    return len(post.greetings.given) == 1 and post.greetings.given == again.greetings.given


def tells_of_an_old_beacon(desk: Desk) -> bool:
    """A day after it was made, by the beacon's own time: when it came does not make it fresh."""
    post = Post(desk.box)
    post.keeper.take(beacon(SmallRegistry(desk.box.world).author, 5))
    made = 1_790_000_005
    post.keeper.watch(made + OLD_S + 1)
    shown = desk.box.state.snapshot()["beacon"]
    return "edge.beacon_stale" in desk.alarms() and shown == {"number": 5, "time_s": made}


def believes_the_registry_alone(desk: Desk) -> bool:
    """A beacon that the edge itself signed is none."""
    post = Post(desk.box)
    try:
        post.keeper.take(beacon(desk.box.world.author("edge"), 9))
    except UnknownKey:
        return post.greetings.given == []
    return False


honest_answer, honest_take, honest_tick = Clock.answer, BeaconKeeper.take, GrantLine.tick
honest_there, honest_look = UpdateLine._there, Dispatch._look_at_grants
TOKENS: dict[bytes, bytes | None] = {}


def whatever_is_there(self: Dispatch, _told: Presence) -> list[Granted]:
    """What a fixture holds is not asked."""
    return [one for kind in (PLAN, TENANT) for one in self.offers.wanted(kind)]


def the_first_answer(self: Clock, presence: Presence) -> bytes | None:
    """A token is signed once a key, and given to each later question."""
    if presence.key not in TOKENS:
        TOKENS[presence.key] = honest_answer(self, presence)
    return TOKENS[presence.key]


def without_nonce(author: Author, kind: int, payload: dict[int, Any]) -> bytes:
    """Good for every question."""
    return bytes(build(author, kind, {**payload, L.NONCE: bytes(16)}))


def without_key(author: Author, kind: int, payload: dict[int, Any]) -> bytes:
    """Good for every fixture."""
    return bytes(build(author, kind, {**payload, L.KEY: bytes(32)}))


def as_if_first(self: BeaconKeeper, raw: bytes) -> None:
    """Whatever verifies is passed on."""
    self.newest = -1
    honest_take(self, raw)


def dated_when_it_came(self: BeaconKeeper, raw: bytes) -> None:
    """A beacon is as fresh as the message that brought it."""
    honest_take(self, raw)
    self.newest_s = 1 << 40


def without_end(self: GrantLine, now_s: float) -> list[list[Any]]:
    """Tries are not counted."""
    self._tries = 0
    return honest_tick(self, now_s)


def once(self: GrantLine, now_s: float) -> list[list[Any]]:
    """What was lost on the way is not sent again."""
    return [] if self._under_way else honest_tick(self, now_s)


def from_the_beginning(self: UpdateLine, there: dict[str, Any], now_s: float) -> list[list[Any]]:
    """What lies in the slot is sent again."""
    return honest_there(self, dict.fromkeys(there, 0), now_s)


def for_the_next_one(self: Dispatch) -> bool:
    """A withdrawal counts from the next connection."""
    honest_look(self)
    return False


PLANTED: dict[str, tuple[Check, Any, str, Any]] = {
    "what is held is sent again": (sends_what_is_lacked_alone, Dispatch, "_lacking", whatever_is_there),
    "nothing is lacked": (sends_what_is_lacked_alone, Dispatch, "_lacking", lambda *_: []),
    "any key is answered": (sends_to_a_granted_key_alone, Clock, "knows", lambda *_: True),
    "tenants go to every bench": (sends_tenants_to_their_benches_alone, Dispatch, "_goes", lambda *_: True),
    "no window is looked at": (sends_nothing_that_has_ended, Standing, "ended", lambda *_: []),
    "a withdrawal stops nothing": (stops_what_was_withdrawn_under_way, Standing, "ended", lambda *_: []),
    "what is under way goes on": (
        stops_what_was_withdrawn_under_way,
        Dispatch,
        "_look_at_grants",
        for_the_next_one,
    ),
    "repeats without end": (repeats_with_a_bound, GrantLine, "tick", without_end),
    "sends once": (repeats_with_a_bound, GrantLine, "tick", once),
    "answers without end": (answers_with_a_bound, Pace, "may", lambda *_: True),
    "a bad update comes back": (gives_up_what_was_given_up, Dispatch, "_put_again", lambda *_: True),
    "an update begins anew": (resumes_where_it_was, UpdateLine, "_there", from_the_beginning),
    "time has no nonce": (binds_time_to_the_question, clock, "build", without_nonce),
    "time has no key": (binds_time_to_the_question, clock, "build", without_key),
    "time is signed once": (binds_time_to_the_question, Clock, "answer", the_first_answer),
    "an older beacon is passed on": (passes_on_newer_beacons_alone, BeaconKeeper, "take", as_if_first),
    "a start forgets the beacon": (passes_on_newer_beacons_alone, BeaconKeeper, "recall", lambda *_: None),
    "a stale beacon is fresh": (tells_of_an_old_beacon, BeaconKeeper, "take", dated_when_it_came),
    "anybody makes beacons": (believes_the_registry_alone, Keybook, "registries", property(lambda k: k.ring)),
}


@pytest.fixture
def desk(box: Box, tmp_path: Path) -> Desk:
    """A dispatch whose folder is empty."""
    TOKENS.clear()
    return Desk(box, tmp_path / "down")


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(desk: Desk, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design section 1, idea 11: every guarantee has an experiment, and each a planted bug that it finds."""
    check, place, what, bug = PLANTED[name]
    monkeypatch.setattr(place, what, bug)
    assert not check(desk)


@pytest.mark.parametrize("check", sorted({row[0] for row in PLANTED.values()}, key=lambda f: f.__name__))
def test_the_honest_edge_passes_every_check(desk: Desk, check: Check) -> None:
    """Without this the bugs would prove nothing."""
    assert check(desk)
