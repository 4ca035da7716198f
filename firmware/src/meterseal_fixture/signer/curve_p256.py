"""P-256 in integers (SEC 2, FIPS 186-5): Jacobian points, a comb for the base point, Shamir's trick for two scalars.

`multiply_base` takes the same 63 doublings and 63 additions for every scalar: a comb of signed digits, none of them
zero (Hamburg, "Fast and compact elliptic-curve cryptography", section 3.3), so no step is left out and no branch
depends on a bit. That is all that can be promised here. Python's integers take longer the more words they have,
a look-up touches memory by its index, and the heap keeps what was computed until it is used again: somebody who
measures current, radiation or microseconds at the board may still learn the key. A key that must withstand that
belongs into a secure element. `combine` branches on its scalars, which are public.
"""

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5
INFINITY = (1, 1, 0)
TEETH, SPACING = 4, 64
ALL_ONES = (1 << TEETH * SPACING) - 1
HALF = (N + 1) // 2  # 1/2 modulo N

_comb: list[tuple[int, int]] = []


def double(point: tuple[int, int, int]) -> tuple[int, int, int]:
    """Twice a Jacobian point (curve coefficient a = -3)."""
    x, y, z = point
    if not z:
        return INFINITY
    zz = z * z % P
    yy = y * y % P
    beta = x * yy % P
    alpha = 3 * (x - zz) * (x + zz) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * yy * yy) % P, 2 * y * z % P


def add(point: tuple[int, int, int], affine: tuple[int, int]) -> tuple[int, int, int]:
    """A Jacobian point plus an affine one."""
    x, y, z = point
    if not z:
        return affine[0], affine[1], 1
    zz = z * z % P
    h = (affine[0] * zz - x) % P
    r = (affine[1] * zz * z - y) % P
    if not h:
        return INFINITY if r else double(point)
    hh = h * h % P
    hhh = h * hh % P
    v = x * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y * hhh) % P, z * h % P


def affine(point: tuple[int, int, int]) -> tuple[int, int]:
    """X and y of a Jacobian point that is not the point at infinity."""
    inverse = pow(point[2], P - 2, P)
    square = inverse * inverse % P
    return point[0] * square % P, point[1] * square * inverse % P


def _table() -> list[tuple[int, int]]:
    """Entry i is the sum over j of 2^(64 j) G, taken positive where bit j of i is one and else negative; 16 points."""
    if not _comb:
        bases = [(GX, GY)]
        for _ in range(TEETH - 1):
            point = (bases[-1][0], bases[-1][1], 1)
            for _ in range(SPACING):
                point = double(point)
            bases.append(affine(point))
        half = 1 << TEETH - 1
        upper = []
        for index in range(half):
            point = (bases[-1][0], bases[-1][1], 1)
            for tooth in range(TEETH - 1):
                x, y = bases[tooth]
                point = add(point, (x, y if index >> tooth & 1 else P - y))
            upper.append(affine(point))
        for x, y in reversed(upper):  # bits inverted: the opposite point
            _comb.append((x, P - y))
        _comb.extend(upper)
    return _comb


def multiply_base(scalar: int) -> tuple[int, int]:
    """Scalar times G, affine; 0 < scalar < N. 63 doublings and 63 additions, whatever the scalar."""
    table = _table()
    # With bits b of this number, the sum of (2 b - 1) 2^i over its 256 bits is the scalar modulo N: digits 1 and -1.
    digits = (scalar + ALL_ONES) * HALF % N
    x, y = table[_column(digits, SPACING - 1)]
    point = (x, y, 1)
    for shift in range(SPACING - 2, -1, -1):
        point = add(double(point), table[_column(digits, shift)])
    return affine(point)


def _column(digits: int, shift: int) -> int:
    """One bit under each tooth of the comb."""
    return (
        (digits >> shift & 1)
        | (digits >> shift + SPACING & 1) << 1
        | (digits >> shift + 2 * SPACING & 1) << 2
        | (digits >> shift + 3 * SPACING & 1) << 3
    )


def on_curve(x: int, y: int) -> bool:
    """True if (x, y) is a point of the curve other than infinity."""
    return 0 <= x < P and 0 <= y < P and (y * y - x * x * x + 3 * x - B) % P == 0


def combine(u: int, v: int, point: tuple[int, int]) -> tuple[int, int, int]:
    """U G + v point, Jacobian (Shamir's trick)."""
    both = add((GX, GY, 1), point)
    pairs = (None, (GX, GY), point, affine(both) if both[2] else None)
    result = INFINITY
    for shift in range(255, -1, -1):
        result = double(result)
        index = (u >> shift & 1) | (v >> shift & 1) << 1
        pair = pairs[index]
        if pair:
            result = add(result, pair)
    return result
