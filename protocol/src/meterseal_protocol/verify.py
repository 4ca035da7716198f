"""Station 7: split, check, verify, over the bytes that arrived.

The Sig_structure is built around the received protected bytes; nothing is encoded again. The algorithm is taken
from the protected header alone, and a kid that fits two keys tries both.

`verify_foreign` is the general COSE_Sign1 check for other people's messages and vectors: it accepts untagged
messages, ES256 (-7) and EdDSA (-8) besides our own, and is never used for statements.
"""

from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from meterseal_protocol.errors import BadHeader, BadKey, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import Statement, read
from meterseal_wire import labels as L
from meterseal_wire.sign1 import is_canonical, sig_structure

ES256, EDDSA, ESP256, ED25519 = -7, -8, -9, -19
OKP, CURVE_ED25519 = 1, 6
SIGN1_TAG = 18


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement and the key under which its signature held."""

    statement: Statement
    key: PublicKey


def verify(raw: bytes, keys: KeyRing) -> Verified:
    """Read and verify a statement: WireError, BadHeader, UnknownKey or Unverified say what is wrong."""
    statement = read(raw)
    key = verify_parts(statement.kid, statement.protected, statement.body, statement.signature, keys)
    return Verified(statement, key)


def verify_parts(kid: bytes, protected: bytes, body: bytes, signature: bytes, keys: KeyRing) -> PublicKey:
    """The key of `keys` under which a COSE_Sign1's signature holds."""
    candidates = keys.by_kid(kid)
    if not candidates:
        raise UnknownKey(f"no key is known for kid {kid.hex()}")
    if not is_canonical(signature):
        raise Unverified("the signature is respelled: s is in the upper half of the order")
    signed = sig_structure(protected, body)
    for key in candidates:
        try:
            key.verify(signed, signature)
        except Unverified:
            continue
        return key
    raise Unverified(f"the signature does not hold under kid {kid.hex()}")


def verify_foreign(raw: bytes, key: dict[int, Any], external: bytes = b"") -> bytes:
    """Payload of anybody's COSE_Sign1 under the COSE_Key `key`; BadHeader, BadKey or Unverified otherwise.

    Decoded leniently, since other people's encodings need not be deterministic; only the signature is judged. An
    algorithm that stands in the unprotected header alone is not taken: RFC 9052 section 3.1 wants it authenticated.
    """
    protected, payload, signature = _foreign_parts(raw)
    header = _decoded(protected) if protected else {}
    if not isinstance(header, dict) or L.HEADER_CRIT in header:
        raise BadHeader("the protected header is no map or has critical labels that are not understood")
    if L.HEADER_ALG not in header:
        raise BadHeader("the protected header names no algorithm; one in the unprotected header is not taken")
    signed = sig_structure(protected, payload, external)
    _check_foreign(header[L.HEADER_ALG], key, signed, signature)
    return payload


def _decoded(raw: bytes) -> Any:
    try:
        return cbor2.loads(raw)
    except (cbor2.CBORDecodeError, ValueError, ArithmeticError, RecursionError, TypeError) as error:
        raise BadHeader(f"not CBOR: {error}") from None


def _foreign_parts(raw: bytes) -> tuple[bytes, bytes, bytes]:
    value = _decoded(raw)
    if isinstance(value, cbor2.CBORTag):
        if value.tag != SIGN1_TAG:
            raise BadHeader(f"tag {value.tag} is not COSE_Sign1 (18)")
        value = value.value
    if not isinstance(value, (list, tuple)) or len(value) != 4:
        raise BadHeader("COSE_Sign1 is an array of four")
    protected, _, payload, signature = value
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise BadHeader("protected header, payload and signature are byte strings")
    return protected, payload, signature


def _check_foreign(alg: Any, key: dict[int, Any], signed: bytes, signature: bytes) -> None:
    if not isinstance(alg, int):
        raise BadHeader(f"algorithm {alg!r} is not accepted")
    if alg in (ES256, ESP256):
        PublicKey.from_cose(key).verify(signed, signature)
    elif alg in (EDDSA, ED25519):
        _check_ed25519(key, signed, signature)
    else:
        raise BadHeader(f"algorithm {alg} is not accepted")


def _check_ed25519(key: dict[int, Any], signed: bytes, signature: bytes) -> None:
    if key.get(1) != OKP or key.get(-1) != CURVE_ED25519 or not isinstance(key.get(-2), bytes):
        raise BadKey("not a COSE_Key of type OKP on Ed25519")
    verify_ed25519(key[-2], signed, signature)


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise Unverified unless the signature (RFC 8032) holds under 32 bytes of public key; BadKey for other sizes."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
    except ValueError:
        raise BadKey(f"an Ed25519 public key is 32 bytes, not {len(public)}") from None
    try:
        key.verify(signature, message)
    except InvalidSignature:
        raise Unverified("the signature does not hold") from None
