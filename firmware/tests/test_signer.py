"""The software signer: the RFC's own vectors, the curve's edges, and what must not verify."""

from hashlib import sha256

from meterseal_fixture.errors import FixtureError
from meterseal_fixture.signer import curve_p256
from meterseal_fixture.signer.curve_p256 import (
    GX,
    GY,
    INFINITY,
    N,
    P,
    add,
    affine,
    combine,
    double,
    multiply_base,
    on_curve,
)
from meterseal_fixture.signer.software_p256 import SoftwareSigner, _nonces, new_secret, verify

# RFC 6979 appendix A.2.5: P-256 with SHA-256.
SECRET = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
X = "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
Y = "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
SIGNATURES = {
    b"sample": "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    b"test": "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
}
KEY = bytes.fromhex(X + Y)


def number(value):
    return value.to_bytes(32, "big")


def test_the_public_key_is_the_rfcs():
    """RFC 6979 A.2.5: Ux and Uy of the secret x."""
    assert SoftwareSigner(SECRET).public_xy == KEY


def test_signatures_are_the_rfcs():
    """RFC 6979 A.2.5, "sample" and "test" with SHA-256: r, then s."""
    signer = SoftwareSigner(SECRET)
    for message, signature in SIGNATURES.items():
        assert signer.sign(message) == bytes.fromhex(signature), message
        assert signer.sign(message) == bytes.fromhex(signature), "again"


def test_the_rfcs_signatures_verify_and_no_other_message_does():
    """RFC 6979 A.2.5; each signature belongs to one of the two messages."""
    for message, signature in SIGNATURES.items():
        for other in SIGNATURES:
            assert verify(KEY, other, bytes.fromhex(signature)) is (other == message)


def test_one_bit_changed_anywhere_is_refused():
    """64 bytes of signature and 64 of key, one bit of each in turn: none verifies."""
    right = bytes.fromhex(SIGNATURES[b"sample"])
    for at in range(64):
        wrong = bytearray(right)
        wrong[at] ^= 1 << (at % 8)
        assert verify(KEY, b"sample", bytes(wrong)) is False, at
        wrong = bytearray(KEY)
        wrong[at] ^= 1 << (at % 8)
        assert verify(bytes(wrong), b"sample", right) is False, at


def test_numbers_out_of_range_are_refused():
    """FIPS 186-5 section 6.4.2: r and s from 1 to n - 1. r + n fits 32 bytes only for small r: here n itself."""
    right = bytes.fromhex(SIGNATURES[b"sample"])
    r, s = right[:32], right[32:]
    for low in (number(0), number(N), number(N + 1), b"\xff" * 32):
        assert verify(KEY, b"sample", low + s) is False
        assert verify(KEY, b"sample", r + low) is False


def test_no_pair_of_special_numbers_is_a_signature():
    """Wycheproof's "special case values" for r and s, every pair of them. (0, 0) meets x = 0 of the point at infinity:
    an implementation that checks neither takes it for any message (CVE-2022-21449).
    """
    special = (0, 1, N - 1, N, N + 1, P, P + 1, (1 << 256) - 1)
    for r in special:
        for s in special:
            assert verify(KEY, b"sample", number(r) + number(s)) is False, (r, s)


def test_s_and_s_plus_the_order_are_not_the_same():
    """ECDSA solved for the key: with s = 1, k and r = x(k G), the secret (k - e) / r makes (r, 1) valid. (r, 1 + n)
    satisfies the same equation and is out of range.
    """
    k, message = 0x123456789ABCDEF, b"small s"
    r = multiply_base(k)[0] % N
    e = int.from_bytes(sha256(message).digest(), "big")
    key = SoftwareSigner(number((k - e) * pow(r, N - 2, N) % N)).public_xy
    assert verify(key, message, number(r) + number(1)) is True
    assert verify(key, message, number(r) + number(1 + N)) is False


def test_other_lengths_are_refused():
    """A signature and a key are 64 bytes each; verify says False and raises nothing. A zero before s or y leaves the
    number what it was, so only the length tells.
    """
    right = bytes.fromhex(SIGNATURES[b"sample"])
    longer = right[:32] + b"\x00" + right[32:]
    for wrong in (b"", right[:-1], right + b"\x00", b"\x00" + right, right[:32], longer):
        assert verify(KEY, b"sample", wrong) is False
    for wrong in (b"", KEY[:-1], KEY + b"\x00", b"\x04" + KEY, KEY[:32] + b"\x00" + KEY[32:]):
        assert verify(wrong, b"sample", right) is False


def test_a_key_that_is_no_point_is_refused():
    """SEC 1 section 3.2.2.1: coordinates below p, on the curve, and not the point at infinity."""
    right = bytes.fromhex(SIGNATURES[b"sample"])
    x, y = int(X, 16), int(Y, 16)
    for wrong in ((0, 0), (x, y + 1), (y, x), (P, y), (x, P), (GX + P, GY), (GX, GY + P)):
        assert not on_curve(wrong[0], wrong[1])
        if max(wrong) < 1 << 256:
            assert verify(number(wrong[0]) + number(wrong[1]), b"sample", right) is False


def test_a_signature_made_to_fit_a_point_off_the_curve_is_refused():
    """With s = r the equation asks for x(u G + Q) = r, u = e / r. The chord of slope m through A = u G gives such a Q:
    x = m^2 - r - x(A), y = y(A) + m (x - x(A)). Who skips SEC 1's check of the key takes it, as the last line shows;
    u is even there, so Q is added last and alone.
    """
    e = int.from_bytes(sha256(b"off").digest(), "big")
    for r, slope in ((2, 7), (11, 13)):
        u = e * pow(r, N - 2, N) % N
        start = multiply_base(u)
        x = (slope * slope - r - start[0]) % P
        forged = (x, (start[1] + slope * (x - start[0])) % P)
        assert not on_curve(forged[0], forged[1])
        assert verify(number(forged[0]) + number(forged[1]), b"off", number(r) + number(r)) is False
        assert u % 2 == 0 and affine(combine(u, 1, forged))[0] == r


