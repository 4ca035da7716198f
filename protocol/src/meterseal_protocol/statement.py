"""A statement as read: envelope, header, payload, identity. Read is not verified: see verify.py.

Promise: what `read` returns was strict deterministic CBOR throughout, has an empty unprotected header, an accepted
algorithm in its protected header, no critical label we don't know, text in NFC, and a payload in the shape of its
kind. The signature was not looked at.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cbor2

from meterseal_protocol import gate
from meterseal_protocol.errors import BadHeader
from meterseal_wire import labels as L
from meterseal_wire.chain import check_chain
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, BadText
from meterseal_wire.kinds import CHAINED, KINDS, check_payload
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import join, sig_structure, split
from meterseal_wire.suites import BY_ALG, is_alg, of_header

CONTEXT, EMPTY = b"\x84\x6aSignature1", b"\x40"  # what a Sig_structure starts with, and no external data
START = 2  # of the protected header's head, after tag and array; 2 bytes, since a header has 25 to 217
KID, HASH = 8, 32
PREV = 2 + HASH  # head and bytes
CHAIN = encode(L.HEADER_CHAIN) + b"\x83"
ONE_BYTE = 24  # from here on a head says by how many bytes its number follows: one, two, four or eight
SIGNATURE = 64
HEADER = {L.HEADER_ALG, L.HEADER_KID, L.HEADER_CWT_CLAIMS, L.HEADER_TYP, L.HEADER_CHAIN}


@dataclass(frozen=True)
class Statement:
    """One message: `raw` bytes, 32-byte `identity`, kind, signer's hint, names, place in the chain, payload.

    `signed` is the Sig_structure (RFC 9052 section 4.4), with header and payload as they arrived.

    Where the gate let it through, a field that not everybody needs is made when it is first asked for.
    """

    raw: bytes
    identity: bytes
    protected: bytes
    body: bytes
    signed: bytes
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


class Later:
    """A field that is made when it is first asked for, and kept."""

    def __init__(self, name: str, make: Callable[[Statement], object]) -> None:
        self.name, self.make = name, make

    def __get__(self, statement: Statement | None, owner: type) -> object:
        if statement is None:
            return self
        found = vars(statement)[self.name] = self.make(statement)
        return found


# The gate has seen that header and payload have one spelling, so any decoder gives what `scan` would.
for later in (
    Later("identity", lambda statement: of_header(statement.protected).hash(statement.raw)),
    Later("body", lambda statement: _body(statement.raw, statement.protected)),
    Later("issuer", lambda statement: _header(statement)[L.HEADER_CWT_CLAIMS][L.CLAIM_ISS]),
    Later("subject", lambda statement: _header(statement)[L.HEADER_CWT_CLAIMS][L.CLAIM_SUB]),
    Later("chain", lambda statement: _chain(statement.protected) if statement.typ in CHAINED else None),
    Later("payload", lambda statement: cbor2.loads(statement.body)),
):
    setattr(Statement, later.name, later)


def _body(raw: bytes, protected: bytes) -> bytes:
    both = raw[gate.HEADER_START + len(protected) + 1 : -gate.END]  # with its head of two or three bytes
    return both[2:] if len(both) < 258 else both[3:]


def _header(statement: Statement) -> dict[int, Any]:
    found: dict[int, Any] = cbor2.loads(statement.protected)
    return found


def _chain(protected: bytes) -> tuple[int, int, bytes]:
    at = protected.rindex(CHAIN, 0, -PREV) + len(CHAIN)  # the last field: its label, an array of three
    epoch, at = _number(protected, at)
    return epoch, _number(protected, at)[0], protected[-HASH:]


def _number(raw: bytes, at: int) -> tuple[int, int]:
    size = raw[at] - ONE_BYTE
    if size < 0:
        return raw[at], at + 1
    end = at + 1 + (1 << size)
    return int.from_bytes(raw[at + 1 : end], "big"), end


GATE = gate.Gate()


def read(raw: bytes) -> Statement:
    """Take a statement apart. WireError with the byte, or BadHeader, where it breaks the rules above."""
    seen = GATE.look(raw) if type(raw) is bytes else None
    if seen is None:
        return read_strictly(raw)
    typ, kid, header_end = seen
    statement = object.__new__(Statement)
    fields = vars(statement)
    fields["raw"], fields["typ"], fields["kid"] = raw, typ, kid
    fields["protected"], fields["signature"] = raw[gate.HEADER_START : header_end], raw[-SIGNATURE:]
    # Header and payload each behind its head, which the Sig_structure has too.
    fields["signed"] = b"".join((CONTEXT, raw[START:header_end], EMPTY, raw[header_end + 1 : -gate.END]))
    return statement


def read_strictly(raw: bytes) -> Statement:
    """The same without the gate: the judge of what is a statement."""
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
    name = BY_ALG[header[L.HEADER_ALG]].hash(join(protected, body, signature))
    signed, kid = sig_structure(protected, body), header[L.HEADER_KID]
    issuer, subject = claims[L.CLAIM_ISS], claims[L.CLAIM_SUB]
    return Statement(raw, name, protected, body, signed, signature, typ, kid, issuer, subject, chain, payload)


def read_header(protected: bytes) -> dict[int, Any]:
    """Protected header map of one of our messages: alg, kid, typ and only labels we know."""
    header = scan(protected)
    if not isinstance(header, dict):
        raise BadShape(0, "the protected header is a map")
    if L.HEADER_CRIT in header:
        raise BadHeader(f"critical header labels {header[L.HEADER_CRIT]} are not understood here")
    alg = header.get(L.HEADER_ALG)
    if not is_alg(alg):
        raise BadHeader(f"algorithm {alg} is not accepted; statements use a suite of ours: {sorted(BY_ALG)}")
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
