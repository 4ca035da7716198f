"""The front end's lines, written and read here by hand."""

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_tools.sim.bench import Bench, BenchSpec
from meterseal_tools.sim.clock import ManualClock
from meterseal_tools.sim.front_end import FrontEnd
from meterseal_wire import kinds


def ask(text):
    """A line as the protocol wants it; binascii.crc_hqx with start FFFF is CRC-16/CCITT-FALSE."""
    return b"%s*%04X\n" % (text.encode(), binascii.crc_hqx(text.encode(), 0xFFFF))


def said(raw):
    """The words of one answer line with a right check."""
    body, check = raw.rstrip(b"\n").split(b"*")
    assert raw.count(b"\n") == 1 and int(check, 16) == binascii.crc_hqx(body, 0xFFFF)
    return body.decode().split(" ")


@pytest.fixture
def front_end():
    """A front end on a water bench of two free positions, valve at once, clock standing."""
    return FrontEnd(Bench(BenchSpec(kinds.WATER, 2, ramp_ms=0, jitter_ticks=0), ManualClock()))


def test_the_check_of_the_protocol_is_the_published_one():
    """CRC-16/CCITT-FALSE of 123456789 is 29B1 (the CRC catalogue's check value)."""
    assert ask("123456789") == b"123456789*29B1\n"


def test_it_says_what_it_is(front_end):
    """I: board, channels (reference and two positions), ticks a second, resolution, jitter, greatest rate."""
    assert said(front_end.feed(ask("I"))) == ["I", "sim-1", "3", "1000000", "1", "0", "10000"]


def test_it_tells_the_capture_clock(front_end):
    """T after 7 s."""
    front_end.bench.clock.advance_s(7)
    assert said(front_end.feed(ask("T"))) == ["T", "7000000"]


def test_it_sets_the_flow_up_to_what_the_pump_can_do(front_end):
    """F answers the flow that is set; the pump ends at 10 m3/h."""
    assert said(front_end.feed(ask("F 2500000"))) == ["F", "2500000"]
    assert front_end.bench.history.flow_at(0) == 2_500_000
    assert said(front_end.feed(ask("F 99000000"))) == ["F", "10000000"]
    assert said(front_end.feed(ask("F 0"))) == ["F", "0"]


def test_it_tells_flow_room_and_every_position(front_end):
    """S: ticks, flow, air mK, air pressure, humidity, reference mK and pressure, then two words a position."""
    front_end.bench.climate.air_mk = 24_500
    front_end.feed(ask("F 2500000"))
    words = said(front_end.feed(ask("S")))
    assert len(words) == 8 + 2 * 2
    assert words[:4] == ["S", "0", "2500000", "24500"]
    assert [int(word) for word in words[6:8]] == list(front_end.bench.climate.at_reference())
    assert [int(word) for word in words[10:12]] == list(front_end.bench.climate.at_position(2, 2_500_000))


def test_it_arms_reads_and_closes_gates(front_end):
    """A and D answer their tick, R three figures a channel; 1.000 mL edges at 400 L/h, one each 9000 ticks."""
    front_end.feed(ask("F 400000"))
    assert said(front_end.feed(ask("A 1"))) == ["A", "0"]
    front_end.bench.clock.advance(95_000)
    assert said(front_end.feed(ask("D 1"))) == ["D", "95000"]
    front_end.bench.clock.advance(1000)
    assert said(front_end.feed(ask("R"))) == ["R", "96000", "9", "9000", "90000"] + ["0"] * 6


def test_the_closed_bench_check_answers_when_its_time_has_passed(front_end):
    """Z 60 says nothing for 60 s of the capture clock, then start, end, seconds, counts, once."""
    front_end.bench.faults.leak_10pa_per_s = 2
    assert front_end.feed(ask("Z 60")) == b""
    assert front_end.feed(ask("Z 60")) == b""
    front_end.bench.clock.advance(59_999_999)
    assert front_end.poll() == b""
    front_end.bench.clock.advance(1)
    verb, start, end, *rest = said(front_end.poll())
    assert (verb, int(start) - int(end), rest) == ("Z", 120, ["60", "0"])
    assert front_end.poll() == b"" and front_end.due() is None


def test_several_questions_in_one_piece_and_one_in_pieces_are_answered(front_end):
    """Lines are what counts, not how bytes arrive."""
    assert front_end.feed(ask("T") + ask("I")).count(b"\n") == 2
    whole = ask("T")
    assert b"".join(front_end.feed(whole[at : at + 1]) for at in range(len(whole))) == ask("T 0")


@pytest.mark.parametrize(
    "damaged", [b"T*0000\n", b"T\n", b"\xff\xfe\n", ask("X"), ask("F"), ask("F -1"), ask("A x")]
)
def test_a_damaged_line_and_one_that_is_no_question_get_no_answer(front_end, damaged):
    """The fixture asks again."""
    assert front_end.feed(damaged) == b""
    assert front_end.dropped == 1
    assert front_end.feed(ask("T")) == ask("T 0")


@given(st.binary(max_size=400))
def test_no_bytes_break_it(noise):
    """After any noise and an end of line the next question is answered."""
    front_end = FrontEnd(Bench(BenchSpec(kinds.WATER, 2), ManualClock()))
    front_end.feed(noise + b"\n")
    assert front_end.feed(ask("T")) == ask("T 0")


def test_answers_can_be_damaged_a_given_number_of_times(front_end):
    """Two answers with a wrong check, the third is right."""
    front_end.damage = 2
    for _ in range(2):
        body, check = front_end.feed(ask("T")).rstrip(b"\n").split(b"*")
        assert int(check, 16) != binascii.crc_hqx(body, 0xFFFF)
    assert front_end.feed(ask("T")) == ask("T 0")


def test_a_power_cut_of_the_fixture_forgets_a_half_line_and_an_answer_to_come(front_end):
    """What was asked before the cut is not answered to the next life."""
    front_end.feed(ask("Z 5") + b"T*")
    front_end.reset()
    front_end.bench.clock.advance_s(10)
    assert front_end.poll() == b""
    assert front_end.feed(ask("T")) == ask("T 10000000")
