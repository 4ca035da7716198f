"""Strict CBOR in, on both interpreters. Each refusal names its clause of RFC 8949 or the limit of design section 5."""

from meterseal_wire.encode import Tag, encode
from meterseal_wire.errors import (
    BadText,
    KeyOrder,
    NotAllowed,
    NotShortest,
    OverLimit,
    Trailing,
    Truncated,
    WireError,
)
from meterseal_wire.scan import NESTING, STATEMENT_BYTES, scan


def unhex(text):
    """Bytes of hex text."""
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


def refused(text, *limits):
    """The WireError that scanning this hex raises; fails when it raises none."""
    try:
        scan(unhex(text), *limits)
    except WireError as error:
        return error
    raise AssertionError("not refused: " + text)


def check(rows):
    """Each row: hex, kind of error, offset at which it shows."""
    for text, kind, at in rows:
        error = refused(text)
        assert type(error) is kind, (text, error)
        assert error.at == at, (text, error)


ACCEPTED = (
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("18ff", 255),
    ("190100", 256),
    ("1a00010000", 65536),
    ("1b0000000100000000", 1 << 32),
    ("1b7fffffffffffffff", (1 << 63) - 1),
    ("20", -1),
    ("3818", -25),
    ("3b7ffffffffffffffe", -(1 << 63) + 1),
    ("40", b""),
    ("4401020304", b"\x01\x02\x03\x04"),
    ("60", ""),
    ("62c3bc", "\u00fc"),
    ("64f0908591", "\U00010151"),
    ("80", []),
    ("8301820203820405", [1, [2, 3], [4, 5]]),
    ("a0", {}),
    ("a201020304", {1: 2, 3: 4}),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
    ("d280", Tag(18, [])),
)


def test_what_is_deterministic_is_accepted_and_encodes_to_itself():
    """RFC 8949 appendix A; the scanner's promise is that a value has one spelling."""
    for text, value in ACCEPTED:
        assert scan(unhex(text)) == value, text
        assert encode(scan(unhex(text))) == unhex(text)


def test_false_true_and_null_are_what_they_are():
    """RFC 8949 section 3.3: simple values 20, 21 and 22."""
    assert scan(b"\xf4") is False
    assert scan(b"\xf5") is True
    assert scan(b"\xf6") is None


def test_an_argument_that_fits_in_fewer_bytes_is_refused():
    """RFC 8949 section 4.2.1: 24 is 18 18; 5 written as 18 05 is not deterministic. Also for lengths and tags."""
    check(
        (
            ("1805", NotShortest, 0),
            ("1817", NotShortest, 0),
            ("1900ff", NotShortest, 0),
            ("1a0000ffff", NotShortest, 0),
            ("1b00000000ffffffff", NotShortest, 0),
            ("3800", NotShortest, 0),
            ("580100", NotShortest, 0),
            ("7801" + "61", NotShortest, 0),
            ("980100", NotShortest, 0),
            ("b8010000", NotShortest, 0),
            ("d81280", NotShortest, 0),
            ("82011805", NotShortest, 2),
        )
    )


def test_well_formed_cbor_outside_the_profile_is_refused():
    """Design section 5: no floats, no indefinite lengths, no tags but 18; RFC 8949 section 3 for 1C to 1E, F8 18."""
    check(
        (
            ("f90000", NotAllowed, 0),
            ("fa47c35000", NotAllowed, 0),
            ("fb3ff199999999999a", NotAllowed, 0),
            ("5f4101ff", NotAllowed, 0),
            ("7f6161ff", NotAllowed, 0),
            ("9fff", NotAllowed, 0),
            ("bfff", NotAllowed, 0),
            ("ff", NotAllowed, 0),
            ("1c", NotAllowed, 0),
            ("3e", NotAllowed, 0),
            ("f7", NotAllowed, 0),
            ("f0", NotAllowed, 0),
            ("f8ff", NotAllowed, 0),
            ("f818", NotAllowed, 0),
            ("c11a514b67b0", NotAllowed, 0),
            ("d3" + "80", NotAllowed, 0),
            ("81f7", NotAllowed, 1),
        )
    )


