"""Rows that people sign: deterministic CBOR [result, position, meter, outcome, largest error], one root over them."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.signoff import Row, payload, read_row, rows_of
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.kinds import check_payload
from meterseal_wire.tree import tree_hash

RESULT = bytes(range(32))
ROW = Row(RESULT, 1, "DEMO.12345678", kinds.PASSED, -8_000)
GOOD: list[object] = [RESULT, 1, "DEMO.12345678", 1, -8_000]


def test_a_row_is_five_items_in_order() -> None:
    """By hand: array of 5, 32 bytes, 1, 13 characters, 1, and -8000 as 39 1f3f (RFC 8949: -1 - 0x1f3f)."""
    by_hand = "85" + "5820" + RESULT.hex() + "01" + "6d" + b"DEMO.12345678".hex() + "01" + "391f3f"
    assert ROW.encoded().hex() == by_hand


def test_a_row_reads_back() -> None:
    """What was written, by an independent encoder."""
    assert read_row(cbor2.dumps(GOOD)) == ROW


@pytest.mark.parametrize(
    "at, value",
    [
        (0, bytes(31)),
        (0, "text"),
        (1, -1),
        (1, True),
        (2, b"bytes"),
        (2, "M" * 49),
        (3, 0),
        (3, 3),
        (3, False),
        (4, "0"),
        (4, None),
    ],
)
def test_what_is_no_row_is_left_out(at: int, value: object) -> None:
    """A wrong type, a short hash, an outcome that is none."""
    items = [value if index == at else part for index, part in enumerate(GOOD)]
    assert read_row(cbor2.dumps(items)) is None
    assert rows_of([cbor2.dumps(items), ROW.encoded()]) == [ROW]


@pytest.mark.parametrize(
    "item", [b"", b"\xff", b"\x85", cbor2.dumps(GOOD[:4]), cbor2.dumps([*GOOD, 0]), cbor2.dumps({1: 2})]
)
def test_bytes_that_are_no_array_of_five_are_no_row(item: bytes) -> None:
    """Damaged, too short, too long, a map."""
    assert read_row(item) is None


def test_a_row_that_is_not_deterministic_is_none() -> None:
    """RFC 8949 4.2.1: position 1 in two bytes."""
    spelled = ROW.encoded().replace(RESULT + b"\x01", RESULT + b"\x18\x01")
    assert read_row(spelled) is None


def test_a_meter_id_of_forty_eight_characters_is_the_longest() -> None:
    """The other side of the refusal above: METER_ID in kinds.py."""
    row = Row(RESULT, 0, "M" * 48, kinds.FAILED, 0)
    assert read_row(row.encoded()) == row


def test_the_payload_has_the_root_over_the_rows() -> None:
    """Tree hash of RFC 9162 over the items in their order; a shape that the kind allows."""
    items = [ROW.encoded(), Row(RESULT, 2, "DEMO.2", kinds.FAILED, 30_000).encoded()]
    said = payload(kinds.CHECKER, items, 1_790_000_000)
    check_payload(L.KIND_SIGNOFF, said)
    assert said == {L.ROLE: 2, L.ROWS: tree_hash(items), L.TIME_S: 1_790_000_000}


@given(st.binary(max_size=80))
def test_any_bytes_are_a_row_or_none(item: bytes) -> None:
    """Never an error; and what is a row is written the same again."""
    row = read_row(item)
    assert row is None or row.encoded() == item
