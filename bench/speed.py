"""Rates of the protocol against a limit taken in the same run: best of several interleaved rounds, one core."""

import time
from collections.abc import Callable

import segno
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from segno import consts

from meterseal_protocol import qr
from meterseal_protocol.certificate import Certificate, issue
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.statement import read
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.sign1 import sig_structure
from meterseal_wire.statement import Author, build
from row import Row

ROUNDS, CALLS = 7, 400
BASE = "https://meterseal.example.org"
METER = "DEMO.1208205812345"
QR_GOAL, VERIFY_GOAL = 12, 0.90
URL_CHARACTERS = 59


def rate(call: Callable[[], object]) -> float:
    """Calls a second over one round."""
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return CALLS / (time.perf_counter() - began)


def interleaved(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Best rates of two calls, measured in turns so that both see the same machine."""
    rounds = [(rate(first), rate(second)) for _ in range(ROUNDS)]
    return max(a for a, _ in rounds), max(b for _, b in rounds)


def verify_row() -> Row:
    """Verifying a statement, from bytes to a checked payload, against bare `cryptography` with the same key."""
    key = PrivateKey.generate()
    ring = KeyRing()
    ring.add(key.public)
    payload = {L.ORIGIN: "edge/EDGE1", L.LOG_SIZE: 1, L.LOG_ROOT: bytes(32), L.TIME_S: 1}
    raw = build(Author("EDGE1", "YUHANG1", key), L.KIND_CHECKPOINT, payload)
    parts = read(raw)
    message = sig_structure(parts.protected, parts.body)
    r, s = int.from_bytes(parts.signature[:32], "big"), int.from_bytes(parts.signature[32:], "big")
    der = encode_dss_signature(r, s)
    bare = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key.public_xy)
    algorithm = ec.ECDSA(hashes.SHA256())
    ours, limit = interleaved(lambda: verify(raw, ring), lambda: bare.verify(der, message, algorithm))
    note = "bytes to checked payload; bare cryptography.verify"
    return Row("protocol.verify_vs_raw", ours, "1/s", limit, VERIFY_GOAL, at_most=False, note=note)


def qr_row() -> Row:
    """Version of a certificate's QR code at level M with an address of 59 characters."""
    key = PrivateKey.generate()
    certificate = Certificate(
        issuer="REG-CN",
        meter=METER,
        issued_s=1_795_000_000,
        expires_s=1_826_536_000,
        territory=("33",),
        rules=bytes(range(8)),
        result=bytes(range(16)),
        position=20,
        end_register=123_456,
        exponent=-3,
        marks=bytes(range(8)),
        status_list=1,
        status_index=1_000_000,
        demo=False,
    )
    raw = issue(Author("REG-CN", "record", key), certificate)
    address, _, fragment = qr.url(BASE, raw, METER).partition("#")
    address = (address + "#").ljust(URL_CHARACTERS, "#")[:URL_CHARACTERS]
    symbol = segno.make(
        [(address, consts.MODE_BYTE), (fragment, consts.MODE_ALPHANUMERIC)],  # type: ignore[arg-type]
        error="m",
        boost_error=False,
    )
    return Row(
        "protocol.qr_version", int(symbol.version), "", goal=QR_GOAL, note=f"{len(raw)} bytes, level M"
    )


def rows() -> list[Row]:
    """protocol.verify_vs_raw and protocol.qr_version."""
    return [verify_row(), qr_row()]
