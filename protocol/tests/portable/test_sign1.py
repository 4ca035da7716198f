"""COSE_Sign1 put together and taken apart, on both interpreters.

Expected bytes: RFC 9052 appendix C.2.1 (the message, and its Sig_structure as cose-wg/Examples prints it).
"""

from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, OverLimit, WireError
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import (
    canonical,
    identity,
    is_canonical,
    join,
    protected_header,
    sig_structure,
    split,
)


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
    raw = join(b"\xa0", b"pay", b"s" * 64)
    assert identity(raw) == sha256(raw)
    later = unhex("d28441a0a1190" + "18a41ff" + "437061795840") + b"s" * 64
    assert split(later)[1] == {394: b"\xff"}
    assert identity(later) == sha256(raw)


def test_a_statement_without_payload_has_no_identity():
    """A receipt's payload is detached: it is no statement."""
    detached = unhex("d28441a0a0f65840") + b"s" * 64
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


def test_of_two_spellings_of_a_signature_one_is_canonical():
    """SEC 1 section 4.1.4: (r, s) and (r, n - s) both verify; the lower s is the one used. n is P-256's order."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    r = bytes(31) + b"\x01"
    low, high = r + (5).to_bytes(32, "big"), r + (order - 5).to_bytes(32, "big")
    assert is_canonical(low) and not is_canonical(high)
    assert canonical(high) == low and canonical(low) == low
    middle = (order - 1) // 2
    assert is_canonical(r + middle.to_bytes(32, "big"))
    assert not is_canonical(r + (middle + 1).to_bytes(32, "big"))
