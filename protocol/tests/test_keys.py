"""Keys: files, names, signatures. Signatures are checked with openssl and with Wycheproof's P-256 vectors."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadKey, Unverified
from meterseal_protocol.keys import KeyRing, PrivateKey, PublicKey
from meterseal_protocol.signing import esp256
from meterseal_protocol.signing.scheme import Verifier
from meterseal_wire.suites import ED25519, ESP256, SM2, SUITES, Suite

FOLDER = Path(__file__).parent / "data" / "wycheproof"
GROUPS: list[dict[str, Any]] = [
    group
    for path in sorted(FOLDER.glob("*.json"))
    for group in json.loads(path.read_text())["testGroups"]
    if group["type"] == "EcdsaP1363Verify"
    and group["publicKey"]["curve"] == "secp256r1"
    and group["sha"] == "SHA-256"
]
CASES = [(group["publicKey"], case) for group in GROUPS for case in group["tests"]]
# RFC 6979 appendix A.2.5: a P-256 key.
SECRET = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
PUBLIC_X = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
PUBLIC_Y = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"


def public_key(row: dict[str, Any]) -> PublicKey:
    """A vector's key from its uncompressed point."""
    return PublicKey(bytes.fromhex(row["uncompressed"])[1:])


def test_the_vectors_are_there() -> None:
    """A loader that finds nothing would pass everything."""
    assert len(CASES) >= 133


@pytest.mark.parametrize("library", [esp256.by_openssl, esp256.by_aws_lc])
@pytest.mark.parametrize("row, case", CASES, ids=lambda item: str(item.get("tcId", "")))
def test_every_wycheproof_case_of_p256_ends_as_it_says(
    row: dict[str, Any], case: dict[str, Any], library: Callable[[bytes], Verifier]
) -> None:
    """C2SP/wycheproof: `result` valid or invalid, for signatures r || s over SHA-256; by each library alike."""
    verify = library(public_key(row).xy)
    message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
    if case["result"] == "valid":
        verify(message, signature)
        return
    with pytest.raises(Unverified):
        verify(message, signature)


@pytest.mark.parametrize("library", [esp256.by_openssl, esp256.by_aws_lc])
def test_a_point_beside_the_curve_is_no_key_for_either_library(library: Callable[[bytes], Verifier]) -> None:
    """RFC 6979's x with another y."""
    with pytest.raises(BadKey):
        library(bytes.fromhex(PUBLIC_X) + bytes(31) + b"\x07")


def test_this_environment_has_the_faster_library() -> None:
    """Else the vectors would be run through one library twice."""
    assert esp256.EC is not None


def test_without_the_faster_library_openssl_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """meterseal-protocol alone needs no awscrt."""
    monkeypatch.setattr(esp256, "EC", None)
    key = PrivateKey(SECRET)
    esp256.verifier(key.public_xy)(b"sample", key.sign(b"sample"))
    with pytest.raises(Unverified):
        esp256.verifier(key.public_xy)(b"simple", key.sign(b"sample"))


def test_the_public_half_is_that_of_rfc_6979s_key() -> None:
    """RFC 6979 appendix A.2.5: x and y of the given secret."""
    assert PrivateKey(SECRET).public_xy == bytes.fromhex(PUBLIC_X + PUBLIC_Y)


def test_rfc_6979s_signature_of_sample_verifies() -> None:
    """RFC 6979 appendix A.2.5, SHA-256, message "sample"."""
    r = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    s = "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
    PrivateKey(SECRET).public.verify(b"sample", bytes.fromhex(r + s))


def test_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    """An independent implementation: `openssl dgst -verify` over the DER form of r and s."""
    key, message = PrivateKey(SECRET), b"counts, not verdicts"
    signature = key.sign(message)
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key.public_xy)
    pem = point.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "signature").write_bytes(encode_dss_signature(r, s))
    (tmp_path / "message").write_bytes(message)
    command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "message"]
    assert subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout == b"Verified OK\n"
    (tmp_path / "message").write_bytes(message + b".")
    assert subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode == 1


