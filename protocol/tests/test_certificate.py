"""The certificate: a CWT that fits a QR code; its form as cbor2 sees it, its size, and every refusal."""

import hashlib
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.certificate import Certificate, issue, marks_hash, read, read_signed
from meterseal_protocol.errors import BadHeader, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, BadText, WireError
from meterseal_wire.sign1 import join
from meterseal_wire.statement import Author, seal

KEY = PrivateKey(bytes(31) + b"\x07")
AUTHOR = Author("REG-CN", "record", KEY)
SAMPLE = Certificate(
    issuer="REG-CN",
    meter="DEMO.12082058",
    issued_s=1_790_000_000,
    expires_s=1_800_000_000,
    territory=("33",),
    rules=b"rules..8",
    result=b"result.........x",
    position=3,
    end_register=1234,
    exponent=-3,
    marks=b"marks..8",
    status_list=1,
    status_index=77,
    demo=True,
)
RAW = issue(AUTHOR, SAMPLE)
OWN = [["33"], b"rules..8", b"result.........x", 3, 1234, -3, b"marks..8", 1, 77, 1]
CLAIMS = {1: "REG-CN", 2: "DEMO.12082058", 4: 1_800_000_000, 6: 1_790_000_000, -70002: OWN}
HEADER = {1: -9, 4: AUTHOR.kid, 16: 65045}


def ring() -> KeyRing:
    """The registry's key alone."""
    found = KeyRing()
    found.add(KEY.public)
    return found


def made(claims: Any = None, header: Any = None) -> bytes:
    """A rightly signed message with claims or header exchanged."""
    protected = encode(HEADER if header is None else header)
    return bytes(seal(AUTHOR, protected, encode(CLAIMS if claims is None else claims)))


def with_own(index: int, value: Any) -> bytes:
    """A certificate with one of its own ten items exchanged."""
    return made({**CLAIMS, -70002: [*OWN[:index], value, *OWN[index + 1 :]]})


def test_a_certificate_comes_back_with_its_signer() -> None:
    """Every field, and the key that the trust file must know."""
    assert read(RAW, ring()) == SAMPLE
    assert read_signed(RAW, ring()) == (SAMPLE, KEY.public)


def test_its_form_is_the_contracts() -> None:
    """Read by cbor2: three header labels, four standard claims (RFC 8392) and one of our own with ten items."""
    protected, unprotected, body, signature = cbor2.loads(RAW).value
    assert cbor2.loads(protected) == {1: -9, 4: KEY.thumbprint[:8], 16: 65045}
    assert unprotected == {}
    assert cbor2.loads(body) == CLAIMS
    KEY.public.verify(cbor2.dumps(["Signature1", protected, b"", body]), signature)


def test_the_size_is_what_a_qr_code_can_carry(record_property: Any) -> None:
    """ISO 18004: version 12-M has 290 data codewords, 2320 bits. A URL of 59 bytes takes 4 + 16 + 472 of them, the
    fragment 4 + 11 and 5.5 a character: 329 characters of base32 are 205 bytes.
    """
    record_property("certificate_bytes", len(RAW))
    print(f"certificate: {len(RAW)} bytes")
    assert len(RAW) <= 205


def test_marks_bind_serial_address_and_seal() -> None:
    """First 8 bytes of SHA-256 over CBOR [text, bytes, text], encoded here by cbor2."""
    address = bytes.fromhex("5820081277041416")
    expected = hashlib.sha256(cbor2.dumps(["12082058", address, "S-17"])).digest()[:8]
    assert marks_hash("12082058", address, "S-17") == expected
    assert marks_hash("12082058", address, "") != expected


def test_the_helper_of_these_tests_makes_a_good_certificate() -> None:
    """So that each refusal below is due to the one thing that was changed."""
    assert read(made(), ring()) == SAMPLE
    assert made()[: len(RAW) - 64] == RAW[:-64]


