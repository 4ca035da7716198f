"""COSE receipts (RFC 9942): a signed proof that a statement is a leaf of a log and since when, or that a log only grew.

Protected header: alg, kid, CWT claims, verifiable data structure 1 (RFC 9162 tree over SHA-256). Unprotected header:
{396: {-1: [inclusion proof]}} or {396: {-2: [consistency proof]}}, the proof being CBOR [size, index, [path]] or
[first, second, [path]]. The payload is the (newer) root, detached: whoever checks computes it from what he has.

Inclusion: claims {iss, sub, iat, cti}. `iat` is when the entry was made: the test's *not after*. `cti` is the
statement's identity; without it the time would be signed over the root alone, and one entry's receipt with another
entry's path would prove that other entry at the wrong time. Consistency: claims {iss, sub, iat}, `iat` being when it
was signed. The claims differ, so a signature of one kind never serves as the other.

Not covered: numbers in a proof are outside the signature, and other numbers can lead to the same root (leaf 4 of 7 is
also leaf 4 of 8). They count together with a checkpoint of that size and root, or with all leaves.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from meterseal_protocol.errors import BadHeader, BadProof, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing
from meterseal_protocol.merkle import Growth, Inclusion, grown_root, leaf_hash, root_from_path
from meterseal_protocol.verify import verify_parts
from meterseal_wire import labels as L
from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import sig_structure, split
from meterseal_wire.statement import Author
from meterseal_wire.suites import is_alg

RFC9162_SHA256 = 1
INCLUSION, CONSISTENCY = -1, -2
HEADER = {L.HEADER_ALG, L.HEADER_KID, L.HEADER_CWT_CLAIMS, L.HEADER_VDS}
CLAIMS = {
    INCLUSION: {L.CLAIM_ISS, L.CLAIM_SUB, L.CLAIM_IAT, L.CLAIM_CTI},
    CONSISTENCY: {L.CLAIM_ISS, L.CLAIM_SUB, L.CLAIM_IAT},
}
WORDS = {
    INCLUSION: (
        "inclusion",
        "[size, index, [path]]",
        "iss, sub, iat (when the entry was made) and cti (of what)",
    ),
    CONSISTENCY: ("consistency", "[first, second, [path]]", "iss, sub and iat (when it was signed)"),
}
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


@dataclass(frozen=True, slots=True)
class Continued:
    """What a consistency receipt proves: the tree of `first` leaves is the beginning of that of `second` with `root`.

    `signed_s` is the log's own clock and only a hint; `key` is the thumbprint of the log's key.
    """

    first: int
    second: int
    root: bytes
    signed_s: int
    key: bytes


class _Parts(NamedTuple):
    """A receipt of one kind taken apart; its two numbers and path are within their limits, nothing is verified."""

    header: dict[int, Any]
    protected: bytes
    signature: bytes
    numbers: tuple[int, int]
    path: list[bytes]

    @property
    def claims(self) -> dict[int, Any]:
        found: dict[int, Any] = self.header[L.HEADER_CWT_CLAIMS]
        return found

    def signer(self, root: bytes, keys: KeyRing, claim: str) -> bytes:
        """Thumbprint of the key that signed this root, or what the receipt does not prove."""
        try:
            kid: bytes = self.header[L.HEADER_KID]
            return verify_parts(kid, self.protected, root, self.signature, keys).thumbprint
        except UnknownKey as error:
            raise UnknownKey(f"receipt: {error}") from None
        except Unverified:
            raise Unverified(f"the receipt does not prove that {claim}") from None


def issue(author: Author, identity: bytes, place: Inclusion, entered_s: int) -> bytes:
    """Receipt bytes for the leaf whose data is `identity`, at its place in the tree."""
    root = root_from_path(leaf_hash(identity), place.index, place.size, place.path)
    claims = {L.CLAIM_IAT: entered_s, L.CLAIM_CTI: identity}
    return _signed(author, claims, root, {INCLUSION: [encode([place.size, place.index, place.path])]})


def issue_consistency(author: Author, old_root: bytes, growth: Growth, signed_s: int) -> bytes:
    """Receipt bytes that the log grew so; BadProof where the growth does not start from the old root."""
    root = grown_root(growth.first, growth.second, growth.path, old_root)
    proofs = {CONSISTENCY: [encode([growth.first, growth.second, growth.path])]}
    return _signed(author, {L.CLAIM_IAT: signed_s}, root, proofs)


def _signed(author: Author, claims: dict[int, Any], root: bytes, proofs: dict[int, Any]) -> bytes:
    protected = encode(
        {
            L.HEADER_ALG: author.suite.alg,
            L.HEADER_KID: author.kid,
            L.HEADER_CWT_CLAIMS: {L.CLAIM_ISS: author.issuer, L.CLAIM_SUB: author.subject, **claims},
            L.HEADER_VDS: RFC9162_SHA256,
        }
    )
    signature = author.sign(sig_structure(protected, root))
    return bytes(encode(Tag(18, [protected, {L.HEADER_PROOFS: proofs}, None, signature])))


def check(raw: bytes, identity: bytes, keys: KeyRing) -> Receipt:
    """What the receipt proves of the statement `identity`; WireError, BadHeader, BadProof or Unverified if nothing.

    Every key of `keys` is believed as a log's, so give registries' keys alone. A root is only as good as the
    checkpoint it is compared with: that is the caller's.
    """
    parts = _taken_apart(raw, INCLUSION)
    size, index = parts.numbers
    root = root_from_path(leaf_hash(identity), index, size, parts.path)
    if parts.claims[L.CLAIM_CTI] != identity:
        raise BadProof("the receipt was issued for another statement")
    key = parts.signer(root, keys, "this statement is in the log")
    return Receipt(index, size, root, parts.claims[L.CLAIM_IAT], key)


def check_consistency(raw: bytes, old_size: int, old_root: bytes, keys: KeyRing) -> Continued:
    """What the receipt proves of the tree (old_size, old_root), which the caller has from a checkpoint.

    Errors, and what `keys` and a root are good for, as with `check`; BadProof too where the proof starts elsewhere.
    """
    parts = _taken_apart(raw, CONSISTENCY)
    first, second = parts.numbers
    if first != old_size:
        raise BadProof(f"the receipt is about a tree of {first} leaves, not of {old_size}")
    root = grown_root(first, second, parts.path, old_root)
    key = parts.signer(root, keys, "the log only grew")
    return Continued(first, second, root, parts.claims[L.CLAIM_IAT], key)


def _taken_apart(raw: bytes, kind: int) -> _Parts:
    protected, unprotected, payload, signature = split(raw)
    if payload is not None:
        raise BadShape(2, "a receipt's payload is detached")
    numbers, path = _proof(unprotected, kind)
    return _Parts(_header(protected, kind), protected, signature, numbers, path)


def _header(protected: bytes, kind: int) -> dict[int, Any]:
    header = scan(protected)
    if not isinstance(header, dict) or set(header) != HEADER:
        raise BadHeader(
            "a receipt's header has alg, kid, CWT claims and the data structure, and nothing else"
        )
    if not is_alg(header[L.HEADER_ALG]) or not _is_number(header[L.HEADER_VDS], RFC9162_SHA256):
        raise BadHeader("a receipt is signed with one of our suites over an RFC 9162 tree of SHA-256")
    claims = header[L.HEADER_CWT_CLAIMS]
    if not isinstance(claims, dict) or set(claims) != CLAIMS[kind] or not _is_uint(claims[L.CLAIM_IAT]):
        raise BadHeader(f"the claims of a receipt of {WORDS[kind][0]} are {WORDS[kind][2]}")
    if not all(isinstance(claims[label], str) for label in (L.CLAIM_ISS, L.CLAIM_SUB)):
        raise BadHeader("iss and sub of a receipt are texts")
    if not isinstance(header[L.HEADER_KID], bytes) or len(header[L.HEADER_KID]) != KID:
        raise BadHeader("kid is 8 bytes")
    return header


def _proof(unprotected: dict[Any, Any], kind: int) -> tuple[tuple[int, int], list[bytes]]:
    proofs, (word, form, _) = unprotected.get(L.HEADER_PROOFS), WORDS[kind]
    if set(unprotected) != {L.HEADER_PROOFS} or not isinstance(proofs, dict) or set(proofs) != {kind}:
        raise BadShape(2, f"this receipt carries one kind of proof: {word}")
    listed = proofs[kind]
    if not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], bytes):
        raise BadShape(2, f"this receipt carries one {word} proof")
    proof = scan(listed[0])
    if not isinstance(proof, list) or len(proof) != 3 or not all(_is_uint(n) for n in proof[:2]):
        raise BadShape(2, f"a proof of {word} is {form}")
    path = proof[2]
    if not isinstance(path, list) or len(path) > LONGEST_PATH:
        raise BadShape(2, "a path is a list of at most 63 hashes")
    if not all(isinstance(node, bytes) and len(node) == HASH for node in path):
        raise BadShape(2, "a path holds hashes of 32 bytes")
    return (proof[0], proof[1]), path


def _is_uint(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any, wanted: int) -> bool:
    """True is 1 in Python, and another spelling on the wire."""
    return _is_uint(value) and value == wanted
