"""The counting front end's gates and answers, without its hardware; expected figures are arithmetic in the test.

MicroPython's path has firmware/boards/unix only, so the front end's folder is added here, at the end: its board.py and
main.py must not hide the unix board's.
"""

import asyncio
import sys
from array import array

from doubles import Line

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(HERE + "/../boards/chip")
sys.path.append(HERE + "/../boards/front_rp2350")

from answers import Answers  # noqa: E402
from counting import LONGEST, MARGIN, PLACES, RING, Clock, Gate, Overrun, Ring  # noqa: E402

from meterseal_fixture.capability import FRONT_ENDS, RP2350_PIO, runs_kept  # noqa: E402
from meterseal_fixture.errors import FrontEndSilent  # noqa: E402
from meterseal_fixture.keep import CAPACITY_BYTES, RESERVE_BYTES  # noqa: E402
from meterseal_fixture.pulses import FrontEnd  # noqa: E402
from meterseal_wire.capture import line  # noqa: E402

try:
    from micropython import heap_lock, heap_unlock
except ImportError:

    def heap_lock():
        """CPython cannot forbid allocations."""

    def heap_unlock():
        """Nothing was locked."""
        return 0


CHANNELS = RP2350_PIO.channels


class Hardware:
    """What board.Capture gives, with edges put in by hand: stamps in rings, places, a clock that is set."""

    def __init__(self, ticks=0, places=0):
        self.halves = array("H", bytes(4 * RING * CHANNELS))
        self.bases = [2 * RING * channel for channel in range(CHANNELS)]
        self.ticks = ticks
        self.lost = 0
        self._places = [places] * CHANNELS

    def now(self):
        return self.ticks

    def places(self, channel):
        return self._places[channel]

    def spilled(self):
        found, self.lost = self.lost, 0
        return found

    def edge(self, channel, ticks):
        place = self.bases[channel] + 2 * (self._places[channel] % RING)
        self.halves[place], self.halves[place + 1] = ticks & 0xFFFF, ticks >> 16 & 0xFFFF
        self._places[channel] = (self._places[channel] + 1) % PLACES
        self.ticks = max(self.ticks, ticks)


def front(least=0, ticks=0, places=0):
    hardware = Hardware(ticks, places)
    return hardware, Answers(RP2350_PIO, hardware, (least,) * CHANNELS)


def figures(answers, channel):
    return answers.read()[1 + 3 * channel : 4 + 3 * channel]


def test_a_clock_goes_on_where_its_counter_goes_round():
    """Three turns of 32 and of 30 bits, looked at less than a turn apart, and from any start."""
    for bits in (30, 32):
        clock, true = Clock(bits, 12345), 0
        step = (1 << bits) - 7
        for _ in range(4):
            true += step
            assert clock.extend((12345 + true) & ((1 << bits) - 1)) == true
        assert clock.ticks == 4 * step


def test_intervals_are_one_less_than_edges_and_ticks_count_from_arming():
    """meterseal_wire.capture: count is whole intervals between first and last edge, ticks are since arming."""
    for least in (0, 5):
        hardware, answers = front(least, 1000)
        answers.arm(0b11)
        assert figures(answers, 0) == [0, 0, 0]
        for ticks in (1500, 1700, 2000):
            hardware.edge(0, ticks)
        hardware.edge(1, 9000)
        assert figures(answers, 0) == [2, 500, 1000]
        assert figures(answers, 1) == [0, 8000, 8000]


def test_edges_before_arming_and_after_closing_do_not_count():
    """A opens anew, D closes and keeps the figures."""
    hardware, answers = front()
    hardware.edge(0, 10)
    hardware.edge(0, 20)
    answers.arm(1)
    hardware.edge(0, 30)
    hardware.edge(0, 40)
    answers.disarm(1)
    hardware.edge(0, 50)
    assert figures(answers, 0) == [1, 10, 20]
    answers.arm(1)
    assert figures(answers, 0) == [0, 0, 0]


def test_an_edge_nearer_than_the_least_distance_is_bounce():
    """Edges at 0, 99, 100, 150, 199, 200. Of them stay by hand: 100 apart 0, 100, 200; 50 apart 0, 99, 150, 200."""
    for least, wanted in ((100, 2), (0, 5), (50, 3), (101, 1)):
        hardware, answers = front(least)
        answers.arm(1)
        for ticks in (0, 99, 100, 150, 199, 200):
            hardware.edge(0, 70000 + ticks)
        assert figures(answers, 0)[0] == wanted, least


def test_distance_is_right_across_both_halves_and_across_2_to_the_32():
    """The same distances with the first stamp just below 2**16 and 2**32; 0x18000 needs both halves."""
    for first in (0xFFF0, 0xFFFFFFF0, 0x1FFFFFFF0):
        for least in (32, 0x18000):
            hardware, answers = front(least, first)
            answers.arm(1)
            for apart in (0, least - 1, least, 2 * least - 1, 2 * least):
                hardware.edge(0, first + apart)
            assert figures(answers, 0) == [2, 0, 2 * least], (first, least)


def test_many_looks_give_what_one_look_gives():
    """Five thousand edges, five rings full, looked at every hundred: nothing lost, by both ways of taking."""
    for least in (0, 3):
        hardware, answers = front(least, 0, PLACES - 777)
        answers.arm(1)
        for number in range(5000):
            hardware.edge(0, 1000 + 7 * number)
            if number % 100 == 0:
                answers.look()
        assert figures(answers, 0) == [4999, 1000, 1000 + 7 * 4999]