@pytest.mark.parametrize(
    "index, value",
    [
        (0, "33"),
        (0, [33]),
        (0, ["3301100"]),
        (1, b"short"),
        (2, b"result"),
        (3, -1),
        (3, True),
        (4, "1234"),
        (5, None),
        (6, b""),
        (7, -1),
        (8, -1),
        (9, 2),
        (9, True),
    ],
)
def test_an_own_item_out_of_shape_is_refused(index: int, value: Any) -> None:
    """Ten items, each of its type and length; the signature is right each time."""
    with pytest.raises(BadShape):
        read(with_own(index, value), ring())


@pytest.mark.parametrize(
    "claims",
    [
        [],
        {**CLAIMS, 5: 1},
        {name: value for name, value in CLAIMS.items() if name != 4},
        {**CLAIMS, 2: 5},
        {**CLAIMS, 2: "M" * 49},
        {**CLAIMS, 1: "R" * 17},
        {**CLAIMS, 4: -1},
        {**CLAIMS, 6: True},
        {**CLAIMS, -70002: OWN[:9]},
        {**CLAIMS, -70002: [*OWN, 0]},
        {**CLAIMS, -70002: 5},
    ],
)
def test_claims_out_of_shape_are_refused(claims: Any) -> None:
    """Closed: nothing more, nothing less."""
    with pytest.raises(BadShape):
        read(made(claims), ring())


def test_a_meter_id_is_in_normal_form_c() -> None:
    """Otherwise two spellings on two screens would be one meter."""
    with pytest.raises(BadText):
        read(made({**CLAIMS, 2: "DE\u0301MO.1"}), ring())


@pytest.mark.parametrize(
    "header, error",
    [
        ({**HEADER, 1: -7}, BadHeader),
        ({**HEADER, 16: 65044}, BadHeader),
        ({**HEADER, 15: {1: "a", 2: "b"}}, BadHeader),
        ({**HEADER, 2: [99], 99: 1}, BadHeader),
        ({1: -9, 4: AUTHOR.kid}, BadHeader),
        ({**HEADER, 4: b"short"}, BadShape),
        ({**HEADER, 4: 5}, BadShape),
        ([], BadHeader),
    ],
)
def test_another_header_is_no_certificate(header: Any, error: type[Exception]) -> None:
    """alg, kid and typ, each as it must be."""
    with pytest.raises(error):
        read(made(header=header), ring())


def test_damage_is_told_from_an_unknown_key() -> None:
    """Form is judged before the key is looked up: damaged is *not valid*, an unknown key *cannot say*."""
    with pytest.raises(UnknownKey):
        read(RAW, KeyRing())
    with pytest.raises(BadShape):
        read(with_own(3, -1), KeyRing())


def test_another_keys_signature_does_not_hold() -> None:
    """The kid names the registry, the signature is somebody's."""
    protected, _, body, _ = cbor2.loads(RAW).value
    with pytest.raises(Unverified):
        read(join(protected, body, PrivateKey.generate().sign(b"something")), ring())


def test_a_statement_is_no_certificate() -> None:
    """The same key signs beacons; a certificate's header has no claims of issuer and subject."""
    beacon = encode({L.NUMBER: 1, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)})
    header = encode({1: -9, 4: AUTHOR.kid, 15: {1: "REG-CN", 2: "b"}, 16: L.KIND_BEACON})
    with pytest.raises(BadHeader):
        read(seal(AUTHOR, header, beacon), ring())


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_certificate_is_refused(at: int, change: int) -> None:
    """Change the QR's payload and nothing remains."""
    raw = bytearray(RAW)
    raw[at] ^= change
    with pytest.raises((WireError, ProtocolError)):
        read(bytes(raw), ring())


@given(
    st.integers(0, 9),
    st.integers(-9, 9),
    st.booleans(),
    st.lists(st.text("0123456789", max_size=6), max_size=3),
)
def test_every_certificate_that_can_be_issued_can_be_read(
    position: int, exponent: int, demo: bool, territory: list[str]
) -> None:
    """Issue and read are inverses."""
    varied = replace(SAMPLE, position=position, exponent=exponent, demo=demo, territory=tuple(territory))
    assert read(issue(AUTHOR, varied), ring()) == varied
