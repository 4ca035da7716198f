"""Encodings with one defect: each differs from the right one, and cbor2 or the scanner can say what it is."""

from typing import Any

import pytest

from meterseal_protocol.testing.defects import longer, spoilt
from meterseal_wire.encode import encode
from meterseal_wire.errors import KeyOrder, NotAllowed, NotShortest, OverLimit, Trailing, Truncated, WireError
from meterseal_wire.scan import scan

VALUES = [5, -1, 300, b"bytes", "text", [1, 2], {1: 2, 3: [b"x", "y"]}]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_no_defect_is_the_right_encoding(value: Any) -> None:
    """And what the scanner still takes is another value."""
    right = encode(value)
    found = list(spoilt(value))
    assert right not in found
    for raw in found:
        try:
            assert scan(raw) != value
        except WireError:
            continue


def test_longer_heads_are_those_of_rfc_8949() -> None:
    """Section 3: additional information 24 to 27 for one, two, four and eight bytes; 10 needs none of them."""
    spelled = ["180a", "19000a", "1a0000000a", "1b000000000000000a"]
    assert [raw.hex() for raw in longer(0, 10)] == spelled
    assert [raw.hex() for raw in longer(0x40, 300)] == ["5a0000012c", "5b000000000000012c"]


def test_every_way_to_be_wrong_is_among_them() -> None:
    """A map with a list of text and bytes meets each of the scanner's refusals of form."""
    seen = set()
    for raw in spoilt({1: 2, 3: [b"x", "y", 70_000]}):
        try:
            scan(raw)
        except WireError as error:
            seen.add(type(error))
    assert {NotShortest, KeyOrder, NotAllowed, OverLimit, Trailing, Truncated} <= seen


def test_every_place_is_spoilt() -> None:
    """Of [1, [2, 3]] each of the three numbers is spelled in two bytes, the others being right."""
    found = {raw.hex() for raw in spoilt([1, [2, 3]])}
    assert {"82180182" + "0203", "820182180203", "820182021803"} <= found
