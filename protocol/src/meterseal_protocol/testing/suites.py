"""Public suites of vectors, in the files in which their makers publish them: what each case asserts of our code.

`cases(path)` gives the cases of a file that it knows, by what stands in the file and not by its name, and nothing
for another. A case is a name and a call: it returns None where our code does what the suite says, and a sentence
where it does not. Expected values come from the files alone.

cbor/test-vectors (RFC 7049 appendix A), cose-wg/Examples, C2SP/wycheproof, transparency-dev/merkle, the Token Status
List draft. M-Bus telegrams are telegrams.py's.
"""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.merkle import verify_consistency, verify_inclusion
from meterseal_protocol.status import unpack_map, value_at
from meterseal_protocol.verify import verify_ed25519, verify_foreign
from meterseal_wire.encode import LARGEST, encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

REFUSALS = (ProtocolError, WireError)


@dataclass(frozen=True)
class Case:
    """One assertion of a suite: `check` gives None where it holds, else what is wrong."""

    suite: str
    name: str
    check: Callable[[], str | None]


def cases(path: Path) -> Iterator[Case]:
    """Every case of a file; nothing for a file of no suite known here. Raises OSError where it can't be read."""
    if path.suffix != ".json":
        return
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError:
        return
    if isinstance(found, list):
        yield from _rows(path, found)
    elif isinstance(found, dict) and "testGroups" in found:
        yield from _wycheproof(found)
    elif isinstance(found, dict) and {"input", "output", "title"} <= set(found):
        yield Case("cose-wg/Examples", path.stem, lambda: _cose(found))
    elif isinstance(found, dict) and "leafIdx" in found:
        yield Case("merkle inclusion", f"{path.parent.name}/{path.stem}", lambda: _inclusion(found))
    elif isinstance(found, dict) and "size1" in found:
        yield Case("merkle consistency", f"{path.parent.name}/{path.stem}", lambda: _consistency(found))


def _rows(path: Path, rows: list[Any]) -> Iterator[Case]:
    for number, row in enumerate(rows):
        if isinstance(row, dict) and "hex" in row and "roundtrip" in row:
            yield Case("CBOR appendix A", row["hex"][:32], lambda row=row: _cbor(row))  # type: ignore[misc]
        elif isinstance(row, dict) and "cbor_hex" in row and "entries" in row:
            yield Case("status list", f"{path.stem} {number}", lambda row=row: _status(row))  # type: ignore[misc]


def refused(call: Callable[[], object]) -> bool:
    """True if a call ends in one of our own errors."""
    try:
        call()
    except REFUSALS:
        return True
    return False


def _verdict(holds: bool, call: Callable[[], object]) -> str | None:
    if refused(call) == holds:
        return "refused although it is valid" if holds else "accepted although it must fail"
    return None


# --- CBOR


def _cbor(row: dict[str, Any]) -> str | None:
    """Accepted with its value where it lies inside our profile, else refused by name."""
    raw = bytes.fromhex(row["hex"])
    if not _in_profile(raw):
        return None if refused(lambda: scan(raw)) else "accepted although it is outside of the profile"
    try:
        value = scan(raw)
    except WireError as error:
        return f"refused: {error}"
    if value != row.get("decoded", cbor2.loads(raw)):
        return f"decoded as {value!r}"
    return None if encode(value) == raw else "encodes to other bytes"


def _in_profile(raw: bytes) -> bool:
    """By an independent decoder: no float, tag, simple value or large integer, and canonical spelling."""
    try:
        value = cbor2.loads(raw)
    except (cbor2.CBORDecodeError, ValueError):
        return False  # simple(24) in two bytes is not well-formed by RFC 8949 section 3.3
    return _plain(value) and bytes(cbor2.dumps(value, canonical=True)) == raw


def _plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, (int, str)) and _plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_plain, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return -LARGEST <= value <= LARGEST
    return value is None or isinstance(value, (bool, str, bytes))


# --- COSE


def _cose(example: dict[str, Any]) -> str | None:
    signed = example["input"].get("sign0")
    external = bytes.fromhex((signed or {}).get("external", ""))
    raw = bytes.fromhex(example["output"]["cbor"])
    return _verdict(_cose_holds(example), lambda: verify_foreign(raw, _cose_key(example), external))


