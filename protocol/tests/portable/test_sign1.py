"""COSE_Sign1 put together and taken apart, on both interpreters.

Expected bytes: RFC 9052 appendix C.2.1 (the message, and its Sig_structure as cose-wg/Examples prints it).
"""

from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, OverLimit, UnknownSuite, WireError
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity, join, protected_header, sig_structure, split
from meterseal_wire.suites import ED25519, ESP256, SM2


def unhex(text):
    """Bytes of hex text."""
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


def refused(kind, call, *args):
    """The error of `kind` that `call` raises; fails when it raises none."""
    try:
        call(*args)
    except kind as error:
        return error
    raise AssertionError("not refused: %r" % (args,))


CONTENT = b"This is the content."
SIGNATURE = (
    "8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
    "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36"
)
MESSAGE = "d28443a10126a10442313154" + "546869732069732074686520636f6e74656e742e" + "5840" + SIGNATURE


class Named:
    """Who signs, as a header names it."""

    suite = ESP256
    kid = b"\x01\x02\x03\x04\x05\x06\x07\x08"
    issuer = "YUHANG1"
    subject = "W1"


def test_rfc_9052s_example_comes_apart():
    """RFC 9052 appendix C.2.1: ES256, kid "11" in the unprotected header."""
    protected, unprotected, payload, signature = split(unhex(MESSAGE))
    assert protected == b"\xa1\x01\x26"
    assert unprotected == {4: b"11"}
    assert payload == CONTENT
    assert signature == unhex(SIGNATURE)


def test_the_sig_structure_is_that_of_the_example():
    """cose-wg/Examples, sign1-tests/sign-pass-01 to 03 print ToBeSign_hex for this message."""
    expected = "846a5369676e61747572653143a101264054" + "546869732069732074686520636f6e74656e742e"
    assert sig_structure(b"\xa1\x01\x26", CONTENT) == unhex(expected)


def test_external_data_stands_between_header_and_payload():
    """RFC 9052 section 4.4: ["Signature1", protected, external_aad, payload]."""
    signed = scan(sig_structure(b"\xa0", b"p", b"\x11\xaa"))
    assert signed == ["Signature1", b"\xa0", b"\x11\xaa", b"p"]


def test_join_is_the_tagged_message_with_an_empty_unprotected_header():
    """RFC 9052 section 4.2: 18([protected, {}, payload, signature])."""
    raw = join(b"\xa0", b"pay", b"s" * 64)
    assert raw == unhex("d28441a0a0437061795840") + b"s" * 64
    assert split(raw) == (b"\xa0", {}, b"pay", b"s" * 64)


def test_identity_hashes_the_message_as_signed_whatever_was_added_later():
    """Design section 5: the unprotected header counts as empty, so a receipt added later changes nothing."""
    for header in ("a10128", "a10132"):  # {1: -9} and {1: -19}: both suites hash with SHA-256
        raw = join(unhex(header), b"pay", b"s" * 64)
        assert identity(raw) == sha256(raw)
        later = unhex("d28443" + header + "a1190" + "18a41ff" + "437061795840") + b"s" * 64
        assert split(later)[1] == {394: b"\xff"}
        assert identity(later) == sha256(raw)


def test_a_message_of_no_suite_has_no_identity():
    """The hash is fixed with the signature: no alg, a foreign one (-7, RFC 9053), or one that stands second."""
    for header in ("", "a0", "a10126", "a100" + "28", "a2000001" + "28", "b8010128"):
        refused(UnknownSuite, identity, join(unhex(header), b"pay", b"s" * 64))


def test_a_statement_without_payload_has_no_identity():
    """A receipt's payload is detached: it is no statement."""
    detached = unhex("d28443a10128a0f65840") + b"s" * 64
    assert split(detached)[2] is None
    refused(BadShape, identity, detached)


def test_what_is_not_a_tagged_array_of_four_is_refused():
    """RFC 9052 section 4.2, strictly: tag 18, four items of their types."""
    for text in (
        "8441a0a04040",
        "d28341a0a040",
        "d28541a0a0404040",
        "d2a0",
        "d284a0a04040",
        "d28441a0804040",
    ):
        refused(BadShape, split, unhex(text))
    for text in ("d28441a0a0614040", "d28441a0a040f6", "d28441a0a00040"):
        refused(BadShape, split, unhex(text))
    refused(WireError, split, b"")


def test_the_limit_is_the_callers():
    """A statement has at most 16 KiB; a status list may be larger."""
    raw = join(b"\xa0", bytes(20000), b"s" * 64)
    refused(OverLimit, split, raw)
    assert split(raw, 1 << 16)[2] == bytes(20000)


def test_a_protected_header_names_algorithm_key_claims_kind_and_place():
    """Design section 5's table: alg -9, kid, {1: iss, 2: sub}, typ, chain. Integer keys in bytewise order."""
    raw = protected_header(L.KIND_BOOT, Named, (1, 0, bytes(32)))
    expected = (
        "a50128044801020304050607080fa20167595548414e4731026257311019fde93a000111708301005820" + "00" * 32
    )
    assert raw == unhex(expected)
    assert L.HEADER_CHAIN not in scan(protected_header(L.KIND_GRANT, Named))


def test_a_signature_is_over_exactly_these_bytes():
    """The Sig_structure decodes to its four parts, and encodes to itself: nothing is added on the way."""
    protected = protected_header(L.KIND_GRANT, Named)
    signed = sig_structure(protected, b"payload")
    assert encode(scan(signed)) == signed
    assert scan(signed) == ["Signature1", protected, b"", b"payload"]


def test_the_algorithm_of_a_protected_header_is_that_of_the_authors_suite():
    """Design section 5: -9, -19, and our own number for SM2; alg is the first label whatever follows."""
    for suite, alg in ((ESP256, "28"), (ED25519, "32"), (SM2, "3a000111d5")):

        class Signer(Named):
            pass

        Signer.suite = suite
        assert protected_header(L.KIND_GRANT, Signer)[: 2 + len(alg) // 2] == unhex("a401" + alg)
        assert protected_header(L.KIND_BOOT, Signer, (1, 0, bytes(32)))[: 2 + len(alg) // 2] == unhex(
            "a501" + alg
        )
