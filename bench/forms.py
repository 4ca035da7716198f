"""The content of one result in two other forms that are in use, to compare sizes: JWS, and DCC-like XML.

Both carry every field of header and payload, and a signature of the same strength. JSON has the names of
spec/labels.toml for keys and base64url for bytes (RFC 7515, compact). The XML follows the Digital Calibration
Certificate of PTB, schema 3: one `dcc:result` a measured point, one `si:real` with value and unit a figure, and an
enveloped XML signature that names its key. What a whole DCC wants besides (laboratory, customer, items, software,
methods in words) is left out, so its figure is the least that the form can be.
"""

import json
import tomllib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from meterseal_protocol.statement import Statement
from meterseal_wire import labels as L
from meterseal_wire import point

LABELS = Path(__file__).resolve().parent.parent / "protocol" / "spec" / "labels.toml"
FIELDS = {number: name for name, number in tomllib.loads(LABELS.read_text("utf-8"))["field"].items()}
SPACES = {
    "dcc": "https://ptb.de/dcc",
    "si": "https://ptb.de/si",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
ALGORITHMS = {
    "CanonicalizationMethod": "http://www.w3.org/2001/10/xml-exc-c14n#",
    "SignatureMethod": "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
    "Transform": "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "DigestMethod": "http://www.w3.org/2001/04/xmlenc#sha256",
}
DIGEST, SIGNATURE = 32, 64  # bytes
TITLES = {"jws": "compact JWS", "dcc": "DCC-like XML"}
ONE, KELVIN, PASCAL, SECOND = r"\one", r"\milli\kelvin", r"\deca\pascal", r"\second"
FLOW = r"\milli\litre\per\hour"
# By the endings of a point's names; a tick's unit is the capture clock's, which the attempt says.
UNITS = {"_mk": KELVIN, "_10pa": PASCAL, "_ml_per_h": FLOW, "_ms": r"\milli\second"}
CONDITIONS = (("air", KELVIN), ("pressure", PASCAL), ("humidity", r"\per\mille"))
SPREAD = ("least", "mean", "greatest")


def base64url(data: bytes) -> str:
    """Without padding (RFC 7515 section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def named(value: Any) -> Any:
    """A payload with its fields' names for labels and base64url for bytes."""
    if isinstance(value, dict):
        return {FIELDS[label]: named(item) for label, item in value.items()}
    if isinstance(value, list):
        return [named(item) for item in value]
    return base64url(value) if isinstance(value, bytes) else value


def jws(statement: Statement) -> bytes:
    """The statement as a compact JWS by ES256, its signature as it is."""
    header: dict[str, Any] = {
        "alg": "ES256",
        "kid": base64url(statement.kid),
        "typ": statement.kind,
        "iss": statement.issuer,
        "sub": statement.subject,
    }
    if statement.chain is not None:
        header["chain"] = [*statement.chain[:2], base64url(statement.chain[2])]
    parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, named(statement.payload))]
    return ".".join(map(base64url, [*parts, statement.signature])).encode()


def dcc(statement: Statement) -> bytes:
    """A result as DCC-like XML, signed as long as a signature with SHA-256 and P-256 is."""
    root = ET.Element(
        "dcc:digitalCalibrationCertificate", {f"xmlns:{name}": uri for name, uri in SPACES.items()}
    )
    root.set("schemaVersion", "3.3.0")
    core = ET.SubElement(ET.SubElement(root, "dcc:administrativeData"), "dcc:coreData")
    _text(core, "dcc:uniqueIdentifier", "-".join(map(str, [statement.issuer, statement.subject])))
    if statement.chain is not None:
        for name, part in zip(("epoch", "seq", "previous"), statement.chain, strict=True):
            _text(core, "dcc:identification", _shown(part), name)
    _text(core, "dcc:identification", _shown(statement.payload[L.EVIDENCE_ROOT]), "evidence_root")
    _text(core, "dcc:identification", _shown(statement.payload[L.ATTEMPT]), "attempt")
    results = ET.SubElement(root, "dcc:measurementResults")
    for position in statement.payload[L.POSITIONS]:
        _measured(ET.SubElement(results, "dcc:measurementResult"), position, statement.payload[L.CONDITIONS])
    _signature(root, statement)
    return bytes(ET.tostring(root, "utf-8"))


def _measured(into: ET.Element, position: dict[int, Any], conditions: Sequence[Sequence[int]]) -> None:
    around = ET.SubElement(into, "dcc:influenceConditions")
    for (name, unit), spread in zip(CONDITIONS, conditions, strict=True):
        for which, number in zip(SPREAD, spread, strict=True):
            _real(around, f"{name}_{which}", number, unit)
    results = ET.SubElement(into, "dcc:results")
    about = ET.SubElement(results, "dcc:result")
    for label, value in position.items():
        for number in [] if label == L.POINTS else value if isinstance(value, list) else [value]:
            _real(about, FIELDS[label], number, ONE)
    for row in position[L.POINTS]:
        result = ET.SubElement(results, "dcc:result")
        for name, number in zip(point.FIELDS, row, strict=True):
            _real(result, name, number, next((UNITS[end] for end in UNITS if name.endswith(end)), ONE))


def _real(into: ET.Element, name: str, number: int, unit: str) -> None:
    real = ET.SubElement(ET.SubElement(into, "dcc:quantity", {"refType": name}), "si:real")
    _text(real, "si:value", str(number))
    _text(real, "si:unit", unit)


def _signature(into: ET.Element, statement: Statement) -> None:
    signature = ET.SubElement(into, "ds:Signature")
    info = ET.SubElement(signature, "ds:SignedInfo")
    for name in ("CanonicalizationMethod", "SignatureMethod"):
        ET.SubElement(info, f"ds:{name}", {"Algorithm": ALGORITHMS[name]})
    reference = ET.SubElement(info, "ds:Reference", {"URI": ""})
    transforms = ET.SubElement(reference, "ds:Transforms")
    ET.SubElement(transforms, "ds:Transform", {"Algorithm": ALGORITHMS["Transform"]})
    ET.SubElement(reference, "ds:DigestMethod", {"Algorithm": ALGORITHMS["DigestMethod"]})
    _text(reference, "ds:DigestValue", b64encode(statement.identity).decode())
    _text(signature, "ds:SignatureValue", b64encode(statement.signature).decode())
    _text(ET.SubElement(signature, "ds:KeyInfo"), "ds:KeyName", statement.kid.hex())


def _text(into: ET.Element, name: str, text: str, ref_type: str = "") -> None:
    ET.SubElement(into, name, {"refType": ref_type} if ref_type else {}).text = text


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
