"""Station 7 at the edge: what links, what waits, what is a fork; the promise never covers what is not there."""

from dataclasses import replace

import pytest
from edge.tests.conftest import Box
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meterseal_edge.state import State
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split
from meterseal_wire.statement import Author, build, seal


def alarms(box: Box) -> dict[str, int]:
    """Codes and how often."""
    return {alarm["code"]: alarm["count"] for alarm in box.state.snapshot()["alarms"]}


def head(box: Box, name: str = "W1") -> tuple[int, int] | None:
    """Epoch and seq of the newest statement that linked."""
    found = box.log.head(box.world.keys[name].thumbprint)
    return (found.epoch, found.seq) if found else None


def promised(box: Box) -> list[tuple[int, int]]:
    """Places that custody named, in order."""
    ring = box.world.ring("edge")
    payloads = [verify(raw, ring).statement.payload for raw in box.recorder.custody]
    return [(payload[L.EPOCH], payload[L.SEQ]) for payload in payloads]


def chain(box: Box, epochs: int = 2, events: int = 3) -> ModelFixture:
    """A fixture with this many epochs of a boot and some events each."""
    fixture = ModelFixture(box.world.author("W1"))
    for epoch in range(epochs):
        fixture.boot()
        for number in range(events):
            fixture.event("tick", f"{epoch}.{number}")
    return fixture


def test_a_boot_that_comes_before_the_end_of_its_last_epoch_waits_and_is_no_fork(box: Box) -> None:
    """Design section 6: a fork is two histories. A boot whose cited head has not arrived contradicts nothing."""
    signed = chain(box).signed
    box.offer(*signed[:2], signed[4])
    assert alarms(box) == {"chain.gap": 1}
    assert head(box) == (1, 1)
    box.offer(*signed[2:])
    assert head(box) == (2, 3)
    assert box.store.counts() == (8, 0, 0)


def test_a_boot_that_cites_another_head_at_the_place_held_is_a_fork(box: Box) -> None:
    """Design section 6: two successors of one epoch, or an epoch that grew elsewhere."""
    fixture = chain(box, epochs=1, events=2)
    box.offer(*fixture.signed)
    twin = ModelFixture(fixture.author, epoch=1, seq=2, head=bytes(32))
    box.offer(twin.boot())
    assert alarms(box) == {"chain.fork": 1}


def test_a_statement_beyond_the_head_that_the_next_epoch_cites_is_a_fork(box: Box) -> None:
    """Design section 6, second kind of fork: a restored image goes on in an epoch that was closed."""
    fixture = chain(box, epochs=1, events=2)
    image = replace(fixture, signed=[])
    fixture.boot()
    box.offer(*fixture.signed)
    box.offer(image.event("restored", "image"))
    assert alarms(box) == {"chain.fork": 1}
    assert head(box) == (2, 0)


def test_a_second_boot_of_the_same_epoch_is_a_fork(box: Box) -> None:
    """Design section 6: a cloned key shows as two statements at one (key, epoch, seq)."""
    fixture = chain(box, epochs=1, events=1)
    clone = replace(fixture, counter=9, signed=[])
    fixture.boot()
    box.offer(*fixture.signed, clone.boot())
    assert alarms(box) == {"chain.fork": 1}
    assert promised(box) == [(2, 0)]


def test_nothing_is_covered_while_something_earlier_of_its_key_was_refused(box: Box) -> None:
    """custody.py of wire: custody covers everything earlier, so a promise here would free what nobody has.

    The grant arrives between the last event of epoch 1 and the boot of epoch 2.
    """
    grant = box.world.grants.pop("fixture W1")
    for path in (box.folder / "grants").iterdir():
        if path.read_bytes() == grant:
            path.unlink()
    box.store.close()
    box.reopen()
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=100)
    signed = chain(box).signed
    box.offer(*signed[:4])
    box.keys.learn([grant])
    box.offer(*signed[4:])
    box.offer(*signed[4:])
    assert promised(box) == []
    assert box.store.counts()[0] == 0
    box.offer(*signed)
    assert promised(box) == [(2, 3)]
    assert box.store.counts() == (8, 0, 0)


@pytest.mark.parametrize("oldest", [2, 4, 5])
def test_a_replacement_edge_begins_with_the_oldest_that_the_fixture_still_has(box: Box, oldest: int) -> None:
    """Design section 6: a replacement edge starts empty, fixtures offer again what is not covered, oldest first.

    The second pass shows that nothing earlier is left.
    """
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=100)
    signed = chain(box).signed
    box.offer(*signed[oldest:])
    assert promised(box) == []
    box.offer(*signed[oldest:])
    assert promised(box) == [(2, 3)]
    assert box.store.counts() == (8 - oldest, 0, 0)


