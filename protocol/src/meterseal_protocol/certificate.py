"""Station 12: the certificate, a CWT (RFC 8392) small enough for a QR code.

Our own claims stand in one array under one private label, so each costs a byte or two. The status reference is
list number and index; the signature and everything the check needs is inside, so a phone asks nobody.
"""

from dataclasses import dataclass
from typing import Any

from meterseal_protocol.errors import BadHeader
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import KID, check_text
from meterseal_protocol.verify import verify_parts
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split
from meterseal_wire.statement import Author, seal
from meterseal_wire.suites import is_alg

HEADER = {L.HEADER_ALG, L.HEADER_KID, L.HEADER_TYP}
CLAIMS = {L.CLAIM_ISS, L.CLAIM_SUB, L.CLAIM_EXP, L.CLAIM_IAT, L.CLAIM_CERTIFICATE}
RULES, RESULT, MARKS = 8, 16, 8  # bytes of each hash
NAME, METER, PLACE = 16, 48, 6  # characters


@dataclass(frozen=True)
class Certificate:
    """What a certificate says. Times in Unix seconds; `end_register` times ten to `exponent` is cubic metres.

    `rules` are the first 8 bytes of the pack's digest, `result` the first 16 of the result's identity, `marks` 8
    bytes over engraved serial, electronic address and seal number.
    """

    issuer: str
    meter: str
    issued_s: int
    expires_s: int
    territory: tuple[str, ...]
    rules: bytes
    result: bytes
    position: int
    end_register: int
    exponent: int
    marks: bytes
    status_list: int
    status_index: int
    demo: bool


def marks_hash(serial: str, electronic_address: bytes, seal_number: str) -> bytes:
    """8 bytes over what a person can compare on the meter itself; several seal numbers with a blank between."""
    return bytes(sha256(encode([serial, electronic_address, seal_number]))[:MARKS])


def issue(author: Author, certificate: Certificate) -> bytes:
    """Signed certificate bytes."""
    protected = encode(
        {L.HEADER_ALG: author.suite.alg, L.HEADER_KID: author.kid, L.HEADER_TYP: L.KIND_CERTIFICATE}
    )
    own = [
        list(certificate.territory),
        certificate.rules,
        certificate.result,
        certificate.position,
        certificate.end_register,
        certificate.exponent,
        certificate.marks,
        certificate.status_list,
        certificate.status_index,
        int(certificate.demo),
    ]
    claims = {
        L.CLAIM_ISS: certificate.issuer,
        L.CLAIM_SUB: certificate.meter,
        L.CLAIM_EXP: certificate.expires_s,
        L.CLAIM_IAT: certificate.issued_s,
        L.CLAIM_CERTIFICATE: own,
    }
    return bytes(seal(author, protected, encode(claims)))


@dataclass(frozen=True, slots=True)
class Unread:
    """A certificate taken apart and not verified: what it claims, and what a verifier needs."""

    claimed: Certificate
    kid: bytes
    protected: bytes
    body: bytes
    signature: bytes


def take_apart(raw: bytes) -> Unread:
    """What the bytes claim, without looking at the signature; WireError or BadHeader where they are none."""
    protected, unprotected, body, signature = split(raw)
    header = scan(protected)
    if not isinstance(header, dict) or set(header) != HEADER:
        raise BadHeader("a certificate's header has alg, kid and typ")
    if not is_alg(header[L.HEADER_ALG]) or header[L.HEADER_TYP] != L.KIND_CERTIFICATE:
        raise BadHeader("not a certificate signed with one of our suites")
    if unprotected or body is None or not _is_kid(header[L.HEADER_KID]):
        raise BadShape(2, "a certificate has its payload, an 8-byte kid and an empty unprotected header")
    return Unread(_certificate(scan(body)), header[L.HEADER_KID], protected, body, signature)


def read_signed(raw: bytes, keys: KeyRing) -> tuple[Certificate, PublicKey]:
    """Verify and open a certificate, and say under which key; WireError, BadHeader, UnknownKey or Unverified."""
    found = take_apart(raw)
    return found.claimed, verify_parts(found.kid, found.protected, found.body, found.signature, keys)


def read(raw: bytes, keys: KeyRing) -> Certificate:
    """Verify and open a certificate; WireError, BadHeader, UnknownKey or Unverified otherwise."""
    return read_signed(raw, keys)[0]


def _certificate(claims: Any) -> Certificate:
    if not isinstance(claims, dict) or set(claims) != CLAIMS:
        raise BadShape(0, "a certificate has iss, sub, exp, iat and its own claim")
    own = claims[L.CLAIM_CERTIFICATE]
    if not isinstance(own, list) or len(own) != 10 or not _shaped(claims, own):
        raise BadShape(0, "a certificate's own claim does not have its ten items")
    check_text([claims[L.CLAIM_ISS], claims[L.CLAIM_SUB]])
    territory, rules, result, position, register, exponent, marks, status_list, index, demo = own
    return Certificate(
        issuer=claims[L.CLAIM_ISS],
        meter=claims[L.CLAIM_SUB],
        issued_s=claims[L.CLAIM_IAT],
        expires_s=claims[L.CLAIM_EXP],
        territory=tuple(territory),
        rules=rules,
        result=result,
        position=position,
        end_register=register,
        exponent=exponent,
        marks=marks,
        status_list=status_list,
        status_index=index,
        demo=bool(demo),
    )


def _shaped(claims: dict[int, Any], own: list[Any]) -> bool:
    names = _is_text(claims[L.CLAIM_ISS], NAME) and _is_text(claims[L.CLAIM_SUB], METER)
    places = isinstance(own[0], list) and all(_is_text(place, PLACE) for place in own[0])
    numbers = [*own[3:6], claims[L.CLAIM_EXP], claims[L.CLAIM_IAT], *own[7:9]]
    whole = all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)
    counts = whole and min(own[3], *numbers[3:]) >= 0 and own[9] in (0, 1) and not isinstance(own[9], bool)
    hashes = zip((own[1], own[2], own[6]), (RULES, RESULT, MARKS), strict=True)
    return names and places and counts and all(isinstance(h, bytes) and len(h) == size for h, size in hashes)


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most


def _is_kid(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) == KID
