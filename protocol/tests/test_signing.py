"""The cryptography of every suite, through one door, against strangers: standards' examples, OpenSSL, Wycheproof.

Sources: RFC 6979 appendix A.2.5, RFC 8032 section 7.1, GB/T 32918.5-2017 annex A (the same as GM/T 0003.5-2012
annex A), and the `openssl` command, which has all three algorithms.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadKey, Unverified
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_protocol.signing import SCHEMES, esp256
from meterseal_wire.suites import ED25519, ESP256, SM2, SUITES, Suite

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SM2_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED25519_PRIME = 2**255 - 19

# RFC 8032 section 7.1, TEST 1 to 3: secret, public, message, signature.
RFC8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
            "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
# GB/T 32918.5-2017 annex A: id 1234567812345678, message "message digest".
SM2_SECRET = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
SM2_PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SM2_SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3"
    "B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)
SM2_MESSAGE = b"message digest"
# Beginnings of SubjectPublicKeyInfo and PKCS8 in DER, spelled by hand from RFC 5480, RFC 5915, RFC 8410 and the object
# identifiers 1.2.840.10045.3.1.7 (P-256), 1.2.156.10197.1.301 (SM2) and 1.3.101.112 (Ed25519).
PUBLIC_START = {
    ESP256.number: "3059301306072a8648ce3d020106082a8648ce3d030107034200" + "04",
    SM2.number: "3059301306072a8648ce3d020106082a811ccf5501822d034200" + "04",
    ED25519.number: "302a300506032b6570032100",
}
every_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def holds(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """True if the signature verifies."""
    try:
        key.verify(message, signature)
    except Unverified:
        return False
    return True


def pem(label: str, der: bytes, path: Path) -> str:
    """Write DER as PEM by the openssl command, so that no code of ours takes part; the file's name."""
    path.with_suffix(".der").write_bytes(der)
    kind = ["-pubin"] if label == "PUBLIC" else []
    command = [
        "openssl",
        "pkey",
        *kind,
        "-inform",
        "DER",
        "-in",
        str(path.with_suffix(".der")),
        "-out",
        str(path),
    ]
    if kind:
        command.append("-pubout")
    subprocess.run(command, check=True, capture_output=True)
    return str(path)