def test_a_hash_beyond_the_order_is_reduced_before_it_seeds_the_nonce():
    """RFC 6979 section 2.3.4, bits2octets: n + 5 and 5 are the same octets. One message in 2^32 has such a hash."""
    beyond, below = next(_nonces(SECRET, number(N + 5))), next(_nonces(SECRET, number(5)))
    assert beyond == below != next(_nonces(SECRET, number(6)))


def test_the_other_root_of_s_verifies_too():
    """ECDSA: (r, n - s) is the same equation; strictness about it is nobody's rule in ESP256 (RFC 9864)."""
    right = bytes.fromhex(SIGNATURES[b"sample"])
    other = right[:32] + number(N - int.from_bytes(right[32:], "big"))
    assert verify(KEY, b"sample", other) is True


def test_keys_beside_the_base_point_sign_and_verify():
    """Secrets 1 and n - 1 have the keys G and -G, where Shamir's trick doubles and meets infinity; 2 and n - 2 next."""
    for secret in (1, 2, N - 2, N - 1):
        signer = SoftwareSigner(number(secret))
        signature = signer.sign(b"edge")
        assert verify(signer.public_xy, b"edge", signature) is True
        assert verify(signer.public_xy, b"Edge", signature) is False
    assert SoftwareSigner(number(1)).public_xy == number(GX) + number(GY)
    assert SoftwareSigner(number(N - 1)).public_xy == number(GX) + number(P - GY)


def test_what_is_no_secret_is_refused():
    """FIPS 186-5 section 6.2.1: d from 1 to n - 1, here in exactly 32 bytes."""
    for wrong in (number(0), number(N), b"\xff" * 32, SECRET[1:], SECRET + b"\x00", b""):
        try:
            SoftwareSigner(wrong)
        except ValueError:
            continue
        raise AssertionError("taken as a secret: %r" % wrong)


def test_the_comb_and_the_slow_way_agree():
    """K G by adding G k times (the group law alone) for k from 1 to 40, and for k = 2^64, 2^128, 2^192 by doubling."""
    point = INFINITY
    for scalar in range(1, 41):
        point = add(point, (GX, GY))
        assert affine(point) == multiply_base(scalar), scalar
    point = (GX, GY, 1)
    for power in range(1, 256):
        point = double(point)
        if power % 64 in (0, 1, 63):
            assert affine(point) == multiply_base(1 << power), power


def test_a_point_and_its_opposite_are_infinity():
    """The group law: G - G = 0, 0 + G = G, 2 * 0 = 0, and G + G is the double of G."""
    assert add((GX, GY, 1), (GX, P - GY))[2] == 0
    assert add(INFINITY, (GX, GY)) == (GX, GY, 1)
    assert double(INFINITY) == INFINITY
    assert affine(add((GX, GY, 1), (GX, GY))) == affine(double((GX, GY, 1)))


def counted(scalar):
    """How often multiply_base doubled and added for a scalar, called from outside or from within."""
    calls = [0, 0]
    real = curve_p256.double, curve_p256.add

    def doubling(point):
        calls[0] += 1
        return real[0](point)

    def adding(point, affine):
        calls[1] += 1
        return real[1](point, affine)

    curve_p256.double, curve_p256.add = doubling, adding
    try:
        multiply_base(scalar)
    finally:
        curve_p256.double, curve_p256.add = real
    return calls


def test_every_scalar_takes_the_same_doublings_and_additions():
    """63 of each (SPACING - 1), for weights from 1 bit to 256: 1, 2, N - 1, single bits, long runs, and hashes."""
    multiply_base(1)  # the table, once
    scalars = [1, 2, 3, N - 2, N - 1, (1 << 255) - 1, N >> 1, 0x5555 << 200]
    scalars += [1 << bit for bit in range(0, 256, 17)]
    scalars += [int.from_bytes(sha256(bytes((turn,))).digest(), "big") % N for turn in range(40)]
    for scalar in scalars:
        assert counted(scalar) == [63, 63], hex(scalar)


def test_a_new_secret_is_drawn_until_it_is_one():
    """FIPS 186-5 A.2.2: 0, n and what lies above are drawn again; n - 1 and 1 are taken."""
    for misses, taken in (
        ((), number(1)),
        ((number(0),), number(N - 1)),
        ((b"\xff" * 32, number(N)), SECRET),
    ):
        draws = []
        for draw in misses + (taken,):
            draws += [draw, b"\x01" * 31 + b"\x77"]
        asked = []

        def entropy(count, draws=draws, asked=asked):
            asked.append(count)
            return draws.pop(0)

        assert new_secret(entropy) == taken and not draws and set(asked) == {32}
        assert SoftwareSigner(taken).public_xy


def test_a_source_that_is_none_gives_no_secret():
    """Stuck, too short, or never in range: an error after at most eight draws, not an endless loop and not a key."""
    for draws in (
        [SECRET] * 2,
        [number(0)] * 2,
        [SECRET[1:], SECRET],
        [b"", SECRET],
        [b"\xff" * 32, number(N)] * 4,
    ):
        try:
            new_secret(lambda _, left=draws: left.pop(0))
        except FixtureError as wrong:
            assert wrong.code == "signer.entropy" and not draws
            continue
        raise AssertionError("a secret came from a source that is none")
