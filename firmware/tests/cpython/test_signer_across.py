"""The software signer against libraries and vectors of others: `cryptography` both ways, and Wycheproof."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

ROOT = Path(__file__).resolve().parents[3]
MICROPYTHON = Path(sys.executable).parent / "micropython"
WYCHEPROOF = ROOT / "protocol/tests/data/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json"
SIGNATURES = 50
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# Reads lines "sign secret message" and "verify key message signature", in hex with "-" for nothing; writes one each.
DRIVER = """
import sys
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
for line in sys.stdin:
    word, *hexes = line.split()
    parts = [b"" if part == "-" else bytes.fromhex(part) for part in hexes]
    if word == "sign":
        signer = SoftwareSigner(parts[0])
        print(signer.public_xy.hex(), signer.sign(parts[1]).hex())
    else:
        print(verify(parts[0], parts[1], parts[2]))
"""


def on_micropython(lines: list[str]) -> list[str]:
    """One answer of the driver, run inside MicroPython, for each line."""
    path = ".frozen:protocol/src:firmware/src"
    done = subprocess.run(
        [MICROPYTHON, "-c", DRIVER],
        input="".join(f"{line}\n" for line in lines),
        env={"MICROPYPATH": path},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines), done.stderr
    return answers


def question(key: bytes, message: bytes, signature: bytes) -> str:
    """The driver's line for one verification."""
    return "verify " + " ".join(part.hex() or "-" for part in (key, message, signature))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """The 64 bytes x || y."""
    numbers = key.public_numbers()
    return numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def test_what_micropython_signs_cryptography_verifies() -> None:
    """Fifty secrets and messages of 1 to 600 bytes, seeded; OpenSSL has the same public key and accepts each."""
    draw = random.Random(6979)
    cases = [
        (draw.randrange(1, ORDER), draw.randbytes(1 + 599 * turn // (SIGNATURES - 1)))
        for turn in range(SIGNATURES)
    ]
    answers = on_micropython([f"sign {secret:064x} {message.hex()}" for secret, message in cases])
    for (secret, message), answer in zip(cases, answers, strict=True):
        key, signature = (bytes.fromhex(part) for part in answer.split())
        public = ec.derive_private_key(secret, ec.SECP256R1()).public_key()
        assert key == point(public)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(SHA256()))
        with pytest.raises(InvalidSignature):
            public.verify(encode_dss_signature(r, s), message + b"\0", ec.ECDSA(SHA256()))


def test_what_micropython_signs_is_what_cryptography_signs_deterministically() -> None:
    """RFC 6979 has one answer: OpenSSL's deterministic signatures are equal, byte for byte."""
    draw = random.Random(97)
    cases = [(draw.randrange(1, ORDER), draw.randbytes(80)) for _ in range(10)]
    answers = on_micropython([f"sign {secret:064x} {message.hex()}" for secret, message in cases])
    for (secret, message), answer in zip(cases, answers, strict=True):
        private = ec.derive_private_key(secret, ec.SECP256R1())
        der = private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
        r, s = decode_dss_signature(der)
        assert answer.split()[1] == f"{r:064x}{s:064x}"


def test_what_cryptography_signs_micropython_verifies_and_tampered_it_refuses() -> None:
    """Fifty random keys: each signature holds; with one bit changed in message, signature or key it does not."""
    draw = random.Random(186)
    questions, expected = [], []
    for _ in range(SIGNATURES):
        private, message = ec.generate_private_key(ec.SECP256R1()), draw.randbytes(draw.randrange(1, 300))
        r, s = decode_dss_signature(private.sign(message, ec.ECDSA(SHA256())))
        whole = [point(private.public_key()), message, r.to_bytes(32, "big") + s.to_bytes(32, "big")]
        questions.append(question(whole[0], whole[1], whole[2]))
        expected.append("True")
        for part in range(3):
            changed = [bytearray(one) for one in whole]
            changed[part][draw.randrange(len(changed[part]))] ^= 1 << draw.randrange(8)
            questions.append(question(bytes(changed[0]), bytes(changed[1]), bytes(changed[2])))
            expected.append("False")
    assert on_micropython(questions) == expected


def test_every_wycheproof_case_is_judged_as_stated() -> None:
    """C2SP/wycheproof, ecdsa_secp256r1_sha256_p1363: all of its cases, valid ones and invalid ones; none is left open
    ("acceptable").
    """
    vectors = json.loads(WYCHEPROOF.read_text("utf-8"))
    questions, expected, names = [], [], []
    for group in vectors["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["uncompressed"])
        assert key[0] == 4 and group["publicKey"]["curve"] == "secp256r1"
        for case in group["tests"]:
            questions.append(question(key[1:], bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])))
            expected.append({"valid": "True", "invalid": "False"}[case["result"]])
            names.append(f"{case['tcId']} {case['comment']}")
    answers = on_micropython(questions)
    wrong = [name for name, answer, right in zip(names, answers, expected, strict=True) if answer != right]
    assert wrong == []
    assert len(questions) == vectors["numberOfTests"] == 133
    assert expected.count("True") > 20 and expected.count("False") > 20