def test_integers_beyond_the_limit_are_refused():
    """Design section 5: plus or minus 2^63 - 1. 2^63, -2^63 and the ends of 64 bits are outside."""
    check(
        (
            ("1b8000000000000000", OverLimit, 0),
            ("1bffffffffffffffff", OverLimit, 0),
            ("3b7fffffffffffffff", OverLimit, 0),
            ("3bffffffffffffffff", OverLimit, 0),
        )
    )


def test_keys_out_of_order_or_twice_are_refused_at_the_key():
    """RFC 8949 sections 4.2.1 and 5.6."""
    check(
        (
            ("a203000100", KeyOrder, 3),
            ("a201000100", KeyOrder, 3),
            ("a26161006161" + "00", KeyOrder, 4),
            ("a2200001" + "00", KeyOrder, 3),
        )
    )


def test_a_key_that_is_neither_integer_nor_text_is_refused():
    """Our maps have labels or text keys; an array, a byte string, a bool or null is none."""
    check(
        (
            ("a1f500", NotAllowed, 1),
            ("a1f600", NotAllowed, 1),
            ("a1410000", NotAllowed, 1),
        )
    )
    for text in ("a18000", "a1a000", "a1d20000", "a1818000"):
        assert refused(text).at == 1, text


def test_an_input_that_ends_early_is_refused():
    """RFC 8949 section 3: every prefix of a message is incomplete."""
    whole = unhex("d28443a10126a04401020304584012")
    for end in range(len(whole)):
        try:
            scan(whole[:end])
        except Truncated:
            continue
        raise AssertionError(end)


def test_a_length_larger_than_the_input_is_refused_before_anything_is_made():
    """A peer that announces 2^32 items or bytes costs no memory."""
    check(
        (
            ("5affffffff", Truncated, 5),
            ("7b7fffffffffffffff", Truncated, 9),
            ("9affffffff", Truncated, 5),
            ("baffffffff", Truncated, 5),
        )
    )


def test_bytes_after_the_item_are_refused():
    """One item, and no more: general decoders ignore what follows."""
    check((("0000", Trailing, 1), ("a000", Trailing, 1)))


def test_text_that_is_not_utf8_is_refused_at_its_byte():
    """RFC 3629 section 4: overlong forms, surrogates, beyond 10FFFF, stray and missing continuations."""
    check(
        (
            ("61ff", BadText, 1),
            ("6180", BadText, 1),
            ("62c080", BadText, 1),
            ("62c328", BadText, 1),
            ("61c3", BadText, 1),
            ("63e08080", BadText, 1),
            ("63eda080", BadText, 1),
            ("64f0808080", BadText, 1),
            ("64f4908080", BadText, 1),
            ("64f5808080", BadText, 1),
            ("6361c328", BadText, 2),
            ("63e28228", BadText, 1),
        )
    )


def test_nesting_goes_to_eight_and_no_deeper():
    """Design section 5: nesting at most 8."""
    assert NESTING == 8
    assert scan(b"\x81" * 8 + b"\x00") == [[[[[[[[0]]]]]]]]
    error = refused("81" * 9 + "00")
    assert type(error) is OverLimit
    assert error.at == 8


def test_a_statement_has_at_most_16_kib():
    """Design section 5; the limit counts the whole input, and a caller may give its own."""
    assert STATEMENT_BYTES == 16384
    body = b"\x59\x3f\xfd" + bytes(16381)
    assert len(scan(body)) == 16381
    error = None
    try:
        scan(b"\x59\x3f\xfe" + bytes(16382))
    except OverLimit as caught:
        error = caught
    assert error is not None and error.at == 16384
    assert type(refused("8101", 1)) is OverLimit


def test_an_error_says_its_code_the_byte_and_one_sentence():
    """Design section 13: one named error with the byte offset."""
    error = refused("82011805")
    assert str(error) == "wire.not_shortest at byte 2: 5 fits in fewer bytes"
    assert (error.code, error.at) == ("wire.not_shortest", 2)
