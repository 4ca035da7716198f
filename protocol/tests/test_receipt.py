"""COSE receipts (RFC 9942): their shape as cbor2 sees it, and every way in which one must not hold."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadHeader, BadProof, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.merkle import Tree, include, leaf_hash
from meterseal_protocol.receipt import check, issue
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import BadShape, WireError
from meterseal_wire.sign1 import sig_structure
from meterseal_wire.statement import Author

KEY = PrivateKey(bytes(31) + b"\x07")
AUTHOR = Author("REG-CN", "log", KEY)
NAMES = [sha256(bytes([number])) for number in range(7)]
HASHES = [leaf_hash(name) for name in NAMES]
INDEX, SIZE, ENTERED_S = 4, 7, 1_790_000_000
RAW = issue(AUTHOR, NAMES[INDEX], include(HASHES, INDEX, SIZE), ENTERED_S)
CLAIMS = {1: "REG-CN", 2: "log", 6: ENTERED_S, 7: NAMES[INDEX]}
HEADER = {1: -9, 4: KEY.thumbprint[:8], 15: CLAIMS, 395: 1}


def ring() -> KeyRing:
    """The registry's key alone."""
    found = KeyRing()
    found.add(KEY.public)
    return found


def root() -> bytes:
    """Root over all seven."""
    tree = Tree()
    for name in NAMES:
        tree.append(name)
    return tree.root()


def made(
    header: Any = None, proof: Any = None, payload: bytes | None = None, unprotected: Any = None
) -> bytes:
    """A receipt with parts exchanged, signed rightly over the right root."""
    protected = encode(HEADER if header is None else header)
    place = include(HASHES, INDEX, SIZE)
    inner = encode([SIZE, INDEX, place.path] if proof is None else proof)
    outer = {396: {-1: [inner]}} if unprotected is None else unprotected
    return bytes(
        encode(
            Tag(
                18,
                [protected, outer, payload, KEY.suite.canonical(KEY.sign(sig_structure(protected, root())))],
            )
        )
    )


def test_a_receipt_proves_leaf_size_root_and_time() -> None:
    """What went in comes out; the root is that of the whole tree, computed apart."""
    found = check(RAW, NAMES[INDEX], ring())
    assert (found.leaf, found.size, found.entered_s) == (4, 7, 1_790_000_000)
    assert found.root == root()
    assert found.key == KEY.thumbprint


def test_its_shape_is_that_of_rfc_9942() -> None:
    """Read by cbor2: vds 1 in the protected header, an inclusion proof under 396 and -1, payload detached."""
    protected, unprotected, payload, _ = cbor2.loads(RAW).value
    assert cbor2.loads(protected) == HEADER
    assert list(unprotected) == [396]
    assert list(unprotected[396]) == [-1]
    assert cbor2.loads(unprotected[396][-1][0]) == [7, 4, include(HASHES, INDEX, SIZE).path]
    assert payload is None


def test_the_signature_is_over_the_detached_root() -> None:
    """RFC 9942 section 5.2: the payload that is signed is the root; cbor2 spells the Sig_structure."""
    protected, _, _, signature = cbor2.loads(RAW).value
    KEY.public.verify(cbor2.dumps(["Signature1", protected, b"", root()]), signature)


@pytest.mark.parametrize("size", range(1, 8))
def test_a_receipt_holds_for_every_leaf_of_every_size(size: int) -> None:
    """Trees of one to seven leaves."""
    for index in range(size):
        raw = issue(AUTHOR, NAMES[index], include(HASHES, index, size), ENTERED_S)
        assert check(raw, NAMES[index], ring()).leaf == index


def test_a_receipt_for_another_statement_does_not_hold() -> None:
    """The leaf is the statement's identity and nothing else."""
    with pytest.raises(BadProof, match="another statement"):
        check(RAW, NAMES[INDEX - 1], ring())


def test_a_late_entry_cannot_borrow_an_earlier_entrys_time() -> None:
    """Two receipts against one root: time and signature of the early one with the path of the late one."""
    late = issue(AUTHOR, NAMES[6], include(HASHES, 6, SIZE), ENTERED_S + 1000)
    protected, _, _, signature = cbor2.loads(RAW).value
    path = {396: {-1: [encode([SIZE, 6, include(HASHES, 6, SIZE).path])]}}
    forged = encode(Tag(18, [protected, path, None, signature]))
    with pytest.raises(BadProof, match="another statement"):
        check(forged, NAMES[6], ring())
    assert check(late, NAMES[6], ring()).entered_s == ENTERED_S + 1000