def test_a_ring_that_ran_over_is_noticed_and_r_is_not_answered():
    """RING - MARGIN edges are safe, one more is not; T still answers, D and A start anew."""
    for edges, lost in ((RING - MARGIN, False), (RING - MARGIN + 1, True)):
        hardware, answers = front()
        answers.arm(1)
        for number in range(edges):
            hardware.edge(0, number)
        assert (answers.feed(line("R")) == b"") == lost
        assert answers.feed(line("T")) == line("T", edges - 1)
        answers.disarm(1)
        assert (answers.feed(line("R")) == b"") == lost
        answers.feed(line("A", 2))
        assert answers.feed(line("R")) != b""


def test_an_edge_that_the_hardware_lost_silences_r_until_the_gate_is_armed():
    """RXSTALL of a channel whose gate is shut says nothing; of an open one, everything."""
    hardware, answers = front()
    answers.arm(1)
    hardware.lost = 0b100
    assert answers.feed(line("R")) != b""
    hardware.lost = 0b001
    assert answers.feed(line("R")) == b"" == answers.feed(line("R"))
    answers.arm(1)
    assert answers.feed(line("R")) != b""


def test_a_gate_that_is_open_too_long_closes_itself_and_keeps_its_figures():
    """LONGEST ticks; figures stay within 32 bits, and a later edge, whose stamp would be ambiguous, is not counted."""
    hardware, answers = front()
    answers.arm(1)
    hardware.edge(0, 100)
    hardware.edge(0, LONGEST - 1)
    answers.look()
    answers.tend()
    assert answers.gates[0].open
    hardware.ticks = LONGEST
    answers.look()
    answers._expired = 0
    answers.tend()
    assert not answers.gates[0].open
    hardware.edge(0, (1 << 32) + 200)
    assert figures(answers, 0) == [1, 100, LONGEST - 1]
    assert max(figures(answers, 0)) < 1 << 32


def test_looking_allocates_nothing():
    """MicroPython's heap is locked meanwhile: an allocation would raise MemoryError. Both ways of taking."""
    for least in (0, 5):
        hardware, answers = front(least)
        answers.arm(0xFF)
        for number in range(400):
            for channel in range(CHANNELS):
                hardware.edge(channel, number * 1000 + channel)
        heap_lock()
        try:
            answers.look()
        finally:
            heap_unlock()
        assert figures(answers, 7) == [399, 7, 399007]


def test_damaged_and_foreign_questions_get_no_answer():
    """F, Z and S are another driver's; a mask beyond the channels, a wrong check, letters, an endless line."""
    _, answers = front()
    for asked in (line("F", 5), line("Z", 60), line("S"), line("A"), line("A", 1 << CHANNELS), line("A", -1)):
        assert answers.feed(asked) == b"", asked
    for raw in (b"T*0000\n", line("A", "x"), b"\xff\xfe\n", b"\n", b"x" * 500):
        assert answers.feed(raw) == b"", raw
    assert answers.feed(line("T")) == line("T", 0)


def test_a_question_in_pieces_and_two_at_once_are_answered():
    """A serial line delivers bytes, not lines."""
    _, answers = front(0, 5)
    asked = line("T") + line("D", 1)
    assert b"".join(answers.feed(asked[at : at + 1]) for at in range(len(asked))) == line("T", 5) + line(
        "D", 5
    )
    assert answers.feed(asked) == line("T", 5) + line("D", 5)


def test_the_fixture_reads_this_front_end_and_signs_the_tables_clock():
    """One row: what `I` says, what FrontEnd keeps as its clock (the boot's CLOCK) and the table are the same."""
    hardware, answers = front()
    fixture = FrontEnd(Line(answers.feed), 50)
    assert asyncio.run(fixture.describe()) == RP2350_PIO.name
    assert (
        fixture.clock
        == RP2350_PIO.clock()
        == (RP2350_PIO.ticks_per_s, RP2350_PIO.resolution, RP2350_PIO.jitter)
    )
    assert fixture.channels == RP2350_PIO.channels
    assert fixture.rows == [(RP2350_PIO.name, 8) + RP2350_PIO.clock() + (10_000,)]
    slow = Answers(RP2350_PIO, hardware, (0, 500) + (0,) * 6)
    assert slow.identify()[5] == RP2350_PIO.rate_one_by_one_hz
    asyncio.run(fixture.arm(0b101))
    for ticks in (100, 200, 300):
        hardware.edge(2, ticks)
    counts = asyncio.run(fixture.counts())
    assert counts.ticks == 300 and counts.channels == [(0, 0, 0)] * 2 + [(2, 100, 300)] + [(0, 0, 0)] * 5
    hardware.lost = 1
    try:
        asyncio.run(fixture.counts())
    except FrontEndSilent:
        return
    raise AssertionError("figures were given although edges are lost")


def test_a_gate_alone_tells_overrun_by_its_error():
    """counting.Gate.figures raises; its code is stable."""
    gate = Gate(Ring(array("H", bytes(4 * RING))))
    gate.arm(0, 0)
    gate.look(RING)
    try:
        gate.figures()
    except Overrun as lost:
        assert lost.code == "front.overrun"
        return
    raise AssertionError("figures of an overrun ring")


def test_the_tables_sum_of_kept_runs_is_the_queues():
    """(2 MiB - 3 parcels of 64 KiB) // 1.5 KiB = 1237; the names are told apart."""
    assert (CAPACITY_BYTES, RESERVE_BYTES) == (2 << 20, 3 << 16)
    assert runs_kept(CAPACITY_BYTES, RESERVE_BYTES) == 1237
    assert len({row.name for row in FRONT_ENDS}) == len(FRONT_ENDS)
