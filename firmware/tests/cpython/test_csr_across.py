"""What a board asks for, read by others: `cryptography`, `openssl req`, and the protocol's own rotation."""

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meterseal_protocol.keys import PublicKey
from meterseal_protocol.rotation import rotated_to
from meterseal_protocol.statement import read
from meterseal_tools.boards.identity import fingerprint as as_people_see_it

ROOT = Path(__file__).resolve().parents[3]
MICROPYTHON = Path(sys.executable).parent / "micropython"
SIGNERS = {
    "software": "from meterseal_fixture.signer.software_p256 import SoftwareSigner\n"
    "signer = SoftwareSigner(bytes(31) + b'\\x07')\n",
    "element": "from test_atecc608 import part, signer as of\nsigner = of(part())\n",
}
REQUEST = """
from meterseal_fixture.signer.csr import fingerprint, request
print(signer.public_xy.hex())
print(request(signer, ("YUHANG1", "WATER-1", "W1")).hex())
print(fingerprint(signer.public_xy))
"""
ROTATED = """
from meterseal_fixture.signer.rotation import rotated
from meterseal_fixture.signer.software_p256 import SoftwareSigner
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build
old = SoftwareSigner(bytes(31) + b"\\x08")
chain = (3, 9, b"\\x05" * 32)
payload = rotated(old.public_xy, signer, chain, "yearly")
print(old.public_xy.hex(), signer.public_xy.hex())
print(build(Author("YUHANG1", "W1", old), L.KIND_EVENT, payload, chain).hex())
"""


def said(code: str) -> list[str]:
    """Lines that MicroPython prints for a program."""
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=2m", "-c", code],
        env={"MICROPYPATH": ".frozen:protocol/src:firmware/src:firmware/tests"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_request_is_read_and_verified_by_others(kind: str, tmp_path: Path) -> None:
    """RFC 2986 by `cryptography` and by `openssl req -verify`; the fingerprint is the thumbprint of RFC 9679."""
    public, der, fingerprint = said(SIGNERS[kind] + REQUEST)
    found = x509.load_der_x509_csr(bytes.fromhex(der))
    assert found.is_signature_valid and found.signature_hash_algorithm.name == "sha256"  # type: ignore[union-attr]
    key = found.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"
    numbers = key.public_numbers()
    assert numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big") == bytes.fromhex(public)
    wanted = {
        NameOID.ORGANIZATION_NAME: "YUHANG1",
        NameOID.ORGANIZATIONAL_UNIT_NAME: "WATER-1",
        NameOID.COMMON_NAME: "W1",
    }
    assert {item.oid: item.value for item in found.subject} == wanted
    path = tmp_path / "request.der"
    path.write_bytes(bytes.fromhex(der))
    checked = subprocess.run(
        ["openssl", "req", "-inform", "DER", "-in", path, "-noout", "-verify"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0 and "OK" in checked.stdout + checked.stderr
    assert fingerprint.replace(" ", "") == PublicKey(bytes.fromhex(public)).thumbprint.hex()
    assert fingerprint == as_people_see_it(PublicKey(bytes.fromhex(public)).thumbprint)


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_rotation_made_on_the_board_is_accepted(kind: str) -> None:
    """protocol/spec/proof.md, "A rotated key": the CPython side finds the new key under the old one's event."""
    keys, raw = said(SIGNERS[kind] + ROTATED)
    old, new = (PublicKey(bytes.fromhex(key)) for key in keys.split(" "))
    event = read(bytes.fromhex(raw))
    old.verify(event.signed, event.signature)
    assert rotated_to(event, old.thumbprint) == new
