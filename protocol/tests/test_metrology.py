"""Errors from raw counts, by hand. Every expected value is arithmetic written out here, or Tanaka's equation."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol import metrology as m
from meterseal_wire import point as p

TABLE = m.read_calibration([[100, [1000, 1], 1000], [300, [1010, 1], 3000]])


def row(**fields: int) -> list[int]:
    """A point's row with these fields by name, everything else 0."""
    found = [0] * len(p.FIELDS)
    for name, value in fields.items():
        found[p.FIELDS.index(name)] = value
    return found


def counts(**more: int) -> list[int]:
    """100 meter pulses in 2 000 000 ticks beside 1 000 reference pulses in 1 000 000 ticks."""
    return row(meter_counts=100, meter_ticks=2_000_000, ref_counts=1000, ref_ticks=1_000_000, **more)


def test_the_reference_volume_is_scaled_to_the_time_that_the_meter_counted() -> None:
    """1 000 pulses of 5 uL in 1 s are 5 000 uL; the meter counted for 2 s, so 10 000 uL passed (ISO 7278-3)."""
    assert m.reference_ul(counts(), Fraction(5)) == 10_000


def test_a_water_meter_that_shows_what_passed_has_no_error() -> None:
    """100 pulses of 100 uL are 10 000 uL shown, 10 000 uL passed, both at 20 degrees."""
    even = counts(meter_temp_mk=20_000, ref_temp_mk=20_000)
    assert m.water_error(even, Fraction(100), Fraction(5)) == 0


def test_a_water_meter_that_shows_too_much_has_a_positive_error() -> None:
    """100 pulses of 102 uL are 10 200 uL against 10 000: (10 200 - 10 000) / 10 000 = 1/50."""
    even = counts(meter_temp_mk=20_000, ref_temp_mk=20_000)
    assert m.water_error(even, Fraction(102), Fraction(5)) == Fraction(1, 50)


def test_water_that_is_colder_at_the_meter_takes_less_room_there() -> None:
    """Reference at 20 degrees (998.206746), meter at 10 (999.702702): V = 10 000 * 998206746 / 999702702."""
    passed = Fraction(10_000 * 998_206_746, 999_702_702)
    cold = counts(meter_temp_mk=10_000, ref_temp_mk=20_000)
    assert m.water_error(cold, Fraction(100), Fraction(5)) == (10_000 - passed) / passed


@pytest.mark.parametrize("mk", [-1, 40_001])
def test_water_outside_of_the_density_table_gives_no_error_figure(mk: int) -> None:
    """The table ends at 0 and 40 degrees; outside there is nothing to compute with."""
    assert m.water_error(counts(meter_temp_mk=mk, ref_temp_mk=20_000), Fraction(100), Fraction(5)) is None


def test_a_gas_error_uses_absolute_pressure_and_kelvin() -> None:
    """E = (V_m p_m T_s)/(V_s p_s T_m) - 1 (JJG 577-2012): V equal, p_m/p_s = 99/100, T_s/T_m = 293150/303150."""
    gas = counts(
        meter_temp_mk=30_000, ref_temp_mk=20_000, meter_pressure_10pa=9_900, ref_pressure_10pa=10_000
    )
    expected = Fraction(99, 100) * Fraction(293_150, 303_150) - 1
    assert m.gas_error(gas, Fraction(100), Fraction(5)) == expected


def test_a_gas_point_without_a_pressure_gives_no_error_figure() -> None:
    """Absolute pressure 0 is no gas."""
    assert m.gas_error(counts(ref_pressure_10pa=1), Fraction(100), Fraction(5)) is None


@pytest.mark.parametrize("name", ["meter_counts", "meter_ticks", "ref_counts", "ref_ticks"])
def test_a_point_without_edges_or_time_gives_no_error_figure(name: str) -> None:
    """Each of the four is a divisor or makes the volume nothing."""
    empty = counts(meter_temp_mk=20_000, ref_temp_mk=20_000)
    empty[p.FIELDS.index(name)] = 0
    assert m.water_error(empty, Fraction(100), Fraction(5)) is None


