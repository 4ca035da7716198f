"""Every refusal of the scanner word for word: what a line engineer reads, and at which byte. Written by hand.

Nesting and UTF-8 at their very edges stand here too: they are where a scanner is wrong by one.
"""

from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan


def unhex(text):
    """Bytes of hex text."""
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


def said(text, *limits):
    """What the scanner says of this hex; fails where it accepts."""
    try:
        scan(unhex(text), *limits)
    except WireError as error:
        return str(error)
    raise AssertionError("not refused: " + text)


SENTENCES = (
    ("", "wire.truncated at byte 0: 1 more bytes announced at 0"),
    ("8200", "wire.truncated at byte 2: 2 more bytes announced at 1"),
    ("830000", "wire.truncated at byte 3: 3 more bytes announced at 1"),
    ("a100", "wire.truncated at byte 2: 2 more bytes announced at 1"),
    ("a20000", "wire.truncated at byte 3: 4 more bytes announced at 1"),
    ("6261", "wire.truncated at byte 2: 2 more bytes announced at 1"),
    ("0000", "wire.trailing at byte 1: 1 bytes after the end"),
    ("000000", "wire.trailing at byte 1: 2 bytes after the end"),
    ("1800", "wire.not_shortest at byte 0: 0 fits in fewer bytes"),
    ("811817", "wire.not_shortest at byte 1: 23 fits in fewer bytes"),
    ("1b7fffffffffffffff00", "wire.trailing at byte 9: 1 bytes after the end"),
    ("1b8000000000000000", "wire.over_limit at byte 0: integer outside plus or minus 2^63 - 1"),
    ("3b7fffffffffffffff", "wire.over_limit at byte 0: integer outside plus or minus 2^63 - 1"),
    ("818181818181818180", "wire.over_limit at byte 8: nested deeper than allowed"),
    ("c000", "wire.not_allowed at byte 0: tag 0; only 18 (COSE_Sign1) is used"),
    ("1f", "wire.not_allowed at byte 0: indefinite length"),
    ("9fff", "wire.not_allowed at byte 0: indefinite length"),
    ("ff", "wire.not_allowed at byte 0: indefinite length"),
    ("1c", "wire.not_allowed at byte 0: reserved length 28"),
    ("1e", "wire.not_allowed at byte 0: reserved length 30"),
    ("f818", "wire.not_allowed at byte 0: simple value in two bytes"),
    ("f90000", "wire.not_allowed at byte 0: a float"),
    ("fa00000000", "wire.not_allowed at byte 0: a float"),
    ("fb0000000000000000", "wire.not_allowed at byte 0: a float"),
    ("f7", "wire.not_allowed at byte 0: simple value 23"),
    ("e0", "wire.not_allowed at byte 0: simple value 0"),
    ("a1f400", "wire.not_allowed at byte 1: a map key that is neither an integer nor text"),
    ("a1f500", "wire.not_allowed at byte 1: a map key that is neither an integer nor text"),
    ("a1f600", "wire.not_allowed at byte 1: a map key that is neither an integer nor text"),
    ("a14000", "wire.not_allowed at byte 1: a map key that is neither an integer nor text"),
    ("a202000100", "wire.key_order at byte 3: key 1 twice or out of order"),
    ("a2616100616100", "wire.key_order at byte 4: key 'a' twice or out of order"),
    ("6180", "wire.text at byte 1: not UTF-8"),
    ("62c3c3", "wire.text at byte 1: not UTF-8"),
    ("6361c3c3", "wire.text at byte 2: not UTF-8"),
    ("63e08080", "wire.text at byte 1: not UTF-8"),
    ("6361c3", "wire.truncated at byte 3: 3 more bytes announced at 1"),
    ("6461e2828c", None),
    ("65616161e282", "wire.text at byte 4: not UTF-8"),
    ("6561e28241" + "61", "wire.text at byte 2: not UTF-8"),
)


def test_every_refusal_is_said_word_for_word():
    """One clear sentence with the first byte that is wrong; a row of None is accepted."""
    for text, sentence in SENTENCES:
        if sentence is None:
            scan(unhex(text))
        else:
            assert said(text) == sentence, text


def test_what_is_too_long_is_said_before_it_is_looked_at():
    """The limit is the offset: the first byte too many."""
    assert said("0000000000", 4) == "wire.over_limit at byte 4: 5 bytes where 4 are allowed"
    assert said("00000000", 4) == "wire.trailing at byte 1: 3 bytes after the end"


def test_arrays_maps_and_tags_count_alike_for_nesting():
    """Eight levels are accepted whichever they are made of, nine are not; at each level one is spent."""
    for opening in ("81", "a100", "d2"):
        scan(unhex(opening * 8 + "00"))
        assert "nested deeper" in said(opening * 9 + "00")
    scan(unhex("81a100d2" * 2 + "8181" + "00"))
    assert "nested deeper" in said("81a100d2" * 2 + "818181" + "00")
    for levels in range(9):
        scan(unhex("a100" * levels + "00"), 100, levels)
        assert "nested deeper" in said("a100" * (levels + 1) + "00", 100, levels)
        assert "nested deeper" in said("d2" * (levels + 1) + "00", 100, levels)


def test_a_key_takes_no_nesting_of_its_own():
    """A key that is an array is refused as too deep, at its own byte."""
    assert said("a1800000") == "wire.over_limit at byte 1: nested deeper than allowed"


# RFC 3629 section 4: first and last of every row of the syntax, and their neighbours outside.
GOOD_TEXT = (
    "7f", "c280", "c2bf", "dfbf", "df80", "e0a080", "e0bfbf", "e18080", "ecbfbf", "ed8080", "ed9fbf", "ee8080",
    "efbfbf", "f0908080", "f0bfbfbf", "f1808080", "f3bfbfbf", "f4808080", "f48fbfbf",
)  # fmt: skip
BAD_TEXT = (
    "80", "bf", "c080", "c1bf", "c27f", "c2c0", "df7f", "dfc0", "e09fbf", "e0c080", "e17f80",
    "e181c0", "e1817f", "eda080", "edbfbf", "eec080", "ef7fbf", "efbf7f", "efbfc0", "f08fbfbf", "f0c08080",
    "f1807f80", "f18080c0", "f180c080", "f4908080", "f5808080", "ff", "fe", "c2", "e1", "e180", "f1", "f180", "f18080",
)  # fmt: skip


def test_text_is_utf8_up_to_the_edge_of_every_row():
    """RFC 3629 section 4's table, each edge from both sides."""
    for text in GOOD_TEXT:
        assert scan(unhex("%02x" % (0x60 + len(text) // 2) + text)).encode() == unhex(text), text
    for text in BAD_TEXT:
        assert said("%02x" % (0x60 + len(text) // 2) + text).startswith("wire.text at byte 1"), text


def test_text_is_followed_character_by_character():
    """After a character of several bytes comes the next one, whatever it is: an umlaut, then b; a stray."""
    assert scan(unhex("63c3bc62")) == "\u00fcb"
    assert scan(unhex("66c3bce282ac62")) == "\u00fc\u20acb"
    assert said("63c3bc80") == "wire.text at byte 3: not UTF-8"
    assert said("64c3bc8061") == "wire.text at byte 3: not UTF-8"