def _cose_holds(example: dict[str, Any]) -> bool:
    """A single signer, not made to fail, with an algorithm and a curve that we take from strangers."""
    signed = example["input"].get("sign0")
    if signed is None or example.get("fail"):
        return False
    curves = {"ES256": "P-256", "EdDSA": "Ed25519"}
    curve = curves.get(signed.get("protected", {}).get("alg"))
    return curve is not None and bool(curve == signed["key"].get("crv"))


def _cose_key(example: dict[str, Any]) -> dict[int, Any]:
    """The first key that an example names as COSE_Key; a symmetric one where it is no signature at all."""
    for part in example["input"].values():
        rows = [part, *part.get("signers", []), *part.get("recipients", [])] if isinstance(part, dict) else []
        for row in rows:
            if "key" in row:
                return _key_map(row["key"])
    return {1: 4}


def _key_map(row: dict[str, Any]) -> dict[int, Any]:
    if row["kty"] == "EC":
        curve = {"P-256": 1, "P-384": 2, "P-521": 3}[row["crv"]]
        return {1: 2, -1: curve, -2: _coordinate(row, "x"), -3: _coordinate(row, "y")}
    if row["kty"] == "OKP":
        return {1: 1, -1: {"Ed25519": 6, "Ed448": 7}.get(row["crv"], 0), -2: _coordinate(row, "x")}
    return {1: 4}


def _coordinate(row: dict[str, Any], name: str) -> bytes:
    if f"{name}_hex" in row:
        return bytes.fromhex(row[f"{name}_hex"])
    return base64.urlsafe_b64decode(row[name] + "==")


# --- Wycheproof


def _wycheproof(document: dict[str, Any]) -> Iterator[Case]:
    for group in document["testGroups"]:
        verify = _verifier(group)
        if verify is None:
            continue
        for row in group["tests"]:
            name = f"{document['algorithm']} {row['tcId']}"
            yield Case("wycheproof", name, lambda row=row, verify=verify: _signature(row, verify))  # type: ignore[misc]


def _verifier(group: dict[str, Any]) -> Callable[[bytes, bytes], None] | None:
    key = group.get("publicKey", {})
    if (group["type"], key.get("curve"), group.get("sha")) == ("EcdsaP1363Verify", "secp256r1", "SHA-256"):
        return PublicKey(bytes.fromhex(key["uncompressed"])[1:]).verify
    if (group["type"], key.get("curve")) == ("EddsaVerify", "edwards25519"):
        public = bytes.fromhex(key["pk"])
        return lambda message, signature: verify_ed25519(public, message, signature)
    return None


def _signature(row: dict[str, Any], verify: Callable[[bytes, bytes], None]) -> str | None:
    message, signature = bytes.fromhex(row["msg"]), bytes.fromhex(row["sig"])
    return _verdict(row["result"] == "valid", lambda: verify(message, signature))


# --- Merkle trees


def _base64s(items: list[str] | None) -> list[bytes]:
    return [base64.b64decode(item) for item in items or []]


def _inclusion(row: dict[str, Any]) -> str | None:
    leaf, root = base64.b64decode(row["leafHash"] or ""), base64.b64decode(row["root"] or "")
    proof = _base64s(row["proof"])
    return _verdict(
        not row["wantErr"], lambda: verify_inclusion(leaf, row["leafIdx"], row["treeSize"], proof, root)
    )


def _consistency(row: dict[str, Any]) -> str | None:
    roots = base64.b64decode(row["root1"] or ""), base64.b64decode(row["root2"] or "")
    proof = _base64s(row["proof"])
    return _verdict(not row["wantErr"], lambda: verify_consistency(row["size1"], row["size2"], proof, *roots))


# --- Token Status List


def _status(row: dict[str, Any]) -> str | None:
    bits, packed = unpack_map(cbor2.loads(bytes.fromhex(row["cbor_hex"])))
    if bits != row["bits"] or len(packed) * 8 != row["size"] * bits:
        return f"{bits} bits and {len(packed)} bytes"
    wanted = {int(index): status for index, status in row["entries"].items()}
    for index in range(row["size"]):
        if value_at(packed, bits, index) != wanted.get(index, 0):
            return f"entry {index} is {value_at(packed, bits, index)}"
    return None
