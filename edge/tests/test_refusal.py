"""The signed answer to what arrived damaged: to whom, about what, how often; and that the chain goes on after it."""

from typing import Any

import pytest
from edge.tests.conftest import Box
from edge.tests.test_pace import Now

from meterseal_edge.refusal import AGAIN_S, AT_ONCE, EACH_S, REMEMBERED, Refuser
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import build


class Desk:
    """An edge's ingest with a refuser, and a clock that the test moves."""

    def __init__(self, box: Box) -> None:
        self.box, self.now = box, Now()
        self.refuser = Refuser(box.ingest.promiser, box.keys, self.now)
        box.ingest.refuser = self.refuser
        self.fixture = box.fixture()
        self.key = self.box.world.keys["W1"].thumbprint

    def say(self, raw: bytes, fixture: str = "W1") -> list[bytes]:
        """Something arrives; what goes down because of it."""
        before = len(self.box.recorder.calls)
        self.box.ingest.keep([self.box.parcel(Signed(raw), fixture=fixture)])
        return [
            item
            for name, what in self.box.recorder.calls[before:]
            if name == "told"
            for item in what[1]  # type: ignore[index]
        ]

    def payload(self, told: list[bytes]) -> dict[int, Any]:
        """Of the `refused` in an answer, its custody checked beside it."""
        custody, refused = [verify(raw, self.box.world.ring("edge")).statement for raw in told]
        assert (custody.typ, refused.typ) == (L.KIND_CUSTODY, L.KIND_REFUSED) == (65012, 65013)
        assert (custody.payload[L.EPOCH], custody.payload[L.SEQ]) < (
            refused.payload[L.EPOCH],
            refused.payload[L.SEQ],
        )
        return dict(refused.payload)


@pytest.fixture
def desk(box: Box) -> Desk:
    """W1's boot is held."""
    found = Desk(box)
    box.offer(*found.fixture.signed)
    return found


def flipped(raw: bytes, at: int = -1) -> bytes:
    """One bit changed."""
    return raw[: at % len(raw)] + bytes([raw[at] ^ 1]) + raw[at % len(raw) + 1 :]


def test_damaged_bytes_get_key_place_hash_and_code(desk: Desk) -> None:
    """protocol/spec/chain.md: the fixture's key, the place, SHA-256 of what arrived, and the code of the error."""
    raw = flipped(desk.fixture.event("a", "b").raw)
    assert desk.payload(desk.say(raw)) == {
        44: desk.key,
        45: 1,
        46: 1,
        108: sha256(raw),
        122: "verify.signature",
    }


@pytest.mark.parametrize("raw", [b"", b"\xff", encode(["missing", 1, 1]), b"\x00" * 20_000])
def test_what_cannot_be_read_at_all_was_due_behind_the_head(desk: Desk, raw: bytes) -> None:
    """A record that has rotted says no place of its own any more."""
    found = desk.payload(desk.say(raw))
    assert (found[L.EPOCH], found[L.SEQ], found[L.STATEMENT]) == (1, 1, sha256(raw))


def test_after_the_refusal_a_boot_that_cites_the_head_links_and_so_does_what_follows(desk: Desk) -> None:
    """Design section 13: the fixture opens a new epoch that cites it, so one rotten record never blocks the queue."""
    rotten = desk.fixture.event("rotten", "")
    behind = desk.fixture.event("behind", "it")
    told = desk.payload(desk.say(flipped(rotten.raw)))
    assert desk.say(behind.raw) == []
    payload = {
        L.COUNTER: 0,
        L.FIRMWARE_DIGEST: bytes(32),
        L.FIRMWARE_VERSION: "1",
        L.BOARD: "model",
        L.CLOCK: (1, 1, 1),
        L.RESET_CAUSE: 1,
        L.LAST_HEAD: (1, 0),
        L.REFUSED: told[L.STATEMENT],
    }
    author, head = desk.box.world.author("W1"), desk.fixture.signed[0].identity
    boot = build(author, L.KIND_BOOT, payload, (2, 0, head))
    event = build(author, L.KIND_EVENT, {L.EVENT: "on", L.DETAIL: ""}, (2, 1, identity(boot)))
    desk.say(boot)
    desk.say(event)
    held = desk.box.log.head(desk.key)
    assert held is not None and (held.epoch, held.seq) == (2, 1)
    # What the boot disowned is a contradiction from now on, however sound its signature.
    desk.say(behind.raw)
    assert {alarm["code"] for alarm in desk.box.state.snapshot()["alarms"]} >= {"chain.fork"}
    assert desk.box.store.counts()[0] == 3


def test_the_same_bytes_are_signed_for_once_and_said_again_seldom(desk: Desk) -> None:
    """Brief: once per statement. The first answer may be lost, so it is said again when it is offered again."""
    raw = flipped(desk.fixture.event("a", "b").raw)
    first = desk.say(raw)
    assert first and [desk.say(raw) for _ in range(50)] == [[]] * 50
    desk.now.s += AGAIN_S
    again = desk.say(raw)
    assert again[1] == first[1]


def test_hostile_bytes_cost_a_few_signatures_a_minute(desk: Desk) -> None:
    """No amplification: one a second for ten minutes, all different, get AT_ONCE answers and one more each EACH_S."""
    answers = 0
    for number in range(601):
        desk.now.s += 1
        answers += bool(desk.say(b"\xff%d" % number))
    assert answers == AT_ONCE + 600 // EACH_S
    assert len(desk.refuser._said) <= REMEMBERED


def test_who_is_not_a_fixture_of_this_site_or_has_said_nothing_yet_gets_no_answer(desk: Desk) -> None:
    """Nothing is held, so no place is due; and a topic that no grant names is nobody's."""
    assert desk.say(b"\xff", "G1") == desk.say(b"\xff", "X9") == []
    assert not desk.refuser._said


def test_what_is_not_damaged_is_not_refused_however_little_it_fits(desk: Desk) -> None:
    """A gap waits, an unknown key may get its grant, a foreign topic is a person's business: none is rotten."""
    stranger = ModelFixture(desk.box.world.author("verifier"))
    other = desk.box.fixture("G1")
    skipped = [desk.fixture.event("1", ""), desk.fixture.event("2", "")]
    assert desk.say(stranger.boot().raw) == desk.say(other.signed[0].raw) == desk.say(skipped[1].raw) == []


def test_a_damaged_repetition_and_what_is_damaged_behind_a_gap_are_not_refused(desk: Desk) -> None:
    """The first is held already; the second can be refused once its turn has come."""
    first, second = desk.fixture.event("1", ""), desk.fixture.event("2", "")
    assert desk.say(flipped(desk.fixture.signed[0].raw)) == []
    assert desk.say(flipped(second.raw)) == []
    desk.say(first.raw)
    assert desk.payload(desk.say(flipped(second.raw)))[L.SEQ] == 2


def test_a_damaged_boot_of_the_next_epoch_is_refused_at_its_own_place(desk: Desk) -> None:
    """(2, 0) follows (1, 0) as (1, 1) does."""
    boot = desk.fixture.boot()
    found = desk.payload(desk.say(flipped(boot.raw)))
    assert (found[L.EPOCH], found[L.SEQ]) == (2, 0)