def test_we_verify_what_openssl_signs(tmp_path: Path) -> None:
    """The other direction, with a key that openssl made."""
    make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem"]
    subprocess.run(make, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "message").write_bytes(b"counts")
    sign = ["openssl", "dgst", "-sha256", "-sign", "key.pem", "message"]
    der = subprocess.run(sign, cwd=tmp_path, check=True, capture_output=True).stdout
    # DER by hand (X.690): 30 len 02 len r 02 len s.
    end = 4 + der[3]
    r, s = int.from_bytes(der[4:end], "big"), int.from_bytes(der[end + 2 :], "big")
    secret = serialization.load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    assert isinstance(secret, ec.EllipticCurvePrivateKey)
    key = PrivateKey(secret.private_numbers().private_value.to_bytes(32, "big"))
    key.public.verify(b"counts", r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@given(st.binary(max_size=100), st.data())
def test_a_flipped_bit_in_message_or_signature_is_refused(message: bytes, data: st.DataObject) -> None:
    """ECDSA binds every bit of the message; another s or r is another signature."""
    key = PrivateKey(SECRET)
    signature = bytearray(key.sign(message))
    signature[data.draw(st.integers(0, 63))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(Unverified):
        key.public.verify(message, bytes(signature))
    with pytest.raises(Unverified):
        key.public.verify(message + b"\x00", key.sign(message))


@pytest.mark.parametrize("length", [0, 63, 65, 72])
def test_a_signature_has_64_bytes(length: int) -> None:
    """RFC 9053 section 2.1: r || s, each as long as the field; DER is refused by its length."""
    with pytest.raises(Unverified, match="64 bytes"):
        PrivateKey(SECRET).public.verify(b"", bytes(length))


def test_a_key_file_is_for_its_owner_alone_and_comes_back(tmp_path: Path) -> None:
    """House rule: 0600, whatever the umask allows."""
    old = os.umask(0)
    try:
        key = PrivateKey.generate()
        key.save(tmp_path / "key")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert PrivateKey.load(tmp_path / "key").public_xy == key.public_xy
    assert len((tmp_path / "key").read_bytes()) == 32


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    """A key that is gone cannot be made again."""
    PrivateKey(SECRET).save(tmp_path / "key")
    with pytest.raises(BadKey, match="never overwritten"):
        PrivateKey.generate().save(tmp_path / "key")
    assert (tmp_path / "key").read_bytes() == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_that_others_may_touch_is_refused_in_one_sentence(tmp_path: Path, mode: int) -> None:
    """It says what is wrong and what to do."""
    PrivateKey(SECRET).save(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(BadKey) as caught:
        PrivateKey.load(tmp_path / "key")
    assert "chmod 600" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_secret_shows_in_no_text(tmp_path: Path) -> None:
    """House rule: never logged. Neither the key's own text nor a refusal has the 32 bytes in any spelling."""
    key = PrivateKey(SECRET)
    key.save(tmp_path / "key")
    with pytest.raises(BadKey) as caught:
        PrivateKey(SECRET + b"\n")
    number = str(int.from_bytes(SECRET, "big"))
    for text in (repr(key), str(key), repr(key.public), str(caught.value), str(caught.value.args)):
        assert SECRET.hex() not in text.lower()
        assert repr(SECRET)[2:20] not in text
        assert number not in text


@pytest.mark.parametrize("content", [b"", SECRET[:31], SECRET + b"\n", bytes(32), b"\xff" * 32])
def test_what_is_no_secret_of_p256_is_refused(tmp_path: Path, content: bytes) -> None:
    """32 bytes, from 1 to the group's order less 1 (SEC 1 section 3.2.1)."""
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(BadKey):
        PrivateKey.load(tmp_path / "key")


def test_the_thumbprint_is_that_of_rfc_9679s_key() -> None:
    """RFC 9679 section 6: thumbprint and, as its first eight bytes, our kid."""
    x = "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
    y = "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"
    key = PublicKey(bytes.fromhex(x + y))
    assert key.thumbprint.hex() == "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
    assert key.kid.hex() == "496bd8afadf307e5"
    assert PublicKey.from_cose(key.cose) == key


every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


@every_suite
def test_a_key_file_of_every_suite_comes_back_as_the_same_key(tmp_path: Path, suite: Suite) -> None:
    """0600, and the file says its suite: what one process saves another loads and signs with."""
    key = PrivateKey.generate(suite)
    key.save(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    again = PrivateKey.load(tmp_path / "key")
    assert again.suite is suite
    assert (again.public_xy, again.thumbprint) == (key.public_xy, key.thumbprint)
    key.public.verify(b"counts", again.sign(b"counts"))


def test_the_spelling_of_a_key_file_stays_what_it_is(tmp_path: Path) -> None:
    """Suite 1: the bare 32 bytes, as every file until now; any other: one line before them."""
    for suite, start in (
        (ESP256, b""),
        (SM2, b"meterseal key of suite 2\n"),
        (ED25519, b"meterseal key of suite 3\n"),
    ):
        PrivateKey(SECRET, suite).save(tmp_path / suite.name)
        assert (tmp_path / suite.name).read_bytes() == start + SECRET


@pytest.mark.parametrize(
    "start",
    [
        b"\x03",
        b"3\n",
        b"meterseal key of suite 1\n",
        b"meterseal key of suite 4\n",
        b"meterseal key of suite 0\n",
        b"meterseal key of suite x\n",
        b"meterseal key of suite 3 ",
        b"Meterseal key of suite 3\n",
        b" meterseal key of suite 3\n",
        b"meterseal key of suite 13\n",
        "meterseal key of suite ³\n".encode(),
    ],
)
def test_a_key_file_with_another_line_is_refused(tmp_path: Path, start: bytes) -> None:
    """One spelling a suite, so that no file is ever read as a key of another suite than it was made for."""
    (tmp_path / "key").write_bytes(start + SECRET)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(BadKey, match="key file"):
        PrivateKey.load(tmp_path / "key")


@pytest.mark.parametrize("length", [1, 31, 33])
def test_a_key_file_of_another_suite_has_32_bytes_below_its_line(tmp_path: Path, length: int) -> None:
    """A line and too little or too much is no key."""
    (tmp_path / "key").write_bytes(b"meterseal key of suite 3\n" + (SECRET + b"\n")[:length])
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(BadKey):
        PrivateKey.load(tmp_path / "key")


@every_suite
def test_a_cose_key_gives_back_the_key(suite: Suite) -> None:
    """RFC 9053 section 7: the map says type, curve and coordinates, and with them the suite."""
    key = PrivateKey.generate(suite).public
    again = PublicKey.from_cose(key.cose)
    assert again == key
    assert (again.suite, again.xy, again.thumbprint, again.kid) == (suite, key.xy, key.thumbprint, key.kid)


@every_suite
def test_a_thumbprint_is_the_suites_hash_over_its_cose_key(suite: Suite, tmp_path: Path) -> None:
    """RFC 9679 section 4: the required labels in deterministic order, by cbor2; hashed by the openssl command."""
    key = PrivateKey.generate(suite).public
    (tmp_path / "cose").write_bytes(
        cbor2.dumps(dict(sorted(key.cose.items(), key=lambda row: (row[0] < 0, -row[0]))))
    )
    digest = {1: "-sha256", 2: "-sm3", 3: "-sha256"}[suite.number]
    command = ["openssl", "dgst", digest, "-binary", "cose"]
    assert subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout == key.thumbprint
    assert key.kid == key.thumbprint[:8]


def test_keys_of_two_suites_are_two_keys() -> None:
    """The same secret on P-256 and for Ed25519 and SM2: three keys, three names."""
    keys = {PrivateKey(SECRET, suite).public for suite in SUITES}
    assert len(keys) == len({key.thumbprint for key in keys}) == 3


@pytest.mark.parametrize(
    "cose",
    [
        None,
        {},
        {1: 2, -1: 1, -2: bytes(32)},
        {1: 2, -1: 2, -2: bytes(32), -3: bytes(32)},
        {1: 1, -1: 6, -2: bytes(32)},
        {1: 1, -1: 6, -2: bytes(31)},
        {1: 1, -1: 4, -2: bytes(32)},
        {1: 4, -1: SECRET},
        {1: 2, -1: -70202, -2: bytes(32), -3: bytes(32)},
        {1: 2, -1: 8, -2: bytes(32), -3: bytes(32)},
        {1: 2, -1: 1, -2: bytes(31), -3: bytes(33)},
        {1: 2, -1: 1, -2: bytes(32), -3: True},
        {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)},
    ],
)
def test_what_is_no_key_of_a_suite_is_refused(cose: Any) -> None:
    """RFC 9053 sections 7.1.1, 7.2; rows of zeros have the right shape and are no point that may be a key."""
    with pytest.raises(BadKey):
        PublicKey.from_cose(cose)


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_public_key_has_64_bytes(length: int) -> None:
    """SEC 1 section 2.3.3: x and y of 32 bytes each; compressed and prefixed forms are not ours."""
    with pytest.raises(BadKey, match="64 bytes"):
        PublicKey(bytes(length))


def test_a_point_beside_the_curve_is_refused() -> None:
    """An invalid-curve key must not get as far as a verification."""
    xy = bytearray(PrivateKey(SECRET).public_xy)
    xy[63] ^= 1
    with pytest.raises(BadKey, match="no point"):
        PublicKey(bytes(xy))


def test_a_ring_gives_every_key_that_a_kid_fits() -> None:
    """A kid is a hint: keys are told apart by thumbprint."""
    first, second = PrivateKey.generate().public, PrivateKey.generate().public
    second.kid = first.kid
    ring = KeyRing()
    for key in (first, second, first):
        ring.add(key)
    assert len(ring) == 2
    assert ring.by_kid(first.kid) == [first, second]
    assert ring.by_kid(b"12345678") == []
    assert ring.by_thumbprint(second.thumbprint) is second
    assert ring.by_thumbprint(bytes(32)) is None
    assert set(ring) == {first, second}
