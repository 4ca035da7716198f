"""SM2 in plain integers (GB/T 32918.2 section 6.1, curve of part 5), with a nonce that follows from key and message.

Only for vectors, so that they come out the same each time. It shares no code with what verifies them. Signer's id and
hash are arguments: some cases are signed with others than the suite's.
"""

from collections.abc import Callable
from hashlib import sha256

from meterseal_wire.suites import SM2

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SIGNER_ID = b"1234567812345678"
Point = tuple[int, int] | None
Hash = Callable[[bytes], bytes]


def add(one: Point, other: Point) -> Point:
    """Sum of two points; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if one == other else (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(scalar: int, point: Point) -> Point:
    """Multiple of a point."""
    found: Point = None
    while scalar:
        if scalar & 1:
            found = add(found, point)
        point, scalar = add(point, point), scalar >> 1
    return found


def public(secret: bytes) -> bytes:
    """The public half of a secret, x then y."""
    point = times(int.from_bytes(secret, "big"), G)
    assert point is not None
    return b"".join(part.to_bytes(32, "big") for part in point)


def sign(secret: bytes, message: bytes, uid: bytes = SIGNER_ID, hashed: Hash = SM2.hash) -> bytes:
    """Signature, r then s."""
    d = int.from_bytes(secret, "big")
    curve = b"".join(part.to_bytes(32, "big") for part in (A, B, *G))
    z = hashed((len(uid) * 8).to_bytes(2, "big") + uid + curve + public(secret))
    e = int.from_bytes(hashed(z + message), "big")
    k = int.from_bytes(sha256(b"meterseal vector nonce" + secret + message).digest(), "big") % (N - 1) + 1
    point = times(k, G)
    assert point is not None
    r = (e + point[0]) % N
    s = pow(1 + d, -1, N) * (k - r * d) % N
    assert r and s and (r + k) % N
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
