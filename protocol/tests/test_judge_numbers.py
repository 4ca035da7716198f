"""error.*, position.ended: each limit exactly, and one step beside it. Limits are those of the regulations."""

from collections.abc import Sequence

import pytest

from meterseal_protocol.testing.runs import point
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import WATER_PULSE_UL
from meterseal_wire import kinds
from meterseal_wire import point as p

Q2_ML_PER_H = 40_000
TRILLION = 10**12
WATER, GAS = kinds.WATER, kinds.GAS


def reasons(medium: int, errors_ppm: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Reasons by code for a meter with these errors at the plan's points: highest flow first."""
    trial = Trial(medium).begin()
    return dict(trial.run(trial.seat(errors_ppm)).decide().reasons)


@pytest.mark.parametrize("medium", [WATER, GAS])
def test_a_good_meter_is_granted(medium: int) -> None:
    """Errors of both signs, well within every limit; nothing speaks against it."""
    decision = Trial(medium).begin().run().decide()
    assert decision.granted and decision.reasons == ()


@pytest.mark.parametrize(
    "medium, index, errors, limit",
    [
        (WATER, 0, (20_000, -1, -1), 20_000),
        (WATER, 1, (-1, -20_000, 1), 20_000),
        (WATER, 2, (-1, 1, 50_000), 50_000),
        (GAS, 0, (15_000, -1, -1), 15_000),
        (GAS, 1, (1, -15_000, 1), 15_000),
        (GAS, 2, (1, -1, -30_000), 30_000),
    ],
)
def test_the_limit_itself_passes_and_one_ppm_more_fails(
    medium: int, index: int, errors: tuple[int, int, int], limit: int
) -> None:
    """JJG 162-2019 class 2: 2 % and 5 %; JJG 577-2012 class 1.5: 1.5 % and 3 %. The limit is included."""
    assert "error.limit" not in reasons(medium, errors)
    beyond = list(errors)
    beyond[index] += 1 if errors[index] > 0 else -1
    assert reasons(medium, beyond)["error.limit"] == (index, 0, beyond[index], limit)


@pytest.mark.parametrize("part, fails", [(TRILLION, False), (TRILLION - 1, True), (TRILLION + 1, False)])
def test_a_limit_is_compared_to_a_part_in_a_trillion(part: int, fails: bool) -> None:
    """E = 1.02 / (reference pulse / 1 mL) - 1: exactly 2 % at 1 mL, 2.000 000 000 1 % at a trillionth less."""
    trial = Trial()
    calibration = [[flow, [WATER_PULSE_UL * part, TRILLION], 800] for flow in (20_000, 3_200_000)]
    trial.regrant("standard W1", CALIBRATION=calibration)
    trial.begin().run(trial.seat((20_000, -1, -1)))
    decision = trial.decide()
    assert ("error.limit" in dict(decision.reasons)) == fails
    if fails:
        assert dict(decision.reasons)["error.limit"] == (0, 0, 20_000, 20_000)  # the same when rounded


def at_q2(flow_ml_per_h: int, error_ppm: int) -> dict[str, tuple[int, ...]]:
    """Reasons for a water meter whose second point ran at that flow."""
    trial = Trial().begin()
    seat = trial.seat((-1, 1, -1))
    seat.points = [seat.points[0], point(1, flow_ml_per_h, error_ppm), seat.points[2]]
    return dict(trial.run(seat).decide().reasons)


def test_q2_belongs_to_the_upper_zone() -> None:
    """At exactly Q2 = 1.6 * 25 L/h, 2 % is the limit (JJG 162-2019)."""
    assert at_q2(Q2_ML_PER_H, 20_000) == {}
    assert at_q2(Q2_ML_PER_H, 20_001) == {"error.limit": (1, 0, 20_001, 20_000)}


def test_just_below_q2_the_lower_zones_limit_counts() -> None:
    """One mL/h less is the lower zone with 5 %, but outside of the point's band."""
    assert "error.limit" not in at_q2(Q2_ML_PER_H - 1, 50_000)
    assert "plan.flow_band" in at_q2(Q2_ML_PER_H - 1, 50_000)


@pytest.mark.parametrize(
    "mk, error_ppm, fails", [(30_000, 20_001, True), (30_001, 20_001, False), (30_001, 30_001, True)]
)
def test_above_thirty_degrees_the_upper_zone_has_the_wider_limit(
    mk: int, error_ppm: int, fails: bool
) -> None:
    """Class 2: 2 % up to 30 degrees, 3 % above (JJG 162-2019); 30 degrees itself is not above."""
    trial = Trial().begin()
    seat = trial.seat((error_ppm, -1, -1))
    for row in seat.points:
        row[p.METER_TEMP_MK] = row[p.REF_TEMP_MK] = mk  # type: ignore[index]
    assert ("error.limit" in dict(trial.run(seat).decide().reasons)) == fails


@pytest.mark.parametrize(
    "errors, fails",
    [
        ((10_001, 10_001, 25_001), True),
        ((10_000, 10_001, 25_001), False),
        ((10_001, 10_001, 25_000), False),
        ((-10_001, -10_001, -25_001), True),
        ((10_001, 10_001, -25_001), False),
        ((10_001, 10_001, 0), False),
    ],
)
def test_water_errors_of_one_sign_need_one_within_half_its_limit(
    errors: tuple[int, int, int], fails: bool
) -> None:
    """Halves of 2 %, 2 % and 5 %; a zero has no sign, and is within any half."""
    assert ("error.same_sign" in reasons(WATER, errors)) == fails


@pytest.mark.parametrize(
    "errors, fails",
    [
        ((10_000, 10_000, -30_000), False),
        ((10_001, 10_000, -30_000), True),
        ((1, -10_001, -30_000), False),
        ((-1, -10_001, 30_000), True),
        ((10_001, 0, -30_000), False),
        ((-10_001, 0, -30_000), False),
    ],
)
def test_gas_errors_of_one_sign_are_all_within_the_tighter_figure(
    errors: tuple[int, int, int], fails: bool
) -> None:
    """Class 1.5: 1 % from q_t up; the point at q_min is below q_t and has no part in it."""
    assert ("error.same_sign" in reasons(GAS, errors)) == fails


def test_the_lowest_flow_itself_has_a_part_in_waters_same_sign_rule() -> None:
    """At exactly Q1, 2.5 % is half of 5 %: that one error is enough."""
    trial = Trial().begin()
    seat = trial.seat((10_001, 10_001, 1))
    seat.points = [*seat.points[:2], point(2, 25_000, 25_000)]
    assert trial.run(seat).decide().reasons == ()


@pytest.mark.parametrize("least,part", [([1, 1], True), ([99, 100], False)])
def test_q_t_itself_is_in_the_upper_zone_of_gas(least: list[int], part: bool) -> None:
    """At exactly q_t = 0.6 m3/h the limit is 1.5 % and the same-sign rule's 1 % counts; just below, neither does."""
    flows = [{"at": "qt", "least": [1, 2], "most": [1, 1], "target": least}]
    top = [{"at": "qmax", "least": [1, 2], "most": [1, 1], "target": [1, 1]}]
    for ppm, code in ((10_001, "error.same_sign"), (-15_001, "error.limit")):
        trial = Trial(GAS, rules={"points": top + flows}).begin()
        assert (code in trial.run(trial.seat((1, ppm))).codes()) == part


def test_the_same_sign_rule_is_silent_while_an_error_is_not_known() -> None:
    """Two errors of one sign beyond their halves, and a point whose reference counted nothing."""
    trial = Trial().begin()
    seat = trial.seat((10_001, 10_001, 25_001))
    seat.points[2][p.REF_COUNTS] = 0  # type: ignore[index]
    assert trial.run(seat).codes() == {"bench.capture"}


def test_the_same_sign_rule_says_the_nearest_error_and_what_was_allowed() -> None:
    """Shares of the limit: 12 000 of 20 000, 13 000 of 20 000, 40 000 of 50 000; the first is nearest to half."""
    assert reasons(WATER, (12_000, 13_000, 40_000)) == {"error.same_sign": (12_000, 10_000)}


def test_a_point_that_is_too_uncertain_is_refused() -> None:
    """Two edges, each off by resolution and jitter, in 10^8 ticks on two channels, against a third of 2 % = 0.67 %.

    Jitter of 200 000: 0.4 % on each channel, 0.57 % together. Jitter of 300 000: 0.6 % on each, 0.85 % together.
    """
    assert "error.uncertainty" not in jittered(200_000)
    assert "error.uncertainty" in jittered(300_000)


def jittered(jitter: int) -> set[str]:
    """Codes for a fixture whose capture clock jitters by that many ticks, as boot and attempt both say."""
    trial = Trial()
    trial.fixture.clock = (10_000_000, 1, jitter)
    return trial.begin().run().codes()


@pytest.mark.parametrize("u_ppm,fails", [(5_000, False), (5_001, True)])
def test_a_point_may_spend_exactly_its_share_of_the_limit(u_ppm: int, fails: bool) -> None:
    """With perfect sensors and clock the standard's U is all: a quarter of 2 % is 5000 ppm."""
    trial = Trial(rules={"point_share": [1, 4], "sensor_temperature_mk": 0, "standard_share": [1, 1]})
    trial.fixture.clock = (10_000_000, 0, 0)
    trial.regrant("standard W1", CALIBRATION=[[flow, [1000, 1], u_ppm] for flow in (20_000, 3_200_000)])
    assert ("error.uncertainty" in trial.begin().run().codes()) == fails


@pytest.mark.parametrize("reason", [kinds.NO_FLOW, kinds.TEMPERATURE, kinds.FAULT])
def test_a_position_that_ended_early_is_refused_with_its_reason(reason: int) -> None:
    """Two of three points and a reason; the missing point is not held against it a second time."""
    trial = Trial().begin()
    seat = trial.seat(ended=reason)
    seat.points = seat.points[:2]
    assert trial.run(seat).decide().reasons == (("position.ended", (1, reason)),)


def test_the_budget_shows_every_line_of_every_point() -> None:
    """The standard's U at 2.375 m3/h is 800 ppm: its square is 640 000 ppm^2. Seven lines at three points."""
    budget = Trial().begin().run().decide().budget
    assert budget[0] == (0, 0, "reference", 640_000)
    assert len(budget) == 21
