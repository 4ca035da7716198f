"""Token Status List: the draft's own lists of 2^20 entries, and every way in which a list must not be believed."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadHeader, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.status import (
    INVALID,
    SUSPENDED,
    UNPACKED_BYTES,
    VALID,
    StatusList,
    Validity,
    compress,
    pack,
    publish,
    read,
    unpack,
    unpack_map,
    value_at,
)
from meterseal_wire import labels as L
from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import BadShape, KeyOrder, OverLimit, WireError
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author, seal

FOLDER = Path(__file__).parent / "data" / "status_list"
ROWS: list[dict[str, Any]] = [
    row for path in sorted(FOLDER.glob("*.json")) for row in json.loads(path.read_text())
]
KEY = PrivateKey(bytes(31) + b"\x07")
AUTHOR = Author("REG-CN", "status", KEY)
URI = "https://registry.example/status/1"
RAW = publish(AUTHOR, URI, [VALID, INVALID, SUSPENDED], Validity(1000, 2000, 60))
TYP = "application/statuslist+cwt"
CLAIMS = {2: URI, 4: 2000, 6: 1000, 65534: 60, 65533: {"bits": 2, "lst": zlib.compress(b"\x24", 9)}}


def ring() -> KeyRing:
    """The registry's key alone."""
    found = KeyRing()
    found.add(KEY.public)
    return found


def made(claims: Any = None, header: Any = None) -> bytes:
    """A rightly signed message with claims or header exchanged."""
    protected = {1: -9, 4: AUTHOR.kid, 16: TYP} if header is None else header
    return bytes(seal(AUTHOR, encode(protected), encode(CLAIMS if claims is None else claims)))


def statuses_of(row: dict[str, Any]) -> list[int]:
    """A row's list, entry by entry."""
    found = [0] * row["size"]
    for index, status in row["entries"].items():
        found[int(index)] = status
    return found


def test_the_drafts_lists_are_there() -> None:
    """A loader that finds nothing would pass everything."""
    assert len(ROWS) >= 2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['bits']} bits")
def test_the_drafts_lists_give_their_statuses(row: dict[str, Any]) -> None:
    """draft-ietf-oauth-status-list, test vectors: every named entry, and every other one is 0."""
    bits, packed = unpack_map(cbor2.loads(bytes.fromhex(row["cbor_hex"])))
    assert bits == row["bits"]
    assert len(packed) * 8 == row["size"] * bits
    read_back = [value_at(packed, bits, index) for index in range(row["size"])]
    assert read_back == statuses_of(row)
    assert value_at(packed, bits, row["size"]) is None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['bits']} bits")
def test_the_json_form_holds_the_same_list(row: dict[str, Any]) -> None:
    """Draft section 4.2: the same zlib bytes as base64url without padding."""
    value = json.loads(row["json"])
    lst = base64.urlsafe_b64decode(value["lst"] + "=" * (-len(value["lst"]) % 4))
    assert unpack_map({"bits": value["bits"], "lst": lst}) == unpack_map(
        cbor2.loads(bytes.fromhex(row["cbor_hex"]))
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['bits']} bits")
def test_the_drafts_lists_pack_to_the_same_bytes(row: dict[str, Any]) -> None:
    """Before compression there is one form; after it, inflating with zlib gives the same again."""
    packed = pack(statuses_of(row), row["bits"])
    lst = cbor2.loads(bytes.fromhex(row["cbor_hex"]))["lst"]
    assert packed == zlib.decompress(lst)
    assert unpack(compress(packed)) == packed


def test_the_drafts_small_examples() -> None:
    """Draft section 4.1: sixteen 1-bit statuses are B9 A3, twelve 2-bit statuses C9 44 F9."""
    assert pack([1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1], 1) == b"\xb9\xa3"
    assert pack([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3], 2) == b"\xc9\x44\xf9"


def test_the_drafts_small_example_in_cbor() -> None:
    """Draft section 4.3: {"bits": 1, "lst": h'78DADBB918000217015D'} is B9 A3."""
    raw = bytes.fromhex("a2646269747301636c73744a78dadbb918000217015d")
    assert unpack_map(cbor2.loads(raw)) == (1, b"\xb9\xa3")


def test_the_drafts_examples_are_not_deterministic_and_ours_are() -> None:
    """The draft puts "bits" before "lst"; RFC 8949 section 4.2.1 the shorter text first. Ours are our profile's."""
    with pytest.raises(KeyOrder):
        scan(bytes.fromhex("a2646269747301636c73744a78dadbb918000217015d"))
    inner = encode({"bits": 1, "lst": bytes.fromhex("78dadbb918000217015d")})
    assert inner == bytes.fromhex("a2636c73744a78dadbb918000217015d646269747301")


@given(st.lists(st.integers(0, 3), max_size=50))
def test_two_bits_come_back_at_every_index(statuses: list[int]) -> None:
    """What was packed is read again; past the end is None, padding is valid."""
    packed = pack(statuses)
    assert [value_at(packed, 2, index) for index in range(len(statuses))] == statuses
    assert value_at(packed, 2, 4 * len(packed)) is None
    assert value_at(packed, 2, -1) is None


