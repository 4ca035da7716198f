"""Signatures over the bytes that arrived. Strangers' messages: cose-wg/Examples; Ed25519: Wycheproof."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadHeader, BadKey, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PrivateKey, PublicKey
from meterseal_protocol.statement import read
from meterseal_protocol.verify import verify, verify_ed25519, verify_foreign
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.statement import Author, build, seal
from meterseal_wire.suites import ED25519, SM2, SUITES

DATA = Path(__file__).parent / "data"
EXAMPLES = [(path, json.loads(path.read_text())) for path in sorted((DATA / "cose").rglob("*.json"))]
WYCHEPROOF = [
    (group["publicKey"]["pk"], case)
    for path in sorted((DATA / "wycheproof").glob("*.json"))
    for group in json.loads(path.read_text())["testGroups"]
    if group["type"] == "EddsaVerify" and group["publicKey"]["curve"] == "edwards25519"
    for case in group["tests"]
]
ACCEPTED = {"ES256": "P-256", "EdDSA": "Ed25519"}  # algorithm and the curve on which we take it
KEY = PrivateKey(bytes(31) + b"\x07")
EVENT: dict[int, Any] = {L.EVENT: "case.opened", L.DETAIL: "seal 17"}
RAW = build(Author("YUHANG1", "W1", KEY), L.KIND_EVENT, EVENT, (1, 1, bytes(32)))


def ring(*keys: PublicKey) -> KeyRing:
    """A ring of these keys."""
    found = KeyRing()
    for key in keys:
        found.add(key)
    return found


def cose_key(row: dict[str, Any]) -> dict[int, Any]:
    """An example's key as COSE_Key; coordinates come as base64url or hex."""
    if row["kty"] == "EC":
        curve = {"P-256": 1, "P-384": 2, "P-521": 3}[row["crv"]]
        return {1: 2, -1: curve, -2: member(row, "x"), -3: member(row, "y")}
    if row["kty"] == "OKP":
        return {1: 1, -1: {"Ed25519": 6, "Ed448": 7}[row["crv"]], -2: member(row, "x")}
    return {1: 4}


def member(row: dict[str, Any], name: str) -> bytes:
    """One coordinate."""
    if f"{name}_hex" in row:
        return bytes.fromhex(row[f"{name}_hex"])
    return base64.urlsafe_b64decode(row[name] + "==")


def key_of(example: dict[str, Any]) -> dict[int, Any]:
    """The first key that an example names; a symmetric one where it is no signature at all."""
    for part in example["input"].values():
        rows = [part, *part.get("signers", []), *part.get("recipients", [])] if isinstance(part, dict) else []
        for row in rows:
            if "key" in row:
                return cose_key(row["key"])
    return {1: 4}


def should_hold(example: dict[str, Any]) -> bool:
    """What the example's own description says: a single signer, not made to fail, algorithm and curve we take."""
    signed = example["input"].get("sign0")
    if signed is None or example.get("fail"):
        return False
    return ACCEPTED.get(signed.get("protected", {}).get("alg")) == signed["key"]["crv"]


def test_the_examples_are_there() -> None:
    """A loader that finds nothing would pass everything; both outcomes occur."""
    assert len(EXAMPLES) >= 12
    assert {should_hold(example) for _, example in EXAMPLES} == {True, False}
    assert len(WYCHEPROOF) >= 79


@pytest.mark.parametrize("path, example", EXAMPLES, ids=lambda item: getattr(item, "stem", ""))
def test_every_cose_wg_example_holds_or_is_refused_with_a_reason(path: Path, example: dict[str, Any]) -> None:
    """-7 and -8 are accepted from strangers, tagged or not; MAC, multi-signer and other curves are refused by name."""
    raw = bytes.fromhex(example["output"]["cbor"])
    external = bytes.fromhex(example["input"].get("sign0", {}).get("external", ""))
    if should_hold(example):
        payload = verify_foreign(raw, key_of(example), external)
        plain = example["input"].get("plaintext", "").encode()
        assert payload == plain or payload == bytes.fromhex(example["input"].get("plaintext_hex", ""))
        with pytest.raises(Unverified):
            verify_foreign(raw, key_of(example), external + b"\x00")
        return
    with pytest.raises((BadHeader, BadKey, Unverified)) as caught:
        verify_foreign(raw, key_of(example), external)
    assert str(caught.value)


