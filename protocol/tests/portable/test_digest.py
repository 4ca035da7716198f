"""Thumbprints and kid, on both interpreters. Expected values: RFC 9679 section 6, FIPS 180-4 for SHA-256."""

from meterseal_wire.digest import cose_key, kid, sha256, thumbprint
from meterseal_wire.encode import encode


def unhex(text):
    """Bytes of hex text."""
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


X = "65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"
Y = "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"
PRINT = "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"


def test_the_thumbprint_of_rfc_9679s_example_key():
    """RFC 9679 section 6."""
    assert thumbprint(unhex(X + Y)) == unhex(PRINT)


def test_a_cose_key_spells_type_curve_and_coordinates():
    """RFC 9053 section 7.1.1: kty 2, crv 1; deterministic order is 1, -1, -2, -3."""
    assert encode(cose_key(unhex(X + Y))) == unhex("a401022001215820" + X + "225820" + Y)


def test_the_kid_is_the_first_eight_bytes():
    """Design section 5: a hint for look-up."""
    assert kid(unhex(PRINT)) == unhex(PRINT[:16])


def test_sha256_of_abc():
    """FIPS 180-4's example."""
    assert sha256(b"abc") == unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
