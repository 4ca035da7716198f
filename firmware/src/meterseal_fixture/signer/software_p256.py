"""ESP256 in software: deterministic ECDSA over P-256 with SHA-256 (RFC 6979), and its verification.

One signature makes about half a megabyte of garbage, so garbage is collected before and after, never inside; no
signature is made while gates count (design section 6).

What is done does not depend on the key: the same operations on the curve for every nonce, inversion by Fermat's
theorem, and a second nonce only once in 2^32 signatures. How long each takes does, a little: see curve_p256. The
secret lies in RAM and in flash; who can read either has it.
"""

import gc
from hashlib import sha256

from meterseal_fixture.errors import FixtureError
from meterseal_fixture.signer.curve_p256 import N, affine, combine, multiply_base, on_curve

BLOCK = 64
SIZE = 32
DRAWS = 4


def _hash(data: bytes) -> bytes:
    digest: bytes = sha256(data).digest()
    return digest


def _hmac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) of a key of at most 64 bytes."""
    key = key + b"\x00" * (BLOCK - len(key))
    inner = bytes(byte ^ 0x36 for byte in key)
    outer = bytes(byte ^ 0x5C for byte in key)
    return _hash(outer + _hash(inner + data))


def _nonces(secret: bytes, digest: bytes):
    """Candidates for k (RFC 6979 section 3.2), one after the other."""
    reduced = (int.from_bytes(digest, "big") % N).to_bytes(SIZE, "big")
    value, key = b"\x01" * SIZE, b"\x00" * SIZE
    for mark in (b"\x00", b"\x01"):
        key = _hmac(key, value + mark + secret + reduced)
        value = _hmac(key, value)
    while True:
        value = _hmac(key, value)
        candidate = int.from_bytes(value, "big")
        if 0 < candidate < N:
            yield candidate
        key = _hmac(key, value + b"\x00")
        value = _hmac(key, value)


def new_secret(entropy) -> bytes:
    """A new secret of 32 bytes: a number from 1 to the order less one, drawn from `entropy(n) -> n bytes`.

    Rejection sampling (FIPS 186-5 section A.2.2); a draw misses once in 2^32. FixtureError "signer.entropy" after
    four misses, for a draw of another length, and for a source that says the same twice.
    """
    for _ in range(DRAWS):
        secret, next_one = bytes(entropy(SIZE)), bytes(entropy(SIZE))
        if len(secret) != SIZE or secret == next_one:
            break
        if 0 < int.from_bytes(secret, "big") < N:
            return secret
    raise FixtureError("signer.entropy")


class SoftwareSigner:
    """Signs with the 32-byte secret it was given; ValueError when that is no scalar of P-256."""

    def __init__(self, secret: bytes) -> None:
        self._number = int.from_bytes(secret, "big")
        if len(secret) != SIZE or not 0 < self._number < N:
            raise ValueError("a P-256 secret is 32 bytes of a number from 1 to the order")
        self._secret = secret
        x, y = multiply_base(self._number)
        self.public_xy = x.to_bytes(SIZE, "big") + y.to_bytes(SIZE, "big")

    def sign(self, message: bytes) -> bytes:
        """64 bytes r || s over SHA-256 of `message`."""
        gc.collect()
        digest = _hash(message)
        number = int.from_bytes(digest, "big")
        for k in _nonces(self._secret, digest):
            r = multiply_base(k)[0] % N
            s = pow(k, N - 2, N) * (number + r * self._number) % N
            if r and s:
                break
        gc.collect()
        signature: bytes = r.to_bytes(SIZE, "big") + s.to_bytes(SIZE, "big")
        return signature


def verify(public_xy: bytes, message: bytes, signature: bytes) -> bool:
    """True if `signature` (r || s) over `message` holds under the key x || y. False for anything malformed."""
    if len(public_xy) != 2 * SIZE or len(signature) != 2 * SIZE:
        return False
    x, y = int.from_bytes(public_xy[:SIZE], "big"), int.from_bytes(public_xy[SIZE:], "big")
    r, s = int.from_bytes(signature[:SIZE], "big"), int.from_bytes(signature[SIZE:], "big")
    if not (0 < r < N and 0 < s < N and on_curve(x, y)):
        return False
    gc.collect()
    inverse = pow(s, N - 2, N)
    number = int.from_bytes(_hash(message), "big")
    point = combine(number * inverse % N, r * inverse % N, (x, y))
    holds = point[2] != 0 and affine(point)[0] % N == r
    gc.collect()
    return holds
