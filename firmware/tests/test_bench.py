"""A point on a front end of known periods: every integer of its row follows from arithmetic in the test."""

import asyncio

from doubles import CaptureEnd, Line

from meterseal_fixture.bench import Bench, StopButton
from meterseal_fixture.errors import BenchFault, Stopped
from meterseal_fixture.plan import PlanPoint
from meterseal_fixture.positions import Position
from meterseal_fixture.pulses import FrontEnd
from meterseal_fixture.station import REASONS
from meterseal_wire import kinds, point

# 3600 mL/h is 1 mL/s; 100 000 uL take 100 s, so a meter is quiet after 3 * 100 s = 300 000 ticks.
POINT = PlanPoint([3600, 10, 100000, 5000, 1])
LONG = PlanPoint([3600, 100000, 100000, 0, 1])


def bench_on(periods, step=1000):
    end = CaptureEnd(periods, step)
    front = FrontEnd(Line(end), 100)
    asyncio.run(front.describe())
    return end, Bench(front, StopButton())


def seats(count):
    return [Position(number, "DEMO.%d" % number, "T", bytes(8)) for number in range(1, count + 1)]


def test_a_row_has_the_counts_and_ticks_of_its_channel_and_means_of_what_was_seen():
    """Reference one edge each 100 ticks, meter 1 one each 500: when the meter has 10 intervals (edge 11 at 5500),
    its ticks are 10 * 500, and the reference's ticks are 100 for each of its counts. Temperatures and pressures
    are constants of the double: 20 000 + position, 40 000 - position.
    """
    end, bench = bench_on([100, 500])
    [one] = seats(1)
    asyncio.run(bench.run_point((3, 1, POINT), [one]))
    [row] = one.points
    assert len(row) == len(point.FIELDS)
    assert (row[point.POINT], row[point.REPEAT], row[point.METHOD]) == (3, 1, point.REFERENCE_METER)
    assert row[point.METER_COUNTS] >= 10
    assert row[point.METER_TICKS] == 500 * row[point.METER_COUNTS]
    assert row[point.REF_TICKS] == 100 * row[point.REF_COUNTS]
    assert (row[point.METER_TEMP_MK], row[point.METER_PRESSURE_10PA]) == (20001, 39999)
    assert (row[point.REF_TEMP_MK], row[point.REF_PRESSURE_10PA]) == (20150, 40000)
    assert (row[point.FLOW_MIN_ML_PER_H], row[point.FLOW_MAX_ML_PER_H]) == (3600, 3600)
    assert row[point.DURATION_MS] == end.closed - end.armed
    assert not bench.counting


def test_settling_is_counted_on_the_capture_clock():
    """5000 ms at 1000 ticks a second: the gates open at least 5000 ticks after the flow was set; each T lets 1000
    ticks pass, so six of them are asked before A.
    """
    end, bench = bench_on([100, 500])
    asyncio.run(bench.run_point((0, 0, POINT), seats(1)))
    asked = [words[0] for words in end.asked]
    assert asked[: asked.index("A")] == ["I", "F", "T", "T", "T", "T", "T", "T"]


def test_gates_open_for_the_reference_and_those_that_take_part():
    """Positions 1 and 3 of three: mask 1 + 2 + 8 = 11."""
    end, bench = bench_on([100, 500, 500, 500])
    three = seats(3)
    three[1].end_early(kinds.SILENT)
    asyncio.run(bench.run_point((0, 0, POINT), three))
    assert ["A", "11"] in end.asked and ["D", "11"] in end.asked
    assert [len(one.points) for one in three] == [1, 0, 1]


def test_a_meter_without_edges_leaves_the_run_and_the_others_finish():
    """Meter 2 never counts: after 300 000 quiet ticks it ends with NO_FLOW, and its row shows 0 counts while the
    reference counted.
    """
    _, bench = bench_on([100, 500, 0], step=10000)
    one, two = seats(2)
    asyncio.run(bench.run_point((0, 0, POINT), [one, two]))
    assert one.live() and two.ended == kinds.NO_FLOW
    assert two.points[0][point.METER_COUNTS] == 0 and two.points[0][point.REF_COUNTS] > 0
    assert two.points[0][point.DURATION_MS] > 300000


def fault_on(periods, dry_after=None):
    """The code with which a point on this front end ends, the reason that is signed, and after how many ticks."""
    end, bench = bench_on(periods, step=10000)
    end.dry_after = dry_after
    try:
        asyncio.run(bench.run_point((0, 0, LONG), seats(2)))
    except BenchFault as fault:
        return fault.code, REASONS.get(fault.code, kinds.FAULT), end.ticks - end.armed
    return "finished"


def test_a_reference_without_edges_while_meters_count_is_a_fault():
    """Without a reference there is no measurement, and the meters show that something flowed: FAULT (7), after half
    of 300 000 quiet ticks.
    """
    code, reason, ticks = fault_on([0, 500, 500])
    assert (code, reason) == ("reference.silent", kinds.FAULT) and 150000 < ticks < 200000


def test_when_nothing_counts_nothing_flows():
    """Neither reference nor meters: NO_FLOW (2) for the run, not for the meters."""
    code, reason, ticks = fault_on([0, 0, 0])
    assert (code, reason) == ("bench.no_flow", kinds.NO_FLOW) and 150000 < ticks < 200000


def test_a_supply_that_fails_while_counting_is_no_flow_of_the_bench():
    """Everything counts for 100 000 ticks and then stops: found 150 000 ticks later, before any meter is blamed."""
    code, reason, ticks = fault_on([100, 5000, 500], dry_after=100000)
    assert (code, reason) == ("bench.no_flow", kinds.NO_FLOW) and 250000 < ticks < 300000


def test_stop_is_obeyed_while_counting_and_raw_counts_are_read():
    """The button is pressed before counting; after cutting short the flow is 0, the gates are closed, and the
    counts are those of the double's periods: one meter count for each five of the reference.
    """
    end, bench = bench_on([100, 500])
    [one] = seats(1)

    async def run():
        work = asyncio.create_task(bench.run_point((0, 0, LONG), [one]))
        while end.ticks < 50000:
            await asyncio.sleep_ms(1)
        bench.button.pressed = True
        try:
            await work
        except Stopped:
            return await bench.cut_short()

    [(number, meter, reference)] = asyncio.run(run())
    assert number == 1 and meter > 0 and 5 * meter <= reference <= 5 * meter + 9
    assert end.flow == 0 and ["D", "3"] in end.asked and not one.points


def test_cutting_short_before_any_gate_opened_gives_no_counts():
    """Nothing was armed, so there is nothing to read."""
    end, bench = bench_on([100, 500])
    assert asyncio.run(bench.cut_short()) == []
    assert end.asked[-1] == ["F", "0"]