def openssl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run `openssl pkeyutl` with the raw message in `message`."""
    command = ["openssl", "pkeyutl", *arguments, "-rawin", "-in", "message"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True)


# What openssl needs to be told of each: the digest, and for SM2 the signer's id of GM/T 0009.
OPTIONS: dict[int, list[str]] = {
    ESP256.number: ["-digest", "sha256"],
    SM2.number: ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"],
    ED25519.number: [],
}


def as_openssl(suite: Suite, signature: bytes) -> bytes:
    """Our 64 bytes as openssl writes a signature: DER but for Ed25519."""
    if suite is ED25519:
        return signature
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))


def from_openssl(suite: Suite, signature: bytes) -> bytes:
    """The other way."""
    if suite is ED25519:
        return signature
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_every_row_of_the_table_has_its_cryptography() -> None:
    """Design section 5: a suite is more than a number; on CPython each of them works."""
    assert set(SCHEMES) == {suite.number for suite in SUITES} == {1, 2, 3}


@every_suite
def test_what_a_new_key_signs_holds_under_its_public_half_alone(suite: Suite) -> None:
    """Signed and checked; another key of the same suite, another message or no message at all: refused."""
    key, other = PrivateKey.generate(suite), PrivateKey.generate(suite)
    signature = key.sign(b"counts")
    assert len(signature) == 64
    assert holds(key.public, b"counts", signature)
    assert not holds(other.public, b"counts", signature)
    assert not holds(key.public, b"counts.", signature)
    assert not holds(key.public, b"", signature)
    assert key.public_xy != other.public_xy
    assert len(key.public_xy) == suite.public_bytes


@every_suite
def test_a_flipped_bit_anywhere_in_a_signature_is_refused(suite: Suite) -> None:
    """Every byte of it, one bit each: all three bind r and s, or R and S."""
    key = PrivateKey.generate(suite)
    signature = key.sign(b"counts")
    for at in range(0, 64, 3):
        changed = bytearray(signature)
        changed[at] ^= 1 << at % 8
        assert not holds(key.public, b"counts", bytes(changed)), at


@every_suite
@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 72])
def test_a_signature_has_64_bytes_in_every_suite(suite: Suite, length: int) -> None:
    """RFC 9053 sections 2.1, 2.2; DER and half signatures are refused by their length, in words."""
    with pytest.raises(Unverified, match=f"64 bytes, not {length}"):
        PrivateKey.generate(suite).public.verify(b"m", bytes(length))


@every_suite
def test_the_ends_of_the_range_are_no_signature(suite: Suite) -> None:
    """SEC 1 4.1.4, GB/T 32918.2 7.1, RFC 8032 5.1.7: 0, the order and what is beyond it are no values of r or s."""
    key = PrivateKey.generate(suite).public
    order = {1: P256_ORDER, 2: SM2_ORDER, 3: ED25519_ORDER}[suite.number]
    numbers = [n.to_bytes(32, "big") for n in (0, 1, order, order + 1, 2**256 - 1)]
    if suite is ED25519:
        numbers = [number[::-1] for number in numbers]
    assert not any(holds(key, b"m", r + s) for r in numbers for s in numbers)


@every_suite
def test_two_threads_may_use_one_key(suite: Suite) -> None:
    """An edge and a registry verify in threads: a good and a bad message under one key, many at once."""
    key = PrivateKey.generate(suite)
    good = key.sign(b"good")

    shared, before = key.public, sys.getswitchinterval()
    # Threads change places every few instructions, so that one steps into what another has begun.
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(
                pool.map(lambda number: holds(shared, (b"evil", b"good")[number % 2], good), range(32))
            )
    finally:
        sys.setswitchinterval(before)
    assert found == [False, True] * 16


@every_suite
def test_openssl_verifies_what_we_sign(suite: Suite, tmp_path: Path) -> None:
    """An independent implementation, the openssl command: it accepts our signature and refuses the next message."""
    key = PrivateKey.generate(suite)
    der = bytes.fromhex(PUBLIC_START[suite.number]) + key.public_xy
    pem("PUBLIC", der, tmp_path / "key.pem")
    (tmp_path / "message").write_bytes(b"counts, not verdicts")
    (tmp_path / "signature").write_bytes(as_openssl(suite, key.sign(b"counts, not verdicts")))
    command = ["-verify", "-pubin", "-inkey", "key.pem", "-sigfile", "signature", *OPTIONS[suite.number]]
    done = openssl(tmp_path, *command)
    assert done.stdout == b"Signature Verified Successfully\n", done.stderr
    (tmp_path / "message").write_bytes(b"counts, not verdicts.")
    assert openssl(tmp_path, *command).returncode == 1


@every_suite
def test_we_verify_what_openssl_signs(suite: Suite, tmp_path: Path) -> None:
    """The other direction, with a key that openssl made; its public half is read off openssl's own DER."""
    make = {1: ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], 2: ["SM2"], 3: ["ED25519"]}[suite.number]
    generate = ["openssl", "genpkey", "-algorithm", *make, "-out", "key.pem"]
    subprocess.run(generate, cwd=tmp_path, check=True, capture_output=True)
    export = ["openssl", "pkey", "-in", "key.pem", "-pubout", "-outform", "DER"]
    der = subprocess.run(export, cwd=tmp_path, check=True, capture_output=True).stdout
    start = bytes.fromhex(PUBLIC_START[suite.number])
    assert der.startswith(start)
    public = PublicKey(der[len(start) :], suite)
    (tmp_path / "message").write_bytes(b"counts")
    done = openssl(tmp_path, "-sign", "-inkey", "key.pem", *OPTIONS[suite.number])
    signature = from_openssl(suite, done.stdout)
    assert holds(public, b"counts", signature)
    assert not holds(public, b"count", signature)


@pytest.mark.parametrize("secret, public, message, signature", RFC8032)
def test_rfc_8032s_examples_come_out_to_the_byte(
    secret: str, public: str, message: str, signature: str
) -> None:
    """RFC 8032 section 7.1: Ed25519 is deterministic, so key and signature are both compared."""
    key = PrivateKey(bytes.fromhex(secret), ED25519)
    assert key.public_xy.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert holds(PublicKey(bytes.fromhex(public), ED25519), bytes.fromhex(message), bytes.fromhex(signature))


def test_the_standards_example_of_sm2_holds() -> None:
    """GB/T 32918.5-2017 annex A: the public half of the secret, and the signature of "message digest"."""
    key = PrivateKey(SM2_SECRET, SM2)
    assert key.public_xy == SM2_PUBLIC
    assert holds(PublicKey(SM2_PUBLIC, SM2), SM2_MESSAGE, SM2_SIGNATURE)
    assert not holds(PublicKey(SM2_PUBLIC, SM2), SM2_MESSAGE + b" ", SM2_SIGNATURE)


