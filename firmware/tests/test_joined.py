"""Several front ends as one: positions numbered through, and no ratio across two clocks."""

import asyncio

from doubles import CaptureEnd, Line

from meterseal_fixture.bench import Bench, StopButton
from meterseal_fixture.errors import BadSettings, BenchFault, FrontEndSilent
from meterseal_fixture.joined import Joined, JoinedCounts
from meterseal_fixture.plan import PlanPoint
from meterseal_fixture.positions import Position
from meterseal_fixture.pulses import FrontEnd

REFERENCE_PERIODS = (100, 101, 99)  # ticks an interval: what one pulse train is to three crystals, far apart
METER_PERIODS = (500, 505, 495)


def ends(*dry):
    """Three front ends of eight channels, the last one of seven; those in `dry` lose the reference."""
    found = []
    for number in range(3):
        meters = 7 if number < 2 else 6
        end = CaptureEnd((REFERENCE_PERIODS[number],) + (METER_PERIODS[number],) * meters)
        end.ticks = 1_000_000 * number
        if number in dry:
            end.periods = (0,) + end.periods[1:]
        found.append(end)
    return found


def joined(found):
    """The front ends as one, described."""
    fronts = Joined([FrontEnd(Line(end), 20) for end in found])
    return fronts, asyncio.run(fronts.describe())


def point():
    """A point that wants ten counts at 1000 L/h and does not wait before it."""
    return (1, 1, PlanPoint([1_000_000, 10, 1_000_000, 0, 1]))


def run(fronts, numbers):
    """The row of each of these positions after one point."""
    positions = [Position(number, "DEMO.%d" % number, "T", bytes(8)) for number in numbers]
    bench = Bench(fronts, StopButton())
    asyncio.run(bench.run_point(point(), positions))
    return [position.points[0] for position in positions]


def test_twenty_positions_over_three_front_ends_have_one_number_each():
    """7 + 7 + 6 meters and one reference: channels 0 to 20. One name three times is told so."""
    fronts, name = joined(ends())
    assert (fronts.channels, name, fronts.ticks_per_s) == (21, "3*double", 1000)
    assert [row[:2] for row in fronts.rows] == [("double", 8), ("double", 8), ("double", 7)]


def test_the_clock_that_is_signed_is_the_coarsest():
    """Resolution 1, 4, 2 and jitter 0, 0, 3 at 1000 ticks a second: 4 and 3. Other ticks a second are refused."""
    found = ends()
    found[1].say_i = lambda: ("I", "b", 8, 1000, 4, 0, 500)
    found[2].say_i = lambda: ("I", "c", 7, 1000, 2, 3, 10000)
    fronts, name = joined(found)
    assert (fronts.clock, name) == ((1000, 4, 3), "double+b+c")
    assert fronts.rows[1:] == [("b", 8, 1000, 4, 0, 500), ("c", 7, 1000, 2, 3, 10000)]
    found[2].say_i = lambda: ("I", "c", 7, 1001, 2, 3)
    try:
        joined(found)
    except BadSettings as wrong:
        assert "clocks" in wrong.detail
    else:
        raise AssertionError("two clocks were taken for one")


def ratios(rows):
    """Meter's ticks an interval over the reference's, in millionths."""
    return {row[4] * row[5] * 1_000_000 // (row[3] * row[6]) for row in rows}


def test_every_position_is_set_against_the_reference_of_its_own_front_end():
    """Each meter gives one pulse for five of the reference's, whatever the crystal: one ratio for all twenty. With the
    first one's reference for all, which is planted here, the others are off by one in a hundred.
    """
    fronts, _ = joined(ends())
    assert ratios(run(fronts, range(1, 21))) == {5_000_000}
    own = JoinedCounts.reference
    JoinedCounts.reference = lambda self, _number: self._references[1]
    try:
        assert len(ratios(run(joined(ends())[0], range(1, 21)))) == 3
    finally:
        JoinedCounts.reference = own


def test_only_front_ends_that_have_a_meter_are_armed():
    """Positions 8 and 14 are the second one's channels 1 and 7, with its reference; the others hear nothing of it."""
    found = ends()
    fronts, _ = joined(found)
    run(fronts, (8, 14))
    assert [["A", "131"] in end.asked for end in found] == [False, True, False]  # 1 + 2 + 128
    assert [[asked for asked in end.asked if asked[0] in "AD"] for end in (found[0], found[2])] == [[], []]


def test_a_front_end_that_lost_its_reference_ends_the_run():
    """The meters go on counting, two references too: it is the reference's fault, and none of its meters gets a row."""
    fronts, _ = joined(ends(1))
    try:
        run(fronts, range(1, 21))
    except BenchFault as fault:
        assert fault.code == "reference.silent"
    else:
        raise AssertionError("a front end without a reference counted")


def test_a_front_end_that_is_silent_ends_the_run():
    """The third one's cable is out after the gates opened."""
    found = ends()
    fronts, _ = joined(found)
    found[2].say_r = None
    fronts.fronts[2].serial.answer = lambda data: b"" if data[:1] == b"R" else found[2](data)
    try:
        run(fronts, (1, 20))
    except FrontEndSilent as silent:
        assert silent.code == "front_end.silent"
    else:
        raise AssertionError("it went on without its third front end")


def test_each_front_end_gives_the_temperatures_of_its_own_positions():
    """The double's position n is at 20 000 + n mK: 1 to 7, 1 to 7, 1 to 6."""
    fronts, _ = joined(ends())
    sample = asyncio.run(fronts.sample())
    assert [mk for mk, _ in sample.meters] == [20000 + n for part in (7, 7, 6) for n in range(1, part + 1)]


def test_bounce_is_told_of_the_position_it_came_from():
    """Second front end: 3 at the reference, 9 at its channel 2, which is position 9; third: 5 at the reference."""
    found = ends()
    found[1].say_d = lambda _mask: ("D", 7, 3, 0, 9, 0, 0, 0, 0, 0)
    found[2].say_d = lambda _mask: ("D", 7, 5, 0, 0, 0, 0, 0, 0)
    fronts, _ = joined(found)
    asyncio.run(fronts.arm((1 << 21) - 1))
    asyncio.run(fronts.disarm((1 << 21) - 1))
    assert len(fronts.bounced) == 21
    assert [(channel, n) for channel, n in enumerate(fronts.bounced) if n] == [(0, 5), (9, 9)]


def test_with_no_position_the_first_ones_reference_is_counted():
    """A mask of the reference alone."""
    found = ends()
    fronts, _ = joined(found)
    asyncio.run(fronts.arm(1))
    assert asyncio.run(fronts.counts()).channels[0][0] > 0
    assert [[asked[0] for asked in end.asked].count("A") for end in found] == [1, 0, 0]