@pytest.mark.parametrize("path, example", EXAMPLES, ids=lambda item: getattr(item, "stem", ""))
def test_no_cose_wg_example_is_one_of_our_statements(path: Path, example: dict[str, Any]) -> None:
    """Design section 5: -7 and -8 never for statements; foreign headers, untagged forms and MACs least of all."""
    with pytest.raises((WireError, ProtocolError)):
        read(bytes.fromhex(example["output"]["cbor"]))


@pytest.mark.parametrize(
    "public, case", WYCHEPROOF, ids=lambda item: str(item.get("tcId")) if isinstance(item, dict) else ""
)
def test_every_wycheproof_case_of_ed25519_ends_as_it_says(public: str, case: dict[str, Any]) -> None:
    """C2SP/wycheproof: `result` valid or invalid."""
    message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
    if case["result"] == "valid":
        verify_ed25519(bytes.fromhex(public), message, signature)
        return
    with pytest.raises(Unverified):
        verify_ed25519(bytes.fromhex(public), message, signature)


def foreign(
    alg: Any, tagged: bool = True, external: bytes = b"", crit: bool = False
) -> tuple[bytes, dict[int, Any]]:
    """A stranger's message and key, made with cbor2 and `cryptography` alone."""
    header = {1: alg, 2: [99], 99: 1} if crit else {1: alg}
    protected = cbor2.dumps(header)
    signed = cbor2.dumps(["Signature1", protected, external, b"hello"])
    if alg in (-8, -19):
        secret = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01")
        signature = secret.sign(signed)
        key = {1: 1, -1: 6, -2: secret.public_key().public_bytes_raw()}
    else:
        signature = KEY.sign(signed)
        key = KEY.public.cose
    parts = [protected, {4: b"11"}, b"hello", signature]
    return cbor2.dumps(cbor2.CBORTag(18, parts) if tagged else parts), key


@pytest.mark.parametrize("alg", [-7, -8, -9, -19])
@pytest.mark.parametrize("tagged", [True, False])
def test_four_algorithms_are_taken_from_strangers_tagged_or_not(alg: int, tagged: bool) -> None:
    """RFC 9053 (ES256, EdDSA) and RFC 9864 (ESP256, Ed25519)."""
    raw, key = foreign(alg, tagged)
    assert verify_foreign(raw, key) == b"hello"


def test_external_data_is_part_of_what_is_signed() -> None:
    """RFC 9052 section 4.3."""
    raw, key = foreign(-7, external=b"\x11\xaa")
    assert verify_foreign(raw, key, b"\x11\xaa") == b"hello"
    with pytest.raises(Unverified):
        verify_foreign(raw, key)


@pytest.mark.parametrize("alg", [-35, -36, -257, 5, "ES256", None, [1]])
def test_other_algorithms_are_refused_by_name(alg: Any) -> None:
    """Nothing is guessed from the key."""
    raw, key = foreign(alg)
    with pytest.raises(BadHeader, match="algorithm"):
        verify_foreign(raw, key)


def test_an_algorithm_outside_the_protected_header_is_not_taken() -> None:
    """RFC 9052 section 3.1; cose-wg's sign-pass-01 puts it there, and we refuse it with the reason."""
    signed = cbor2.dumps(["Signature1", b"", b"", b"hello"])
    raw = cbor2.dumps(cbor2.CBORTag(18, [b"", {1: -7}, b"hello", KEY.sign(signed)]))
    with pytest.raises(BadHeader, match="protected header names no algorithm"):
        verify_foreign(raw, KEY.public.cose)


