"""The window of steady flow before gates open, the run-in before the first point, and the end where none comes."""

import asyncio

from doubles import Line, PipeEnd
from whole_bench import Fixture, order, plan_of, seat

from meterseal_fixture import bench as benches
from meterseal_fixture.bench import Bench, StopButton
from meterseal_fixture.errors import BenchFault, Stopped
from meterseal_fixture.plan import PlanPoint
from meterseal_fixture.positions import Position
from meterseal_fixture.pulses import FrontEnd
from meterseal_wire import kinds
from meterseal_wire import labels as L

benches.POLL_MS = 0
ULS = [100, 500]
ROW = [3600, 10, 100000, 0, 1]
WINDOW, WITHIN, BAND = 5000, 60000, [3500, 3700]


def point():
    found = PlanPoint(ROW)
    found.band, found.window_ms, found.within_ms = tuple(BAND), WINDOW, WITHIN
    return found


def opened_at(wobble, press_at=None):
    """(ticks from the set-point to the gates, code of what ended it) on a pipe whose flow wobbles."""
    pipe = PipeEnd(ULS, 100, 200)
    pipe.wobble = wobble
    front = FrontEnd(Line(pipe), 100)
    asyncio.run(front.describe())
    button = StopButton()
    asked = pipe.say_s

    def look():
        button.pressed = press_at is not None and pipe.ticks > press_at
        return asked()

    pipe.say_s = look
    try:
        asyncio.run(Bench(front, button).run_point((0, 0, point()), [Position(1, "DEMO.1", "T", bytes(8))]))
    except (BenchFault, Stopped) as why:
        return pipe.ticks, why.code
    return pipe.armed, "counted"


def test_gates_open_once_the_flow_was_in_its_band_for_the_window():
    """Steady at once: 5000 ticks later, to within a look or two (200 ticks) and the questions before it."""
    at, code = opened_at(lambda flow, _ticks: flow)
    assert code == "counted" and 5000 <= at < 5600


def test_both_ends_of_the_band_belong_to_it_and_one_beyond_does_not():
    """3500 and 3700 mL/h are steady, 3499 and 3701 never are."""
    assert [opened_at(lambda _flow, _ticks, is_=flow: is_)[1] for flow in (3500, 3700)] == ["counted"] * 2
    assert [opened_at(lambda _flow, _ticks, is_=flow: is_)[1] for flow in (3499, 3701)] == [
        "flow.unsteady"
    ] * 2


def test_a_flow_that_leaves_its_band_begins_the_window_anew():
    """Out of the band once, until 4000 ticks: the gates open 5000 after the last look that saw it."""
    at, code = opened_at(lambda flow, ticks: 3000 if 3700 < ticks < 4000 else flow)
    assert code == "counted" and 8700 <= at < 9600


def test_a_flow_that_never_becomes_steady_ends_the_run_in_its_time():
    """Up and down each 2000 ticks: `flow.unsteady` after 60 000; where nothing flows at all, `bench.no_flow`."""
    at, code = opened_at(lambda flow, ticks: flow if ticks // 2000 % 2 else 3000)
    assert code == "flow.unsteady" and 60000 < at < 60600
    assert opened_at(lambda _flow, _ticks: 0)[1] == "bench.no_flow"


def test_stop_is_obeyed_while_a_steady_flow_is_waited_for():
    """Pressed after 1000 ticks."""
    at, code = opened_at(lambda _flow, _ticks: 3000, press_at=1000)
    assert code == "run.stopped" and at < 1600


def fixture_on(wobble):
    pipe = PipeEnd(ULS, look=200)
    pipe.wobble = wobble
    return pipe, Fixture(end=pipe)


STEADY = plan_of([ROW], STABILITY=[WINDOW, WITHIN, [BAND]])


def test_an_unsteady_flow_is_signed_as_no_flow_told_in_two_languages_and_noted():
    """Abandoned, reason NO_FLOW (2), nothing counted; the event has the code and the last flow; the valve is closed."""
    pipe, fixture = fixture_on(lambda _flow, _ticks: 3000)
    with fixture:

        async def script():
            fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=STEADY))
            await fixture.wait(event="abandoned")
            told = await fixture.wait(error="flow.unsteady")
            assert "3000" in told["zh"] and "3000" in told["en"]
            await fixture.wait(event="noted", name="flow.unsteady")

        fixture.run(script())
        [abandoned], [event] = fixture.payloads(L.KIND_ABANDONED), fixture.payloads(L.KIND_EVENT)
        assert (abandoned[L.REASON], abandoned[L.RAW_COUNTS]) == (kinds.NO_FLOW, [])
        assert event == {L.EVENT: "flow.unsteady", L.DETAIL: "3000"}
        assert pipe.flow == 0 and fixture.station.state == "idle"


def test_a_run_in_flows_before_the_first_point_and_counts_nowhere():
    """7200 mL/h for 20 s after the attempt, then the point's own flow; the gates open after both."""
    pipe, fixture = fixture_on(lambda flow, _ticks: flow)
    with fixture:

        async def script():
            plan = plan_of([ROW, ROW], RUN_IN=[7200, 20000])
            fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=plan))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        assert pipe.flows == [0, 7200, 3600, 3600, 0]
        letters = [words[0] for words in pipe.asked]
        first = letters.index("A")
        assert pipe.asked[:first].count(["F", "7200"]) == 1 and letters[:first].count("T") >= 20
        events = [line["event"] for line in fixture.said() if "event" in line]
        assert events.index("attempt_signed") < events.index("run_in") < events.index("flow_started")


def test_points_run_in_the_order_of_the_plan():
    """Falling and rising flows: as they stand."""
    pipe, fixture = fixture_on(lambda flow, _ticks: flow)
    with fixture:

        async def script():
            plan = plan_of([[7200, 10, 10000, 0, 2], [3600, 10, 10000, 0, 1], [9000, 10, 10000, 0, 1]])
            fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=plan))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        assert pipe.flows == [0, 7200, 7200, 3600, 9000, 0]
