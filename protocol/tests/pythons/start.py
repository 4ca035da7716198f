"""Begins a program in CPython on WebAssembly, where OpenSSL is not: python-ecdsa verifies P-256 in its place.

Nothing else is replaced. What the judge reads, computes and writes is the very code that runs elsewhere.
"""

import hashlib
import importlib.util
import runpy
import sys
import types
from collections.abc import Callable
from pathlib import Path

from ecdsa import BadSignatureError, NIST256p, SigningKey, VerifyingKey

import meterseal_protocol
from meterseal_protocol.errors import Unverified

PACKAGE = "meterseal_protocol.signing"
Verify = Callable[[bytes, bytes], None]


def verifier(public: bytes) -> Verify:
    """Of a key x ‖ y: as meterseal_protocol.signing.esp256.verifier."""
    key = VerifyingKey.from_string(public, NIST256p, hashlib.sha256)

    def verify(message: bytes, signature: bytes) -> None:
        try:
            key.verify(signature, message)
        except BadSignatureError:
            raise Unverified("the signature does not hold") from None

    return verify


def signer(secret: bytes) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Public half and signing function of a secret, deterministic (RFC 6979)."""
    key = SigningKey.from_string(secret, NIST256p, hashlib.sha256)
    return key.verifying_key.to_string(), key.sign_deterministic


def stand_in(name: str) -> types.ModuleType:
    """A module of this name that has both."""
    module = types.ModuleType(f"{PACKAGE}.{name}")
    module.verifier, module.signer = verifier, signer  # type: ignore[attr-defined]
    return module


def run(command: list[str]) -> None:
    """Run the program `command[0]` with the arguments behind it.

    Ed25519 has its place in the table of suites and is not called: a vector that called it would fail.
    """
    folder = Path(meterseal_protocol.__file__).parent / "signing"
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    for name in ("esp256", "ed25519"):
        module = stand_in(name)
        sys.modules[module.__name__] = module
        setattr(package, name, module)
    spec.loader.exec_module(package)
    sys.argv = list(command)
    print(sys.version, file=sys.stderr)
    runpy.run_path(command[0], run_name="__main__")