def test_the_standards_example_of_sm2_computes_in_plain_integers() -> None:
    """GB/T 32918.2 section 6.1 by hand, with annex A's Z, e and k: r = e + x1, s = (k - r d) / (1 + d), mod n.

    It ties the printed example to the printed hash values, so that neither was mistyped here.
    """
    uid = b"1234567812345678"
    curve = (
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC"
        "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93"
        "32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7"
        "BC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0"
    )
    identity = (len(uid) * 8).to_bytes(2, "big") + uid + bytes.fromhex(curve) + SM2_PUBLIC
    z = SM2.hash(identity)
    assert z.hex().upper() == "B2E14C5C79C6DF5B85F4FE7ED8DB7A262B9DA7E07CCB0EA9F4747B8CCDA8A4F3"
    e = SM2.hash(z + SM2_MESSAGE)
    assert e.hex().upper() == "F0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640"
    k = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
    d, r = int.from_bytes(SM2_SECRET, "big"), int.from_bytes(SM2_SIGNATURE[:32], "big")
    s = (k - r * d) * pow(1 + d, -1, SM2_ORDER) % SM2_ORDER
    assert s.to_bytes(32, "big") == SM2_SIGNATURE[32:]


def test_sm2_has_no_second_spelling_that_a_stranger_could_make() -> None:
    """With n - s, n - r, r and s exchanged: none verifies, where ECDSA takes the first (SEC 1 section 4.1.4).

    GB/T 32918.2 section 7.1 checks x of sG + (r+s)P. The opposite point has the same x and needs s' = -s - 2rd/(1+d),
    which is the signer's secret to know.
    """
    key, n = PublicKey(SM2_PUBLIC, SM2), SM2_ORDER
    r, s = (int.from_bytes(part, "big") for part in (SM2_SIGNATURE[:32], SM2_SIGNATURE[32:]))
    for other_r, other_s in (
        (r, n - s),
        (n - r, s),
        (n - r, n - s),
        (s, r),
        (r, (n - s - r) % n),
        (r, n - r),
    ):
        spelled = other_r.to_bytes(32, "big") + other_s.to_bytes(32, "big")
        assert not holds(key, SM2_MESSAGE, spelled)


def test_the_owner_of_an_sm2_key_can_respell_and_gains_nothing() -> None:
    """The formula above, with the secret: it verifies. A signer can always sign twice; the chain forbids that."""
    d = int.from_bytes(SM2_SECRET, "big")
    r, s = (int.from_bytes(part, "big") for part in (SM2_SIGNATURE[:32], SM2_SIGNATURE[32:]))
    other = (-s - 2 * r * d * pow(1 + d, -1, SM2_ORDER)) % SM2_ORDER
    assert other != s
    assert holds(PublicKey(SM2_PUBLIC, SM2), SM2_MESSAGE, SM2_SIGNATURE[:32] + other.to_bytes(32, "big"))


def test_an_sm2_signature_that_leads_to_infinity_is_refused_and_raises_nothing_else() -> None:
    """A signer who knows d can choose s = -t d, so that sG + tP is the point at infinity, which has no x."""
    d, t = int.from_bytes(SM2_SECRET, "big"), 12345
    s = -t * d % SM2_ORDER
    r = (t - s) % SM2_ORDER
    with pytest.raises(Unverified):
        PublicKey(SM2_PUBLIC, SM2).verify(SM2_MESSAGE, r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def test_the_other_spelling_of_an_ed25519_signature_is_refused() -> None:
    """RFC 8032 section 5.1.7: S + L fits 32 bytes and satisfies the equation, so S below L is checked."""
    _, public, message, signature = RFC8032[1]
    number = int.from_bytes(bytes.fromhex(signature)[32:], "little")
    key = PublicKey(bytes.fromhex(public), ED25519)
    for times in (1, 2, 7):
        spelled = (number + times * ED25519_ORDER).to_bytes(32, "little")
        assert not holds(key, bytes.fromhex(message), bytes.fromhex(signature)[:32] + spelled)


def edwards_add(first: tuple[int, int], second: tuple[int, int]) -> tuple[int, int]:
    """Sum of two points of edwards25519 (RFC 8032 section 5.1.4), in plain integers."""
    p = ED25519_PRIME
    (x1, y1), (x2, y2) = first, second
    product = -121665 * pow(121666, -1, p) * x1 * x2 * y1 * y2 % p
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, p) % p,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, p) % p,
    )


