"""The certificate request's shape, byte by byte; that others read it is tested in cpython/test_csr_across.py."""

from hashlib import sha256

from test_atecc608 import part
from test_atecc608 import signer as element_signer

from meterseal_fixture.signer.csr import fingerprint, key_file, request, secret_in
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify

NAMES = ("YUHANG1", "WATER-1", "W1")
# RFC 5480 section 2 and RFC 5758 section 3.2, as they stand in any request or certificate on P-256.
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
SUBJECT = bytes.fromhex(
    "3031"  # three names of 18, 18 and 13 bytes
    "3110300e060355040a0c07595548414e4731"
    "3110300e060355040b0c0757415445522d31"
    "310b300906035504030c025731"
)
# RFC 9679 section 6 has no P-256 key; this is the software key of secret 1, the base point of SEC 2.
BASE_POINT = bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def split(der):
    """(tag, content) of each item, one level deep; the lengths must be in their shortest form."""
    found = []
    while der:
        tag, size, start = der[0], der[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[2:start], "big")
            assert size >= (0x80 if start == 3 else 0x100), "a length longer than needed"
        assert start + size <= len(der)
        found.append((tag, der[start : start + size]))
        der = der[start + size :]
    return found


def signers():
    """Software keys whose r and s, with this message, begin with either bit, and the simulated element's."""
    return [SoftwareSigner(bytes(31) + bytes((turn,))) for turn in range(1, 9)] + [element_signer(part())]


def test_a_request_is_info_algorithm_signature_and_nothing_else():
    """RFC 2986 section 4: three items; info is version 0, subject, key and an empty [0]; the signature is over info."""
    for signer in signers():
        ((tag, whole),) = split(request(signer, NAMES))
        info, algorithm, bits = split(whole)
        assert (tag, info[0], bits[0]) == (0x30, 0x30, 0x03)
        assert b"\x30" + bytes((len(algorithm[1]),)) + algorithm[1] == ECDSA_WITH_SHA256
        assert info[1] == b"\x02\x01\x00" + SUBJECT + SPKI_HEAD + signer.public_xy + b"\xa0\x00"
        ((_, pair),) = split(bits[1][1:])
        assert bits[1][0] == 0 and [tag for tag, _ in split(pair)] == [2, 2]
        signature = b""
        for _, digits in split(pair):
            assert digits[0] < 0x80 and (digits[0] or digits[1] >= 0x80), "an INTEGER has no spare zero byte"
            signature += (b"\x00" * 32 + digits)[-32:]
        signed = b"\x30\x81" + bytes((len(info[1]),)) + info[1]
        assert len(info[1]) >= 0x80 and verify(signer.public_xy, signed, signature)


def test_names_beyond_ascii_go_out_as_utf_8():
    """RFC 5280 section 4.1.2.4: UTF8String, whose length counts bytes."""
    made = request(SoftwareSigner(bytes(31) + b"\x01"), ("余杭", "一号台", "W1"))
    assert b"\x06\x03\x55\x04\x0a\x0c\x06" + "余杭".encode() in made
    assert b"\x06\x03\x55\x04\x0b\x0c\x09" + "一号台".encode() in made


def test_the_fingerprint_is_sixteen_groups_of_four_digits():
    """The thumbprint of RFC 9679 section 4: SHA-256 of the COSE_Key {1: 2, -1: 1, -2: x, -3: y}, written by hand."""
    key = b"\xa4\x01\x02\x20\x01\x21\x58\x20" + BASE_POINT[:32] + b"\x22\x58\x20" + BASE_POINT[32:]
    shown = fingerprint(SoftwareSigner(bytes(31) + b"\x01").public_xy)
    assert bytes.fromhex(shown.replace(" ", "")) == sha256(key).digest()
    assert [len(group) for group in shown.split(" ")] == [4] * 16 and shown == shown.lower()


def test_a_key_file_of_tls_is_an_ec_private_key():
    """RFC 5915 section 3, written by hand for secret 1: version 1, the secret, [0] the curve, [1] the base point."""
    secret = bytes(31) + b"\x01"
    made = key_file(secret, SoftwareSigner(secret).public_xy)
    head = bytes.fromhex("30770201010420") + secret + bytes.fromhex("a00a06082a8648ce3d030107a14403420004")
    assert made == head + BASE_POINT
    assert secret_in(made) == secret
    for wrong in (b"", made[:-1], made + b"\x00", b"\x31" + made[1:], secret):
        try:
            secret_in(wrong)
        except ValueError:
            continue
        raise AssertionError(wrong)
