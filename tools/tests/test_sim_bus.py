"""The M-Bus line: waveforms, and what is heard where two send at once."""

from hypothesis import given
from hypothesis import strategies as st

from meterseal_tools.sim.bus import heard, together, waveform


@given(st.binary(max_size=60))
def test_one_slave_alone_is_heard_as_it_sends(data):
    """A byte is start 0, eight bits low first, even parity, stop 1: 11 bits (EN 13757-2)."""
    bits = waveform(data)
    assert len(bits) == 11 * len(data)
    assert heard(bits) == data
    assert together([(5, data)]) == data


def test_where_two_send_a_zero_wins():
    """E5 = 11100101 and 16 = 00010110 in step: the AND is 04. The same byte in step is heard unharmed."""
    assert together([(0, b"\xe5"), (0, b"\x16")]) == b"\x04"
    assert together([(3, b"\xe5"), (3, b"\xe5")]) == b"\xe5"


def test_a_byte_that_begins_inside_another_garbles_it():
    """FF from bit 0 (0, eight 1, parity 0, stop 1) and 00 from bit 1 (ten 0, stop 1) are zero from bit 0 to bit 10:
    00, and the zero where its stop bit should be begins another byte, of the line's idle ones: FF.
    """
    assert together([(0, b"\xff"), (1, b"\x00")]) == b"\x00\xff"


def test_what_is_heard_lasts_as_long_as_the_longest_answer():
    """An acknowledgement over the start of a longer answer in step spoils only its first byte: E5 AND 68 = 60."""
    assert together([(0, b"\xe5"), (0, b"\x68\x12\x34")]) == b"\x60\x12\x34"
