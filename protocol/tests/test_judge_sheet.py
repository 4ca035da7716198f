"""The sheet that people sign: outcome and largest error, computed by the judge from the counts."""

import pytest

from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.signoff import Row
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L


def rows(trial: Trial) -> list[Row]:
    """The sheet of the trial's meter."""
    return sheet([trial.record.evidence(trial.meter)], trial.record.grants(), trial.packs)


@pytest.mark.parametrize(
    "errors, outcome, largest",
    [
        ((-3_000, 4_000, -8_000), kinds.PASSED, -8_000),
        ((3_000, -4_000, 8_000), kinds.PASSED, 8_000),
        ((20_000, 4_000, -8_000), kinds.PASSED, 20_000),
        ((20_001, 4_000, -8_000), kinds.FAILED, 20_001),
        ((5_000, -5_000, 1), kinds.PASSED, 5_000),
    ],
)
def test_the_largest_error_is_the_one_farthest_from_zero(
    errors: tuple[int, ...], outcome: int, largest: int
) -> None:
    """Class 2, upper zone: 2 % is allowed and included; of two equally far the first that was run."""
    trial = Trial(people=False).begin()
    trial.run(trial.seat(errors))
    result = trial.record.of_kind(L.KIND_RESULT)[0].statement.identity
    assert rows(trial) == [Row(result, 1, trial.meter, outcome, largest)]


def test_a_meter_that_ended_early_failed() -> None:
    """No point, no error: 0 stands for none."""
    trial = Trial(people=False).begin()
    trial.run(trial.seat(points=[], silent=True, ended=kinds.SILENT))
    assert [(row.outcome, row.largest_ppm) for row in rows(trial)] == [(kinds.FAILED, 0)]


def test_a_meter_of_which_the_result_says_nothing_failed() -> None:
    """The result has another position only."""
    trial = Trial(people=False).begin()
    trial.attempt()
    trial.enter(trial.fixture.result([Trial(serial="87654321").seat(position=2)]))
    assert [(row.outcome, row.largest_ppm) for row in rows(trial)] == [(kinds.FAILED, 0)]


def test_without_a_result_there_is_nothing_to_sign() -> None:
    """An open attempt."""
    trial = Trial(people=False).begin()
    trial.attempt()
    assert rows(trial) == []


@pytest.mark.parametrize("packs", [0, 1])
def test_without_rules_there_is_nothing_to_sign(packs: int) -> None:
    """The other medium's pack is none either."""
    trial = Trial(people=False).begin().run()
    trial.packs = trial.packs[1:][:packs]
    assert rows(trial) == []


def test_an_error_that_cannot_be_computed_leaves_the_row_out() -> None:
    """The standard is not calibrated up to Q3."""
    trial = Trial(people=False)
    trial.regrant("standard W1", CALIBRATION=[[20_000, [1_000, 1], 1500], [400_000, [1_000, 1], 800]])
    trial.begin().run()
    assert rows(trial) == []


def test_rows_come_in_the_order_of_the_evidence() -> None:
    """One that can't be computed is left out."""
    trial = Trial(people=False).begin().run()
    evidence = [trial.record.evidence(meter) for meter in (trial.meter, "DEMO.0", trial.meter)]
    found = sheet(evidence, trial.record.grants(), trial.packs)
    assert [row.meter for row in found] == [trial.meter, trial.meter]
