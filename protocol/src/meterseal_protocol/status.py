"""Token Status List in CWT form (draft-ietf-oauth-status-list): two bits a certificate, packed, zlib, signed.

Values: 0 valid, 1 invalid, 2 suspended. The first entry stands in the lowest bits of the first byte. A list names
its own end; past it nothing can be said from it.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from meterseal_protocol.errors import BadHeader
from meterseal_protocol.keys import KeyRing
from meterseal_protocol.verify import verify_parts
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, OverLimit
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split
from meterseal_wire.statement import Author, seal

VALID, INVALID, SUSPENDED = 0, 1, 2
BITS = 2
TYP = "application/statuslist+cwt"
LIST_BYTES = 1 << 22
UNPACKED_BYTES = 1 << 25
WIDTHS = (1, 2, 4, 8)


@dataclass(frozen=True)
class StatusList:
    """A verified list: its address, when it was issued and ends (Unix seconds), the packed statuses, its signer.

    `key` is the thumbprint of the key under which it verified.
    """

    uri: str
    issued_s: int
    expires_s: int
    packed: bytes
    bits: int = BITS
    key: bytes = b""

    def get(self, index: int) -> int | None:
        """Status at `index`; None beyond the list's end."""
        return value_at(self.packed, self.bits, index)


def pack(statuses: Sequence[int], bits: int = BITS) -> bytes:
    """Statuses as the list's bytes, lowest bits first (draft section 4.1)."""
    per_byte = 8 // bits
    out = bytearray((len(statuses) + per_byte - 1) // per_byte)
    for index, status in enumerate(statuses):
        out[index // per_byte] |= status << bits * (index % per_byte)
    return bytes(out)


def value_at(packed: bytes, bits: int, index: int) -> int | None:
    """Status at `index` of packed bytes; None beyond the end."""
    per_byte = 8 // bits
    if not 0 <= index < len(packed) * per_byte:
        return None
    return packed[index // per_byte] >> bits * (index % per_byte) & (1 << bits) - 1


def compress(packed: bytes) -> bytes:
    """ZLIB (RFC 1950) at the highest level, as the draft asks."""
    return zlib.compress(packed, 9)


def unpack(lst: bytes) -> bytes:
    """Inflate a list's bytes; bounded, so that a small list can't fill the memory."""
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(lst, UNPACKED_BYTES)
    except zlib.error as error:
        raise BadShape(0, f"the status list does not inflate: {error}") from None
    if inflater.unconsumed_tail or not inflater.eof or inflater.unused_data:
        raise OverLimit(0, "the status list is cut short, too large or has something after it")
    return packed


@dataclass(frozen=True)
class Validity:
    """When a list was issued, when it ends (Unix seconds), and after how long to ask for a newer one."""

    issued_s: int
    expires_s: int
    ttl_s: int


def publish(author: Author, uri: str, statuses: Sequence[int], validity: Validity) -> bytes:
    """Signed status list (draft section 5.2)."""
    protected = encode({L.HEADER_ALG: author.suite.alg, L.HEADER_KID: author.kid, L.HEADER_TYP: TYP})
    claims = {
        L.CLAIM_SUB: uri,
        L.CLAIM_EXP: validity.expires_s,
        L.CLAIM_IAT: validity.issued_s,
        L.CLAIM_STATUS_LIST: {"bits": BITS, "lst": compress(pack(statuses))},
        L.CLAIM_TTL: validity.ttl_s,
    }
    return bytes(seal(author, protected, encode(claims)))


def read(raw: bytes, keys: KeyRing) -> StatusList:
    """Verify and open a list; WireError, BadHeader, UnknownKey or Unverified otherwise."""
    protected, unprotected, body, signature = split(raw, LIST_BYTES)
    header = scan(protected)
    if not isinstance(header, dict) or set(header) != {L.HEADER_ALG, L.HEADER_KID, L.HEADER_TYP}:
        raise BadHeader("a status list's header has alg, kid and typ")
    if header[L.HEADER_TYP] != TYP:
        raise BadHeader("not a status list")
    if unprotected or body is None or not isinstance(header[L.HEADER_KID], bytes):
        raise BadShape(2, "a status list has its payload, a kid and an empty unprotected header")
    key = verify_parts(header[L.HEADER_KID], protected, body, signature, keys)
    return _status_list(scan(body, LIST_BYTES), key.thumbprint)


def _status_list(claims: Any, key: bytes) -> StatusList:
    if not isinstance(claims, dict):
        raise BadShape(0, "a status list's claims are a map")
    uri, issued_s, expires_s = (claims.get(label) for label in (L.CLAIM_SUB, L.CLAIM_IAT, L.CLAIM_EXP))
    if not isinstance(uri, str) or not _is_time(issued_s) or not _is_time(expires_s):
        raise BadShape(0, "a status list says its address, when it was issued and when it ends")
    bits, packed = unpack_map(claims.get(L.CLAIM_STATUS_LIST))
    return StatusList(uri, issued_s, expires_s, packed, bits, key)


def unpack_map(value: Any) -> tuple[int, bytes]:
    """(bits, packed statuses) of a StatusList map (draft section 4.3); BadShape or OverLimit otherwise."""
    if not isinstance(value, dict) or not isinstance(value.get("lst"), bytes):
        raise BadShape(0, "a status list has bits and lst")
    bits = value.get("bits")
    if not isinstance(bits, int) or isinstance(bits, bool) or bits not in WIDTHS:
        raise BadShape(0, "statuses have 1, 2, 4 or 8 bits")
    return bits, unpack(value["lst"])


def _is_time(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
