"""A statement as read: what is accepted, and every way to be refused before a signature is looked at."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadHeader, ProtocolError
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.statement import read
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, BadText, OverLimit, Trailing, WireError
from meterseal_wire.sign1 import join
from meterseal_wire.statement import Author, build

KEY = PrivateKey(bytes(31) + b"\x07")
AUTHOR = Author("YUHANG1", "W1", KEY)
EVENT = {L.EVENT: "case.opened", L.DETAIL: "封印 17"}
CHAIN = (3, 9, b"p" * 32)
RAW = build(AUTHOR, L.KIND_EVENT, EVENT, CHAIN)
HEADER = {
    L.HEADER_ALG: -9,
    L.HEADER_KID: AUTHOR.kid,
    L.HEADER_CWT_CLAIMS: {1: "YUHANG1", 2: "W1"},
    L.HEADER_TYP: L.KIND_EVENT,
    L.HEADER_CHAIN: list(CHAIN),
}


def message(header: Any, payload: Any = EVENT) -> bytes:
    """A message with any header and payload, sixty-four zero bytes for a signature."""
    return bytes(join(encode(header), encode(payload), bytes(64)))


def test_everything_a_statement_says_is_at_hand() -> None:
    """Header, place and payload are those that went in."""
    statement = read(RAW)
    assert (statement.typ, statement.kind) == (65005, "event")
    assert (statement.issuer, statement.subject) == ("YUHANG1", "W1")
    assert statement.kid == KEY.thumbprint[:8]
    assert statement.chain == CHAIN
    assert statement.payload == EVENT
    assert statement.raw == RAW


def test_the_parts_are_the_bytes_that_arrived() -> None:
    """cbor2 takes the message apart on its own; the identity is the hash of the whole (its header is empty)."""
    protected, _, body, signature = cbor2.loads(RAW).value
    statement = read(RAW)
    assert (statement.protected, statement.body, statement.signature) == (protected, body, signature)
    assert statement.identity == sha256(RAW)


def test_other_kinds_carry_no_chain() -> None:
    """Design section 5: chain is a fixture's header."""
    beacon = {L.NUMBER: 1, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}
    assert read(build(AUTHOR, L.KIND_BEACON, beacon)).chain is None
    with pytest.raises(BadHeader, match="chain"):
        read(build(AUTHOR, L.KIND_BEACON, beacon, CHAIN))
    with pytest.raises(BadHeader, match="chain"):
        read(build(AUTHOR, L.KIND_EVENT, EVENT))


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({L.HEADER_ALG: -7}, BadHeader, "algorithm -7"),
        ({L.HEADER_ALG: -8}, BadHeader, "algorithm -8"),
        ({L.HEADER_ALG: -35}, BadHeader, "algorithm -35"),
        ({L.HEADER_ALG: []}, BadHeader, "algorithm"),
        ({L.HEADER_ALG: True}, BadHeader, "algorithm True"),
        ({L.HEADER_ALG: "ES256"}, BadHeader, "algorithm ES256"),
        ({L.HEADER_ALG: None}, BadHeader, "algorithm None"),
        ({L.HEADER_CRIT: [99], 99: 1}, BadHeader, "critical"),
        ({L.HEADER_CRIT: [L.HEADER_ALG]}, BadHeader, "critical"),
        ({L.HEADER_CONTENT_TYPE: 60}, BadHeader, "label 3"),
        ({"x": 1}, BadHeader, "label x"),
        ({L.HEADER_KID: b"1234567"}, BadHeader, "8 bytes"),
        ({L.HEADER_KID: "12345678"}, BadHeader, "8 bytes"),
        ({L.HEADER_TYP: "event"}, BadHeader, "typ"),
        ({L.HEADER_TYP: True}, BadHeader, "typ"),
        ({L.HEADER_TYP: 65000}, BadHeader, "65000"),
        ({L.HEADER_TYP: L.KIND_CERTIFICATE}, BadHeader, "65045"),
        ({L.HEADER_CWT_CLAIMS: {1: "YUHANG1"}}, BadHeader, "issuer"),
        ({L.HEADER_CWT_CLAIMS: {1: "YUHANG1", 2: "W1", 6: 1}}, BadHeader, "issuer"),
        ({L.HEADER_CWT_CLAIMS: {1: "Y" * 17, 2: "W1"}}, BadHeader, "16"),
        ({L.HEADER_CWT_CLAIMS: {1: "", 2: "W1"}}, BadHeader, "16"),
        ({L.HEADER_CWT_CLAIMS: {1: "Cafe\u0301", 2: "W1"}}, BadText, "normal form"),
        ({L.HEADER_CWT_CLAIMS: None}, BadHeader, "issuer"),
        ({L.HEADER_CHAIN: [0, 0, bytes(32)]}, BadShape, "epoch"),
        ({L.HEADER_CHAIN: [1, 0, bytes(31)]}, BadShape, "32 bytes"),
    ],
)
def test_a_header_that_breaks_a_rule_is_refused_with_the_reason(
    change: dict[Any, Any], error: type[Exception], words: str
) -> None:
    """Design section 5's table, one row broken at a time; the message is otherwise right."""
    assert read(message(HEADER)).payload == EVENT
    with pytest.raises(error, match=words):
        read(message({**HEADER, **change}))


