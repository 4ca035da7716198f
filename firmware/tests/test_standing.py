"""Static start and stop on a pipe whose volume is known: rows against that volume, readings at rest, defined ends."""

import asyncio

from doubles import Line, PipeEnd
from whole_bench import Fixture, order, plan_of, seat

from meterseal_fixture import bench as benches
from meterseal_fixture import standing
from meterseal_fixture.bench import StopButton
from meterseal_fixture.errors import BenchFault, MeterFault, Stopped
from meterseal_fixture.plan import PlanPoint
from meterseal_fixture.positions import Position, Reading
from meterseal_fixture.pulses import FrontEnd
from meterseal_fixture.standing import StandingBench
from meterseal_wire import kinds, point
from meterseal_wire import labels as L
from meterseal_wire.scan import scan

# Time is the double's own: between two looks there is nothing to wait for.
benches.POLL_MS = standing.POLL_MS = 0
# 3600 mL/h is 1 uL a tick: 100 000 uL take 100 s. The reference gives an edge each 100 uL; a unit is 10 uL.
POINT = PlanPoint([3600, 200, 100000, 5000, 1])
REF_UL, UNIT_UL = 100, 10


class Dials:
    """Meters on the bus: position n shows `permille[n - 1]` of what passed, in whole units; `looks` has the flow and
    the reference's edges at each reading. An entry of `silent` from reading number n on is a meter that is gone.
    """

    def __init__(self, pipe, permille, silent=()):
        self.pipe, self.permille, self.silent = pipe, permille, dict(silent)
        self.looks, self.count = [], {}

    async def read(self, address):
        number = address[0]
        self.count[number] = self.count.get(number, 0) + 1
        if self.count[number] > self.silent.get(number, 99):
            raise MeterFault("meter.silent", kinds.SILENT)
        self.looks.append((self.pipe.now_flow(), self.pipe.until_parts - self.pipe.from_parts))
        register = self.pipe.ul() * self.permille[number - 1] // 1000 // UNIT_UL
        return Reading(address, register, b"%d=%d" % (number, register))

    def check(self, _reading, _address):
        return None


def seats(count):
    found = [
        Position(number, "DEMO.%d" % number, "T", bytes((number,)) + bytes(7))
        for number in range(1, count + 1)
    ]
    for position in found:
        position.start = Reading(position.bus, 0, b"start")
    return found


def bench_on(permille=(1000,), ref_ul=REF_UL, silent=()):
    pipe = PipeEnd([ref_ul] + [0] * len(permille))
    pipe.until_parts = 0
    front = FrontEnd(Line(pipe), 100)
    asyncio.run(front.describe())
    dials = Dials(pipe, permille, silent)
    return pipe, dials, StandingBench(front, StopButton(), dials)


def ends_with(bench, count=1, points=POINT):
    try:
        asyncio.run(bench.run_point((0, 0, points), seats(count)))
    except (BenchFault, Stopped) as why:
        return why.code
    return "finished"


def test_a_row_has_the_reference_and_the_registers_that_the_volume_makes():
    """A meter that shows 20 permille too much. V is what the double let through: N edges of 100 uL are within one edge
    of it, the register's difference within one unit of 1.02 V, so E = +2 % within (100 + 10) / V. No pulses, no ticks.
    """
    pipe, _, bench = bench_on((1020,))
    [one] = seats(1)
    asyncio.run(bench.run_point((3, 1, POINT), [one]))
    [row] = one.points
    passed = pipe.ul()
    assert passed >= 100000 and len(row) == len(point.FIELDS)
    assert (row[point.POINT], row[point.REPEAT], row[point.METHOD]) == (3, 1, point.STATIC)
    assert (row[point.METER_COUNTS], row[point.METER_TICKS], row[point.REF_TICKS]) == (0, 0, 0)
    assert abs(row[point.REF_COUNTS] * REF_UL - passed) <= REF_UL
    assert abs(row[point.REGISTER_DIFF] * UNIT_UL * 1000 - 1020 * passed) <= UNIT_UL * 1000
    assert (row[point.METER_TEMP_MK], row[point.REF_TEMP_MK]) == (20001, 20150)
    assert (row[point.METER_PRESSURE_10PA], row[point.REF_PRESSURE_10PA]) == (39999, 40000)
    assert not bench.counting and pipe.flow == 0