def test_an_edge_that_joins_in_the_middle_of_a_pass_covers_nothing_before_the_next(box: Box) -> None:
    """Between two offers of the same statement a fixture has offered everything older that is not covered."""
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=100)
    signed = chain(box).signed
    box.offer(*signed[5:])
    for item in signed[:6]:
        box.offer(item)
    assert promised(box)[-1] == (2, 1)
    box.offer(*signed)
    assert box.store.counts() == (8, 0, 0)


def test_what_lies_before_the_beginning_is_no_fork(box: Box) -> None:
    """Design section 6: a fork is a contradiction; about the time before its beginning this edge knows nothing."""
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=100)
    signed = chain(box).signed
    for _ in range(2):
        box.offer(*signed[4:])
    box.offer(signed[1])
    assert "chain.fork" not in alarms(box)
    assert head(box) == (2, 3)


def test_a_full_quarantine_begins_no_chain(box: Box) -> None:
    """What it has no room for it cannot know to be earlier."""
    signed = chain(box).signed
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=1)
    for _ in range(3):
        box.offer(signed[4])
    assert promised(box) == []


def test_a_gap_at_the_very_start_waits_for_the_boot_even_within_a_batch(box: Box) -> None:
    """Wire chain.py: with no head a first boot links; what was refused before it leaves the quarantine."""
    signed = chain(box, epochs=1).signed
    box.offer(signed[1], signed[0], signed[1])
    assert head(box) == (1, 1)
    assert box.store.counts() == (2, 0, 0)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orders=st.lists(st.permutations(range(8)), min_size=1, max_size=4), size=st.integers(1, 9))
def test_in_whatever_order_and_however_often_the_promise_is_a_prefix_and_nobody_is_accused(
    box: Box, orders: list[list[int]], size: int
) -> None:
    """Design section 6: reordering and repetition make gaps and duplicates, never a fork; and custody covers only
    what is there. Each example is a fixture of its own, granted by the province.
    """
    key = PrivateKey.generate()
    world = box.world
    world.keys["W1"] = key
    fields = {**world.fixture_fields("W1"), L.PARENT: split_identity(world.grants["delegation"])}
    box.keys.learn([world.grant("province", 5, fields)])
    box.recorder.calls.clear()
    box.state = box.ingest.state = State("EDGE1", "YUHANG1")
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=100_000)
    signed = chain(box).signed
    sent = [signed[0], *(signed[place] for order in orders for place in order)]
    for start in range(0, len(sent), size):
        box.offer(*sent[start : start + size])
        assert stored_prefix(box, key, signed)
    assert "chain.fork" not in alarms(box)
    box.offer(*signed)
    assert head(box) == (2, 3)


def split_identity(raw: bytes) -> bytes:
    """A statement's identity."""
    return Signed(raw).identity


def stored_prefix(box: Box, key: PrivateKey, signed: list[Signed]) -> bool:
    """True if what is stored of this key is the beginning of its chain, and the last promise is its end."""
    places = [scan(split(item.raw)[0])[L.HEADER_CHAIN][:2] for item in signed]
    there = [
        box.log.identity_at(key.thumbprint, *place) == item.identity
        for place, item in zip(places, signed, strict=True)
    ]
    count = sum(there)
    ends = promised(box)
    return there == [True] * count + [False] * (8 - count) and (
        not ends or list(ends[-1]) == places[count - 1]
    )


BUILDING_BLOCKS: list[object] = [
    None,
    True,
    0,
    -1,
    2**63 - 1,
    "",
    "\u0301",
    b"",
    bytes(32),
    [],
    [[]],
    {},
    {1: 2},
    [1, 1, bytes(32)],
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hostile_statements_under_a_good_key_are_stored_or_refused_and_never_raise(
    box: Box, data: st.DataObject
) -> None:
    """Design section 13: malformed input gets one named error; the signer may be the enemy, so headers and payloads
    are changed and then signed with the fixture's true key.
    """
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=100_000)
    fixture = chain(box, epochs=2, events=1)
    box.offer(*fixture.signed)
    protected, _, body, _ = split(data.draw(st.sampled_from(fixture.signed)).raw)
    parts = [scan(protected), scan(body)]
    part = data.draw(st.sampled_from(parts))
    label = data.draw(st.sampled_from(sorted(part)) | st.sampled_from([2, 4, 15, 16, 33, 99, L.HEADER_CHAIN]))
    part[label] = data.draw(st.sampled_from(BUILDING_BLOCKS))
    raw = seal(fixture.author, encode(parts[0]), encode(parts[1]))
    before = box.store.counts()[0]
    box.offer(Signed(raw, tuple(data.draw(st.lists(st.binary(max_size=3), max_size=2)))))
    assert box.store.counts()[0] == before
    assert alarms(box) or raw in [item.raw for item in fixture.signed]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=200))
