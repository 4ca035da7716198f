"""What a row of the suite table needs to work: a verifier of a public key, a signer of a secret, a new secret."""

from collections.abc import Callable
from typing import Protocol

# (message, signature of 64 bytes): Unverified unless it holds. Bound once a key, so that checking looks nothing up.
Verifier = Callable[[bytes, bytes], None]
Task = tuple[bytes, bytes, bytes]  # public key, message, signature of 64 bytes
Signer = Callable[[bytes], bytes]  # message -> 64 bytes

SIGNATURE = 64
SECRET = 32


class Scheme(Protocol):
    """One suite's cryptography, as a module. Public keys are coordinates, secrets 32 bytes."""

    def verifier(self, public: bytes) -> Verifier:
        """Checks signatures under a public key of the suite's length; BadKey where it is none."""

    def signer(self, secret: bytes) -> tuple[bytes, Signer]:
        """Public key and signer of a 32-byte secret; BadKey where it is none."""

    def new_secret(self) -> bytes:
        """32 fresh bytes that are a secret."""


def wrong_length(signature: bytes) -> str:
    """What to say of a signature that has not 64 bytes."""
    return f"a signature is {SIGNATURE} bytes, not {len(signature)}"
