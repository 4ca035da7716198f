"""A bench that counts with the board's own counters: nothing lost when a unit goes round, and no time made up."""

import asyncio

from doubles import Line
from whole_bench import PLAN, Fixture, order, plan_of, seat

from meterseal_fixture import bench as benches
from meterseal_fixture import counters as counting
from meterseal_fixture import standing
from meterseal_fixture.capability import ESP32S3_PCNT
from meterseal_fixture.counters import Counters
from meterseal_fixture.errors import FrontEndSilent
from meterseal_fixture.flow import Hand
from meterseal_fixture.panel import Panel
from meterseal_wire import kinds, point
from meterseal_wire import labels as L

benches.POLL_MS = standing.POLL_MS = counting.LOOK_MS = 0
AROUND = 32000
REF_UL = 10  # a pulse of the reference
STATIC = plan_of(
    [[36000, 1000, 400000, 2000, 1]], METHOD=point.STATIC, STABILITY=[5000, 60000, [[34000, 38000]]]
)


class Pipe:
    """Water, counters and time: each look at the clock is `step` ms later. `flow` mL/h; 36 000 are 10 uL a ms."""

    def __init__(self, step=5):
        self.time, self.step, self.parts, self.flow = 0, step, 0, 0
        self.flows = []

    def ms(self):
        self.go(self.step)
        return self.time

    def go(self, ms):
        self.time += ms
        self.parts += self.flow * ms

    def edges(self):
        """Edges that the reference has given so far: one each REF_UL."""
        return self.parts // (3600 * REF_UL)

    def unit(self):
        return self.edges() % AROUND

    async def set_flow(self, ml_per_h):
        self.flow = ml_per_h
        self.flows.append(ml_per_h)


class Sensors:
    """Nine quantities, all known but the one in `broken`."""

    positions = 20

    def __init__(self):
        self.broken = None
        self.pressure = 40000

    def step(self):
        return None

    def value(self, quantity):
        return None if quantity == self.broken else self.pressure

    def unknown(self):
        return self.broken

    def state(self, flow):
        if self.broken is not None:
            return None
        return [flow, 20100, 10132, 600, 20150, self.pressure] + [20000, 40000] * self.positions


def source(step=5):
    pipe, sensors = Pipe(step), Sensors()
    units = [pipe.unit] + [lambda: 0] * 3
    return pipe, sensors, Counters((units, AROUND), ESP32S3_PCNT, (sensors, 1000 * REF_UL), pipe, pipe)


def ask(what):
    """What it gives, or the code of why it does not."""
    try:
        return asyncio.run(what)
    except FrontEndSilent as silent:
        return silent.code


def test_a_unit_that_goes_round_loses_nothing():
    """10 000 edges a second for 100 s, looked at each second: a million edges, less one for whole intervals. The unit
    went round 31 times.
    """
    pipe, _, found = source(0)
    ask(found.arm(1))
    pipe.flow = 360_000
    for _ in range(100):
        pipe.go(1000)
        ask(found.now())
    assert pipe.edges() == 1_000_000 and pipe.edges() // AROUND == 31
    assert ask(found.counts()).channels[0][0] == 999_999
    closed = ask(found.disarm(1))
    pipe.go(1000)
    assert closed == 100_000 and ask(found.counts()).channels[0] == (999_999, 1000, 100_000)


def test_a_look_that_comes_too_late_gives_no_count_instead_of_a_wrong_one():
    """3199 ms apart is sure at 10 kHz, 3200 is not: 32 000 edges would look like none. Armed again it counts anew."""
    for ms, fine in ((3199, True), (3200, False)):
        pipe, _, found = source(0)
        ask(found.arm(1))
        pipe.go(ms)
        said = ask(found.counts())
        assert (said == "counter.late") is not fine
        assert ask(found.disarm(1)) == ms
    assert ask(found.counts()) == "counter.late"
    ask(found.arm(1))
    pipe.go(5000)
    ask(found.disarm(1))
    ask(found.arm(2))
    assert ask(found.counts()).channels[0] == (0, 0, 0)


def test_a_long_pause_with_no_gate_open_harms_nobody():
    """A signature or a write to flash takes as long as it takes between two runs."""
    pipe, _, found = source(0)
    pipe.go(10_000)
    ask(found.arm(1))
    pipe.flow = 3600 * REF_UL  # one edge a ms
    pipe.go(2000)
    assert ask(found.counts()).channels[0][0] == 1999


def test_the_flow_is_what_the_reference_counted():
    """36 000 mL/h are one edge a ms. Steady: exact to one edge in a hundred; none 10 s after the valve closed."""
    pipe, _, found = source()
    pipe.flow = 36_000
    assert abs(ask(found.sample()).flow - 36_000) <= 360
    pipe.flow = 36  # one edge in 10 s: only the longest stretch can tell
    for _ in range(3000):
        ask(found.now())
    assert 0 <= ask(found.sample()).flow <= 72
    pipe.flow = 0
    for _ in range(2100):
        ask(found.now())
    assert ask(found.sample()).flow == 0


