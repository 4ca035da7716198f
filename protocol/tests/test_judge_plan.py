"""plan.*: the right points at the right flows, long enough, under the conditions of the regulation."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from meterseal_protocol.judge import decide
from meterseal_protocol.rules import plan_for
from meterseal_protocol.testing.runs import plan_document, point
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import gas_type_fields
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p

WATER, GAS = kinds.WATER, kinds.GAS
AIR = ([20_000, 20_000, 20_000], [10_130, 10_130, 10_130], [600, 600, 600])


def with_point(index: int, medium: int = WATER, **changes: int) -> dict[str, tuple[int, ...]]:
    """Reasons for a good meter with fields of one point changed."""
    trial = Trial(medium).begin()
    seat = trial.seat()
    for name, value in changes.items():
        seat.points[index][p.FIELDS.index(name)] = value  # type: ignore[index]
    return dict(trial.run(seat).decide().reasons)


def test_a_point_that_was_left_out_is_missed() -> None:
    """Two of the three points."""
    trial = Trial().begin()
    seat = trial.seat()
    seat.points = seat.points[:2]
    assert dict(trial.run(seat).decide().reasons) == {"plan.point_missing": (2,)}


def test_a_point_that_was_measured_twice_under_one_number_is_refused() -> None:
    """One repeat is wanted; which of two would count?"""
    trial = Trial().begin()
    seat = trial.seat()
    seat.points = [*seat.points, seat.points[0]]
    assert dict(trial.run(seat).decide().reasons) == {"plan.repeats": (0, 2, 1)}


@pytest.mark.parametrize(
    "repeats,ended,reason",
    [
        ((0, 1), None, None),
        ((0,), None, ("plan.repeats", (2, 1, 2))),
        ((1, 2), None, ("plan.repeats", (2, 2, 2))),
        ((0,), kinds.FAULT, None),
        ((1, 2), kinds.FAULT, ("plan.repeats", (2, 2, 2))),
        ((0, 1, 2), kinds.FAULT, ("plan.repeats", (2, 3, 2))),
    ],
)
def test_a_point_is_measured_as_often_as_the_rules_say(
    repeats: tuple[int, ...], ended: int | None, reason: tuple[str, tuple[int, ...]] | None
) -> None:
    """Twice, numbered from 0; a position that ended early may lack the last, and has nothing too much."""
    trial = Trial(rules={"repeats": 2}).begin()
    seat = trial.seat(ended=ended)
    seat.points = [_repeat(row, number) for row in seat.points[:2] for number in (0, 1)]
    seat.points += [_repeat(trial.seat().points[2], number) for number in repeats]
    found = {item for item in trial.run(seat).decide().reasons if item[0] != "position.ended"}
    assert found == ({reason} if reason else set())


def _repeat(row: Sequence[int], number: int) -> list[int]:
    changed = list(row)
    changed[p.REPEAT] = number
    return changed


def test_a_point_that_the_plan_does_not_have_is_refused() -> None:
    """A fourth of three: index 3."""
    trial = Trial().begin()
    seat = trial.seat()
    seat.points = [*seat.points, point(3, 100_000, 0)]
    assert dict(trial.run(seat).decide().reasons) == {"plan.repeats": (3, 1, 0)}


@pytest.mark.parametrize(
    "index, least, most",
    [(0, 2_250_000, 2_500_000), (1, 40_000, 44_000), (2, 25_000, 27_500)],
)
def test_flow_stays_within_its_band(index: int, least: int, most: int) -> None:
    """0.9 Q3 to Q3, Q2 to 1.1 Q2, Q1 to 1.1 Q1 with Q3 2.5 m3/h and R 100; the ends belong to the band."""
    at_ends = with_point(index, flow_min_ml_per_h=least, flow_max_ml_per_h=most)
    assert at_ends == {}
    below = with_point(index, flow_min_ml_per_h=least - 1, flow_max_ml_per_h=most)
    assert below["plan.flow_band"] == (index, least - 1, most)
    above = with_point(index, flow_min_ml_per_h=least, flow_max_ml_per_h=most + 1)
    assert above["plan.flow_band"] == (index, least, most + 1)


def test_a_point_has_its_least_counts() -> None:
    """100 pulses of 10 mL at Q1; the reference counted a tenth too, so the error stays."""
    assert with_point(2, meter_counts=100, ref_counts=1000) == {}
    assert with_point(2, meter_counts=99, ref_counts=990) == {"plan.volume": (2, 99, 100)}


def test_a_point_has_its_least_time() -> None:
    """10 s at least (to be confirmed), whatever was counted: 5 L at 2.375 m3/h, by ticks of 4 s at 10 MHz."""
    short = {"meter_counts": 500, "meter_ticks": 40_000_000, "ref_counts": 5_000, "ref_ticks": 40_000_000}
    assert with_point(0, duration_ms=10_000, **short) == {}
    assert "plan.volume" in with_point(0, duration_ms=9_999, **short)


def test_water_needs_pressure_behind_the_meter() -> None:
    """0.03 MPa over the room (JJG 162-2019): 10 130 + 3 000 in 10 Pa."""
    assert with_point(1, meter_pressure_10pa=13_130) == {}
    assert with_point(1, meter_pressure_10pa=13_129) == {"plan.conditions": (4, 2_999)}


@pytest.mark.parametrize("mk, fine", [(1_000, True), (999, False), (40_000, True), (40_001, False)])
def test_water_has_a_temperature_that_can_be_reckoned_with(mk: int, fine: bool) -> None:
    """1 to 40 degrees (to be confirmed); at both sensors, so that no error comes of it."""
    found = with_point(2, meter_temp_mk=mk, ref_temp_mk=mk)
    assert found == ({} if fine else {"plan.conditions": (5, mk)})


def test_gas_at_the_meter_is_as_warm_as_at_the_standard() -> None:
    """1 degree at most (JJG 577-2012)."""
    assert "plan.conditions" not in with_point(0, GAS, meter_temp_mk=21_000)
    assert with_point(0, GAS, meter_temp_mk=21_001)["plan.conditions"] == (3, 1_001)


@pytest.mark.parametrize(
    "row, spread, found",
    [
        (0, [18_000, 20_000, 22_000], None),
        (0, [17_999, 20_000, 22_000], (1, 17_999)),
        (0, [18_000, 20_000, 22_001], (1, 22_001)),
        (2, [450, 600, 750], None),
        (2, [449, 600, 750], (2, 449)),
        (2, [450, 600, 751], (2, 751)),
    ],
)
def test_the_room_of_a_gas_bench_stays_within_limits(
    row: int, spread: list[int], found: tuple[int, int] | None
) -> None:
    """20 ± 2 degrees for qmax up to 10 m3/h, 45 to 75 % RH (JJG 577-2012); the extremes count, not the mean."""
    trial = Trial(GAS).begin()
    air = [list(part) for part in AIR]
    air[row] = spread
    trial.fixture.air = air
    assert trial.run().decide().reasons == ((("plan.conditions", found),) if found else ())


def test_large_gas_meters_have_the_wider_room() -> None:
    """15 to 25 degrees above qmax 10 m3/h (JJG 577-2012): 16 m3/h at 16 degrees, 10 m3/h not."""
    for qmax, fine in ((10_000_000, False), (10_000_001, True)):
        trial = Trial(GAS)
        fields = {**gas_type_fields(), L.FLOWS_ML_PER_H: [qmax, 40_000]}
        trial.regrant("type gas", FLOWS_ML_PER_H=[qmax, 40_000])
        trial.regrant(
            "standard G1", CALIBRATION=[[30_000, [10_000, 1], 1800], [17_000_000, [10_000, 1], 1800]]
        )
        trial.follow(plan_for(trial.pack, fields))
        trial.fixture.air = [[16_000] * 3, *AIR[1:]]
        assert trial.begin().run().decide().granted == fine


def test_a_plan_from_an_unknown_pack_is_undecided() -> None:
    """Whoever has the pack can decide; this judge can't."""
    trial = Trial().begin()
    trial.plan = plan_document(bytes(32), [[1, 1, 1, 0, 1]])
    trial.attempt()
    trial.enter(trial.fixture.result([Trial().seat()]))
    decision = trial.decide()
    assert decision.outcome == kinds.UNDECIDED and decision.reasons == (("plan.unknown", ()),)


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\x01"])
def test_a_plan_that_is_no_plan_is_unknown(raw: bytes) -> None:
    """Its hash was signed, but it says nothing."""
    trial = Trial().begin()
    seat = trial.seat()
    trial.plan = raw
    signed = trial.fixture.attempt([seat], raw, trial.beacon)
    trial.enter(signed)
    trial.enter(trial.fixture.result([seat]))
    assert "plan.unknown" in trial.codes()


