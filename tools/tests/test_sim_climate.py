"""Temperature, pressure and volume."""

from fractions import Fraction

import pytest

from meterseal_tools.sim.climate import Climate, Line, climate, water_density
from meterseal_wire import kinds


@pytest.mark.parametrize(
    "celsius, expected", [(4, "999.9749"), (10, "999.7027"), (20, "998.2067"), (30, "995.6488")]
)
def test_water_has_its_published_density(celsius, expected):
    """Tanaka et al., Metrologia 38 (2001), table 1, to 0.001 kg/m3."""
    assert abs(water_density(celsius * 1000) - Fraction(expected)) < Fraction(1, 1000)


def test_gas_takes_up_more_room_where_it_is_warmer_and_thinner():
    """Ideal gas: from 293.15 K and 102 000 Pa to 294.15 K and 101 000 Pa, by 102/101 times 294.15/293.15."""
    line = Line(ref_mk=20_000, step_mk=1000, ref_10pa=10_200, drop_10pa=100, drop_flow=6_000_000)
    gas = Climate(kinds.GAS, line)
    assert gas.at_position(1, 6_000_000) == (21_000, 10_100)
    assert gas.expansion(1, 6_000_000) == Fraction(102, 101) * Fraction(29415, 29315)


def test_each_gas_meter_in_line_drops_pressure_with_the_square_of_the_flow():
    """12 units of 10 Pa a meter at qmax, so 96 before the eighth; at half the flow a quarter, 24."""
    gas = climate(kinds.GAS)
    start = gas.at_reference()[1]
    assert start - gas.at_position(8, 6_000_000)[1] == 96
    assert start - gas.at_position(8, 3_000_000)[1] == 24
    assert gas.at_position(8, 0)[1] == start


def test_warm_water_takes_up_more_room():
    """From 20 to 30 degrees by 998.2067/995.6488 = 1.002569 (Tanaka), to 2 in a million."""
    water = Climate(kinds.WATER, Line(20_000, 10_000, 40_000, 0, 1))
    assert abs(water.expansion(1, 1_000_000) - Fraction("1.002569")) < Fraction(2, 10**6)


@pytest.mark.parametrize("medium", [kinds.WATER, kinds.GAS])
def test_the_usual_room_is_within_what_the_regulations_ask(medium):
    """domain.md: air 20 +- 2 degrees, humidity 45 to 75 %, meter within 1 degree of the standard, outlet above
    0.03 MPa for water.
    """
    room = climate(medium)
    assert 18_000 <= room.air_mk <= 22_000
    assert 450 <= room.humidity_permille <= 750
    for position in range(1, 21):
        mk, pressure = room.at_position(position, room.line.drop_flow)
        assert abs(mk - room.line.ref_mk) <= 1000
        assert pressure >= (13_132 if medium == kinds.WATER else 9_000)
