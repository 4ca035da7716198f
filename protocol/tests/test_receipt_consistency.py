"""Receipts of consistency (RFC 9942 section 5.3): their shape as cbor2 sees it, and all that must not hold."""

import subprocess
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol import receipt
from meterseal_protocol.errors import BadHeader, BadProof, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.merkle import Growth, grow, include, leaf_hash, subtree
from meterseal_protocol.receipt import Continued, check_consistency, issue, issue_consistency
from meterseal_wire.digest import sha256
from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import BadShape, WireError
from meterseal_wire.sign1 import sig_structure
from meterseal_wire.statement import Author
from meterseal_wire.suites import ED25519, ESP256, SM2, Suite

NAMES = [sha256(bytes([number])) for number in range(9)]
HASHES = [leaf_hash(name) for name in NAMES]
ROOTS = [b"", *(subtree(HASHES, 0, size) for size in range(1, 10))]
KEY = PrivateKey(bytes(31) + b"\x07")
AUTHOR = Author("REG-CN", "log", KEY)
FIRST, SECOND, SIGNED_S = 3, 7, 1_790_000_000
RAW = issue_consistency(AUTHOR, ROOTS[FIRST], grow(HASHES, FIRST, SECOND), SIGNED_S)
PATH = grow(HASHES, FIRST, SECOND).path
CLAIMS = {1: "REG-CN", 2: "log", 6: SIGNED_S}
HEADER = {1: -9, 4: KEY.thumbprint[:8], 15: CLAIMS, 395: 1}


def ring(key: PrivateKey = KEY) -> KeyRing:
    """The log's key alone."""
    found = KeyRing()
    found.add(key.public)
    return found


def made(header: Any = None, proof: Any = None, payload: bytes | None = None, outer: Any = None) -> bytes:
    """A receipt with parts exchanged, signed rightly over the right new root."""
    protected = encode(HEADER if header is None else header)
    inner = encode([FIRST, SECOND, PATH] if proof is None else proof)
    signature = KEY.suite.canonical(KEY.sign(sig_structure(protected, ROOTS[SECOND])))
    unprotected = {396: {-2: [inner]}} if outer is None else outer
    return bytes(encode(Tag(18, [protected, unprotected, payload, signature])))


def check(raw: bytes) -> Continued:
    """Against the tree of three leaves, under the log's key."""
    return check_consistency(raw, FIRST, ROOTS[FIRST], ring())


def test_a_receipt_proves_that_the_log_only_grew() -> None:
    """What went in comes out; the new root is that of all seven leaves."""
    assert check(RAW) == Continued(3, 7, ROOTS[7], SIGNED_S, KEY.thumbprint)
    assert check(made()) == check(RAW)


def test_its_shape_is_that_of_rfc_9942() -> None:
    """Read by cbor2: vds 1 in the protected header, a consistency proof under 396 and -2, payload detached."""
    protected, unprotected, payload, _ = cbor2.loads(RAW).value
    assert cbor2.loads(protected) == HEADER
    assert list(unprotected) == [396]
    assert list(unprotected[396]) == [-2]
    assert cbor2.loads(unprotected[396][-2][0]) == [3, 7, PATH]
    assert payload is None


