"""Begins a program in CPython on WebAssembly, where OpenSSL is not: python-ecdsa verifies in its place.

Nothing else is replaced. What the judge reads, computes and writes is the very code that runs elsewhere.
"""

import hashlib
import importlib.util
import runpy
import sys
import types
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from ecdsa import BadSignatureError, Ed25519, NIST256p, SigningKey, VerifyingKey
from ecdsa.curves import Curve

import meterseal_protocol
from meterseal_protocol.errors import Unverified

PACKAGE = "meterseal_protocol.signing"
Verify = Callable[[bytes, bytes], None]


CURVES = {curve.name: curve for curve in (NIST256p, Ed25519)}


@cache  # the vectors share most of their grants, and a signature takes 20 ms here
def holds(curve: str, public: bytes, message: bytes, signature: bytes) -> bool:
    """True if a signature of a public key holds; every key of the judge's vectors is one."""
    try:
        VerifyingKey.from_string(public, CURVES[curve], hashlib.sha256).verify(signature, message)
    except BadSignatureError:
        return False
    return True


def verifier(public: bytes, curve: Curve) -> Verify:
    """Of a public key, as the suites' own modules have it."""

    def verify(message: bytes, signature: bytes) -> None:
        if not holds(curve.name, public, message, signature):
            raise Unverified("the signature does not hold")

    return verify


def signer(secret: bytes, curve: Curve) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Public half and signing function of a secret, deterministic (RFC 6979, RFC 8032)."""
    key = SigningKey.from_string(secret, curve, hashlib.sha256)
    return key.verifying_key.to_string(), key.sign_deterministic


def stand_in(name: str, curve: Curve) -> types.ModuleType:
    """A module of this name that has both."""
    module = types.ModuleType(f"{PACKAGE}.{name}")
    module.verifier = partial(verifier, curve=curve)  # type: ignore[attr-defined]
    module.signer = partial(signer, curve=curve)  # type: ignore[attr-defined]
    return module


def run(command: list[str]) -> None:
    """Run the program `command[0]` with the arguments behind it."""
    folder = Path(meterseal_protocol.__file__).parent / "signing"
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    for name, curve in (("esp256", NIST256p), ("ed25519", Ed25519)):
        module = stand_in(name, curve)
        sys.modules[module.__name__] = module
        setattr(package, name, module)
    spec.loader.exec_module(package)
    sys.argv = list(command)
    print(sys.version, file=sys.stderr)
    runpy.run_path(command[0], run_name="__main__")
