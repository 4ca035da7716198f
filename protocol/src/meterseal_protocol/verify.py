"""Station 7: split, check, verify, over the bytes that arrived.

The Sig_structure is built around the received protected bytes; nothing is encoded again. The algorithm is taken
from the protected header alone and must be that of the key's suite; a kid that fits two keys tries both.

`verify_foreign` is the general COSE_Sign1 check for other people's messages and vectors: it accepts untagged
messages, ES256 (-7) and EdDSA (-8) besides our suites, and is never used for statements.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import cbor2

from meterseal_protocol.errors import BadHeader, BadKey, ProtocolError, UnknownKey, Unverified
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.signing import TOGETHER
from meterseal_protocol.statement import Statement, read
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.sign1 import sig_structure
from meterseal_wire.suites import BY_ALG, ED25519, ESP256

# Older names of algorithms (RFC 9053 sections 2.1, 2.2), which say no curve: each is taken on the curve of one suite.
FOREIGN = {-7: ESP256, -8: ED25519, **BY_ALG}
SIGN1_TAG = 18


class Verified:
    """A statement and the key under which its signature held."""

    __slots__ = ("key", "statement")

    def __init__(self, statement: Statement, key: PublicKey) -> None:
        self.statement, self.key = statement, key


Answer = Verified | ProtocolError | WireError  # of one among many


def verify(raw: bytes, keys: KeyRing) -> Verified:
    """Read and verify a statement: WireError, BadHeader, UnknownKey or Unverified say what is wrong."""
    found = read(raw)
    return Verified(found, _holder(found.kid, found.protected, found.signed, found.signature, keys))


def verify_all(raws: Iterable[bytes], keys: KeyRing) -> list[Answer]:
    """`verify` for many statements: their answers in their order, an error being one of them and not raised.

    Signatures are checked several at a time where the suite and the machine can (meterseal_protocol.signing); what
    does not hold for sure there is checked by itself, so no answer is another than `verify` would give.
    """
    answers = [_read(raw) for raw in raws]
    for number, together in TOGETHER.items():
        likely = [row for row in _with_one_key(answers, keys) if row[2].suite.number == number]
        sure = together([(key.xy, found.signed, found.signature) for _, found, key in likely])
        for (at, found, key), held in zip(likely, sure, strict=True):
            if held:
                answers[at] = Verified(found, key)
    return [_answer(one, keys) if isinstance(one, Statement) else one for one in answers]


def _read(raw: bytes) -> Statement | Answer:
    try:
        return read(raw)
    except (ProtocolError, WireError) as error:
        return error


def _with_one_key(
    answers: list[Statement | Answer], keys: KeyRing
) -> Iterator[tuple[int, Statement, PublicKey]]:
    """Statements of which nothing but the signature is open, with their places."""
    for at, found in enumerate(answers):
        fits = keys.by_kid(found.kid) if isinstance(found, Statement) else []
        if isinstance(found, Statement) and len(fits) == 1 and _may_hold(found, fits[0]):
            yield at, found, fits[0]


def _may_hold(found: Statement, key: PublicKey) -> bool:
    return found.protected.startswith(key.suite.mark, 1) and key.suite.is_canonical(found.signature)


def _answer(found: Statement, keys: KeyRing) -> Answer:
    try:
        return Verified(found, _holder(found.kid, found.protected, found.signed, found.signature, keys))
    except ProtocolError as error:
        return error


def verify_parts(kid: bytes, protected: bytes, body: bytes, signature: bytes, keys: KeyRing) -> PublicKey:
    """The key of `keys` under which a COSE_Sign1's signature holds.

    `protected` is deterministic CBOR, scanned by the caller. UnknownKey, Unverified, or BadHeader where the header's
    alg is not that of any key of this kid.
    """
    return _holder(kid, protected, sig_structure(protected, body), signature, keys)


def _holder(kid: bytes, protected: bytes, signed: bytes, signature: bytes, keys: KeyRing) -> PublicKey:
    candidates = keys.by_kid(kid)
    why = ""
    for key in candidates:
        if not protected.startswith(key.suite.mark, 1):
            continue
        if not key.suite.is_canonical(signature):
            why = "the signature is respelled: s is in the upper half of the order"
            continue
        try:
            key.verify(signed, signature)
        except Unverified:
            why = "the signature does not hold"
            continue
        return key
    if not candidates:
        raise UnknownKey(f"no key is known for kid {kid.hex()}")
    if why:
        raise Unverified(f"{why} under kid {kid.hex()}")
    names = ", ".join(sorted({key.suite.name for key in candidates}))
    raise BadHeader(f"the header's algorithm is not that of the key: kid {kid.hex()} is of {names}")


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
    if not isinstance(alg, int) or alg not in FOREIGN:
        raise BadHeader(f"algorithm {alg!r} is not accepted")
    found = PublicKey.from_cose(key)
    if found.suite is not FOREIGN[alg]:
        raise BadKey(
            f"algorithm {alg} needs a key of {FOREIGN[alg].name}, and this one is of {found.suite.name}"
        )
    found.verify(signed, signature)


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> None:
    """Raise Unverified unless the signature (RFC 8032) holds under 32 bytes of public key; BadKey for no key."""
    PublicKey(public, ED25519).verify(message, signature)
