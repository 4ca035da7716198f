"""COSE receipts (RFC 9942): a signed proof that a statement is a leaf of the registry's log, and since when.

Protected header: alg, kid, CWT claims {iss, sub, iat, cti}, verifiable data structure 1 (RFC 9162 tree over
SHA-256). Unprotected header: {396: {-1: [inclusion proof]}}, the proof being CBOR [size, index, [path]]. The payload
is the root, detached: whoever checks computes it from leaf and path. `iat` is when the entry was made: the test's
*not after*. `cti` is the statement's identity; without it the time would be signed over the root alone, and one
entry's receipt with another entry's path would prove that other entry at the wrong time.

Not covered: index and size are outside the signature, and other pairs can lead to the same root (leaf 4 of 7 is also
leaf 4 of 8). They count together with a checkpoint of that size and root, or with all leaves.
"""

from dataclasses import dataclass
from typing import Any

from meterseal_protocol.errors import BadHeader, BadProof, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing
from meterseal_protocol.merkle import Inclusion, leaf_hash, root_from_path
from meterseal_protocol.verify import verify_parts
from meterseal_wire import labels as L
from meterseal_wire.digest import ALG_ESP256
from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import canonical, sig_structure, split
from meterseal_wire.statement import Author

RFC9162_SHA256 = 1
INCLUSION = -1
HEADER = {L.HEADER_ALG, L.HEADER_KID, L.HEADER_CWT_CLAIMS, L.HEADER_VDS}
CLAIMS = {L.CLAIM_ISS, L.CLAIM_SUB, L.CLAIM_IAT, L.CLAIM_CTI}
LONGEST_PATH = 63
HASH = 32
KID = 8


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt proves: leaf index, tree size, root, when it was entered, and the log's key."""

    leaf: int
    size: int
    root: bytes
    entered_s: int
    key: bytes


def issue(author: Author, identity: bytes, place: Inclusion, entered_s: int) -> bytes:
    """Receipt bytes for the leaf whose data is `identity`, at its place in the tree."""
    protected = encode(
        {
            L.HEADER_ALG: ALG_ESP256,
            L.HEADER_KID: author.kid,
            L.HEADER_CWT_CLAIMS: {
                L.CLAIM_ISS: author.issuer,
                L.CLAIM_SUB: author.subject,
                L.CLAIM_IAT: entered_s,
                L.CLAIM_CTI: identity,
            },
            L.HEADER_VDS: RFC9162_SHA256,
        }
    )
    root = root_from_path(leaf_hash(identity), place.index, place.size, place.path)
    signature = canonical(author.signer.sign(sig_structure(protected, root)))
    proofs = {L.HEADER_PROOFS: {INCLUSION: [encode([place.size, place.index, place.path])]}}
    return bytes(encode(Tag(18, [protected, proofs, None, signature])))


def check(raw: bytes, identity: bytes, keys: KeyRing) -> Receipt:
    """What the receipt proves of the statement `identity`; WireError, BadHeader, BadProof or Unverified if nothing.

    Every key of `keys` is believed as a log's, so give registries' keys alone. A root is only as good as the
    checkpoint it is compared with: that is the caller's.
    """
    protected, unprotected, payload, signature = split(raw)
    if payload is not None:
        raise BadShape(2, "a receipt's payload is detached")
    header = _header(protected)
    size, index, path = _proof(unprotected)
    root = root_from_path(leaf_hash(identity), index, size, path)
    if header[L.HEADER_CWT_CLAIMS][L.CLAIM_CTI] != identity:
        raise BadProof("the receipt was issued for another statement")
    key = _signer(header, protected, root, signature, keys)
    return Receipt(index, size, root, header[L.HEADER_CWT_CLAIMS][L.CLAIM_IAT], key)


def _signer(header: dict[int, Any], protected: bytes, root: bytes, signature: bytes, keys: KeyRing) -> bytes:
    try:
        return verify_parts(header[L.HEADER_KID], protected, root, signature, keys).thumbprint
    except UnknownKey as error:
        raise UnknownKey(f"receipt: {error}") from None
    except Unverified:
        raise Unverified("the receipt does not prove that this statement is in the log") from None


def _header(protected: bytes) -> dict[int, Any]:
    header = scan(protected)
    if not isinstance(header, dict) or set(header) != HEADER:
        raise BadHeader(
            "a receipt's header has alg, kid, CWT claims and the data structure, and nothing else"
        )
    if header[L.HEADER_ALG] != ALG_ESP256 or header[L.HEADER_VDS] != RFC9162_SHA256:
        raise BadHeader("a receipt is signed with ESP256 over an RFC 9162 tree")
    claims = header[L.HEADER_CWT_CLAIMS]
    if not isinstance(claims, dict) or set(claims) != CLAIMS or not _is_uint(claims[L.CLAIM_IAT]):
        raise BadHeader(
            "a receipt's claims are iss, sub, iat (when the entry was made) and cti (of which statement)"
        )
    if not isinstance(header[L.HEADER_KID], bytes) or len(header[L.HEADER_KID]) != KID:
        raise BadHeader("kid is 8 bytes")
    return header


def _proof(unprotected: dict[Any, Any]) -> tuple[int, int, list[bytes]]:
    proofs = unprotected.get(L.HEADER_PROOFS)
    if set(unprotected) != {L.HEADER_PROOFS} or not isinstance(proofs, dict) or set(proofs) != {INCLUSION}:
        raise BadShape(2, "a receipt carries one kind of proof: inclusion")
    listed = proofs[INCLUSION]
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], bytes):
        raise BadShape(2, "a receipt carries one inclusion proof")
    proof = scan(listed[0])
    if not isinstance(proof, list) or len(proof) != 3 or not all(_is_uint(n) for n in proof[:2]):
        raise BadShape(2, "an inclusion proof is [size, index, [path]]")
    path = proof[2]
    if not isinstance(path, list) or len(path) > LONGEST_PATH:
        raise BadShape(2, "a path is a list of at most 63 hashes")
    if not all(isinstance(node, bytes) and len(node) == HASH for node in path):
        raise BadShape(2, "a path holds hashes of 32 bytes")
    return proof[0], proof[1], path


def _is_uint(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
