"""Suite 1: ECDSA on P-256 with SHA-256 (RFC 9864, FIPS 186-5), by `cryptography`. Signatures are r || s.

Where `awscrt` is installed (meterseal-protocol[fast]), its AWS-LC checks signatures in a fifth less time than OpenSSL.
The answers are the same: both take the same vectors in the tests.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from meterseal_protocol.errors import BadKey, Unverified
from meterseal_protocol.signing.scheme import SIGNATURE, Signer, Verifier, wrong_length

try:
    from awscrt.crypto import EC
except ImportError:
    EC = None

PART = 32
# SubjectPublicKeyInfo of an uncompressed point on P-256 up to the point (RFC 5480 section 2).
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_ECDSA = ec.ECDSA(hashes.SHA256())
_CURVE = ec.SECP256R1()


def verifier(public: bytes) -> Verifier:
    """Checks signatures under x || y; BadKey when that is no point of the curve."""
    return by_openssl(public) if EC is None else by_aws_lc(public)


def by_aws_lc(public: bytes) -> Verifier:
    """As `verifier`, by AWS-LC."""
    by_openssl(public)  # whether it is a key is said by one library alone
    check, sha256 = EC.new_key_from_der_data(_SPKI + public).verify, hashlib.sha256

    def verify(message: bytes, signature: bytes) -> None:
        if len(signature) != SIGNATURE:
            raise Unverified(wrong_length(signature))
        if not check(sha256(message).digest(), der(signature)):
            raise Unverified("the signature does not hold")

    return verify


def by_openssl(public: bytes) -> Verifier:
    """As `verifier`, by the OpenSSL of `cryptography`."""
    try:
        check = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, b"\x04" + public).verify
    except ValueError:
        raise BadKey("the public key is no point of P-256") from None

    def verify(message: bytes, signature: bytes) -> None:
        if len(signature) != SIGNATURE:
            raise Unverified(wrong_length(signature))
        try:
            check(der(signature), message, _ECDSA)
        except InvalidSignature:
            raise Unverified("the signature does not hold") from None

    return verify


def signer(secret: bytes) -> tuple[bytes, Signer]:
    """Public key x || y and the signer of a scalar; BadKey when it is not from 1 to the order less 1."""
    try:
        key = ec.derive_private_key(int.from_bytes(secret, "big"), _CURVE)
    except ValueError:
        raise BadKey("the secret is no scalar of P-256; make a new key") from None
    numbers = key.public_key().public_numbers()

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, _ECDSA))
        return r.to_bytes(PART, "big") + s.to_bytes(PART, "big")

    return numbers.x.to_bytes(PART, "big") + numbers.y.to_bytes(PART, "big"), sign


def new_secret() -> bytes:
    """A fresh scalar."""
    return ec.generate_private_key(_CURVE).private_numbers().private_value.to_bytes(PART, "big")


def der(signature: bytes) -> bytes:
    """The signature as ECDSA-Sig-Value in DER (RFC 3279 section 2.2.3), which `cryptography` wants.

    Nearly every accepted signature has r without leading zero byte and s below 2^255, without one too: two integers
    of known length, put together four times as fast as numbers are encoded.
    """
    if signature[0] and 0 < signature[PART] < 0x80:
        start = b"\x30\x45\x02\x21\x00" if signature[0] > 0x7F else b"\x30\x44\x02\x20"
        return start + signature[:PART] + b"\x02\x20" + signature[PART:]
    return encode_dss_signature(
        int.from_bytes(signature[:PART], "big"), int.from_bytes(signature[PART:], "big")
    )
