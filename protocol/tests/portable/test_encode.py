"""Deterministic CBOR out, on both interpreters. Expected bytes: RFC 8949, appendix A and section 4.2.1."""

from meterseal_wire.encode import LARGEST, Tag, encode, head


def unhex(text):
    """Bytes of hex text."""
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


def raised(kind, call, *args):
    """True if `call` raises `kind`."""
    try:
        call(*args)
    except kind:
        return True
    return False


# RFC 8949 appendix A, rows that our profile can send.
APPENDIX_A = (
    (0, "00"),
    (1, "01"),
    (10, "0a"),
    (23, "17"),
    (24, "1818"),
    (25, "1819"),
    (100, "1864"),
    (1000, "1903e8"),
    (1000000, "1a000f4240"),
    (1000000000000, "1b000000e8d4a51000"),
    (-1, "20"),
    (-10, "29"),
    (-100, "3863"),
    (-1000, "3903e7"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("a", "6161"),
    ("IETF", "6449455446"),
    ('"\\', "62225c"),
    ("\u00fc", "62c3bc"),
    ("\u6c34", "63e6b0b4"),
    ([], "80"),
    ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"),
    ({}, "a0"),
    ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    (["a", {"b": "c"}], "826161a161626163"),
)


def test_the_examples_of_appendix_a_come_out_as_printed():
    """RFC 8949 appendix A."""
    for value, text in APPENDIX_A:
        assert encode(value) == unhex(text), (value, text)


def test_a_tuple_is_an_array_and_a_bytearray_a_byte_string():
    """RFC 8949 section 3.1: 82 01 02 is the array of 1 and 2, 41 FF the string of FF."""
    assert encode((1, 2)) == b"\x82\x01\x02"
    assert encode(bytearray(b"\xff")) == b"\x41\xff"


def test_map_keys_stand_in_bytewise_order_of_their_encodings():
    """RFC 8949 section 4.2.1's own example: 10, 100, -1, "z", "aa", ... in this order (without its non-text keys)."""
    value = {"aa": 5, 100: 2, "z": 4, -1: 3, 10: 1}
    assert encode(value) == unhex("a5" + "0a01" + "186402" + "2003" + "617a04" + "62616105")


def test_order_is_bytewise_and_not_by_length_first():
    """RFC 8949 section 4.2.1 against 4.2.3: 1a000186a0 comes before 6161, though it is longer."""
    assert encode({"a": 2, 100000: 1}) == unhex("a2" + "1a000186a001" + "616102")


def test_every_head_takes_the_fewest_bytes():
    """RFC 8949 section 4.2.1: the argument's boundaries are 23, 255, 65535 and 4294967295."""
    cases = (
        (23, "17"),
        (24, "1818"),
        (255, "18ff"),
        (256, "190100"),
        (65535, "19ffff"),
        (65536, "1a00010000"),
    )
    for number, text in cases:
        assert head(0x00, number) == unhex(text)
    assert head(0x00, 0xFFFFFFFF) == unhex("1affffffff")
    assert head(0x00, 0x100000000) == unhex("1b0000000100000000")
    assert head(0x40, 24) == unhex("5818")


def test_integers_reach_to_two_to_the_63_and_no_further():
    """Design section 5: within plus or minus 2^63 - 1; 2^63 - 1 is 1B 7FFF..., its negative 3B 7FFF...FE."""
    assert encode(LARGEST) == unhex("1b7fffffffffffffff")
    assert encode(-LARGEST) == unhex("3b7ffffffffffffffe")
    assert raised(ValueError, encode, LARGEST + 1)
    assert raised(ValueError, encode, -LARGEST - 1)


def test_a_tag_goes_before_its_value():
    """RFC 8949 section 3.4: tag 18 is D2."""
    assert encode(Tag(18, [b"", {}])) == unhex("d28240a0")


def test_tags_are_equal_by_number_and_value():
    """Two readings of the same bytes compare equal; another number or value does not."""
    assert Tag(18, [1]) == Tag(18, [1])
    assert Tag(18, [1]) != Tag(18, [2])
    assert Tag(18, [1]) != Tag(17, [1])
    assert repr(Tag(18, 1)) == "Tag(18, 1)"


def test_what_we_never_send_is_the_callers_fault():
    """No floats between pulse and decision: TypeError, not bytes."""
    assert raised(TypeError, encode, 1.5)
    assert raised(TypeError, encode, [object()])