def test_positions_have_their_own_place_though_none_is_counted():
    """Twenty meters on the bus and four counters: twenty-one channels, 4 to 20 without figures."""
    _, _, found = source()
    assert len(ask(found.counts()).channels) == 21
    assert len(ask(found.sample()).meters) == 20


def test_the_closed_bench_has_two_pressures_and_the_edges_between():
    """Two seconds at one edge a ms, to a look; the pressure falls by 10 units. A sensor without a value: no answer."""
    pipe, sensors, found = source()
    pipe.flow = 36_000
    both = iter((40000, 39990))
    sensors.value = lambda _quantity: next(both)
    start, end, seconds, counts = ask(found.closed_bench(2))
    assert (start, end, seconds) == (40000, 39990, 2) and 2000 <= counts < 2030
    sensors.value = lambda _quantity: None
    assert ask(found.closed_bench(2)) == "sensor.unknown"


def whole(script, change=None):
    pipe, sensors, front = source()
    fixture = Fixture(end=None, front=front)
    fixture.end.periods = (0,) * 21
    with fixture:
        fixture.meters.register = lambda _address: pipe.parts // 3600 // REF_UL
        if change:
            change(pipe, sensors, fixture)
        fixture.run(script(fixture))
        return pipe, fixture, {kind: fixture.payloads(kind) for kind in (L.KIND_ATTEMPT, L.KIND_RESULT)}


def test_a_static_run_needs_no_front_end():
    """The volume that the pipe let through: edges and register steps are both of 10 uL and of the same water. Each
    reading is cut once, and so is the count: 1 apart at most. The attempt's clock is the row's, durations are its ms.
    """

    async def script(fixture):
        seats = [seat(number, "DEMO.%d" % number, "01000000770414%02d" % number) for number in (1, 20)]
        fixture.say(**order(seats, plan=STATIC))
        await fixture.wait(event="result_signed")

    pipe, _, signed = whole(script)
    [attempt], [result] = signed[L.KIND_ATTEMPT], signed[L.KIND_RESULT]
    assert attempt[L.CLOCK] == [1000, 3200, 1] and attempt[L.BENCH_CHECKS] == [40000, 40000, 1, 0]
    assert [position[L.POSITION] for position in result[L.POSITIONS]] == [1, 20]
    for position in result[L.POSITIONS]:
        [row] = position[L.POINTS]
        assert row[point.METHOD] == point.STATIC and row[point.REF_COUNTS] >= 40000
        assert abs(row[point.REF_COUNTS] - row[point.REGISTER_DIFF]) <= 1
        assert 34000 <= row[point.FLOW_MIN_ML_PER_H] <= row[point.FLOW_MAX_ML_PER_H] <= 38000
        # 40 s of flow, the window and what it takes to come to rest.
        assert 40_000 < row[point.DURATION_MS] < 120_000
    assert pipe.flows[-1] == 0


def test_a_plan_that_times_pulses_is_refused_in_two_languages():
    """Run and prepare; nothing is signed."""

    async def script(fixture):
        for do in ("run", "prepare"):
            fixture.line.sent.clear()
            fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], do=do, plan=PLAN))
            said = await fixture.wait(error="plan.stamps")
            assert "静态" in said["zh"] and "static" in said["en"]

    _, _, signed = whole(script)
    assert signed == {L.KIND_ATTEMPT: [], L.KIND_RESULT: []}


def test_a_sensor_that_breaks_ends_the_run_with_its_name():
    """Abandoned for a fault, an event beside it: nothing is made up for a temperature."""

    def breaks(pipe, sensors, _fixture):
        usual = sensors.state

        def state(flow):
            sensors.broken = 6 if pipe.flow else None
            return usual(flow)

        sensors.state = state

    async def script(fixture):
        fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=STATIC))
        told = await fixture.wait(error="sensor.unknown")
        assert "in_mk" in told["zh"] and "in_mk" in told["en"]
        await fixture.wait(event="noted", name="sensor.unknown")
        [abandoned] = fixture.payloads(L.KIND_ABANDONED)
        assert abandoned[L.REASON] == kinds.FAULT

    whole(script, breaks)


def test_a_person_is_told_each_change_of_the_valve_once():
    """`flow_line` hand: the panel has the flow and a sentence in both languages."""
    panel = Panel(Line(lambda _: b""))
    hand = Hand(panel)
    for ml_per_h in (0, 36000, 36000, 0):
        asyncio.run(hand.set_flow(ml_per_h))
    assert [b'"ml_per_h": %d' % ml in line for ml, line in zip((0, 36000, 0), panel.waiting)] == [True] * 3
    assert len(panel.waiting) == 3 and b"36000 mL/h" in panel.waiting[1] and b"Close" in panel.waiting[2]
