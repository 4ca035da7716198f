"""Station 6: the order is the promise, and what is refused is kept, said and never covered."""

import hashlib

import pytest
from edge.tests.conftest import BOUND, Box

from meterseal_edge.errors import StoreFailed
from meterseal_protocol.keys import KeyRing
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.runs import Seat, plan_document, point
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.statement import build


def events(fixture: ModelFixture, count: int) -> list[Signed]:
    """Everything a fixture has signed, after `count` events more."""
    for number in range(count):
        fixture.event("case_opened", str(number))
    return fixture.signed


def root_by_hand(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, written out: MTH of one leaf, or of the two parts at the largest power of two below n."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = root_by_hand(leaves[:split]), root_by_hand(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_custody_comes_after_the_commit_and_puback_after_custody(box: Box) -> None:
    """Design section 6: ... commit, sign custody, publish custody, PUBACK."""
    signed = events(box.fixture(), 3)
    box.offer(*signed)
    assert [name for name, _ in box.recorder.calls] == ["down"] + ["puback"] * 4
    assert box.store.counts() == (4, 0, 0)


def test_custody_names_key_place_head_size_and_root(box: Box) -> None:
    """Design section 6: custody names the fixture key, epoch, highest contiguous seq, the head, log size and root."""
    signed = events(box.fixture(), 2)
    box.offer(*signed)
    ring = KeyRing()
    ring.add(box.world.keys["edge"].public)
    [raw] = box.recorder.custody
    payload = verify(raw, ring).statement.payload
    assert payload == {
        L.KEY: box.world.keys["W1"].thumbprint,
        L.EPOCH: 1,
        L.SEQ: 2,
        L.HEAD: hashlib.sha256(signed[-1].raw).digest(),
        L.LOG_SIZE: 3,
        L.LOG_ROOT: root_by_hand([hashlib.sha256(item.raw).digest() for item in signed]),
    }


def test_a_store_that_fails_acknowledges_and_promises_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design section 13: disk full: stops acknowledging; fixtures keep their queues; then it goes on."""
    signed = events(box.fixture(), 2)

    def full(*_: object) -> int:
        raise StoreFailed("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(box.store, "append", full)
        with pytest.raises(StoreFailed):
            box.offer(*signed)
    assert box.recorder.calls == []
    assert box.log.tip()[0] == 0
    box.offer(*signed)
    assert len(box.recorder.acknowledged) == 3
    assert box.store.counts()[0] == 3


def test_an_early_acknowledgement_would_be_found(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted bug: acknowledge before commit. The test above must tell it from the real order."""
    honest = box.ingest.log.append

    def early(*arguments: object) -> object:
        box.recorder.acknowledge(box.message(b""))
        return honest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(box.ingest.log, "append", early)
    box.offer(*events(box.fixture(), 1))
    assert next(name for name, _ in box.recorder.calls) == "puback"


def test_duplicates_are_covered_and_acknowledged_again_and_counted_once(box: Box) -> None:
    """Design section 6: duplicates are acknowledged again."""
    signed = events(box.fixture(), 2)
    for _ in range(3):
        box.offer(*signed)
    assert box.store.counts() == (3, 0, 0)
    assert len(box.recorder.acknowledged) == 9
    assert len(box.recorder.custody) == 3


def test_duplicates_within_one_batch_are_counted_once(box: Box) -> None:
    """A broker may deliver a message twice in a row (MQTT 3.1.1 section 4.3.2)."""
    signed = events(box.fixture(), 2)
    box.offer(*signed, *signed)
    assert box.store.counts() == (3, 0, 0)


def test_a_gap_waits_in_quarantine_and_links_when_it_comes_in_order(box: Box) -> None:
    """Design section 6: what verifies but does not link goes to quarantine; offered again in order, it links."""
    signed = events(box.fixture(), 3)
    box.offer(signed[0], signed[2])
    assert box.store.counts() == (1, 0, 1)
    assert box.state.snapshot()["alarms"][0]["code"] == "chain.gap"
    box.offer(*signed[1:])
    assert box.store.counts() == (4, 0, 0)


def test_a_fork_is_quarantined_and_shown_and_never_covered(box: Box) -> None:
    """Design section 6: two statements at one (key, epoch, seq) are a fork."""
    fixture = box.fixture()
    box.offer(*events(fixture, 2))
    other = build(
        box.world.author("W1"),
        L.KIND_EVENT,
        {L.EVENT: "other", L.DETAIL: ""},
        (1, 2, fixture.signed[1].identity),
    )
    box.recorder.calls.clear()
    box.offer(Signed(other))
    assert box.state.snapshot()["alarms"][0]["code"] == "chain.fork"
    assert box.recorder.custody == []
    assert box.store.counts() == (3, 0, 1)


def test_an_epoch_opens_only_on_the_head_that_is_held(box: Box) -> None:
    """Design section 6: a boot cites the last head held; one that cites another is a fork."""
    fixture = box.fixture()
    box.offer(*events(fixture, 1))
    twin = ModelFixture(box.world.author("W1"), epoch=1, seq=0, head=fixture.signed[0].identity)
    box.offer(twin.boot())
    assert box.state.snapshot()["alarms"][0]["code"] == "chain.fork"
    box.offer(fixture.boot())
    head = box.log.head(box.world.keys["W1"].thumbprint)
    assert head is not None and (head.epoch, head.seq) == (2, 0)


@pytest.mark.parametrize(
    "payload, code",
    [
        (b"", "wire.truncated"),
        (b"\x80", None),
        (b"\x81\x80", "edge.parcel"),
        (b"\x81\x41\x00", "edge.parcel"),
        (b"\x9f\xff", "wire.not_allowed"),
        (b"\x81\x81\x41\x00", "wire.shape"),
        (b"\x5a\x7f\xff\xff\xff", "wire.truncated"),
        (b"\x00" * 70_000, "wire.over_limit"),
    ],
)
def test_damaged_parcels_get_one_named_error_and_stop_nothing(
    box: Box, payload: bytes, code: str | None
) -> None:
    """Design section 13: malformed, oversized, non-canonical CBOR: one named error, counted, never a crash."""
    box.ingest.keep([box.message(payload)])
    assert [alarm["code"] for alarm in box.state.snapshot()["alarms"]] == ([code] if code else [])
    box.offer(*events(box.fixture(), 1))
    assert box.store.counts()[0] == 2


def test_a_key_speaks_only_on_its_own_topic(box: Box) -> None:
    """Design section 11: the edge pins the topic to the COSE key."""
    box.offer(*events(box.fixture("W1"), 0), fixture="G1")
    assert box.state.snapshot()["alarms"][0]["code"] == "edge.topic"
    assert box.store.counts() == (0, 0, 1)


def test_an_unknown_key_is_kept_and_may_come_again_once_it_is_granted(box: Box) -> None:
    """Design section 13: unknown key: refused, kept in quarantine, operator sees it."""
    world = box.world
    grant = world.grants.pop("fixture W1")
    box.reopen()
    signed = events(box.fixture(), 1)
    (box.folder / "grants").joinpath(f"{hashlib.sha256(grant).hexdigest()}.cose").unlink()
    box.reopen()
    box.offer(*signed)
    assert box.state.snapshot()["alarms"][0]["code"] == "verify.unknown_key"
    assert box.store.counts()[0] == 0
    box.keys.learn([grant])
    box.offer(*signed)
    assert box.store.counts()[0] == 2


def test_an_authority_cannot_speak_as_a_fixture(box: Box) -> None:
    """Design section 5: grants are the authorities' to sign; on a fixture's topic they are refused."""
    box.offer(Signed(box.world.grants["registry"]))
    assert box.state.snapshot()["alarms"][0]["code"] == "edge.topic"


def test_names_without_end_have_the_room_of_one_fixture_and_take_none_from_others(box: Box) -> None:
    """Issue 6, faults: a hostile client, memory bounded. A name costs nothing where the broker has no access list."""
    box.ingest.keep(
        [box.message(b"\xff" + name.encode(), name) for name in (f"X{n}" for n in range(10 * BOUND))]
    )
    for number in range(10):
        box.ingest.keep([box.message(b"\xff", f"Y{number}")])
    assert box.store.counts() == (0, 0, BOUND)
    assert box.recorder.acknowledged == []
    [told] = [alarm for alarm in box.state.snapshot()["alarms"] if alarm["code"] == "edge.strangers"]
    assert (told["fixture"], told["count"]) == ("", 11)
    box.ingest.keep([box.message(b"\xff")])
    assert box.store.quarantined("W1") == 1
    fixture = box.fixture()
    box.offer(*fixture.signed)
    assert box.store.counts() == (1, 0, BOUND + 1)


def test_at_the_bound_of_quarantine_the_edge_stops_acknowledging_that_fixture(box: Box) -> None:
    """Design section 6: bounded per key; at the bound the edge stops acknowledging that key and raises an alarm."""
    for number in range(BOUND):
        box.ingest.keep([box.message(bytes([0xFF, number]))])
    assert len(box.recorder.acknowledged) == BOUND - 1
    box.ingest.keep([box.message(b"\xff\xff")])
    assert len(box.recorder.acknowledged) == BOUND - 1
    box.offer(*events(box.fixture("G1"), 1), fixture="G1")
    assert len(box.recorder.acknowledged) == BOUND + 1


def run(fixture: ModelFixture) -> tuple[Signed, Signed]:
    """An attempt and its result."""
    seat = Seat(1, "12345678", end_litres=120, points=[point(0, 2_375_000, 1000)])
    plan = plan_document(bytes(32), [[2_375_000, 100, 1_000_000, 1000, 1]])
    return fixture.attempt([seat], plan, bytes(32)), fixture.result([seat])


def test_evidence_stays_with_the_statement_that_covers_it(box: Box) -> None:
    """Design section 5: raw telegrams are content-addressed evidence under the result's one root."""
    fixture = box.fixture()
    attempt, result = run(fixture)
    box.offer(*fixture.signed)
    stored = {item.identity: item.evidence for item in box.store.unentered(-1, 10)}
    assert stored[attempt.identity] == attempt.evidence
    assert stored[result.identity] == result.evidence


def test_evidence_that_is_not_covered_is_dropped_with_an_alarm(box: Box) -> None:
    """The statement still counts: whoever decides says that its evidence is missing."""
    fixture = box.fixture()
    _, result = run(fixture)
    box.offer(*fixture.signed[:-1], Signed(result.raw, (*result.evidence, b"more")))
    assert box.store.counts() == (3, 0, 0)
    assert box.store.unentered(-1, 10)[-1].evidence == ()
    assert box.state.snapshot()["alarms"][0]["code"] == "edge.evidence"


def test_after_a_restart_the_log_is_the_same_and_goes_on(box: Box) -> None:
    """Station 8: either all or nothing; the tree is rebuilt from what is durable."""
    fixture = box.fixture()
    box.offer(*events(fixture, 4))
    tip = box.log.tip()
    box.store.close()
    box.reopen()
    assert box.log.tip() == tip
    fixture.event("after", "restart")
    box.offer(*fixture.signed)
    assert box.store.counts() == (6, 0, 0)