def test_the_signature_is_over_the_newer_root(tmp_path: Path) -> None:
    """RFC 9942: the payload is the newer Merkle tree hash. Sig_structure by cbor2, verified by the openssl command."""
    protected, _, _, signature = cbor2.loads(RAW).value
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")  # RFC 5480
    (tmp_path / "key.der").write_bytes(spki + KEY.public_xy)
    (tmp_path / "signed").write_bytes(cbor2.dumps(["Signature1", protected, b"", ROOTS[7]]))
    halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    (tmp_path / "signature").write_bytes(encode_dss_signature(*halves))
    command = "openssl pkeyutl -verify -pubin -keyform DER -inkey key.der -rawin -digest sha256 -in signed"
    done = subprocess.run(
        [*command.split(), "-sigfile", "signature"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "Signature Verified Successfully" in done.stdout + done.stderr


@pytest.mark.parametrize("second", range(2, 10))
def test_it_holds_for_every_pair_of_sizes(second: int) -> None:
    """Trees of up to nine leaves."""
    for first in range(1, second):
        raw = issue_consistency(AUTHOR, ROOTS[first], grow(HASHES, first, second), SIGNED_S)
        assert check_consistency(raw, first, ROOTS[first], ring()).root == ROOTS[second]


@pytest.mark.parametrize("suite", [ESP256, SM2, ED25519], ids=lambda suite: suite.name)
def test_a_log_may_sign_in_any_suite(suite: Suite) -> None:
    """The tree stays SHA-256: RFC 9942 knows no other for vds 1."""
    key = PrivateKey(bytes(31) + b"\x05", suite)
    raw = issue_consistency(Author("REG-CN", "log", key), ROOTS[FIRST], grow(HASHES, FIRST, SECOND), SIGNED_S)
    assert check_consistency(raw, FIRST, ROOTS[FIRST], ring(key)).key == key.thumbprint
    with pytest.raises(UnknownKey, match="receipt"):
        check_consistency(raw, FIRST, ROOTS[FIRST], ring())


def test_it_does_not_hold_for_another_old_tree() -> None:
    """Another root of three leaves; the root of another size; another size."""
    for size, root in ((3, bytes(32)), (3, ROOTS[4]), (4, ROOTS[4]), (0, b""), (7, ROOTS[7])):
        with pytest.raises(BadProof):
            check_consistency(RAW, size, root, ring())


def test_the_size_that_is_known_must_be_the_receipts() -> None:
    """A caller who has the root of four leaves for a tree of three learns nothing about his tree."""
    raw = issue_consistency(AUTHOR, ROOTS[4], grow(HASHES, 4, 7), SIGNED_S)
    assert check_consistency(raw, 4, ROOTS[4], ring()).first == 4
    with pytest.raises(BadProof, match="a tree of 4 leaves, not of 3"):
        check_consistency(raw, 3, ROOTS[4], ring())


def test_a_log_does_not_sign_a_growth_that_is_none() -> None:
    """Equal sizes, a proof from another root: BadProof before anything is signed."""
    for old, growth in (
        (ROOTS[3], Growth(3, 3, [])),
        (ROOTS[4], grow(HASHES, 3, 7)),
        (ROOTS[3], Growth(3, 7, PATH[:-1])),
    ):
        with pytest.raises(BadProof):
            issue_consistency(AUTHOR, old, growth, SIGNED_S)


def test_one_kind_of_receipt_is_never_read_as_the_other() -> None:
    """Even with its proofs exchanged: the claims differ, so what was signed for one does not serve as the other."""
    entry = issue(AUTHOR, NAMES[4], include(HASHES, 4, SECOND), SIGNED_S)
    with pytest.raises(BadShape, match="inclusion"):
        receipt.check(RAW, NAMES[4], ring())
    with pytest.raises(BadShape, match="consistency"):
        check(entry)
    protected, _, _, signature = cbor2.loads(entry).value
    with pytest.raises(BadHeader, match="claims of a receipt of consistency"):
        check(encode(Tag(18, [protected, {396: {-2: [encode([FIRST, SECOND, PATH])]}}, None, signature])))
    protected, _, _, signature = cbor2.loads(RAW).value
    place = encode([SECOND, 4, include(HASHES, 4, SECOND).path])
    with pytest.raises(BadHeader, match="claims"):
        receipt.check(encode(Tag(18, [protected, {396: {-1: [place]}}, None, signature])), NAMES[4], ring())


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, 1: -7},
        {**HEADER, 395: 2},
        {**HEADER, 395: True},
        {**HEADER, 2: [99], 99: 1},
        {name: value for name, value in HEADER.items() if name != 395},
        {**HEADER, 15: {**CLAIMS, 7: bytes(32)}},
        {**HEADER, 15: {1: "REG-CN", 2: "log"}},
        {**HEADER, 15: {**CLAIMS, 6: True}},
        {**HEADER, 15: {**CLAIMS, 6: -1}},
        {**HEADER, 15: {**CLAIMS, 1: 5}},
        {**HEADER, 15: {**CLAIMS, 2: b"log"}},
        {**HEADER, 4: b"short"},
        {**HEADER, 15: []},
        [],
    ],
)
def test_a_header_that_is_not_of_consistency_is_refused(header: Any) -> None:
    """Alg of a suite, vds RFC 9162, {iss, sub, iat}, an 8-byte kid, nothing else; the signature is right each time."""
    with pytest.raises(BadHeader):
        check(made(header=header))


@pytest.mark.parametrize(
    "proof, error",
    [
        ([FIRST, SECOND], BadShape),
        ([FIRST, SECOND, PATH, 0], BadShape),
        ([True, SECOND, PATH], BadShape),
        ([FIRST, -SECOND, PATH], BadShape),
        ([FIRST, SECOND, [b"short"]], BadShape),
        ([FIRST, SECOND, [bytes(32)] * 64], BadShape),
        ([FIRST, SECOND, [bytes(32)] * 63], BadProof),
        ([FIRST, SECOND, b""], BadShape),
        ([FIRST, SECOND, []], BadProof),
        ([0, SECOND, PATH], BadProof),
        ([FIRST, FIRST, PATH], BadProof),
        ([FIRST, 2, PATH], BadProof),
        ([FIRST, SECOND, PATH[1:]], BadProof),
        ([FIRST, SECOND, [*PATH, bytes(32)]], BadProof),
        ([FIRST, SECOND, [*PATH[:-1], bytes(32)]], Unverified),
    ],
)
def test_a_proof_that_cannot_be_one_is_refused(proof: Any, error: type[Exception]) -> None:
    """[first, second, [path]] within limits, from the root that is known to the root that was signed."""
    with pytest.raises(error):
        check(made(proof=proof))


@pytest.mark.parametrize(
    "outer",
    [
        {},
        {396: {}},
        {396: {-2: []}},
        {396: {-2: [b"", b""]}},
        {396: {-1: [b""], -2: [b""]}},
        {396: 5},
        {396: {-2: [5]}},
        {396: {-2: [b""]}, 4: b""},
        {395: 1, 396: {-2: [b""]}},
    ],
)
def test_a_receipt_carries_exactly_one_consistency_proof(outer: Any) -> None:
    """Other proofs and other labels are not ours."""
    with pytest.raises(BadShape):
        check(made(outer=outer))


def test_a_receipt_with_an_attached_payload_is_refused() -> None:
    """The root is computed, never believed."""
    with pytest.raises(BadShape, match="detached"):
        check(made(payload=ROOTS[7]))


def test_the_newer_size_is_for_a_checkpoint_to_say() -> None:
    """The limit told in the module's docstring, shown: growth 3 to 7 passes for 3 to 8, under the root of 7."""
    found = check(made(proof=[FIRST, 8, PATH]))
    assert (found.second, found.root) == (8, ROOTS[7])


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused_or_proves_the_same(at: int, change: int) -> None:
    """All but the newer size is signed, known or has one spelling."""
    raw = bytearray(RAW)
    raw[at] ^= change
    try:
        found = check(bytes(raw))
    except (WireError, ProtocolError):
        return
    assert (found.first, found.root, found.signed_s, found.key) == (3, ROOTS[7], SIGNED_S, KEY.thumbprint)
    assert found.second != SECOND
