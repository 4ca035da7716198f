"""Suite 3: Ed25519 (RFC 8032 section 5.1), by `cryptography`. A signature is R || S, and S below the order is checked.

The key must be the one spelling of a point of full order: a small point lets one signature fit many messages, and a
second spelling would give a key two names. OpenSSL takes both, so they are refused here.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from meterseal_protocol.errors import BadKey, Unverified
from meterseal_protocol.signing.scheme import SIGNATURE, Signer, Verifier, wrong_length

PRIME = 2**255 - 19
# y of the eight points whose order divides the cofactor 8: 1, -1, 0, and two of order 8, each with both signs of x.
SMALL = {
    1,
    PRIME - 1,
    0,
    0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
}


def verifier(public: bytes) -> Verifier:
    """Checks signatures under the 32 bytes of a key; BadKey when its y is out of range or of small order."""
    y = int.from_bytes(public, "little") & (2**255 - 1)
    if y >= PRIME or y in SMALL:
        raise BadKey("the public key is no point of Ed25519 of full order, or another spelling of one")
    try:
        check = Ed25519PublicKey.from_public_bytes(public).verify
    except ValueError:
        raise BadKey("the public key is no point of Ed25519") from None

    def verify(message: bytes, signature: bytes) -> None:
        if len(signature) != SIGNATURE:
            raise Unverified(wrong_length(signature))
        try:
            check(signature, message)
        except InvalidSignature:
            raise Unverified("the signature does not hold") from None

    return verify


def signer(secret: bytes) -> tuple[bytes, Signer]:
    """Public key and signer of a 32-byte seed; every seed is one."""
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return key.public_key().public_bytes_raw(), key.sign


def new_secret() -> bytes:
    """A fresh seed."""
    return Ed25519PrivateKey.generate().private_bytes_raw()
