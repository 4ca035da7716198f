"""COSE_Sign1 (RFC 9052 section 4.2): put together, taken apart, and what is signed.

Nothing here verifies: a peer's protected header stays the bytes that arrived, and the Sig_structure is built
around exactly those bytes. Re-encoding would verify what the peer might have meant.
"""

from meterseal_wire import labels
from meterseal_wire.encode import BYTES, Tag, encode, head
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import STATEMENT_BYTES, scan
from meterseal_wire.suites import of_header

_CONTEXT = b"\x84\x6aSignature1"
_START = b"\xd2\x84"


def protected_header(typ, author, chain=None):
    """Protected header bytes: alg, kid, CWT claims {iss, sub}, typ and, for a fixture, chain [epoch, seq, prev].

    `author` has its suite, kid (8 bytes), issuer and subject (at most 16 characters each).
    """
    fields = {
        labels.HEADER_ALG: author.suite.alg,
        labels.HEADER_KID: author.kid,
        labels.HEADER_CWT_CLAIMS: {labels.CLAIM_ISS: author.issuer, labels.CLAIM_SUB: author.subject},
        labels.HEADER_TYP: typ,
    }
    if chain is not None:
        fields[labels.HEADER_CHAIN] = list(chain)
    return encode(fields)


def sig_structure(protected: bytes, payload: bytes, external: bytes = b"") -> bytes:
    """The bytes that are signed (RFC 9052 section 4.4), around the protected bytes as given."""
    heads = [head(BYTES, len(part)) for part in (protected, external, payload)]
    return b"".join((_CONTEXT, heads[0], protected, heads[1], external, heads[2], payload))


def join(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """The tagged message with an empty unprotected header: the form whose hash is the identity."""
    parts = [_START]
    for part, extra in ((protected, b"\xa0"), (payload, b""), (signature, b"")):
        parts.append(head(BYTES, len(part)))
        parts.append(part)
        parts.append(extra)
    return b"".join(parts)


def split(message, limit=STATEMENT_BYTES):
    """(protected bytes, unprotected map, payload bytes or None, signature bytes) of a tagged COSE_Sign1.

    Raises WireError when the outer structure is not strict CBOR or not a COSE_Sign1. The protected bytes are
    returned as received; `scan` them for the header map.
    """
    value = scan(message, limit)
    if not isinstance(value, Tag):
        raise BadShape(0, "not a tagged COSE_Sign1 (tag 18)")
    parts = value.value
    if not isinstance(parts, list) or len(parts) != 4:
        raise BadShape(1, "COSE_Sign1 is an array of four")
    protected, unprotected, payload, signature = parts
    if not isinstance(protected, bytes) or not isinstance(unprotected, dict):
        raise BadShape(2, "headers are a byte string and a map")
    if not isinstance(signature, bytes) or not (payload is None or isinstance(payload, bytes)):
        raise BadShape(2, "payload and signature are byte strings")
    return protected, unprotected, payload, signature


def identity(message: bytes, limit: int = STATEMENT_BYTES) -> bytes:
    """Hash over the tagged message with the unprotected header empty, exactly as signed: 32 bytes.

    The hash is that of the suite whose alg the protected header names; UnknownSuite where it names none.
    """
    protected, _, payload, signature = split(message, limit)
    if payload is None:
        raise BadShape(2, "a statement carries its payload")
    found: bytes = of_header(protected).hash(join(protected, payload, signature))
    return found