def small_points() -> list[tuple[int, int]]:
    """The eight points whose order divides 8, as multiples of one of order 8 that is found by its y."""
    p = ED25519_PRIME
    y = int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    )
    square = (y * y - 1) * pow(-121665 * pow(121666, -1, p) * y * y + 1, -1, p) % p
    x = pow(square, (p + 3) // 8, p)
    x = x if x * x % p == square else x * pow(2, (p - 1) // 4, p) % p
    assert x * x % p == square
    points = [(0, 1)]
    for _ in range(7):
        points.append(edwards_add(points[-1], (x, y)))
    assert edwards_add(points[-1], (x, y)) == (0, 1)
    return points


def test_an_ed25519_key_of_small_order_is_refused() -> None:
    """RFC 8032 section 5.1: eight points have an order that divides the cofactor; computed here, each with both signs.

    Under the neutral element R = B, S = 1 fits every message: such a key would sign whatever anybody likes.
    """
    points = small_points()
    assert len(set(points)) == 8
    for _, y in points:
        for sign in (0, 1 << 255):
            with pytest.raises(BadKey, match="full order"):
                PublicKey((y | sign).to_bytes(32, "little"), ED25519)


def test_a_second_spelling_of_an_ed25519_key_is_refused() -> None:
    """RFC 8032 section 5.1.3: y is below 2^255 - 19; else one key would have two thumbprints."""
    for y in range(ED25519_PRIME, 2**255):
        for sign in (0, 1 << 255):
            with pytest.raises(BadKey):
                PublicKey((y | sign).to_bytes(32, "little"), ED25519)


@pytest.mark.parametrize("suite, public", [(ESP256, None), (SM2, SM2_PUBLIC)], ids=["ESP256", "SM2"])
def test_a_point_beside_its_curve_is_refused(suite: Suite, public: bytes | None) -> None:
    """SEC 1 section 3.2.2 and GB/T 32918.1 section 6.2: the equation is checked before anything is verified."""
    public = public or PrivateKey.generate(suite).public_xy
    beside = public[:63] + bytes([public[63] ^ 1])
    for wrong in (beside, bytes(64), b"\xff" * 64, public[32:] + public[:32]):
        with pytest.raises(BadKey, match="no point"):
            PublicKey(wrong, suite)


@pytest.mark.parametrize(
    "suite, p, a, b",
    [
        (
            ESP256,
            0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
            -3,
            0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        ),
        (
            SM2,
            0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
            -3,
            0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
        ),
    ],
    ids=["ESP256", "SM2"],
)
def test_a_coordinate_beyond_the_prime_is_no_second_spelling_of_a_key(
    suite: Suite, p: int, a: int, b: int
) -> None:
    """SEC 1 section 2.3.4: a point with a small x, computed by y = w^((p+1)/4), and the same with x + p: one name."""
    x = next(x for x in range(2, 100) if pow(x**3 + a * x + b, (p - 1) // 2, p) == 1)
    y = pow(x**3 + a * x + b, (p + 1) // 4, p)
    assert PublicKey(x.to_bytes(32, "big") + y.to_bytes(32, "big"), suite).suite is suite
    with pytest.raises(BadKey, match="no point"):
        PublicKey((x + p).to_bytes(32, "big") + y.to_bytes(32, "big"), suite)


def test_a_point_of_sm2s_curve_is_none_of_p256_and_the_other_way_round() -> None:
    """Both are 64 bytes: the curve, not the length, tells them apart."""
    with pytest.raises(BadKey, match="P-256"):
        PublicKey(SM2_PUBLIC, ESP256)
    with pytest.raises(BadKey, match="SM2"):
        PublicKey(PrivateKey.generate(ESP256).public_xy, SM2)


@pytest.mark.parametrize(
    "suite, number",
    [
        (ESP256, 0),
        (ESP256, P256_ORDER),
        (ESP256, 2**256 - 1),
        (SM2, 0),
        (SM2, SM2_ORDER - 1),
        (SM2, SM2_ORDER),
    ],
)
def test_a_secret_beyond_the_range_is_refused(suite: Suite, number: int) -> None:
    """SEC 1 section 3.2.1: 1 to n - 1; GB/T 32918.1 section 6.1: 1 to n - 2, since 1 + d must have an inverse."""
    with pytest.raises(BadKey, match="no scalar"):
        PrivateKey(number.to_bytes(32, "big"), suite)


@every_suite
@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_secret_has_32_bytes(suite: Suite, length: int) -> None:
    """In every suite: a scalar, or the seed of RFC 8032 section 5.1.5."""
    with pytest.raises(BadKey, match=f"32 bytes, not {length}"):
        PrivateKey(bytes(length), suite)


EDGES = [0, 1, 0x7F, 0x80, 0xFF]


@given(st.binary(min_size=64, max_size=64), st.sampled_from(EDGES), st.sampled_from(EDGES))
def test_der_of_a_signature_is_that_of_an_independent_encoder(
    signature: bytes, first: int, second: int
) -> None:
    """X.690 section 8.3 by `cryptography`: leading zero bytes go, a set top bit gets one."""
    signature = bytes([first]) + signature[1:32] + bytes([second]) + signature[33:]
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    assert esp256.der(signature) == encode_dss_signature(r, s)


def test_suites_do_not_take_each_others_signatures() -> None:
    """A signature of one suite under a key of another, all nine pairs: only the diagonal holds."""
    keys = {suite: PrivateKey.generate(suite) for suite in SUITES}
    for mine, key in keys.items():
        signature = key.sign(b"m")
        for other, judge in keys.items():
            assert holds(judge.public, b"m", signature) == (mine is other)
