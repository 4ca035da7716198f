"""The suite table, on both interpreters. Expected values: RFC 9864, RFC 9053, RFC 9679, RFC 8037, SEC 2."""

import hashlib

from meterseal_wire import suites
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, UnknownSuite
from meterseal_wire.suites import ED25519, ESP256, SM2, SUITES, by_number, of_header, of_key

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (SEC 2 section 2.4.2)
HAS_SM3 = hasattr(hashlib, "new")  # CPython; MicroPython's hashlib makes SHA-256 by name and no other


def unhex(text):
    """Bytes of hex text."""
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


def raised(kind, call, *args):
    """The text of the error of `kind` that `call` raises; fails when it raises none."""
    try:
        call(*args)
    except kind as error:
        return str(error)
    raise AssertionError("not refused: %r" % (args,))


def test_the_table_has_three_rows_that_share_nothing():
    """Design section 5: suite 1 ESP256, 2 SM2, 3 Ed25519; -9 and -19 are RFC 9864's."""
    assert [(row.number, row.name, row.alg) for row in SUITES] == [
        (1, "ESP256", -9),
        (2, "SM2", -70102),
        (3, "Ed25519", -19),
    ]
    assert suites.DEFAULT is ESP256
    for name in ("number", "alg", "name", "mark"):
        assert len({getattr(row, name) for row in SUITES}) == 3
    assert len({(row.key_type, row.curve) for row in SUITES}) == 3


def test_numbers_that_nobody_registered_are_in_the_range_for_private_use():
    """IANA, COSE Algorithms and COSE Elliptic Curves: values below -65536 are for private use."""
    assert SM2.alg < -65536
    assert SM2.curve < -65536


def test_a_suite_fixes_the_lengths():
    """RFC 9053 sections 2.1, 7.1.1 and RFC 8032 section 5.1: 64 bytes of signature; x and y, or x alone."""
    assert [row.signature_bytes for row in SUITES] == [64, 64, 64]
    assert [row.public_bytes for row in SUITES] == [64, 64, 32]


def test_a_row_is_found_by_its_number():
    """A key file says its suite by number; 0 and 4 are none."""
    assert [by_number(number) for number in (1, 2, 3)] == [ESP256, SM2, ED25519]
    for number in (0, 4, -1):
        assert "1 to 3" in raised(UnknownSuite, by_number, number)


def test_the_suite_of_a_header_is_its_first_label():
    """RFC 8949 section 4.2.1: 01 sorts first. {1: -9}, {1: -19, 4: ...} and {1: -70102, 16: ...}, spelled by hand."""
    assert of_header(unhex("a10128")) is ESP256
    assert of_header(unhex("a2013204481122334455667788")) is ED25519
    assert of_header(unhex("a2013a000111d51019fdef")) is SM2


def test_a_header_of_no_suite_is_refused():
    """ES256 (-7) and EdDSA (-8), alg as text, another label first, -9 not as shortest integer, nothing at all."""
    for text in ("a10126", "a10127", "a101654553323536", "a1042801", "a1013808", "a0", "a1", ""):
        assert "no algorithm" in raised(UnknownSuite, of_header, unhex(text))


def test_a_cose_key_says_its_suite_by_type_and_curve():
    """RFC 9053 section 7.1.1: {1: 2, -1: 1, -2: x, -3: y}; 7.2: {1: 1, -1: 6, -2: x}; SM2 with a curve of our own."""
    x, y = bytes(range(32)), bytes(range(32, 64))
    assert of_key({1: 2, -1: 1, -2: x, -3: y}) == (ESP256, x + y)
    assert of_key({1: 2, -1: -70202, -2: x, -3: y}) == (SM2, x + y)
    assert of_key({1: 1, -1: 6, -2: x}) == (ED25519, x)