def test_the_density_table_is_tanakas_equation_rounded() -> None:
    """Tanaka et al. 2001, equation 1, with its five published constants, at each whole degree."""
    a1, a2, a3 = Fraction("-3.983035"), Fraction("301.797"), Fraction("522528.9")
    a4, a5 = Fraction("69.34881"), Fraction("999.974950")
    for degree, millionths in enumerate(m.DENSITY):
        exact = a5 * (1 - (degree + a1) ** 2 * (degree + a2) / (a3 * (degree + a4)))
        assert abs(exact * 1_000_000 - millionths) <= Fraction(1, 2)
    assert len(m.DENSITY) == 41


def test_density_between_two_degrees_is_within_three_ppm_of_the_equation() -> None:
    """The same equation at half degrees; the chord's greatest distance is there."""
    a1, a2, a3 = Fraction("-3.983035"), Fraction("301.797"), Fraction("522528.9")
    a4, a5 = Fraction("69.34881"), Fraction("999.974950")
    for half in range(40):
        t = half + Fraction(1, 2)
        exact = 1_000_000 * a5 * (1 - (t + a1) ** 2 * (t + a2) / (a3 * (t + a4)))
        found = m.density(half * 1000 + 500)
        assert found is not None and abs(found / exact - 1) < Fraction(3, 1_000_000)


@pytest.mark.parametrize("mk,millionths", [(0, 999_842_826), (40_000, 992_215_209)])
def test_the_density_table_includes_both_its_ends(mk: int, millionths: int) -> None:
    """Its first and its last figure."""
    assert m.density(mk) == millionths


@pytest.mark.parametrize("flow,inside", [(99, False), (100, True), (101, False)])
def test_a_standard_of_one_flow_is_calibrated_there_alone(flow: int, inside: bool) -> None:
    """A critical nozzle has one flow."""
    assert (m.calibrated(TABLE[:1], Fraction(flow)) is not None) == inside


def test_calibration_is_linear_between_rows() -> None:
    """A quarter of the way from (100, 1000 uL, 1000 ppm) to (300, 1010 uL, 3000 ppm)."""
    found = m.calibrated(TABLE, Fraction(150))
    assert found is not None
    assert found.pulse_ul == Fraction(2005, 2) and found.expanded == Fraction(1500, 1_000_000)


@pytest.mark.parametrize("flow, inside", [(99, False), (100, True), (300, True), (301, False)])
def test_nothing_is_calibrated_outside_of_the_range(flow: int, inside: bool) -> None:
    """The ends belong to the range; one mL/h beyond does not."""
    assert (m.calibrated(TABLE, Fraction(flow)) is not None) == inside


@pytest.mark.parametrize(
    "rows",
    [
        [[300, [1, 1], 0], [100, [1, 1], 0]],
        [[100, [1, 1], 0], [100, [2, 1], 0]],
        [[100, [1, 0], 0]],
        [[100, [0, 1], 0]],
        [[1, 2, 3]],
    ],
)
def test_a_calibration_that_is_none_is_empty(rows: list[list[int | list[int]]]) -> None:
    """Descending flows, one flow twice, no fraction, a pulse of nothing, a volume that is no pair."""
    assert m.read_calibration(rows) == ()


@pytest.mark.parametrize(
    "numerator, denominator, shown",
    [(1, 2, 1), (-1, 2, -1), (3, 2, 2), (-3, 2, -2), (49, 100, 0), (-49, 100, 0), (7, 1, 7)],
)
def test_figures_are_rounded_half_away_from_zero(numerator: int, denominator: int, shown: int) -> None:
    """Design section 5: half away from zero; Python's round would make 1/2 to 0."""
    assert m.rounded(Fraction(numerator, denominator)) == shown


@given(st.fractions())
def test_rounding_moves_a_figure_by_half_at_most_and_keeps_its_sign(value: Fraction) -> None:
    """By definition of the nearest whole number."""
    found = m.rounded(value)
    assert abs(found - value) <= Fraction(1, 2) and found * value >= 0


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 2**32), st.integers(1, 2**32))
def test_doubling_both_clocks_changes_no_error(
    meter: int, ref: int, meter_ticks: int, ref_ticks: int
) -> None:
    """Only the ratio of the times enters."""
    fields = {"meter_counts": meter, "ref_counts": ref, "meter_temp_mk": 20_000, "ref_temp_mk": 19_000}
    once = row(meter_ticks=meter_ticks, ref_ticks=ref_ticks, **fields)
    twice = row(meter_ticks=2 * meter_ticks, ref_ticks=2 * ref_ticks, **fields)
    assert m.water_error(once, Fraction(7), Fraction(3)) == m.water_error(twice, Fraction(7), Fraction(3))
