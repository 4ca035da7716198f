"""The suite table: signature, statement hash and key thumbprint, fixed together (design section 5).

A statement says its suite by alg in its protected header, a COSE_Key by type and curve. Nothing else in the code
names an algorithm: what works with a key or a statement asks its row here, and a test looks that it stays so.

A suite does not reach further than its own statement. Merkle trees are SHA-256 in every suite (RFC 9162; RFC 9942
knows no other tree), and so are digests of contents that statements of several suites cite: plans, packs, firmware.
"""

import hashlib

from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, UnknownSuite

KEY_TYPE, CURVE, X, Y = 1, -1, -2, -3  # labels of a COSE_Key (RFC 9053 section 7)
PART = 32  # bytes of a coordinate, and of each half of a signature, in every suite
OKP, EC2 = 1, 2
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2


def _hasher(name: str):
    """A function from bytes to the 32 bytes of a hash, which raises UnknownSuite where the interpreter has no such."""
    if hasattr(hashlib, name):
        return _direct(getattr(hashlib, name))
    # MicroPython has no `new`: SHA-256 and nothing else that we use.
    return _by_name(name, getattr(hashlib, "new", _nothing))


def _direct(make):
    def digest(data: bytes) -> bytes:
        found: bytes = make(data).digest()
        return found

    return digest


def _by_name(name: str, make):
    def digest(data: bytes) -> bytes:
        try:
            found: bytes = make(name, data).digest()
        except ValueError:
            raise UnknownSuite(
                0, "this interpreter has no %s: nothing of this suite can be named here" % name
            )
        return found

    return digest


def _nothing(name: str, _data: bytes):
    raise ValueError(name)


class Suite:
    """One row: `number`, `name`, COSE `alg`, the COSE_Key's `key_type`, `curve` and coordinate `labels` (32 bytes
    each, together `public_bytes`), `signature_bytes`, and `hash(data) -> 32 bytes`.

    `order` is the group's order n where with (r, s) also (r, n - s) verifies, else 0. `mark` are the bytes with
    which a protected header of this suite goes on after its first byte: alg is the first label (RFC 8949 4.2.1).
    """

    def __init__(self, row) -> None:
        (
            self.number,
            self.name,
            self.alg,
            self.key_type,
            self.curve,
            self.labels,
            self.hash_name,
            self.order,
        ) = row
        self.public_bytes = PART * len(self.labels)
        self.signature_bytes = 2 * PART
        self.mark = b"\x01" + encode(self.alg)
        self.hash = _hasher(self.hash_name)
        self._half = (self.order // 2).to_bytes(PART, "big") if self.order else b""

    def __repr__(self) -> str:
        return "Suite(%d, %s)" % (self.number, self.name)

    def cose_key(self, public: bytes) -> dict[int, object]:
        """COSE_Key map of a public key given as its coordinates, one after the other."""
        key: dict[int, object] = {KEY_TYPE: self.key_type, CURVE: self.curve}
        for place, label in enumerate(self.labels):
            key[label] = bytes(public[place * PART : (place + 1) * PART])
        return key

    def thumbprint(self, public: bytes) -> bytes:
        """32 bytes that name a key wherever a key is named (RFC 9679 section 4), by this suite's hash."""
        name: bytes = self.hash(encode(self.cose_key(public)))
        return name

    def is_canonical(self, signature: bytes) -> bool:
        """True if the signature is in the one spelling that is accepted: s in the lower half of the order.

        Where (r, n - s) verifies too (SEC 1 section 4.1.4), anybody could respell a signature, and so give a
        statement a second identity that would look like a fork. Suites without `order` have one spelling by
        themselves: see docs/decisions/0007-suites.md.
        """
        return not self._half or signature[PART:] <= self._half

    def canonical(self, signature: bytes) -> bytes:
        """The accepted spelling of a signature, whichever a signer made."""
        if self.is_canonical(signature):
            return signature
        lower: int = self.order - int.from_bytes(signature[PART:], "big")
        return signature[:PART] + lower.to_bytes(PART, "big")


# RFC 9864 and RFC 9053 sections 2.1, 7.1.
ESP256 = Suite((1, "ESP256", -9, EC2, 1, (X, Y), "sha256", P256_ORDER))
# GB/T 32918.2 and .5 on sm2p256v1, signer's id 1234567812345678 (GM/T 0009 section 10), signature r || s. IANA has
# registered neither algorithm nor curve: both numbers are ours, from the ranges for private use below -65536.
SM2 = Suite((2, "SM2", -70102, EC2, -70202, (X, Y), "sm3", 0))
# RFC 9864, RFC 8032 section 5.1 and RFC 9053 sections 2.2, 7.2.
ED25519 = Suite((3, "Ed25519", -19, OKP, 6, (X,), "sha256", 0))

SUITES = (ESP256, SM2, ED25519)
DEFAULT = ESP256  # of a signer that says nothing else
BY_ALG = {suite.alg: suite for suite in SUITES}


def is_alg(value: object) -> bool:
    """True if a header's alg names a suite."""
    return isinstance(value, int) and value in BY_ALG


def by_number(number: int) -> Suite:
    """The row of that number, or UnknownSuite."""
    for suite in SUITES:
        if suite.number == number:
            return suite
    raise UnknownSuite(0, "there is no suite %s; there are 1 to %d" % (number, len(SUITES)))


def of_header(protected: bytes) -> Suite:
    """The suite that encoded protected header bytes name by their first label, or UnknownSuite."""
    for suite in SUITES:
        if protected.startswith(suite.mark, 1):
            return suite
    raise UnknownSuite(0, "the protected header names no algorithm of the suite table")


def of_key(key: object) -> tuple[Suite, bytes]:
    """The suite and the public bytes of a COSE_Key map, or BadShape. Labels beyond the suite's are not looked at."""
    if not isinstance(key, dict):
        raise BadShape(0, "a COSE_Key is a map")
    named = (key.get(KEY_TYPE), key.get(CURVE))
    if named[0] is True or named[1] is True:  # equals 1 on both interpreters, and is another spelling
        raise BadShape(0, "a COSE_Key names type and curve by integers")
    for suite in SUITES:
        if named == (suite.key_type, suite.curve):
            return suite, _coordinates(suite, key)
    raise BadShape(0, "a COSE_Key has a type and a curve of the suite table")


def _coordinates(suite: Suite, key) -> bytes:
    parts = []
    for label in suite.labels:
        part = key.get(label)
        if not isinstance(part, bytes) or len(part) != PART:
            raise BadShape(0, "a COSE_Key of %s has coordinates of 32 bytes each" % suite.name)
        parts.append(part)
    return b"".join(parts)
