"""An inclusion receipt (RFC 9942) taken apart where memory is short: a fixture reads the registry's receipts with it.

The receipt names a statement (`cti`) and proves, under the log's key, that this is a leaf. Strict as everything here;
`meterseal_protocol.receipt` is the whole of it, consistency too.
"""

from meterseal_wire import labels as L
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import sig_structure, split
from meterseal_wire.suites import DEFAULT
from meterseal_wire.tree import leaf_hash, path_root

RFC9162_SHA256 = 1
INCLUSION = -1
HASH = 32
LONGEST_PATH = 63


def is_receipt(raw: bytes) -> bool:
    """True if `raw` is a COSE_Sign1 without payload, which no statement is. Nothing is verified."""
    return split(raw)[2] is None


def entered(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """(identity, signed bytes, signature) of an inclusion receipt in suite 1; WireError where it is none.

    The statement of that identity is entered if the signature holds over the signed bytes under the registry's key.
    """
    protected, unprotected, payload, signature = split(raw)
    header = scan(protected)
    claims = header.get(L.HEADER_CWT_CLAIMS) if isinstance(header, dict) else None
    if payload is not None or not isinstance(claims, dict) or len(signature) != DEFAULT.signature_bytes:
        raise BadShape(0, "no receipt")
    wanted = sorted((L.HEADER_ALG, L.HEADER_KID, L.HEADER_CWT_CLAIMS, L.HEADER_VDS))
    if (
        sorted(header) != wanted
        or header[L.HEADER_ALG] != DEFAULT.alg
        or header[L.HEADER_VDS] != RFC9162_SHA256
    ):
        raise BadShape(0, "a receipt's header is alg, kid, claims and the tree of RFC 9162")
    identity = claims.get(L.CLAIM_CTI)
    if not isinstance(identity, bytes) or len(identity) != HASH:
        raise BadShape(0, "a receipt's claims name the statement")
    size, index, path = _proof(unprotected)
    root = path_root(leaf_hash(identity), index, size, path)
    if root is None:
        raise BadShape(0, "the path is too long or too short")
    return identity, sig_structure(protected, root), signature


def _proof(unprotected):
    proofs = unprotected.get(L.HEADER_PROOFS)
    rows = proofs.get(INCLUSION) if isinstance(proofs, dict) else None
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], bytes):
        raise BadShape(0, "a receipt has one inclusion proof")
    found = scan(rows[0])
    if not isinstance(found, list) or len(found) != 3 or not isinstance(found[2], list):
        raise BadShape(0, "a proof is [size, index, [path]]")
    size, index, path = found
    numbers = [
        number
        for number in (size, index)
        if isinstance(number, int) and number is not True and number is not False
    ]
    if len(numbers) < 2 or len(path) > LONGEST_PATH or not all(_is_hash(node) for node in path):
        raise BadShape(0, "a proof is [size, index, [path]]")
    return size, index, path


def _is_hash(node) -> bool:
    return isinstance(node, bytes) and len(node) == HASH