def test_what_is_no_key_of_a_suite_is_refused():
    """No map, nothing in it, P-384, X25519, a symmetric key, coordinates missing, short, long or of another type."""
    x = bytes(32)
    for key in (
        None,
        [],
        {},
        {1: 2, -1: 2, -2: x, -3: x},
        {1: 1, -1: 4, -2: x},
        {1: 4, -1: x},
        {1: 2, -1: 1, -2: x},
        {1: 2, -1: 1, -2: x, -3: x[:31]},
        {1: 2, -1: 1, -2: x, -3: x + b"\x00"},
        {1: 2, -1: 1, -2: x, -3: True},
        {1: 1, -1: 6, -3: x},
        {1: 1, -1: 6, -2: "x" * 32},
        {1: 2, -1: True, -2: x, -3: x},
        {1: True, -1: 6, -2: x},
    ):
        raised(BadShape, of_key, key)


def test_a_key_goes_out_as_it_came_in():
    """Each suite's COSE_Key, encoded, against bytes spelled by hand; deterministic order is 1, -1, -2, -3."""
    x, y = b"\x11" * 32, b"\x22" * 32
    assert encode(ESP256.cose_key(x + y)) == unhex(
        "a40102200121" + "5820" + "11" * 32 + "22" + "5820" + "22" * 32
    )
    assert encode(SM2.cose_key(x + y)) == unhex(
        "a401022" + "03a00011239" + "21" + "5820" + "11" * 32 + "22" + "5820" + "22" * 32
    )
    assert encode(ED25519.cose_key(x)) == unhex("a30101200621" + "5820" + "11" * 32)
    for row in SUITES:
        public = (x + y)[: row.public_bytes]
        assert of_key(row.cose_key(public)) == (row, public)


def test_the_thumbprint_of_an_ed25519_key_hashes_type_curve_and_x():
    """RFC 9679 section 4.4, over the public key of RFC 8037 appendix A.2; the digest by `openssl dgst -sha256`."""
    public = unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    assert ED25519.thumbprint(public) == unhex(
        "866eefbd6718c8846cd7ddfe43fc74ab1daac4538ff8514ea2ec2d410a415743"
    )


def test_only_the_lower_spelling_of_an_ecdsa_signature_is_canonical():
    """SEC 1 section 4.1.4: (r, s) and (r, n - s) both verify; the lower s is the one used."""
    r = bytes(31) + b"\x01"
    low, high = r + (5).to_bytes(32, "big"), r + (ORDER - 5).to_bytes(32, "big")
    assert ESP256.is_canonical(low) and not ESP256.is_canonical(high)
    assert ESP256.canonical(high) == low and ESP256.canonical(low) == low
    middle = (ORDER - 1) // 2
    assert ESP256.is_canonical(r + middle.to_bytes(32, "big"))
    assert not ESP256.is_canonical(r + (middle + 1).to_bytes(32, "big"))
    assert ESP256.canonical(r + (middle + 1).to_bytes(32, "big")) == r + middle.to_bytes(32, "big")


def test_suites_without_a_second_spelling_leave_signatures_alone():
    """Ed25519: S is below the order or refused (RFC 8032 5.1.7). SM2: n - s does not verify, so it must not be made."""
    for row in (SM2, ED25519):
        for last in (b"\x00", b"\x7f", b"\xff"):
            signature = b"r" * 32 + last * 32
            assert row.is_canonical(signature)
            assert row.canonical(signature) == signature


def test_the_hashes_of_the_table_are_those_of_their_standards():
    """FIPS 180-4, "abc"; GB/T 32905-2016 appendix A.1, "abc", where the interpreter has SM3, else one clear error."""
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert ESP256.hash(b"abc") == unhex(abc)
    assert ED25519.hash(b"abc") == unhex(abc)
    if HAS_SM3:
        assert SM2.hash(b"abc") == unhex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
    else:
        assert "has no sm3" in raised(UnknownSuite, SM2.hash, b"abc")
        assert "has no sm3" in raised(UnknownSuite, SM2.thumbprint, bytes(64))


def test_a_hash_that_no_interpreter_has_is_one_named_error():
    """On both interpreters: the message can't be named, and nothing else is raised."""
    assert "has no sm17" in raised(UnknownSuite, suites._hasher("sm17"), b"abc")
