"""The capture line's fixture side: questions, answers, damage and silence."""

import asyncio

from doubles import CaptureEnd, Line

from meterseal_fixture.errors import FrontEndSilent
from meterseal_fixture.pulses import TRIES, FrontEnd
from meterseal_wire.capture import line


def ask(answer, name, *arguments):
    front = FrontEnd(Line(answer), 20)
    return asyncio.run(getattr(front, name)(*arguments)), front


def test_the_front_end_says_its_name_channels_and_clock():
    """meterseal_wire.capture: I <board> <channels> <ticks_per_s> <resolution> <jitter>."""
    board, front = ask(lambda _: line("I", "AB-1", 9, 1000000, 1, 2), "describe")
    assert board == "AB-1"
    assert (front.channels, front.clock, front.ticks_per_s) == (9, (1000000, 1, 2), 1000000)


def test_a_sample_and_counts_are_taken_apart_by_position():
    """meterseal_wire.capture: S has seven figures, then two a position; R one, then three a channel."""
    sample, _ = ask(lambda _: line("S", 5, 100, -50, 10132, 600, 7, 8, 21, 22, -31, 32), "sample")
    assert (sample.ticks, sample.flow, sample.air, sample.humidity, sample.ref) == (
        5,
        100,
        (-50, 10132),
        600,
        (7, 8),
    )
    assert sample.meters == [(21, 22), (-31, 32)]
    counts, _ = ask(lambda _: line("R", 99, 4, 10, 50, 2, 20, 40), "counts")
    assert (counts.ticks, counts.channels) == (99, [(4, 10, 50), (2, 20, 40)])


def test_damaged_and_foreign_answers_are_asked_again():
    """Three answers cannot be used: a wrong check, another letter, letters for a number; the fourth can."""
    said = [b"T 5*0000\n", line("R", 1, 2, 3, 4), line("T", "five"), line("T", 77)]
    found, _ = ask(lambda _: said.pop(0), "now")
    assert found == 77 and not said


def test_an_answer_in_pieces_is_put_together():
    """A serial line delivers bytes, not lines."""

    class Slow(Line):
        async def read(self):
            await asyncio.sleep_ms(0)
            found, self.coming = self.coming[:1], self.coming[1:]
            return found

    front = FrontEnd(Slow(lambda _: line("F", 2500000)), 200)
    asyncio.run(front.set_flow(2500000))
    assert front.serial.sent == [line("F", 2500000)]


def test_a_late_answer_to_an_earlier_question_is_not_taken_for_this_one():
    """What waits on the line before the question is dropped."""
    wire = Line(lambda _: line("T", 2))
    wire.coming = line("T", 1)
    assert asyncio.run(FrontEnd(wire, 50).now()) == 2


def test_silence_ends_after_a_fixed_number_of_questions():
    """The error names its code, and the line shows how often it was asked."""
    wire = Line(lambda _: b"")
    try:
        asyncio.run(FrontEnd(wire, 2).now())
    except FrontEndSilent as silent:
        assert silent.code == "front_end.silent"
    else:
        raise AssertionError("silence was an answer")
    assert wire.sent == [line("T")] * TRIES


def test_arming_and_disarming_give_the_tick():
    """Mask 5 is channels 0 and 2: 1 + 4."""
    end = CaptureEnd([10, 0, 20])
    assert ask(end, "arm", 5)[0] == 0
    assert end.asked == [["A", "5"]]