def test_a_published_list_comes_back() -> None:
    """Address, times, statuses, signer; the fourth place of the byte is padding."""
    found = read(RAW, ring())
    assert (found.uri, found.issued_s, found.expires_s, found.bits) == (URI, 1000, 2000, 2)
    assert [found.get(index) for index in range(5)] == [VALID, INVALID, SUSPENDED, VALID, None]
    assert found.key == KEY.thumbprint


def test_its_form_is_that_of_the_draft() -> None:
    """Draft section 5.2, read by cbor2: typ as text, sub, exp, iat, ttl 65534, list 65533 with bits and zlib."""
    protected, unprotected, body, _ = cbor2.loads(RAW).value
    assert cbor2.loads(protected) == {1: -9, 4: KEY.thumbprint[:8], 16: TYP}
    assert unprotected == {}
    claims = cbor2.loads(body)
    assert {name: claims[name] for name in (2, 4, 6, 65534)} == {2: URI, 4: 2000, 6: 1000, 65534: 60}
    assert claims[65533]["bits"] == 2
    # 0, 1, 2 from the lowest bits up: 00 10 01 00 = 24.
    assert zlib.decompress(claims[65533]["lst"]) == b"\x24"


def test_the_helper_of_these_tests_makes_a_good_list() -> None:
    """So that each refusal below is due to the one thing that was changed."""
    assert read(made(), ring()) == StatusList(URI, 1000, 2000, b"\x24", 2, KEY.thumbprint)


@pytest.mark.parametrize(
    "change",
    [
        {65533: None},
        {65533: {"bits": 2}},
        {65533: {"bits": 3, "lst": zlib.compress(b"\x24")}},
        {65533: {"bits": True, "lst": zlib.compress(b"\x24")}},
        {65533: {"bits": 2, "lst": "text"}},
        {65533: {"bits": 2, "lst": b"not zlib"}},
        {6: None},
        {6: -1},
        {6: True},
        {4: "2000"},
        {2: None},
    ],
)
def test_claims_out_of_shape_are_refused(change: dict[int, Any]) -> None:
    """Each claim the check relies on, broken alone under a right signature."""
    with pytest.raises(BadShape):
        read(made({**CLAIMS, **change}), ring())


@pytest.mark.parametrize(
    "header",
    [
        {1: -7, 4: AUTHOR.kid, 16: TYP},
        {1: -9, 4: AUTHOR.kid, 16: L.KIND_CHECKPOINT},
        {1: -9, 4: AUTHOR.kid},
        {1: -9, 4: AUTHOR.kid, 16: TYP, 2: [99]},
    ],
)
def test_another_header_is_no_status_list(header: dict[int, Any]) -> None:
    """Our other messages are signed with the same key: typ keeps them apart."""
    with pytest.raises(BadHeader):
        read(made(header=header), ring())


@pytest.mark.parametrize("claims", [[], 5, None, b""])
def test_claims_that_are_no_map_are_refused(claims: Any) -> None:
    """RFC 8392: a CWT's claims set is a map. The signature is right."""
    protected = encode({1: -9, 4: AUTHOR.kid, 16: TYP})
    with pytest.raises(BadShape, match="map"):
        read(bytes(seal(AUTHOR, protected, encode(claims))), ring())


def test_a_list_has_nothing_in_its_unprotected_header_and_a_kid_of_bytes() -> None:
    """Where anybody can write, nothing may stand; a kid that is text names no key."""
    protected, _, body, signature = cbor2.loads(RAW).value
    with pytest.raises(BadShape):
        read(bytes(encode(Tag(18, [protected, {3: 60}, body, signature]))), ring())
    with pytest.raises(BadShape):
        read(made(header={1: -9, 4: "12345678", 16: TYP}), ring())


def test_a_list_of_an_unknown_signer_or_a_changed_one_is_refused() -> None:
    """Nobody's list, and a list with one bit of its signature flipped."""
    with pytest.raises(UnknownKey):
        read(RAW, KeyRing())
    with pytest.raises(Unverified):
        read(RAW[:-1] + bytes([RAW[-1] ^ 1]), ring())


def test_a_small_list_cannot_fill_the_memory() -> None:
    """A thousandfold bomb: inflating stops at the bound."""
    with pytest.raises(OverLimit):
        unpack(zlib.compress(bytes(UNPACKED_BYTES + 1)))


@pytest.mark.parametrize("cut", [1, 4])
def test_a_list_cut_short_or_followed_by_something_is_refused(cut: int) -> None:
    """A missing end could hide the one entry that matters."""
    whole = zlib.compress(b"\x24" * 10)
    with pytest.raises((OverLimit, BadShape)):
        unpack(whole[:-cut])
    with pytest.raises(OverLimit):
        unpack(whole + b"\x00")


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_list_is_refused(at: int, change: int) -> None:
    """Header, claims, signature, framing."""
    raw = bytearray(RAW)
    raw[at] ^= change
    with pytest.raises((WireError, ProtocolError)):
        read(bytes(raw), ring())
