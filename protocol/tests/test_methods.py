"""Every method of measuring, worked out by hand and again with `fractions`: what passed, and the meter's error."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.methods import Bench, complete, error, fits, left_open, meter_ul, passed_ul, unit_ul
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.testing.world import gas_type_fields, water_type_fields
from meterseal_wire import kinds
from meterseal_wire import point as p

BENCH = Bench(1_000_000, 1200, 8000)  # 1 MHz; air of 1.2 kg/m3; steel weights
TWENTY = 998_206_746  # density of water at 20 degrees, 10^-6 kg/m3 (Tanaka et al.)
WATER, GAS = MeterType.read(water_type_fields()), MeterType.read(gas_type_fields())
assert WATER is not None and GAS is not None


def row(method: int, **changes: int) -> list[int]:
    """A point at 20 degrees and 1 bar; `changes` by the names of point.py."""
    found = [0] * len(p.FIELDS)
    found[p.METHOD] = method
    found[p.METER_TEMP_MK] = found[p.REF_TEMP_MK] = 20_000
    found[p.METER_PRESSURE_10PA] = found[p.REF_PRESSURE_10PA] = 10_000
    for name, value in changes.items():
        found[p.FIELDS.index(name)] = value
    return found


def test_a_register_unit_is_a_power_of_ten_cubic_metres() -> None:
    """10^-3 m3 is a litre, 10^6 microlitres; 10^0 is 10^9, 10^1 is 10^10."""
    assert unit_ul(WATER) == 10**6
    payload = water_type_fields()
    for exponent, expected in ((0, 10**9), (1, 10**10), (-6, 10**3), (-9, 1), (-12, Fraction(1, 1000))):
        meter = MeterType.read({**payload, next(k for k, v in payload.items() if v == -3): exponent})
        assert meter is not None and unit_ul(meter) == expected


def test_static_start_and_stop_compares_registers() -> None:
    """105 L on the dial; 100 000 pulses of a millilitre at the reference, 100 L: 5 % too much."""
    found = row(p.STATIC, register_diff=105, ref_counts=100_000)
    assert error(found, WATER, Fraction(1000), BENCH) == Fraction(1, 20)


def test_static_counts_pulses_where_there_are_any() -> None:
    """10 100 pulses of 10 mL are 101 L, whatever the dial says."""
    found = row(p.STATIC, meter_counts=10_100, register_diff=7, ref_counts=100_000)
    assert error(found, WATER, Fraction(1000), BENCH) == Fraction(1, 100)


def test_a_collecting_tank_is_read_in_steps_of_its_scale() -> None:
    """200 steps of half a litre are 100 L; 10 050 pulses of 10 mL are 100.5 L."""
    found = row(p.VOLUMETRIC, meter_counts=10_050, ref_counts=200)
    assert error(found, WATER, Fraction(500_000), BENCH) == Fraction(1, 200)


def test_a_balance_is_corrected_for_the_buoyancy_of_air() -> None:
    """100 kg shown. Mass: 100 kg * (1 - 1.2/8000) / (1 - 1.2/998.206746) = 100 * 0.99985 / 0.998797844 = 100.105343 kg;
    by 998.206746 kg/m3 that is 100.285179 L. A meter that says 100 L is 0.2844 % low.
    """
    found = row(p.GRAVIMETRIC, meter_counts=10_000, ref_counts=100_000_000)
    passed = passed_ul(found, Fraction(1), BENCH)
    mass = 100_000_000 * (1 - Fraction(12, 80_000)) / (1 - Fraction(1_200_000, TWENTY))
    assert passed == mass * 10**9 / TWENTY
    assert round(float(passed), 0) == 100_285_179
    said = error(found, WATER, Fraction(1), BENCH)
    assert said == Fraction(100_000_000) / passed - 1
    assert round(float(said) * 100, 4) == -0.2844


def test_a_balance_leaves_a_tenth_of_the_air_open() -> None:
    """A tenth of 1.2 kg/m3 lifts water and not the weights: 0.12 * (1/996.95 - 1/7998.74) = 105.4 in a million."""
    mass = [(1 - air / 8000) / (1 - air * 10**6 / TWENTY) for air in (Fraction(12, 10), Fraction(132, 100))]
    found = left_open(row(p.GRAVIMETRIC), BENCH)
    assert found == mass[1] / mass[0] - 1
    assert round(float(found) * 10**6, 1) == 105.4


@pytest.mark.parametrize("method", p.METHODS)
def test_only_a_balance_and_a_nozzle_leave_something_open(method: int) -> None:
    """The nozzle one part in 10^12; in a vacuum a balance leaves nothing."""
    expected = {p.CRITICAL_NOZZLE: Fraction(1, 10**12)}.get(method, 0)
    assert left_open(row(method), Bench(1, 0, 8000)) == expected


def test_a_balance_in_air_like_water_leaves_everything_open() -> None:
    """Air of 950 kg/m3 may be 1045, in which water floats."""
    assert left_open(row(p.GRAVIMETRIC), Bench(1, 950_000, 8000)) == 1


def test_without_air_a_balance_shows_the_mass() -> None:
    """Vacuum: 99.8206746 kg of water at 20 degrees are 100 L."""
    found = row(p.GRAVIMETRIC, meter_counts=10_000, ref_counts=99_820_675)
    said = error(found, WATER, Fraction(1), Bench(1, 0, 8000))
    assert said is not None
    assert abs(said) < Fraction(1, 10**8)


def test_collected_water_is_carried_to_the_meters_temperature() -> None:
    """Collected at 20 degrees, metered at 30: 998.206746 / 995.648797 of the volume passed the meter."""
    found = row(p.VOLUMETRIC, meter_counts=10_000, ref_counts=200, meter_temp_mk=30_000)
    assert error(found, WATER, Fraction(500_000), BENCH) == Fraction(995_648_797, TWENTY) - 1


def test_a_bell_prover_measures_gas_at_its_own_state() -> None:
    """100 L in the bell at 101.3 kPa and 20 degrees, 100 L at the meter at 103.3 kPa and 21 degrees (JJG 577-2012):
    E = 100 * 10330 * 293.15 / (100 * 10130 * 294.15) - 1 = 1.6277 %.
    """
    found = row(p.BELL_PROVER, meter_counts=1_000, ref_counts=1_000, meter_temp_mk=21_000)
    found[p.METER_PRESSURE_10PA], found[p.REF_PRESSURE_10PA] = 10_330, 10_130
    said = error(found, GAS, Fraction(100_000), BENCH)
    assert said == Fraction(10_330 * 293_150, 10_130 * 294_150) - 1
    assert round(float(said) * 100, 4) == 1.6277


def test_a_nozzle_blows_a_volume_a_second() -> None:
    """A litre a second at 20 degrees for 10 s of a 1 MHz clock: 10 L; 100 pulses of 0.1 L agree."""
    found = row(p.CRITICAL_NOZZLE, meter_counts=100, ref_ticks=10_000_000)
    assert passed_ul(found, Fraction(10**6), BENCH) == 10**7
    assert error(found, GAS, Fraction(10**6), BENCH) == 0


@pytest.mark.parametrize("mk", [-20_000, 0, 15_000, 25_000, 40_000])
def test_a_nozzle_follows_the_root_of_its_temperature(mk: int) -> None:
    """V / V20 is below sqrt(T / 293.15 K) by less than one part in 10^12: squares bracket it, no root is taken here."""
    found = row(p.CRITICAL_NOZZLE, meter_counts=100, ref_ticks=10_000_000, ref_temp_mk=mk)
    passed = passed_ul(found, Fraction(10**6), BENCH)
    assert passed is not None
    factor, kelvin = passed / 10**7, Fraction(mk + 273_150, 293_150)
    assert factor**2 <= kelvin < (factor + Fraction(1, 10**12)) ** 2


def test_double_chronometry_is_what_it_was() -> None:
    """ISO 7278-3: V_ref = 1 mL * 100 000 * meter ticks / ref ticks; 1010 pulses of 0.1 L in the same time: 1 %."""
    found = row(
        p.REFERENCE_METER, meter_counts=10_100, meter_ticks=10**7, ref_counts=100_000, ref_ticks=10**7
    )
    assert error(found, WATER, Fraction(1000), BENCH) == Fraction(1, 100)


@pytest.mark.parametrize("method", p.METHODS)
def test_a_method_measures_its_own_medium(method: int) -> None:
    """Tanks and balances collect water, bells and nozzles measure gas; a reference meter and a dial do for both."""
    assert fits(row(method), kinds.WATER) is (method in (1, 2, 3, 4))
    assert fits(row(method), kinds.GAS) is (method in (1, 2, 5, 6))


@pytest.mark.parametrize(
    "found",
    [
        row(p.STATIC, ref_counts=100),
        row(p.STATIC, meter_counts=100),
        row(p.CRITICAL_NOZZLE, meter_counts=100),
        row(p.VOLUMETRIC, register_diff=-5, ref_counts=1),
        row(7, meter_counts=1, ref_counts=1),
        row(0, meter_counts=1, ref_counts=1),
    ],
)
def test_a_row_without_what_its_method_needs_has_no_error(found: list[int]) -> None:
    """Nothing at the meter, nothing at the reference, a register that ran back, no such method."""
    assert not complete(found)
    assert error(found, WATER, Fraction(1000), BENCH) is None


@pytest.mark.parametrize(
    "bench", [Bench(1, 10**9, 8000), Bench(1, 1200, 0)], ids=["air heavier than water", "weights of nothing"]
)
def test_absurd_densities_give_no_error(bench: Bench) -> None:
    """Never a division by zero."""
    assert error(row(p.GRAVIMETRIC, meter_counts=1, ref_counts=1), WATER, Fraction(1), bench) is None


def test_a_nozzle_needs_a_clock_and_a_temperature() -> None:
    """A clock of no ticks, and minus 273.15 degrees."""
    found = row(p.CRITICAL_NOZZLE, meter_counts=100, ref_ticks=10)
    assert error(found, GAS, Fraction(1), Bench(0, 1200, 8000)) is None
    assert (
        error([*found[: p.REF_TEMP_MK], -273_150, *found[p.REF_TEMP_MK + 1 :]], GAS, Fraction(1), BENCH)
        is None
    )


numbers = st.integers(-(2**63) + 1, 2**63 - 1)
rows = st.lists(numbers, min_size=len(p.FIELDS), max_size=len(p.FIELDS))


@given(found=rows, method=st.integers(0, 8), per=st.fractions(0, 10**9))
def test_whatever_was_signed_there_is_an_answer(found: list[int], method: int, per: Fraction) -> None:
    """Total over any integers: an exact fraction or None, never an exception."""
    found[p.METHOD] = method
    for meter in (WATER, GAS):
        said = error(found, meter, per, BENCH)
        assert said is None or isinstance(said, Fraction)


@given(counts=st.integers(1, 10**6), more=st.integers(1, 10**6), reference=st.integers(1, 10**6))
def test_more_pulses_are_a_greater_error(counts: int, more: int, reference: int) -> None:
    """Monotone, and 1 + E is proportional to what the meter says."""
    low = error(row(p.VOLUMETRIC, meter_counts=counts, ref_counts=reference), WATER, Fraction(1000), BENCH)
    high = error(
        row(p.VOLUMETRIC, meter_counts=counts + more, ref_counts=reference), WATER, Fraction(1000), BENCH
    )
    assert low is not None and high is not None
    assert (1 + low) * (counts + more) == (1 + high) * counts
    assert low < high


def test_what_the_meter_says_is_its_pulses_or_its_dial() -> None:
    """Three pulses of 10 mL; four litres."""
    assert meter_ul(row(p.STATIC, meter_counts=3, register_diff=4), WATER) == 30_000
    assert meter_ul(row(p.STATIC, register_diff=4), WATER) == 4_000_000