def test_the_flows_of_a_row_are_those_of_the_steady_part():
    """A valve that takes 4 s to open, half the flow until then; settling is 5 s. Start and stop count in the volume and
    not in the flows: least and greatest are 3600.
    """
    pipe, _, bench = bench_on()
    opened = []

    def slow(flow, ticks):
        opened.append(ticks)
        return flow if ticks - opened[0] > 4000 else flow // 2

    pipe.wobble = slow
    [one] = seats(1)
    asyncio.run(bench.run_point((0, 0, POINT), [one]))
    row = one.points[0]
    assert (row[point.FLOW_MIN_ML_PER_H], row[point.FLOW_MAX_ML_PER_H]) == (3600, 3600)
    assert abs(row[point.REF_COUNTS] * REF_UL - pipe.ul()) <= REF_UL


def test_meters_are_read_at_rest_before_the_first_edge_and_after_the_last():
    """Two meters, two readings each: no flow at any of them; nothing counted at the first two, all of it at the others.
    What was counted on the way to rest before the point is no part of it.
    """
    pipe, dials, bench = bench_on((1000, 1000))
    pipe.flow = 3600
    pipe.run(5000)  # a run-in that the point does not want
    before = pipe.ul()
    two = seats(2)
    asyncio.run(bench.run_point((0, 0, POINT), two))
    assert [flow for flow, _ in dials.looks] == [0] * 4
    assert [parts > 0 for _, parts in dials.looks] == [False, False, True, True]
    assert abs(two[0].points[0][point.REF_COUNTS] * REF_UL - (pipe.ul() - before)) <= REF_UL


def test_a_point_lasts_until_volume_and_counts_are_there():
    """200 edges of 1000 uL are 200 000 uL, twice the least volume; with edges of 100 uL the volume decides."""
    pipe, _, bench = bench_on(ref_ul=1000)
    assert ends_with(bench) == "finished" and pipe.ul() >= 199000
    pipe, _, bench = bench_on()
    assert ends_with(bench) == "finished" and 100000 <= pipe.ul() < 130000


def test_the_telegrams_of_a_point_are_its_evidence():
    """CBOR [position, 0 before or 1 after, telegram, point, repeat]; their difference is the row's."""
    _, _, bench = bench_on()
    [one] = seats(1)
    asyncio.run(bench.run_point((2, 1, POINT), [one]))
    first, last = [scan(leaf) for leaf in one.leaves]
    assert (first[:2], first[3:]) == ([1, 0], [2, 1]) and (last[:2], last[3:]) == ([1, 1], [2, 1])
    shown = [int(leaf[2].split(b"=")[1]) for leaf in (first, last)]
    assert shown[1] - shown[0] == one.points[0][point.REGISTER_DIFF]


def test_a_register_that_stands_still_is_no_flow_and_the_others_go_on():
    """NO_FLOW with a row that shows what the reference counted."""
    _, _, bench = bench_on((0, 1000))
    one, two = seats(2)
    asyncio.run(bench.run_point((0, 0, POINT), [one, two]))
    assert (one.ended, one.why) == (kinds.NO_FLOW, "meter.no_flow") and two.live()
    assert one.points[0][point.REGISTER_DIFF] == 0 and one.points[0][point.REF_COUNTS] > 0


def test_a_meter_that_falls_silent_leaves_with_that_reason_and_without_a_row():
    """Before the point, or after it: its earlier rows stay, the other meter has its own."""
    for readings in (0, 1):
        _, _, bench = bench_on((1000, 1000), silent=[(1, readings)])
        one, two = seats(2)
        asyncio.run(bench.run_point((0, 0, POINT), [one, two]))
        assert (one.ended, one.why, one.points) == (kinds.SILENT, "meter.silent", [])
        assert len(two.points) == 1 and two.live()