def test_critical_labels_that_nobody_understands_are_refused() -> None:
    """RFC 9052 section 3.1: crit is there to be obeyed."""
    raw, key = foreign(-7, crit=True)
    with pytest.raises(BadHeader, match="critical"):
        verify_foreign(raw, key)


def test_a_key_of_another_kind_is_refused() -> None:
    """The algorithm binds the key: an Ed25519 key checks no ES256, and the other way round."""
    p256, ed25519 = foreign(-7), foreign(-8)
    with pytest.raises(BadKey):
        verify_foreign(p256[0], ed25519[1])
    with pytest.raises(BadKey):
        verify_foreign(ed25519[0], p256[1])
    with pytest.raises(BadKey):
        verify_foreign(ed25519[0], {1: 1, -1: 6, -2: bytes(31)})


@given(st.binary(max_size=80))
def test_a_strangers_bytes_end_in_one_named_error(raw: bytes) -> None:
    """Whatever cbor2 makes of them, a ProtocolError comes out."""
    with pytest.raises(ProtocolError):
        verify_foreign(raw, KEY.public.cose)


@pytest.mark.parametrize(
    "text",
    ["d28441ff a0 40 40", "d28443c11bff a0 40 40", "c48201 1bffffffffffffffff", "d284 41a0 a0 f6 40", "8140"],
)
def test_odd_bytes_inside_a_strangers_message_are_refused(text: str) -> None:
    """A header that is no CBOR, dates and big numbers that no clock holds, a detached payload, too few parts."""
    with pytest.raises(ProtocolError):
        verify_foreign(bytes.fromhex(text), KEY.public.cose)


def test_a_statement_verifies_under_the_key_that_signed_it() -> None:
    """The key found is given back: kinds and grants ask for it."""
    found = verify(RAW, ring(PrivateKey.generate().public, KEY.public))
    assert found.key == KEY.public
    assert found.statement.payload == EVENT


def test_a_kid_that_fits_two_keys_tries_both() -> None:
    """Design section 5: a kid is a hint; here another key carries the same one."""
    other = PrivateKey.generate().public
    other.kid = KEY.public.kid
    assert verify(RAW, ring(other, KEY.public)).key == KEY.public
    with pytest.raises(Unverified):
        verify(RAW, ring(other))


def test_an_unknown_key_is_nobodys_fault_yet() -> None:
    """The caller learns the grant and tries again; the text says which kid."""
    with pytest.raises(UnknownKey, match=KEY.thumbprint[:8].hex()):
        verify(RAW, KeyRing())


def test_cryptography_and_cbor2_alone_verify_our_statement() -> None:
    """No code of ours: the Sig_structure of RFC 9052 section 4.4 by cbor2, the signature by `cryptography`."""
    protected, _, payload, signature = cbor2.loads(RAW).value
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + KEY.public_xy)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


def test_the_openssl_command_verifies_our_statement(tmp_path: Path) -> None:
    """A third implementation, from the command line: the Sig_structure's bytes, the key as PEM, r and s as DER."""
    protected, _, payload, signature = cbor2.loads(RAW).value
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + KEY.public_xy)
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "signature").write_bytes(encode_dss_signature(r, s))
    (tmp_path / "signed").write_bytes(cbor2.dumps(["Signature1", protected, b"", payload]))
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "signed"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout == b"Verified OK\n"


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_statement_is_refused(at: int, change: int) -> None:
    """Header, payload, signature, framing: every byte is either signed or has one spelling."""
    raw = bytearray(RAW)
    raw[at] ^= change
    with pytest.raises((WireError, ProtocolError)):
        verify(bytes(raw), ring(KEY.public))


@given(st.integers(0, len(RAW) - 1))
def test_a_statement_cut_short_is_refused(end: int) -> None:
    """Every proper prefix."""
    with pytest.raises(WireError):
        verify(RAW[:end], ring(KEY.public))


