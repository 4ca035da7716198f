"""Check runs: young enough, good, and a failed one taints back to the last good one."""

import pytest

from meterseal_protocol.testing.runs import Seat, point
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import WATER_BENCH
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity

HOUR_S = 3600
CHECK_PULSE_UL = 10_000  # of the check meter, the same at each of its flows


def bench(within_s: int = HOUR_S, limit_ppm: int = 5_000) -> Trial:
    """A world whose bench has a check meter, with rules that ask for check runs."""
    trial = Trial(rules={"check_within_s": within_s, "check_limit_ppm": limit_ppm})
    parent = identity(trial.world.grants["delegation"])
    rows = [[flow, [CHECK_PULSE_UL, 1], 800] for flow in (20_000, 3_000_000)]
    standard = {
        L.STANDARD: "CHECK-1",
        L.CALIBRATION: rows,
        L.MANAGEMENT: 1,
        L.TRACEABILITY: ["certificate 7"],
        L.PARENT: parent,
    }
    trial.world.grants["check meter"] = trial.world.grant("province", kinds.STANDARD, standard)
    trial.regrant(f"fixture {WATER_BENCH}", CHECK_METER="CHECK-1")
    return trial.begin()


def check(trial: Trial, error_ppm: int = 0) -> None:
    """A check run with this error at one flow, entered."""
    seat = Seat(1, "99999999", points=[point(0, 2_375_000, error_ppm)])
    trial.record.now_s += 60
    trial.enter(trial.fixture.attempt((seat,), trial.plan, trial.beacon, mode=kinds.CHECK))
    trial.enter(trial.fixture.result((seat,)))


def found(trial: Trial) -> set[str]:
    """Codes about check runs."""
    return {code for code in trial.codes() if code.startswith("bench.check")}


def test_a_good_check_run_before_the_test_is_enough() -> None:
    """Within the hour, exactly on the check meter's own value."""
    trial = bench()
    check(trial)
    assert found(trial.run()) == set()


def test_without_any_check_run_the_bench_is_stale() -> None:
    """The pack asks for one."""
    assert found(bench().run()) == {"bench.check_stale"}


def test_a_pack_that_asks_for_none_gets_along_without() -> None:
    """check_within_s is 0 in the shipped packs."""
    assert found(bench(0).run()) == set()


@pytest.mark.parametrize("within_s, stale", [(120, False), (119, True)])
def test_a_check_run_is_as_old_as_its_beacon(within_s: int, stale: bool) -> None:
    """The test is entered 120 s after the beacon that the check run cites: 60 for the check, 60 for the test."""
    trial = bench(within_s)
    check(trial)
    assert found(trial.run()) == ({"bench.check_stale"} if stale else set())


@pytest.mark.parametrize("error_ppm, good", [(5_000, True), (-5_000, True), (5_001, False), (-5_001, False)])
def test_a_check_run_holds_up_to_its_limit(error_ppm: int, good: bool) -> None:
    """0.5 % belongs to what is allowed; the bench with a worse one has no good check run, and a failed one."""
    trial = bench()
    check(trial, error_ppm)
    assert found(trial.run()) == (set() if good else {"bench.check_stale", "bench.check_failed"})


def test_a_failed_check_run_taints_back_to_the_last_good_one() -> None:
    """Good, test, failed: the test stands between and does not count. A later good one does not heal it."""
    trial = bench()
    check(trial)
    trial.run()
    check(trial, 9_000)
    assert found(trial) == {"bench.check_failed"}
    check(trial)
    assert found(trial) == {"bench.check_failed"}


def test_a_failure_after_the_next_good_one_is_another_days_trouble() -> None:
    """Good, test, good, failed: the good one after the test covers it."""
    trial = bench()
    check(trial)
    trial.run()
    check(trial)
    check(trial, 9_000)
    assert found(trial) == set()


def test_a_good_one_after_a_failure_lets_the_bench_go_on() -> None:
    """Failed, good, test."""
    trial = bench()
    check(trial, 9_000)
    check(trial)
    assert found(trial.run()) == set()


def test_a_bench_without_a_granted_check_meter_has_no_good_check_run() -> None:
    """The fixture's grant names none, or one that nobody calibrated."""
    trial = Trial(rules={"check_within_s": HOUR_S}).begin()
    check(trial)
    assert found(trial.run()) == {"bench.check_stale", "bench.check_failed"}