def test_whatever_bytes_come_as_a_parcel_nothing_raises(box: Box, payload: bytes) -> None:
    """Design section 13: anywhere, malformed CBOR: counted, never a crash."""
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=100_000)
    box.ingest.keep([box.message(payload)])
    assert box.store.counts()[0] == 0


def test_a_statement_that_is_no_fixtures_to_say_is_refused(box: Box) -> None:
    """CONTRACT, authority of kinds: custody is the edge's to sign, even under a fixture's key."""
    payload = {
        L.KEY: bytes(32),
        L.EPOCH: 1,
        L.SEQ: 0,
        L.HEAD: bytes(32),
        L.LOG_SIZE: 1,
        L.LOG_ROOT: bytes(32),
    }
    box.offer(Signed(build(box.world.author("W1"), L.KIND_CUSTODY, payload)))
    assert alarms(box) == {"edge.kind": 1}
    assert box.store.counts() == (0, 0, 1)


def test_a_fixture_granted_for_another_site_is_refused_here(box: Box) -> None:
    """docs/reference: the edge pins site and fixture of the topic to the fixture's key."""
    stranger = PrivateKey.generate()
    box.world.keys["W1"] = stranger
    parent = {L.PARENT: split_identity(box.world.grants["delegation"])}
    fields = {**box.world.fixture_fields("W1"), **parent, L.SITE: "ELSEWHERE"}
    box.keys.learn([box.world.grant("province", 5, fields)])
    visitor = ModelFixture(Author("ELSEWHERE", "W1", stranger))
    box.offer(visitor.boot())
    assert alarms(box) == {"edge.topic": 1}


def test_a_parcel_may_carry_several_statements_and_a_bad_one_spoils_no_other(box: Box) -> None:
    """CONTRACT, parcels: an array of one item or more."""
    signed = chain(box, epochs=1).signed
    box.ingest.keep([box.parcel(*signed[:2], Signed(b"\x00"), *signed[2:])])
    assert box.store.counts() == (4, 0, 1)
    assert promised(box) == [(1, 3)]


def test_a_parcel_of_thousands_of_bad_statements_fills_the_quarantine_to_its_bound_and_no_further(
    box: Box,
) -> None:
    """Design section 6: bounded. 64 KiB hold twenty thousand one-byte statements."""
    payload = encode([[b"\x00" + bytes([n >> 8, n & 255])] for n in range(9000)])
    box.ingest.keep([box.message(payload)])
    assert box.store.counts() == (0, 0, 5)
    assert box.recorder.acknowledged == []
    assert [what for name, what in box.recorder.calls if name == "held"] == [1]
    assert "edge.quarantine" in alarms(box)


def test_an_oversized_parcel_is_kept_as_a_stump(box: Box) -> None:
    """CONTRACT, parcels: 65536 bytes at most; a larger one must not fill the disk by being refused."""
    box.ingest.keep([box.message(b"\x00" * 200_000)])
    assert [len(raw) for raw in box.store.refusals("W1")] == [65536]


@pytest.mark.parametrize("bound", [1, 3])
def test_the_bound_counts_what_is_kept_already(box: Box, bound: int) -> None:
    """Design section 6: the bound is over all that lies there, not over one batch."""
    box.ingest.quarantine = replace(box.ingest.quarantine, bound=bound)
    for number in range(5):
        box.ingest.keep([box.message(bytes([0xFF, number]))])
    assert box.store.counts()[2] == bound
    assert len(box.recorder.acknowledged) == bound - 1


def test_what_links_later_leaves_the_quarantine_and_makes_room(box: Box) -> None:
    """Otherwise a year of reorderings would fill it and silence an honest fixture."""
    signed = chain(box, epochs=6, events=3).signed
    for start in range(0, len(signed), 4):
        box.offer(*signed[start + 1 : start + 4])
        assert box.store.quarantined("W1") == 3
        box.offer(*signed[start : start + 4])
        assert box.store.quarantined("W1") == 0
    assert box.store.counts() == (24, 0, 0)
