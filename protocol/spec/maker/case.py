"""What every maker needs: keys that never change, signatures that never change, and the form of a case."""

import json
from functools import partial
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from maker import sm2
from meterseal_protocol.keys import PrivateKey
from meterseal_wire.encode import encode
from meterseal_wire.suites import DEFAULT, SM2, Suite

MAKER = "meterseal, protocol/spec/make_vectors.py"


class FixedKey(PrivateKey):
    """A key from a name, whose signatures are deterministic in every suite: only for vectors, never for use."""

    def __init__(self, name: str, suite: Suite = DEFAULT) -> None:
        self.secret = secret = sha256(f"meterseal vector key {name}".encode()).digest()
        super().__init__(secret, suite)
        if suite is SM2:
            self.sign = partial(sm2.sign, secret)
        if suite is DEFAULT:
            self._fixed = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
            self.sign = self._sign

    def _sign(self, message: bytes) -> bytes:
        algorithm = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
        r, s = decode_dss_signature(self._fixed.sign(message, algorithm))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    @property
    def cose_hex(self) -> str:
        """The public half as the hex of its COSE_Key."""
        return bytes(encode(self.public.cose)).hex()


def accept(name: str, rule: str, why: str, given: dict[str, Any], **expected: Any) -> dict[str, Any]:
    """A case that must be accepted, with what it must give."""
    return _case(name, (rule, why), given, {"accept": expected})


def refuse(name: str, rule: str, why: str, given: dict[str, Any], code: str) -> dict[str, Any]:
    """A case that must be refused with this code."""
    return _case(name, (rule, why), given, {"refuse": code})


def _case(
    name: str, words: tuple[str, str], given: dict[str, Any], expected: dict[str, Any]
) -> dict[str, Any]:
    rule, why = words
    return {"name": name, "maker": MAKER, "rule": rule, "why": why, "input": given, "expect": expected}


def text(case: dict[str, Any]) -> str:
    """A case as the text of its file."""
    return json.dumps(case, indent=1, ensure_ascii=False) + "\n"
