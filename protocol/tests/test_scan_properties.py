"""What holds of scanner and encoder for every input, with cbor2 as the independent reader."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_wire.encode import LARGEST, Tag, encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

integers = st.integers(-LARGEST, LARGEST)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
scalars = integers | st.binary(max_size=40) | texts | st.booleans() | st.none()
keys = integers | texts


def one_deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A list or a map of values."""
    return st.lists(inner, max_size=5) | st.dictionaries(keys, inner, max_size=5)


values = st.one_of(
    scalars, one_deeper(scalars), one_deeper(one_deeper(scalars)), one_deeper(one_deeper(one_deeper(scalars)))
)


def same(ours: Any, theirs: Any) -> bool:
    """Equal, with true and 1 kept apart."""
    if type(ours) is not type(theirs):
        return False
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(item, theirs[key]) for key, item in ours.items())
    return bool(ours == theirs)


def outcome(raw: bytes) -> tuple[Any, WireError | None]:
    """A value, or the one error."""
    try:
        return scan(raw), None
    except WireError as error:
        return None, error


@given(values)
def test_what_is_encoded_scans_to_itself_and_an_independent_decoder_agrees(value: Any) -> None:
    """RFC 8949 section 4.2.1: one value, one spelling; cbor2 reads the same value from it."""
    raw = encode(value)
    assert same(scan(raw), value)
    assert same(value, cbor2.loads(raw))


@given(st.binary(max_size=60))
def test_any_bytes_scan_to_a_value_that_encodes_to_them_or_end_in_one_error(raw: bytes) -> None:
    """The scanner's promise, for every input: no third outcome, no other exception."""
    value, error = outcome(raw)
    if error is None:
        assert encode(value) == raw
    else:
        assert 0 <= error.at <= len(raw)
        assert error.code.startswith("wire.")


@given(values, st.data())
def test_a_changed_byte_never_gives_the_same_value(value: Any, data: st.DataObject) -> None:
    """Two inputs never mean one value: a hash over the bytes names one meaning."""
    raw = bytearray(encode(value))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        other = scan(bytes(raw))
    except WireError:
        return
    assert not same(other, value)


@given(values, st.binary(min_size=1, max_size=4))
def test_nothing_may_follow(value: Any, tail: bytes) -> None:
    """No trailing bytes (design section 5)."""
    with pytest.raises(WireError):
        scan(encode(value) + tail)


@given(st.lists(scalars, max_size=4))
def test_a_tagged_array_comes_back_tagged(items: list[Any]) -> None:
    """Tag 18 is the only one; cbor2 sees the same number and value."""
    raw = encode(Tag(18, items))
    assert scan(raw) == Tag(18, items)
    read = cbor2.loads(raw)
    assert read.tag == 18
    assert same(items, list(read.value))
