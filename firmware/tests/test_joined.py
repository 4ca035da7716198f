"""Several front ends as one: positions numbered through, and no ratio across two clocks."""

import asyncio

from doubles import CaptureEnd, Line
from whole_bench import Fixture, order, seat

from meterseal_fixture import bench as benches
from meterseal_fixture.bench import Bench, StopButton
from meterseal_fixture.errors import BadSettings, BenchFault, FrontEndSilent
from meterseal_fixture.joined import Joined, JoinedCounts
from meterseal_fixture.plan import PlanPoint
from meterseal_fixture.positions import Position
from meterseal_fixture.pulses import FrontEnd
from meterseal_wire import kinds
from meterseal_wire import labels as L

benches.POLL_MS = 0
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
    """Resolution 1, 4, 2 and jitter 0, 0, 3 at 1000 ticks a second: 4 and 3."""
    found = ends()
    found[1].say_i = lambda: ("I", "b", 8, 1000, 4, 0, 500)
    found[2].say_i = lambda: ("I", "c", 7, 1000, 2, 3, 10000)
    fronts, name = joined(found)
    assert (fronts.clock, name) == ((1000, 4, 3), "double+b+c")
    assert fronts.rows[1:] == [("b", 8, 1000, 4, 0, 500), ("c", 7, 1000, 2, 3, 10000)]


def at(found, hertz):
    """The ends with other ticks a second each, resolution 2 and jitter 1."""
    for end, hz in zip(found, hertz):
        end.say_i = lambda end=end, hz=hz: ("I", "b", len(end.periods), hz, 2, 1, 500)
    return found