def test_a_valve_that_leaks_ends_the_run_before_and_after():
    """From the start; and from the moment it had been open: `flow.not_closed`, within a minute of capture time."""
    pipe, _, bench = bench_on()
    pipe.leak = 900
    assert ends_with(bench) == "flow.not_closed" and pipe.ticks < 70000

    pipe, _, bench = bench_on()
    opened = pipe.say_f

    def leaking(flow):
        pipe.leak = 900 if pipe.ticks > 20000 and not flow else 0
        return opened(flow)

    pipe.say_f = leaking
    assert ends_with(bench) == "flow.not_closed"


def test_a_reference_that_gives_no_edge_while_it_flows_is_a_fault_and_a_dry_pipe_is_not():
    """Unplugged: the flow is seen and nothing counts, found after half of three times 100 s. Dry: no flow is seen."""
    pipe, _, bench = bench_on(ref_ul=0)
    assert ends_with(bench) == "reference.silent" and 150000 < pipe.ticks < 200000
    pipe, _, bench = bench_on()
    pipe.wobble = lambda _flow, _ticks: 0
    assert ends_with(bench) == "bench.no_flow"


def test_stop_is_obeyed_while_it_flows_and_what_was_counted_is_read():
    """Meters give no counts by this method; the reference's are there, and the valve is closed."""
    pipe, _, bench = bench_on()
    asked = pipe.say_s

    def press():
        bench.button.pressed = pipe.flow > 0 and pipe.ul() > 20000
        return asked()

    pipe.say_s = press
    assert ends_with(bench) == "run.stopped"
    [(number, meter, reference)] = asyncio.run(bench.cut_short())
    assert (number, meter, pipe.flow) == (1, 0, 0) and reference > 100


STATIC = plan_of([[3600, 100, 100000, 2000, 1]] * 2, METHOD=point.STATIC)


def static_fixture(permille=1010):
    pipe = PipeEnd([REF_UL, 0])
    fixture = Fixture(end=pipe)
    return pipe, fixture, lambda _address: pipe.ul() * permille // 1000 // UNIT_UL


def test_a_static_plan_runs_in_verification_mode_from_order_to_result():
    """The attempt's start register, both points and the end register are read after the meter was told to enter, and it
    is told to leave afterwards. Points of one register, one after the other: end less start is their sum.
    """
    _, fixture, register = static_fixture()
    with fixture:
        fixture.meters.register = register

        async def script():
            fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=STATIC))
            await fixture.wait(event="result_signed")
            while not fixture.meters.left:
                await asyncio.sleep_ms(1)

        fixture.run(script())
        [attempt], [result] = fixture.payloads(L.KIND_ATTEMPT), fixture.payloads(L.KIND_RESULT)
        [position] = result[L.POSITIONS]
        rows = position[L.POINTS]
        assert [row[point.METHOD] for row in rows] == [2, 2] and L.ENDED not in position
        start = attempt[L.POSITIONS][0][L.START_REGISTER]
        assert position[L.END_REGISTER] - start == sum(row[point.REGISTER_DIFF] for row in rows)
        assert fixture.meters.left == [bytes.fromhex("0100000077041416")]


def test_meters_leave_verification_mode_after_an_abandonment_too():
    """The operator stops it."""
    _, fixture, register = static_fixture()
    with fixture:
        fixture.meters.register = register

        async def script():
            fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=STATIC))
            await fixture.wait(event="flow_started")
            fixture.say(do="stop")
            await fixture.wait(event="abandoned")
            while not fixture.meters.left:
                await asyncio.sleep_ms(1)

        fixture.run(script())
        [abandoned] = fixture.payloads(L.KIND_ABANDONED)
        assert abandoned[L.REASON] == kinds.OPERATOR


def test_a_static_plan_whose_telegrams_do_not_fit_one_result_is_refused():
    """20 positions and 5 points are 120 pairs, more than the hundred that a record of 64 KiB holds for certain."""
    pipe = PipeEnd([REF_UL] + [0] * 20)
    with Fixture(end=pipe) as fixture:

        async def script():
            rows = [seat(number, "DEMO.%d" % number, "ffffffff77041416") for number in range(1, 21)]
            long = plan_of([[3600, 100, 100000, 2000, 1]] * 5, METHOD=point.STATIC)
            fixture.say(**order(rows, plan=long))
            refused = await fixture.wait(error="plan.telegrams")
            assert "120" in refused["en"]

        fixture.run(script())
