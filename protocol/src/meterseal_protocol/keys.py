"""P-256 keys: private ones in 0600 files, public ones named by their full thumbprint (RFC 9679).

A kid is the first 8 bytes of a thumbprint, a hint: a ring gives every key that fits, and the caller tries them
all. Keys are values here; which key may say what is the business of grants.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from meterseal_protocol.errors import BadKey, Unverified
from meterseal_wire.digest import CURVE, EC2, KEY_TYPE, P256, X, Y, cose_key, kid, thumbprint

COORDINATE = 32
SIGNATURE = 64
_ECDSA = ec.ECDSA(hashes.SHA256())
_CURVE = ec.SECP256R1()


class PublicKey:
    """A P-256 public key with its thumbprint (32 bytes) and kid (8 bytes)."""

    __slots__ = ("_key", "kid", "thumbprint", "xy")

    def __init__(self, xy: bytes) -> None:
        if len(xy) != 2 * COORDINATE:
            raise BadKey(f"a P-256 public key is 64 bytes x then y, not {len(xy)}")
        try:
            self._key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x04" + xy)
        except ValueError:
            raise BadKey("the public key is no point of P-256") from None
        self.xy = bytes(xy)
        self.thumbprint = bytes(thumbprint(xy))
        self.kid = bytes(kid(self.thumbprint))

    @classmethod
    def from_cose(cls, key: Any) -> "PublicKey":
        """From a COSE_Key map of an EC2 key on P-256 (RFC 9053 section 7.1)."""
        if not isinstance(key, dict) or key.get(KEY_TYPE) != EC2 or key.get(CURVE) != P256:
            raise BadKey("not a COSE_Key of type EC2 on curve P-256")
        x, y = key.get(X), key.get(Y)
        if not isinstance(x, bytes) or not isinstance(y, bytes) or len(x) != COORDINATE:
            raise BadKey("a COSE_Key has x and y of 32 bytes each")
        return cls(x + y)

    @property
    def cose(self) -> dict[int, Any]:
        """COSE_Key map."""
        return dict(cose_key(self.xy))

    def verify(self, message: bytes, signature: bytes) -> None:
        """Raise Unverified unless `signature` (64 bytes r || s) over `message` holds."""
        if len(signature) != SIGNATURE:
            raise Unverified(f"a signature is 64 bytes, not {len(signature)}")
        r = int.from_bytes(signature[:COORDINATE], "big")
        s = int.from_bytes(signature[COORDINATE:], "big")
        try:
            self._key.verify(encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            raise Unverified("the signature does not hold") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.xy == other.xy

    def __hash__(self) -> int:
        return hash(self.xy)


class PrivateKey:
    """A P-256 private key; fits `meterseal_wire.statement.Author` as a signer."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != COORDINATE:
            raise BadKey(f"a key file holds 32 bytes, not {len(secret)}")
        try:
            self._key = ec.derive_private_key(int.from_bytes(secret, "big"), _CURVE)
        except ValueError:
            raise BadKey("the secret is no scalar of P-256; make a new key") from None
        numbers = self._key.public_key().public_numbers()
        self.public_xy = numbers.x.to_bytes(COORDINATE, "big") + numbers.y.to_bytes(COORDINATE, "big")

    @classmethod
    def generate(cls) -> "PrivateKey":
        """A fresh key."""
        number = ec.generate_private_key(_CURVE).private_numbers().private_value
        return cls(number.to_bytes(COORDINATE, "big"))

    @classmethod
    def load(cls, path: Path) -> "PrivateKey":
        """Read a key file of 32 bytes; refuses one that group or others may touch."""
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise BadKey(
                    f"{path} can be read by others; run chmod 600 on it, and make a new key if it was shared"
                )
            return cls(file.read(COORDINATE + 1))

    def save(self, path: Path) -> None:
        """Write the 32 bytes as a new file with mode 0600; an existing file is never overwritten."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise BadKey(f"{path} exists already; a key is never overwritten") from None
        secret = self._key.private_numbers().private_value
        with os.fdopen(handle, "wb") as file:
            file.write(secret.to_bytes(COORDINATE, "big"))

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.public_xy)

    @property
    def thumbprint(self) -> bytes:
        """32 bytes (RFC 9679)."""
        return bytes(thumbprint(self.public_xy))

    def sign(self, message: bytes) -> bytes:
        """64 bytes r || s over SHA-256 of `message`."""
        r, s = decode_dss_signature(self._key.sign(message, _ECDSA))
        return r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big")


class KeyRing:
    """Keys that are believed, found by kid or by thumbprint."""

    def __init__(self) -> None:
        self._by_kid: dict[bytes, list[PublicKey]] = {}
        self._by_thumbprint: dict[bytes, PublicKey] = {}

    def add(self, key: PublicKey) -> None:
        """Believe one more key; adding it twice changes nothing."""
        if key.thumbprint not in self._by_thumbprint:
            self._by_thumbprint[key.thumbprint] = key
            self._by_kid.setdefault(key.kid, []).append(key)

    def by_kid(self, kid: bytes) -> list[PublicKey]:
        """Every key that the hint fits."""
        return self._by_kid.get(kid, [])

    def by_thumbprint(self, thumb: bytes) -> PublicKey | None:
        """The key of that name."""
        return self._by_thumbprint.get(thumb)

    def __iter__(self) -> Iterator[PublicKey]:
        return iter(self._by_thumbprint.values())

    def __len__(self) -> int:
        return len(self._by_thumbprint)
