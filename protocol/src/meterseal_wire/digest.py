"""SHA-256, key thumbprints (RFC 9679) and the short key identifier that is only a hint.

Suite 1 is ESP256 with SHA-256: signature, statement hash and thumbprint are fixed together.
"""

from hashlib import sha256 as _sha256

from meterseal_wire.encode import encode

ALG_ESP256 = -9
KEY_TYPE, CURVE, X, Y = 1, -1, -2, -3
EC2, P256 = 2, 1


def sha256(data: bytes) -> bytes:
    """32 bytes."""
    found: bytes = _sha256(data).digest()
    return found


def cose_key(public_xy: bytes) -> dict[int, object]:
    """COSE_Key map of a P-256 key given as x (32 bytes) then y (32 bytes), RFC 9053 section 7.1."""
    return {KEY_TYPE: EC2, CURVE: P256, X: bytes(public_xy[:32]), Y: bytes(public_xy[32:])}


def thumbprint(public_xy: bytes) -> bytes:
    """32 bytes that name a P-256 key wherever a key is named (RFC 9679 section 4.2)."""
    return sha256(encode(cose_key(public_xy)))


def kid(thumb: bytes) -> bytes:
    """First 8 bytes of a thumbprint: a hint for look-up, never a name."""
    return thumb[:8]
