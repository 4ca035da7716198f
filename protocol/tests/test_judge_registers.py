"""The dial against the pulses, repeats against each other, tightness: each reason, and one just on the other side."""

from typing import Any

import pytest

from meterseal_protocol.testing.runs import Seat, telegram
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p
from meterseal_wire.encode import encode

STEP_UL = 1_000_000  # the world's types count litres
PULSE_UL = 10_000


def reasons(trial: Trial, seat: Seat, code: str) -> list[tuple[int, ...]]:
    """Numbers of one code after a run of this seat."""
    return [numbers for found, numbers in trial.run(seat).decide().reasons if found == code]


def with_register(index: int, litres: int) -> list[tuple[int, ...]]:
    """error.register where a point of a thousand pulses, 10 L, has this register difference."""
    trial = Trial().begin()
    seat = trial.seat()
    seat.points[index][p.REGISTER_DIFF] = litres
    return reasons(trial, seat, "error.register")


@pytest.mark.parametrize(
    "litres, disagrees", [(0, False), (8, False), (12, False), (7, True), (13, True), (-10, True)]
)
def test_register_and_pulses_agree_at_a_point(litres: int, disagrees: bool) -> None:
    """10 L by pulses; two steps of a litre and one pulse are allowed; 0 says that it was not read at this point."""
    found = with_register(0, litres)
    assert found == ([(0, 0, litres * STEP_UL, 1000 * PULSE_UL)] if disagrees else [])


@pytest.mark.parametrize("end, disagrees", [(128, False), (127, True), (432, False), (433, True)], ids=str)
def test_register_and_pulses_agree_over_the_run(end: int, disagrees: bool) -> None:
    """From 100 L; 30 L passed in the points, two steps may be missing; eleven times that and two steps is the most."""
    trial = Trial().begin()
    found = reasons(trial, trial.seat(end_litres=end), "error.register")
    assert found == ([(999, 0, (end - 100) * STEP_UL, 30 * STEP_UL)] if disagrees else [])


def test_a_register_that_stands_still_while_pulses_are_counted_is_found() -> None:
    """Somebody fed the pulse input."""
    trial = Trial().begin()
    assert reasons(trial, trial.seat(end_litres=100), "error.register") == [(999, 0, 0, 30 * STEP_UL)]


def by_dial(litres: int, **rules: Any) -> set[str]:
    """Codes where the first point was measured on the dial alone, with the reference exactly agreeing."""
    trial = Trial(rules=rules).begin()
    seat = trial.seat((0, 4_000, -8_000))
    row = seat.points[0]
    row[p.METHOD], row[p.METER_COUNTS], row[p.REGISTER_DIFF] = p.STATIC, 0, litres
    row[p.REF_COUNTS] = litres * 1000
    seat.end_litres = 100 + litres + 20
    row[p.DURATION_MS] = litres * STEP_UL * 3_600_000 // (row[p.FLOW_MIN_ML_PER_H] * 1000)
    return trial.run(seat).codes()


@pytest.mark.parametrize("litres, coarse", [(200, False), (199, True)])
def test_a_register_step_takes_its_share_of_the_limit_and_no_more(litres: int, coarse: bool) -> None:
    """Limit 2 % at Q3, share 1/4: a step of 1 L is exactly that share of 200 L."""
    assert ("error.resolution" in by_dial(litres)) is coarse


def test_a_point_by_the_dial_is_judged_like_any_other() -> None:
    """1000 L on the dial against 1000 L at the reference: nothing to say of its error or its register."""
    assert by_dial(1000) == set()


@pytest.mark.parametrize(
    "first, last, code",
    [
        ((0, 100), (1, 1100), None),
        ((0, 100), (1, 1099), "evidence.mismatch"),
        ((0, 101), (1, 1100), "evidence.mismatch"),
        ((0, 100), None, "evidence.missing"),
        (None, (1, 1100), "evidence.missing"),
    ],
)
def test_the_telegrams_around_a_point_by_the_dial_are_decoded_again(
    first: tuple[int, int] | None,
    last: tuple[int, int] | None,
    code: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """1000 L are signed; the meter's own telegrams before and after must be 1000 L apart, and both must be there."""
    trial = Trial().begin()
    seat = trial.seat((0, 4_000, -8_000))
    row = seat.points[0]
    row[p.METHOD], row[p.METER_COUNTS], row[p.REGISTER_DIFF], row[p.REF_COUNTS] = p.STATIC, 0, 1000, 1_000_000
    row[p.DURATION_MS] = 1000 * STEP_UL * 3_600_000 // (row[p.FLOW_MIN_ML_PER_H] * 1000)
    seat.end_litres = 1120
    leaves = seat.leaves()[:2]
    for found in (first, last):
        if found:
            leaves.append(bytes(encode([1, found[0], telegram(seat.address, found[1]), 0, 0])))
    monkeypatch.setattr(seat, "leaves", lambda: leaves)
    trial.run(seat)
    codes = {code for code, _ in trial.decide().reasons if code.startswith("evidence")}
    assert codes == ({code} if code else set())


@pytest.mark.parametrize("second_ppm, spread", [(-13_000, None), (-13_001, (0, 10_001, 10_000))])
def test_repeats_lie_close_together(second_ppm: int, spread: tuple[int, ...] | None) -> None:
    """-0.3 % and then -1.3 %: exactly the 1 % that the pack allows; one ppm more is too much."""
    trial = Trial(rules={"repeats": 2}).begin()
    first, second = trial.seat(), trial.seat((second_ppm, 4_000, -8_000))
    for row in second.points:
        row[p.REPEAT] = 1
    seat = trial.seat(points=[row for pair in zip(first.points, second.points, strict=True) for row in pair])
    assert reasons(trial, seat, "error.repeatability") == ([spread] if spread else [])


class Tight(Seat):
    """A seat whose result carries a tightness test."""

    tightness: tuple[int, int, int] | None = None

    def in_result(self) -> dict[int, Any]:
        """With start and end pressure in 10 Pa, and seconds."""
        more = {} if self.tightness is None else {L.TIGHTNESS: list(self.tightness)}
        return {**super().in_result(), **more}


def tight(tightness: tuple[int, int, int] | None, **rules: Any) -> list[tuple[int, ...]]:
    """tightness.failed of a gas meter with this test."""
    trial = Trial(kinds.GAS, rules=rules).begin()
    good = trial.seat()
    seat = Tight(good.position, good.serial, good.medium, points=good.points)
    seat.tightness = tightness
    return reasons(trial, seat, "tightness.failed")


@pytest.mark.parametrize(
    "tightness, fails",
    [((500, 495, 60), False), ((500, 494, 60), True), ((500, 500, 60), False), ((500, 500, 59), True)],
)
def test_a_meter_keeps_its_pressure(tightness: tuple[int, int, int], fails: bool) -> None:
    """At most 50 Pa in a minute, over a minute at least; both ends are allowed."""
    assert tight(tightness) == ([tightness] if fails else [])


def test_tightness_is_asked_for_where_the_pack_says_so() -> None:
    """No test on record: nothing to say, unless it is needed."""
    assert tight(None) == []
    assert tight(None, tightness_needed=1) == [(0, 0, 0)]
