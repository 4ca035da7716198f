"""A statement as read: envelope, header, payload, identity. Read is not verified: see verify.py.

Promise: what `read` returns was strict deterministic CBOR throughout, has an empty unprotected header, an accepted
algorithm in its protected header, no critical label we don't know, text in NFC, and a payload in the shape of its
kind. The signature was not looked at.
"""

import unicodedata
from dataclasses import dataclass
from typing import Any

from meterseal_protocol.errors import BadHeader
from meterseal_wire import labels as L
from meterseal_wire.chain import check_chain
from meterseal_wire.digest import ALG_ESP256, sha256
from meterseal_wire.errors import BadShape, BadText
from meterseal_wire.kinds import CHAINED, KINDS, check_payload
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import join, split

KID = 8
SIGNATURE = 64
HEADER = {L.HEADER_ALG, L.HEADER_KID, L.HEADER_CWT_CLAIMS, L.HEADER_TYP, L.HEADER_CHAIN}


@dataclass(frozen=True, slots=True)
class Statement:
    """One message: `raw` bytes, 32-byte `identity`, kind, signer's hint, names, place in the chain, payload."""

    raw: bytes
    identity: bytes
    protected: bytes
    body: bytes
    signature: bytes
    typ: int
    kid: bytes
    issuer: str
    subject: str
    chain: tuple[int, int, bytes] | None
    payload: dict[int, Any]

    @property
    def kind(self) -> str:
        """The kind's name."""
        return L.KIND_NAMES[self.typ]


def read(raw: bytes) -> Statement:
    """Take a statement apart. WireError with the byte, or BadHeader, where it breaks the rules above."""
    protected, unprotected, body, signature = split(raw)
    if body is None or unprotected or len(signature) != SIGNATURE:
        raise BadShape(
            2, "a statement has its payload, an empty unprotected header and 64 bytes of signature"
        )
    header = read_header(protected)
    typ, chain = header[L.HEADER_TYP], None
    if typ not in KINDS:
        raise BadHeader(f"typ {typ} is no kind of statement")
    claims: Any = header.get(L.HEADER_CWT_CLAIMS)
    if not _names(claims):
        raise BadHeader("CWT claims are {1: issuer, 2: subject} with 1 to 16 characters each")
    check_text(claims)
    if (typ in CHAINED) != (L.HEADER_CHAIN in header):
        raise BadHeader("a fixture's statement has a chain header, and no other has one")
    if typ in CHAINED:
        chain = check_chain(header[L.HEADER_CHAIN])
    payload = scan(body)
    check_payload(typ, payload)
    check_text(payload)
    name = sha256(join(protected, body, signature))
    issuer, subject = claims[L.CLAIM_ISS], claims[L.CLAIM_SUB]
    return Statement(
        raw, name, protected, body, signature, typ, header[L.HEADER_KID], issuer, subject, chain, payload
    )


def read_header(protected: bytes) -> dict[int, Any]:
    """Protected header map of one of our messages: alg, kid, typ and only labels we know."""
    header = scan(protected)
    if not isinstance(header, dict):
        raise BadShape(0, "the protected header is a map")
    if L.HEADER_CRIT in header:
        raise BadHeader(f"critical header labels {header[L.HEADER_CRIT]} are not understood here")
    if header.get(L.HEADER_ALG) != ALG_ESP256:
        raise BadHeader(f"algorithm {header.get(L.HEADER_ALG)} is not accepted; statements use ESP256 (-9)")
    kid, typ = header.get(L.HEADER_KID), header.get(L.HEADER_TYP)
    if not isinstance(kid, bytes) or len(kid) != KID:
        raise BadHeader("kid is 8 bytes")
    if not isinstance(typ, int) or typ is True or typ is False:
        raise BadHeader("typ names the kind as an integer")
    unknown = set(header) - HEADER
    if unknown:
        raise BadHeader(f"header label {min(map(str, unknown))} is not ours")
    return header


def _names(claims: Any) -> bool:
    if not isinstance(claims, dict) or set(claims) != {L.CLAIM_ISS, L.CLAIM_SUB}:
        return False
    return all(isinstance(name, str) and 0 < len(name) <= 16 for name in claims.values())


def check_text(value: Any) -> None:
    """BadText unless every text in a payload or in claims is in Unicode normal form C."""
    if isinstance(value, str):
        if not unicodedata.is_normalized("NFC", value):
            raise BadText(0, "text is not in normal form C")
    elif isinstance(value, list):
        for item in value:
            check_text(item)
    elif isinstance(value, dict):
        for item in value.values():
            check_text(item)
