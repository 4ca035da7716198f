"""Lines to a counting front end, on both interpreters. CRC-16/CCITT-FALSE's check value is 29B1 (CRC catalogue)."""

from meterseal_wire.capture import BadLine, crc16, line, words


def refused(raw):
    """True if `raw` is no line."""
    try:
        words(raw)
    except BadLine:
        return True
    return False


def test_the_check_value_of_the_crc():
    """The catalogue's nine digits; an empty line leaves the register's start."""
    assert crc16(b"123456789") == 0x29B1
    assert crc16(b"") == 0xFFFF


def test_a_line_is_its_words_a_star_and_four_hex_digits():
    """The file's own grammar, with the check value above as its witness."""
    assert line("123456789") == b"123456789*29B1\n"


def test_words_come_back_as_they_went():
    """Words are text; numbers are for the caller to read."""
    assert words(line("F", 2500000)) == ["F", "2500000"]
    assert words(line("R", 1, 2, 3)[:-1] + b"\r\n") == ["R", "1", "2", "3"]


def test_a_changed_character_is_noticed():
    """A CRC of 16 bits sees every single changed byte."""
    good = line("A", 511)
    for at in range(len(good) - 1):
        bad = bytearray(good)
        bad[at] ^= 0x04
        assert refused(bytes(bad)), at


def test_what_has_no_check_is_no_line():
    """Noise on a wire, an empty line, a line cut short."""
    for raw in (b"", b"\n", b"F 1\n", b"*", b"F 1*", b"F 1*29B1\n", b"\xff\xfe*0000\n"):
        assert refused(raw), raw


def test_the_error_names_its_code():
    """Stable codes: the fixture's panel shows them."""
    assert BadLine.code == "capture.line"