def test_a_path_longer_than_its_tree_is_refused() -> None:
    """Leaf 6 of 7 told as the only leaf of a tree of one: its siblings still lead to the root that was signed."""
    place = include(HASHES, 6, SIZE)
    good = issue(AUTHOR, NAMES[6], place, ENTERED_S)
    protected, _, _, signature = cbor2.loads(good).value
    claim = {396: {-1: [encode([1, 0, place.path])]}}
    with pytest.raises(BadProof, match="too long"):
        check(encode(Tag(18, [protected, claim, None, signature])), NAMES[6], ring())


def test_a_receipt_of_an_unknown_log_waits_for_its_key() -> None:
    """The registry's grant may not have come yet."""
    with pytest.raises(UnknownKey, match="receipt"):
        check(RAW, NAMES[INDEX], KeyRing())


def test_the_helper_of_these_tests_makes_a_good_receipt() -> None:
    """So that each refusal below is due to the one thing that was changed."""
    assert check(made(), NAMES[INDEX], ring()).root == root()


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, 1: -7},
        {**HEADER, 395: 2},
        {**HEADER, 2: [99], 99: 1},
        {**HEADER, 16: L.KIND_CHECKPOINT},
        {name: value for name, value in HEADER.items() if name != 395},
        {**HEADER, 15: {name: value for name, value in CLAIMS.items() if name != 6}},
        {**HEADER, 15: {name: value for name, value in CLAIMS.items() if name != 7}},
        {**HEADER, 15: {**CLAIMS, 6: True}},
        {**HEADER, 15: {**CLAIMS, 6: -1}},
        {**HEADER, 15: {**CLAIMS, 4: 1}},
        {**HEADER, 4: b"short"},
        {**HEADER, 4: "12345678"},
        [],
    ],
)
def test_a_header_that_is_not_a_receipts_is_refused(header: Any) -> None:
    """Alg ESP256, vds RFC 9162, iat, an 8-byte kid, and nothing else; the signature is right each time."""
    with pytest.raises(BadHeader):
        check(made(header=header), NAMES[INDEX], ring())


@pytest.mark.parametrize(
    "proof, error",
    [
        ([SIZE, INDEX], BadShape),
        ([SIZE, INDEX, [], 0], BadShape),
        ([SIZE, True, []], BadShape),
        ([-7, INDEX, []], BadShape),
        ([SIZE, INDEX, [b"short"]], BadShape),
        ([SIZE, INDEX, [bytes(32)] * 64], BadShape),
        ([SIZE, INDEX, b""], BadShape),
        ([SIZE, INDEX, []], BadProof),
        ([SIZE, SIZE, []], BadProof),
        ([SIZE, INDEX, [bytes(32)] * 3], Unverified),
    ],
)
def test_a_proof_that_cannot_be_one_is_refused(proof: Any, error: type[Exception]) -> None:
    """[size, index, [path]] within limits, leading to the root that was signed."""
    with pytest.raises(error):
        check(made(proof=proof), NAMES[INDEX], ring())


@pytest.mark.parametrize(
    "unprotected",
    [
        {},
        {396: {}},
        {396: {-1: []}},
        {396: {-1: [b"", b""]}},
        {396: {-2: [b""]}},
        {396: 5},
        {396: {-1: [b""]}, 4: b""},
    ],
)
def test_a_receipt_carries_exactly_one_inclusion_proof(unprotected: Any) -> None:
    """Other proofs and other labels are not ours."""
    with pytest.raises(BadShape):
        check(made(unprotected=unprotected), NAMES[INDEX], ring())


def test_a_receipt_with_an_attached_payload_is_refused() -> None:
    """The root is computed, never believed."""
    with pytest.raises(BadShape, match="detached"):
        check(made(payload=root()), NAMES[INDEX], ring())


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_receipt_is_refused_or_proves_the_same(at: int, change: int) -> None:
    """All but size and index is signed or has one spelling; these count only with a checkpoint of that size.

    Whatever they claim, it is this statement under this root since this time, or nothing.
    """
    raw = bytearray(RAW)
    raw[at] ^= change
    try:
        found = check(bytes(raw), NAMES[INDEX], ring())
    except (WireError, ProtocolError):
        return
    assert (found.root, found.entered_s, found.key) == (root(), ENTERED_S, KEY.thumbprint)
    assert (found.size, found.leaf) != (SIZE, INDEX)


def test_another_size_with_the_same_path_is_for_the_checkpoint_to_refuse() -> None:
    """The limit told in the module's docstring, shown: leaf 4 of 7 passes for leaf 4 of 8, under the root of 7."""
    protected, _, _, signature = cbor2.loads(RAW).value
    claim = {396: {-1: [encode([8, INDEX, include(HASHES, INDEX, SIZE).path])]}}
    found = check(encode(Tag(18, [protected, claim, None, signature])), NAMES[INDEX], ring())
    assert (found.size, found.root) == (8, root())