def test_a_plan_for_the_other_medium_is_unknown() -> None:
    """The water pack's digest in a gas plan."""
    trial = Trial().begin()
    seat = trial.seat()
    trial.plan = plan_document(trial.pack.digest, [[1, 1, 1, 0, 1]], GAS)
    trial.enter(trial.fixture.attempt([seat], trial.plan, trial.beacon))
    trial.enter(trial.fixture.result([seat]))
    assert trial.codes() == {"plan.unknown"}


def test_a_type_of_a_class_without_limits_cannot_be_judged() -> None:
    """Class 3 is not in the pack."""
    trial = Trial()
    trial.regrant("type water", ACCURACY_CLASS=30)
    assert trial.begin().run().codes() == {"plan.unknown"}


def test_a_missing_plan_is_missing_evidence_and_a_changed_one_a_mismatch() -> None:
    """The attempt signs the plan's SHA-256."""
    trial = Trial().begin().run()
    trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    attempt = trial.record.of_kind(L.KIND_ATTEMPT)[0].statement.identity
    for items, code in ((None, "evidence.missing"), ((b"another plan",), "evidence.mismatch")):
        blobs = {name: kept for name, kept in evidence.blobs.items() if name != attempt}
        if items:
            blobs[attempt] = items
        changed = replace(evidence, blobs=blobs)
        decision = decide(changed, trial.record.grants(), trial.packs, trial.record.now_s)
        assert decision.reasons == ((code, (0, 0)),)
