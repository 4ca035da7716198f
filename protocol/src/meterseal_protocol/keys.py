"""Keys of every suite: private ones in 0600 files, public ones named by their full thumbprint (RFC 9679).

A kid is the first 8 bytes of a thumbprint, a hint: a ring gives every key that fits, and the caller tries them
all. Keys are values here; which key may say what is the business of grants.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from meterseal_protocol.errors import BadKey
from meterseal_protocol.signing import SCHEMES
from meterseal_protocol.signing.scheme import SECRET, Verifier
from meterseal_wire.digest import kid
from meterseal_wire.errors import BadShape, UnknownSuite
from meterseal_wire.suites import DEFAULT, Suite, by_number, of_key

# A key file is the bare secret in the default suite, as fixtures and earlier releases write it; in any other this
# line goes before it. A secret of 32 bytes cannot be taken for one with the line, nor the other way round.
FILE_START = b"meterseal key of suite %d\n"


class PublicKey:
    """A public key of any suite: `xy` are its coordinates, `thumbprint` 32 bytes, `kid` 8 bytes.

    `verify(message, signature)` raises Unverified unless the signature (64 bytes) holds. The constructor raises
    BadKey where `xy` is no key of the suite.
    """

    __slots__ = ("kid", "suite", "thumbprint", "verify", "xy")

    def __init__(self, xy: bytes, suite: Suite = DEFAULT) -> None:
        if len(xy) != suite.public_bytes:
            raise BadKey(f"a public key of {suite.name} is {suite.public_bytes} bytes, not {len(xy)}")
        self.verify: Verifier = SCHEMES[suite.number].verifier(bytes(xy))
        self.suite = suite
        self.xy = bytes(xy)
        self.thumbprint = bytes(suite.thumbprint(xy))
        self.kid = bytes(kid(self.thumbprint))

    @classmethod
    def from_cose(cls, key: Any) -> "PublicKey":
        """From a COSE_Key map (RFC 9053 section 7), which says its suite by type and curve; else BadKey."""
        try:
            suite, public = of_key(key)
        except BadShape as error:
            raise BadKey(error.why) from None
        return cls(public, suite)

    @property
    def cose(self) -> dict[int, Any]:
        """COSE_Key map."""
        return dict(self.suite.cose_key(self.xy))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.thumbprint == other.thumbprint

    def __hash__(self) -> int:
        return hash(self.thumbprint)


class PrivateKey:
    """A private key of any suite; fits `meterseal_wire.statement.Author` as a signer.

    `public_xy` are the public key's coordinates, `sign(message)` gives 64 bytes.
    """

    def __init__(self, secret: bytes, suite: Suite = DEFAULT) -> None:
        if len(secret) != SECRET:
            raise BadKey(f"a secret is {SECRET} bytes, not {len(secret)}")
        self.public_xy, self.sign = SCHEMES[suite.number].signer(secret)
        self.suite = suite
        self._secret = secret

    @classmethod
    def generate(cls, suite: Suite = DEFAULT) -> "PrivateKey":
        """A fresh key."""
        return cls(SCHEMES[suite.number].new_secret(), suite)

    @classmethod
    def load(cls, path: Path) -> "PrivateKey":
        """Read a key file; refuses one that group or others may touch, or that is none (BadKey)."""
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise BadKey(
                    f"{path} can be read by others; run chmod 600 on it, and make a new key if it was shared"
                )
            content = file.read(len(FILE_START) + SECRET + 1)
        return cls(*_parsed(content))

    def save(self, path: Path) -> None:
        """Write the secret as a new file with mode 0600; an existing file is never overwritten."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise BadKey(f"{path} exists already; a key is never overwritten") from None
        with os.fdopen(handle, "wb") as file:
            file.write(_file_start(self.suite) + self._secret)

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.public_xy, self.suite)

    @property
    def thumbprint(self) -> bytes:
        """32 bytes (RFC 9679)."""
        return bytes(self.suite.thumbprint(self.public_xy))


def _file_start(suite: Suite) -> bytes:
    return b"" if suite is DEFAULT else FILE_START % suite.number


def _parsed(content: bytes) -> tuple[bytes, Suite]:
    if len(content) <= SECRET:
        return content, DEFAULT
    start, secret = content[:-SECRET], content[-SECRET:]
    digit = start[-2:-1]
    try:
        suite = by_number(int(digit)) if digit.isdigit() else DEFAULT
    except UnknownSuite as error:
        raise BadKey(f"the key file is of no suite that is known here: {error.why}") from None
    if start != _file_start(suite):
        raise BadKey(f"a key file is {SECRET} bytes, or a line that says its suite and {SECRET} bytes")
    return secret, suite


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
