"""Check runs: ordered as such, by a plan that is nothing else, and how long ago the last one was."""

import asyncio

from doubles import Folder
from whole_bench import Fixture, order, plan_of, seat

from meterseal_fixture.checked import LastCheck
from meterseal_wire import kinds
from meterseal_wire import labels as L

ROWS = [[3600, 10, 100000, 2000, 1]]
CHECK_ONLY = plan_of(ROWS, MODE=kinds.CHECK)
METER = seat(1, "DEMO.CHECK", "0100000077041416")


def test_an_age_is_in_runs_and_boots_since_the_newest_and_none_before_any():
    """Check was attempt 7 of epoch 3: at 7 of it 0 and 0, at 12 of epoch 5 5 and 2."""
    with Folder() as path:
        checks = LastCheck(path)
        assert checks.age(1, 0) is None
        checks.done(3, 7)
        assert (checks.age(3, 7), LastCheck(path).age(5, 12)) == ((0, 0), (5, 2))
        checks.done(5, 13)
        assert LastCheck(path).age(5, 13) == (0, 0)


def run_of(fixture, *orders):
    """Each order to its end, one after the other, then a status."""
    before = len(fixture.payloads(L.KIND_RESULT))

    async def script():
        for number, one in enumerate(orders, 1):
            fixture.say(**one)
            while len(fixture.payloads(L.KIND_RESULT)) < before + number or fixture.station.state != "idle":
                await asyncio.sleep_ms(2)
        await asyncio.sleep_ms(2)
        fixture.panel.status = b""
        fixture.station.changed()
        await asyncio.sleep_ms(2)

    fixture.run(script())
    return fixture.said()[-1]["check"]


def test_the_panels_check_is_a_run_in_check_mode_whose_numbers_are_signed_and_whose_age_is_shown():
    """`do: check` needs no mode. Mode 3 in the attempt, a row a point in the result; the status says 0 runs, 0 boots,
    after two verifications 2 runs.
    """
    with Fixture((100, 500)) as fixture:
        check = order([METER], do="check")
        del check["mode"]
        meters = [order([seat(1, "DEMO.%d" % number, "0200000077041416")]) for number in (1, 2)]
        assert run_of(fixture, check) == [0, 0] and run_of(fixture, *meters) == [2, 0]
        attempts, results = fixture.payloads(L.KIND_ATTEMPT), fixture.payloads(L.KIND_RESULT)
        assert [one[L.MODE] for one in attempts] == [kinds.CHECK, kinds.VERIFY, kinds.VERIFY]
        assert len(results[0][L.POSITIONS][0][L.POINTS]) == 2
        modes = [line.get("mode") for line in fixture.said() if "now" in line]
        assert "check" in modes


def test_before_any_check_the_status_says_none():
    """Neither a new fixture nor one that only verified has an age."""
    with Fixture((100, 500)) as fixture:
        assert run_of(fixture) is None
        assert run_of(fixture, order([seat(1, "DEMO.1", "0200000077041416")])) is None


def test_a_plan_that_says_its_mode_is_run_in_no_other():
    """A check meter's plan ordered as a verification: refused, nothing signed. As a check it runs."""
    with Fixture((100, 500)) as fixture:

        async def script():
            fixture.say(**order([METER], plan=CHECK_ONLY))
            refused = await fixture.wait(error="plan.mode")
            assert "mode 3" in refused["en"]
            fixture.say(**order([METER], mode=kinds.CHECK, plan=CHECK_ONLY))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        assert [one[L.MODE] for one in fixture.payloads(L.KIND_ATTEMPT)] == [kinds.CHECK]


def test_a_check_that_did_not_go_to_its_end_counts_as_none():
    """The check meter gives no pulse: its position ends early, and there is no newer check than before."""
    with Fixture((100, 0)) as fixture:
        fixture.end.step = 20000

        async def script():
            fixture.say(**order([METER], mode=kinds.CHECK))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        assert fixture.station.checked.age(1, 1) is None
