"""Suite 2: SM2 with SM3 (GB/T 32918.2, on the curve of part 5), by `gmalg`. Signatures are r || s.

Signer's id is the default of GM/T 0009 section 10. gmalg is plain Python: some 20 ms a check, 10 ms a signature, and
not in constant time. Whoever signs with this suite in earnest signs in a device (docs/decisions/0007-suites.md).
"""

from gmalg import SM2

from meterseal_protocol.errors import BadKey, Unverified
from meterseal_protocol.signing.scheme import SECRET, SIGNATURE, Signer, Verifier, wrong_length

PART = 32
SIGNER_ID = b"1234567812345678"
PRIME = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = PRIME - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


def verifier(public: bytes) -> Verifier:
    """Checks signatures under x || y; BadKey when that is no point of the curve."""
    x, y = int.from_bytes(public[:PART], "big"), int.from_bytes(public[PART:], "big")
    if x >= PRIME or y >= PRIME or (x * x * x + A * x + B - y * y) % PRIME:
        raise BadKey("the public key is no point of SM2's curve")  # gmalg itself would not notice
    point = b"\x04" + public

    def verify(message: bytes, signature: bytes) -> None:
        if len(signature) != SIGNATURE:
            raise Unverified(wrong_length(signature))
        # A new object each time: it keeps the state of its hash, and two threads must not share that.
        if not SM2(uid=SIGNER_ID, pk=point).verify(message, signature[:PART], signature[PART:]):
            raise Unverified("the signature does not hold")

    return verify


def signer(secret: bytes) -> tuple[bytes, Signer]:
    """Public key x || y and the signer of a scalar; BadKey beyond 1 to the order less 2 (GB/T 32918.1 section 6.1)."""
    if not 0 < int.from_bytes(secret, "big") < ORDER - 1:
        raise BadKey("the secret is no scalar of SM2; make a new key")
    point = SM2().generate_pk(secret)

    def sign(message: bytes) -> bytes:
        r, s = SM2(secret, SIGNER_ID, point).sign(message)
        return bytes(r.rjust(PART, b"\x00") + s.rjust(PART, b"\x00"))

    return bytes(point[1:]), sign


def new_secret() -> bytes:
    """A fresh scalar."""
    secret, _ = SM2().generate_keypair()
    return bytes(secret.rjust(SECRET, b"\x00"))
