"""The station under simulated time: its code has no clock but the front end's, so every speed walks the same table.

The same order on front ends whose clock makes great steps and small ones between two looks, and on a board whose own
milliseconds stand still or jump by an hour: the same walk, the same kinds signed, rows that say the same.
"""

import asyncio
import gc

from doubles import CaptureEnd, PipeEnd
from whole_bench import Fixture, order, plan_of, seat

from meterseal_fixture import bench as benches
from meterseal_fixture import standing
from meterseal_fixture.station import NEXT, Station
from meterseal_wire import kinds, point
from meterseal_wire import labels as L

benches.POLL_MS = standing.POLL_MS = 0
ROWS = [[3600, 10, 50000, 2000, 1]] * 2
STEADY = {"STABILITY": [4000, 60000, [[3500, 3700]] * 2], "RUN_IN": [7200, 3000]}
FLYING, STATIC = plan_of(ROWS, **STEADY), plan_of(ROWS, METHOD=point.STATIC, **STEADY)


class Walker(Station):
    """Writes its way down."""

    def _go(self, event):
        if self.state == "idle":
            self.walk = []
        self.walk.append((self.state, event))
        super()._go(event)


class Board:
    """Milliseconds that stand still, or go on by `jump` at each look; in the place of the module `time`."""

    def __init__(self, jump):
        self.now, self.jump = 0, jump

    def ticks_ms(self):
        self.now += self.jump
        return self.now


def run_on(end, plan, mode=kinds.VERIFY, jump=None):
    """(walk, result's rows) of a run, the board's own clock replaced where `jump` is given."""
    gc.collect()
    usual = benches.time
    if jump is not None:
        benches.time = Board(jump)
    try:
        with Fixture(end=end, make=Walker) as fixture:
            if isinstance(end, PipeEnd):
                fixture.meters.register = lambda _address: end.ul() // 10

            async def script():
                fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=plan, mode=mode))
                await fixture.wait(event="result_signed")

            fixture.run(script())
            [result] = fixture.payloads(L.KIND_RESULT)
            return fixture.station.walk, result[L.POSITIONS][0][L.POINTS]
    finally:
        benches.time = usual


WALK = [
    ("idle", "order_accepted"),
    ("preparing", "attempt_signed"),
    ("open", "flow_started"),
    ("running", "counted"),
    ("settling", "result_signed"),
]


def test_every_speed_of_the_clock_walks_the_same_way_by_either_method():
    """Steps of 0.5, 1 and 10 s between two looks. The walk is the table's; a hundred ticks a reference pulse, five
    hundred a meter's: rows of a flying start are exact at every speed.
    """
    assert all(pair in NEXT for pair in WALK)
    for step in (500, 1000, 10000):
        walk, rows = run_on(CaptureEnd([100, 500], step, step), FLYING)
        assert walk == WALK, step
        for row in rows:
            assert row[point.METER_TICKS] == 500 * row[point.METER_COUNTS] > 0
            assert row[point.REF_TICKS] == 100 * row[point.REF_COUNTS] > 0
        walk, rows = run_on(PipeEnd([100, 0], step, step), STATIC)
        assert walk == WALK, step
        for row in rows:
            # Edges of 100 uL and units of 10 uL around one volume: within one of each.
            assert abs(10 * row[point.REGISTER_DIFF] - 100 * row[point.REF_COUNTS]) <= 110


def test_a_board_whose_own_clock_stands_still_or_jumps_runs_no_differently():
    """0 ms and an hour between two looks: settling, windows and durations are the capture clock's alone."""
    as_ever = run_on(CaptureEnd([100, 500], look=500), FLYING)
    for jump in (0, 3600000):
        assert run_on(CaptureEnd([100, 500], look=500), FLYING, jump=jump) == as_ever


def test_training_walks_the_same_way_as_a_verification():
    """What is practised is what is done later; only the attempt says that it was training."""
    as_ever = run_on(CaptureEnd([100, 500], look=500), FLYING)
    assert run_on(CaptureEnd([100, 500], look=500), FLYING, mode=kinds.TRAINING) == as_ever
    assert run_on(CaptureEnd([100, 500], look=500), FLYING, mode=kinds.CHECK) == as_ever


def test_a_run_that_is_cut_short_at_any_look_ends_abandoned():
    """The operator's stop at the first look, the second, and so on until the run is over before it: from each of them
    back to idle by one abandonment and nothing else, or given up before the attempt.
    """
    ended = set()
    for look in range(1, 60, 4):
        with Fixture((100, 500), make=Walker) as fixture:
            asked, count = fixture.station.button.check, []

            def check(asked=asked, count=count, look=look, fixture=fixture):
                count.append(1)
                if len(count) == look:
                    fixture.station.button.pressed = True
                asked()

            fixture.station.button.check = check

            async def script(fixture=fixture):
                fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=FLYING))
                while not getattr(fixture.station, "walk", None) or fixture.station.state != "idle":
                    await asyncio.sleep_ms(1)

            fixture.run(script())
            last = fixture.station.walk[-1]
            ended.add(last)
            closers = fixture.payloads(L.KIND_ABANDONED) + fixture.payloads(L.KIND_RESULT)
            assert (
                len(closers) == len(fixture.payloads(L.KIND_ATTEMPT)) == (0 if last[1] == "given_up" else 1)
            )
            assert fixture.end.flow == 0
    assert ended >= {("preparing", "given_up"), ("running", "abandoned")}
