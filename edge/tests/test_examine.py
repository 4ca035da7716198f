"""Station 6, first half: what a message holds. The short cut through a parcel gives what the strict scanner gives."""

from pathlib import Path
from types import ModuleType

import cbor2
import pytest
from edge.tests.conftest import Box
from hypothesis import given
from hypothesis import strategies as st

from meterseal_edge import examine
from meterseal_edge.events import Candidate, Refused, packed
from meterseal_protocol.testing.runs import Seat, plan_document, point
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

PARCELS = st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=4), max_size=5)


def by_scanner(payload: bytes) -> object:
    """The items as the strict scanner reads them, None where it refuses or where they are no items."""
    try:
        items = scan(payload, examine.PARCEL_BYTES)
    except examine.WireError:
        return None
    good = isinstance(items, list) and all(
        isinstance(item, list) and item and all(isinstance(part, bytes) for part in item) for item in items
    )
    return [(item[0], tuple(item[1:])) for item in items] if good else None


@given(PARCELS)
def test_a_parcel_of_items_is_read_as_the_scanner_reads_it(items: list[list[bytes]]) -> None:
    """Design section 13: strict in. Every honest parcel of up to 23 items takes the short cut."""
    raw = encode(items)
    assert examine._plain(raw) == by_scanner(raw)


def agrees(look: object, raw: bytes) -> bool:
    """True unless the short cut says yes where the scanner says no, or something else."""
    found = look(raw)  # type: ignore[operator]
    return found is None or found == by_scanner(raw)


@given(PARCELS, st.integers(0, 2000), st.binary(max_size=3))
def test_a_damaged_parcel_never_passes_the_short_cut(items: list[list[bytes]], at: int, put: bytes) -> None:
    """Whatever it lets through is what the scanner lets through: bytes put in, cut off or changed."""
    raw = encode(items)
    at %= len(raw) + 1
    for changed in (raw[:at] + put + raw[at:], raw[:at] + put + raw[at + len(put) :], raw[:at]):
        assert agrees(examine._plain, changed)


# One check less each: long forms of short lengths, text, bytes after the end, a count in two bytes.
PLANTED = [
    ("shortest = size > LONGEST_1", "shortest = True", "81815900ff" + "00" * 255),
    ("shortest = size > MOST\n", "shortest = True\n", "8181580100"),
    ("shortest = 0 <= size <= MOST", "shortest = size >= 0", "818178" + "00" * 56),
    ("items if at == len(payload) else None", "items", "8181410000"),
    ("if count > MOST:", "if count > 24:", "8198" + "40" * 24),
]


@pytest.mark.parametrize("old, new, raw", PLANTED)
def test_a_short_cut_with_one_check_less_is_caught(old: str, new: str, raw: str) -> None:
    """Each check is needed: without it, one parcel passes that the scanner refuses."""
    source = Path(examine.__file__).read_text("utf-8")
    assert old in source
    module = ModuleType("loosened")
    exec(compile(source.replace(old, new, 1), "loosened", "exec"), vars(module))
    parcel = bytes.fromhex(raw)
    assert agrees(examine._plain, parcel)
    assert not agrees(module._plain, parcel)


def test_a_candidate_says_what_ingest_and_page_need(box: Box) -> None:
    """Values written out: the boot's cited head, the attempt's seats, places in the chain."""
    fixture = box.fixture()
    seat = Seat(3, "12345678", end_litres=120, points=[point(0, 2_375_000, 1000)])
    fixture.attempt([seat], plan_document(bytes(32), [[2_375_000, 100, 1_000_000, 1000, 1]]), bytes(32))
    fixture.result([seat])
    fixture.boot()
    parcel = box.parcel(*fixture.signed)
    found = examine.examine([("W1", parcel.payload)], box.keys.directory())
    assert found.alarms == []
    boot, attempt, result, again = (one for one in found.found if isinstance(one, Candidate))
    assert [one.chain[:2] for one in (boot, attempt, result, again)] == [(1, 0), (1, 1), (1, 2), (2, 0)]
    assert (boot.cites, again.cites) == (None, (1, 2))
    assert attempt.meters == {3: "DEMO.12345678"}
    assert (attempt.typ, result.typ) == (L.KIND_ATTEMPT, L.KIND_RESULT)
    assert [len(cbor2.loads(one.evidence)) for one in (attempt, result)] == [1, 2]
    assert {one.key for one in (boot, attempt, result, again)} == {box.world.keys["W1"].thumbprint}


def test_a_message_larger_than_a_parcel_is_refused_whole(box: Box) -> None:
    """CONTRACT: a parcel has at most 65 536 bytes; kept of it are as many."""
    payload = b"\x81\x81\x5a\x00\x01\x00\x00" + bytes(65_536)
    [refused] = examine.examine([("W1", payload)], box.keys.directory()).found
    assert isinstance(refused, Refused)
    assert (refused.code, len(refused.raw)) == ("wire.over_limit", 65_536)


@given(st.lists(st.binary(max_size=70_000), max_size=30))
def test_evidence_is_packed_as_anybody_would_encode_it(items: list[bytes]) -> None:
    """cbor2 is the judge: an array of byte strings, each head in its shortest form; nothing for nothing."""
    assert packed(tuple(items)) == (cbor2.dumps(items, canonical=True) if items else b"")