def test_front_ends_of_different_ticks_are_given_in_one_exact_measure():
    """1000, 1500 and 2000 ticks a second are 6, 4 and 3 ticks of 6000. One pulse train each 0.1 s and 0.5 s: 100,
    150, 200 and 500, 750, 1000 ticks, which all become 600 and 3000. The clock is in that measure, the boot's rows
    are not.
    """
    found = at(ends(), (1000, 1500, 2000))
    for end, times in zip(found, (2, 3, 4)):
        end.periods = (50 * times,) + (250 * times,) * (len(end.periods) - 1)
        end.step = end.step * times // 2
    fronts, _ = joined(found)
    assert (fronts.clock, fronts.ticks_per_s) == ((6000, 12, 6), 6000)
    assert [row[2:5] for row in fronts.rows] == [(1000, 2, 1), (1500, 2, 1), (2000, 2, 1)]
    rows = run(fronts, range(1, 21))
    assert {(row[4] // row[3], row[6] // row[5]) for row in rows} == {(3000, 600)}
    assert {(row[4] % row[3], row[6] % row[5]) for row in rows} == {(0, 0)}
    before = found[0].ticks
    assert asyncio.run(fronts.sample()).ticks == 6 * (before + 10)
    assert asyncio.run(fronts.disarm(1)) == 6 * found[0].ticks


def test_clocks_without_a_measure_that_32_bits_can_hold_are_refused():
    """1 and 10 MHz have 10 MHz; 3 and 7 MHz would need 21; nobody has 0."""
    assert joined(at(ends(), (1_000_000, 10_000_000, 2_000_000)))[0].ticks_per_s == 10_000_000
    for hertz in ((3_000_000, 7_000_000, 1), (1000, 0, 1000), (0, 0, 0)):
        try:
            joined(at(ends(), hertz))
        except BadSettings as wrong:
            assert "clocks" in wrong.detail
        else:
            raise AssertionError("clocks without a common measure were taken")


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


def test_a_front_end_that_lost_its_reference_takes_its_own_positions_and_no_others():
    """The second one's wire is out, then the first one's, which still has clock and flow; in the middle of a point too.
    Its meters go on counting, against nothing: a fault, no row. The others have theirs.
    """
    for blind, own in ((1, range(8, 15)), (0, range(1, 8))):
        for late in (0, 3000):
            found = ends() if late else ends(blind)
            if late:
                unwired(found[blind], late)
            fronts, _ = joined(found)
            positions = [Position(number, "DEMO.%d" % number, "T", bytes(8)) for number in range(1, 21)]
            bench = Bench(fronts, StopButton())
            asyncio.run(bench.run_point((1, 1, PlanPoint([1_000_000, 20, 1_000_000, 0, 1])), positions))
            ended = [position.number for position in positions if position.ended == kinds.FAULT]
            assert ended == list(own), (blind, late)
            assert {position.why for position in positions if position.ended} == {"reference.part"}
            rows = [position.points[0] for position in positions if not position.ended]
            assert len(rows) == 13 and ratios(rows) == {5_000_000}


def unwired(end, after):
    """From that tick on the reference gives no edge."""
    usual = end.say_r

    def say_r():
        found = list(usual())
        edges = min(found[2] + 1, after // end.periods[0])
        found[2:5] = [edges - 1, found[3], edges * end.periods[0]]
        return tuple(found)

    end.say_r = say_r


def test_a_reference_that_most_do_not_see_or_nobody_ends_the_run():
    """Two of three: who is right is not known. All three: the reference is dead, as the meters go on."""
    for dry in ((0, 1), (0, 1, 2)):
        fronts, _ = joined(ends(*dry))
        try:
            run(fronts, range(1, 21))
        except BenchFault as fault:
            assert fault.code == "reference.silent"
        else:
            raise AssertionError("it counted against nothing")


def unplugged(fronts, found, number, letter):
    """That front end's cable is out from the first question of that letter on."""
    line, end = fronts.fronts[number].serial, found[number]

    def answer(data):
        if data[:1] == letter:
            line.answer = lambda _data: b""
        return line.answer(data) if data[:1] == letter else end(data)

    line.answer = answer


def test_a_front_end_that_falls_silent_takes_its_own_positions_and_no_others():
    """The second one's cable is out when its gates are to open, while they count, and when they are to close: 8 and 14
    end with a fault and without a row, 1 and 20 have theirs, from the same reference as ever. It is asked no more.
    """
    for letter in (b"A", b"R", b"D"):
        found = ends()
        fronts, _ = joined(found)
        unplugged(fronts, found, 1, letter)
        positions = [Position(number, "DEMO.%d" % number, "T", bytes(8)) for number in (1, 8, 14, 20)]
        asyncio.run(Bench(fronts, StopButton()).run_point(point(), positions))
        assert [len(position.points) for position in positions] == [1, 0, 0, 1], letter
        assert [position.ended for position in positions] == [None, kinds.FAULT, kinds.FAULT, None]
        assert {position.why for position in positions[1:3]} == {"front_end.part"}
        assert sorted(fronts.gone) == list(range(8, 15))
        assert ratios([positions[0].points[0], positions[3].points[0]]) == {5_000_000}
        asked = len(fronts.fronts[1].serial.sent)
        asyncio.run(fronts.counts())
        assert len(fronts.fronts[1].serial.sent) == asked


def test_when_the_only_front_end_of_a_run_falls_silent_its_point_ends_at_once():
    """Position 8 alone: nothing is left to wait for, though nobody counts the reference any more."""
    found = ends()
    fronts, _ = joined(found)
    unplugged(fronts, found, 1, b"R")
    position = Position(8, "DEMO.8", "T", bytes(8))
    asyncio.run(Bench(fronts, StopButton()).run_point(point(), [position]))
    assert (position.ended, position.points) == (kinds.FAULT, [])


def test_the_first_front_ends_silence_ends_the_run():
    """Clock, flow and air are gone with it."""
    found = ends()
    fronts, _ = joined(found)
    unplugged(fronts, found, 0, b"R")
    try:
        run(fronts, (1, 20))
    except FrontEndSilent as silent:
        assert silent.code == "front_end.silent"
    else:
        raise AssertionError("it went on without a clock")


def test_a_whole_run_ends_two_positions_and_signs_the_rest():
    """The second front end is unplugged in the run: a sentence for position 8, an event with the positions that it had,
    and a result in which 8 ended with a fault and 1 has both its points. In the next run it is asked again.
    """
    found = ends()
    fronts, _ = joined(found)
    whole = found[1]
    fixture = Fixture(end=found[0], front=fronts)
    found[0].periods += (500,) * 13  # the fixture's settings have as many positions
    with fixture:
        fronts.rows = []
        found[0].periods = found[0].periods[:8]
        unplugged(fronts, found, 1, b"R")

        async def script():
            seats = [seat(number, "DEMO.%d" % number, "01000000770414%02d" % number) for number in (1, 8)]
            fixture.say(**order(seats))
            told = await fixture.wait(error="front_end.part")
            assert "8" in told["zh"] and "8" in told["en"]
            await fixture.wait(event="result_signed")
            await fixture.wait(event="noted", name="front_end.part")
            fronts.fronts[1].serial.answer = whole
            fixture.line.sent.clear()
            fixture.say(**order(seats))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        first, second = fixture.payloads(L.KIND_RESULT)
        [event] = fixture.payloads(L.KIND_EVENT)
        assert event[L.DETAIL] == "positions 8 9 10 11 12 13 14"
        assert [len(position[L.POINTS]) for position in first[L.POSITIONS]] == [2, 0]
        assert [position.get(L.ENDED) for position in first[L.POSITIONS]] == [None, kinds.FAULT]
        assert [len(position[L.POINTS]) for position in second[L.POSITIONS]] == [2, 2]


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