@pytest.mark.parametrize("label", HEADER)
def test_no_label_of_the_header_may_be_missing(label: int) -> None:
    """Each of the five says something the receiver needs."""
    with pytest.raises((BadHeader, BadShape)):
        read(message({name: value for name, value in HEADER.items() if name != label}))


@pytest.mark.parametrize("header", [[], 1, None, b""])
def test_a_protected_header_is_a_map(header: Any) -> None:
    """RFC 9052 section 3."""
    with pytest.raises(BadShape, match="map"):
        read(message(header))


def test_the_algorithm_is_never_taken_from_the_unprotected_header() -> None:
    """Style page D: an attacker writes there what he likes; and a stored statement has nothing there at all."""
    protected = encode({name: value for name, value in HEADER.items() if name != L.HEADER_ALG})
    unprotected = b"\x84" + encode(protected) + b"\xa1\x01\x28" + encode(encode(EVENT)) + encode(bytes(64))
    with pytest.raises(BadShape, match="unprotected"):
        read(b"\xd2" + unprotected)


def test_a_statement_has_its_payload_and_64_bytes_of_signature() -> None:
    """A detached payload or a DER signature is no statement."""
    protected = encode(encode(HEADER))
    with pytest.raises(BadShape):
        read(b"\xd2\x84" + protected + b"\xa0\xf6" + encode(bytes(64)))
    with pytest.raises(BadShape):
        read(b"\xd2\x84" + protected + b"\xa0" + encode(encode(EVENT)) + encode(bytes(70)))


def test_foreign_forms_are_no_statements() -> None:
    """Untagged, tagged otherwise, followed by something, too large."""
    with pytest.raises(WireError):
        read(RAW[1:])
    with pytest.raises(WireError):
        read(b"\xd1" + RAW[1:])
    with pytest.raises(Trailing):
        read(RAW + b"\x00")
    with pytest.raises(OverLimit):
        read(message(HEADER, {L.EVENT: "x", L.DETAIL: "y" * 20000}))


def test_text_is_in_normal_form_c() -> None:
    """Design section 5: e with a combining accent (NFD) is another spelling of the same word."""
    read(message(HEADER, {L.EVENT: "x", L.DETAIL: "caf\u00e9"}))
    with pytest.raises(BadText):
        read(message(HEADER, {L.EVENT: "x", L.DETAIL: "cafe\u0301"}))


def test_text_deep_in_a_payload_is_checked_too() -> None:
    """Names in lists of maps: the type of a meter in an attempt's position."""
    position = {L.POSITION: 1, L.METER: "DEMO.1", L.TYPE: "A\u030a", L.READ_BY: 1}
    attempt = {
        L.MODE: 1,
        L.COUNTER: 1,
        L.PLAN: bytes(32),
        L.OPERATOR: b"",
        L.BEACON: bytes(32),
        L.CLOCK: [1, 1, 1],
        L.POSITIONS: [position],
        L.BENCH_CHECKS: [1, 1, 1, 1],
    }
    with pytest.raises(BadText):
        read(build(AUTHOR, L.KIND_ATTEMPT, attempt, CHAIN))


def test_a_payload_out_of_shape_is_refused() -> None:
    """kinds.py's table, looked at again on the receiver's side."""
    for payload in ({L.EVENT: "x"}, {**EVENT, 9999: 1}, [], {L.EVENT: 5, L.DETAIL: "y"}):
        with pytest.raises(BadShape):
            read(message(HEADER, payload))


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_a_changed_byte_gives_another_identity_or_an_error(at: int, change: int) -> None:
    """Two different messages never have one identity; nothing but our own errors ever comes out."""
    raw = bytearray(RAW)
    raw[at] ^= change
    try:
        statement = read(bytes(raw))
    except (WireError, ProtocolError):
        return
    assert statement.identity != sha256(RAW)


@given(st.binary(max_size=120))
def test_hostile_bytes_end_in_one_named_error(raw: bytes) -> None:
    """Design section 13: never a traceback, never a crash."""
    with pytest.raises((WireError, ProtocolError)) as caught:
        read(raw)
    assert caught.value.code