def test_what_verifies_is_what_arrived_and_not_what_it_might_have_meant() -> None:
    """A header re-spelled with a longer integer means the same and is refused: nothing is encoded again."""
    protected, _, payload, signature = cbor2.loads(RAW).value
    assert protected[:3] == b"\xa5\x01\x28"
    longer = b"\xa5\x01\x38\x08" + protected[3:]
    assert cbor2.loads(longer) == cbor2.loads(protected)
    raw = cbor2.dumps(cbor2.CBORTag(18, [longer, {}, payload, signature]))
    with pytest.raises(WireError):
        verify(raw, ring(KEY.public))


def test_the_other_spelling_of_a_signature_is_refused() -> None:
    """SEC 1 section 4.1.4: with (r, s) also (r, n - s) verifies; accepted twice, a statement would look like a fork."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    key = PrivateKey.generate()
    ring = KeyRing()
    ring.add(key.public)
    payload = {L.ORIGIN: "edge/E", L.LOG_SIZE: 1, L.LOG_ROOT: bytes(32), L.TIME_S: 1}
    raw = build(Author("E", "S", key), L.KIND_CHECKPOINT, payload)
    s = int.from_bytes(raw[-32:], "big")
    assert s <= order // 2
    respelled = raw[:-32] + (order - s).to_bytes(32, "big")
    assert verify(raw, ring).statement.kind == "checkpoint"
    with pytest.raises(Unverified, match="respelled"):
        verify(respelled, ring)


@pytest.mark.parametrize("alg", [-9, -19, -70102])
def test_a_strangers_message_may_be_of_any_suite_of_ours(alg: int) -> None:
    """Each of our own numbers is taken with a key of that suite, and with no other."""
    keys = {suite.alg: PrivateKey.generate(suite) for suite in SUITES}
    protected = cbor2.dumps({1: alg})
    signature = keys[alg].sign(cbor2.dumps(["Signature1", protected, b"", b"hello"]))
    raw = cbor2.dumps([protected, {4: b"x"}, b"hello", signature])
    assert verify_foreign(raw, keys[alg].public.cose) == b"hello"
    for other in set(keys) - {alg}:
        with pytest.raises(BadKey, match="needs a key of"):
            verify_foreign(raw, keys[other].public.cose)
    with pytest.raises(Unverified):
        verify_foreign(raw[:-1] + bytes([raw[-1] ^ 1]), keys[alg].public.cose)


@pytest.mark.parametrize("alg, own", [(-7, -9), (-8, -19)])
def test_an_older_name_of_an_algorithm_is_taken_from_strangers_and_never_from_us(alg: int, own: int) -> None:
    """Design section 5: -7 and -8 name the same arithmetic and no curve; a statement that uses one is refused."""
    key = next(PrivateKey.generate(suite) for suite in SUITES if suite.alg == own)
    protected = cbor2.dumps({1: alg})
    raw = cbor2.dumps([protected, {}, b"m", key.sign(cbor2.dumps(["Signature1", protected, b"", b"m"]))])
    assert verify_foreign(raw, key.public.cose) == b"m"
    author = Author("YUHANG1", "W1", key)
    statement = cbor2.loads(build(author, L.KIND_EVENT, EVENT, (1, 1, bytes(32)))).value
    header = encode({**cbor2.loads(statement[0]), 1: alg})
    with pytest.raises(BadHeader, match=f"algorithm {alg}"):
        verify(seal(author, header, statement[2]), ring(key.public))


def test_no_key_of_the_kid_has_the_headers_algorithm() -> None:
    """The answer says of which suites the keys are: the sender mixed up keys, or somebody changed the header."""
    keys = [PrivateKey.generate(suite).public for suite in (ED25519, SM2)]
    for key in keys:
        key.kid = KEY.public.kid
    with pytest.raises(BadHeader, match="is of Ed25519, SM2"):
        verify(RAW, ring(*keys))
