"""Digests and names: SHA-256 of contents, key thumbprints (RFC 9679) and the short hint for look-up.

The hash of a statement and of a key is its suite's: see suites.py.
"""

from hashlib import sha256 as _sha256

from meterseal_wire.suites import DEFAULT, Suite


def sha256(data: bytes) -> bytes:
    """32 bytes: trees, and contents such as plans, packs and firmware, in every suite."""
    found: bytes = _sha256(data).digest()
    return found


def cose_key(public: bytes, suite: Suite = DEFAULT) -> dict[int, object]:
    """COSE_Key map of a public key given as its coordinates: x (32 bytes) then y where the suite has one."""
    return suite.cose_key(public)


def thumbprint(public: bytes, suite: Suite = DEFAULT) -> bytes:
    """32 bytes that name a key wherever a key is named (RFC 9679 section 4.2)."""
    return suite.thumbprint(public)


def kid(thumb: bytes) -> bytes:
    """First 8 bytes of a thumbprint: a hint for look-up, never a name."""
    return thumb[:8]
