"""Meters and the reference, against the arithmetic of a bench written out here."""

from fractions import Fraction

import pytest

from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.climate import Climate, Line, climate
from meterseal_tools.sim.flow import FlowHistory
from meterseal_tools.sim.meter import ErrorCurve, Meter, Reference, between
from meterseal_wire import kinds

TPS = 1_000_000
KELVIN = 273_150
EVEN = Climate(kinds.WATER, Line(20_000, 0, 40_000, 0, 1))
ONE_ML = ((20_000, (1000, 1), 500), (4_000_000, (1000, 1), 500))


def running(flow):
    """A history in which `flow` mL/h runs from tick 0."""
    history = FlowHistory(TPS)
    history.set(0, flow)
    return history


def test_values_between_rows_are_linear_and_the_ends_hold_outside():
    """Half way from 100 at 10 to 300 at 20 is 200; a third beyond an end is the end."""
    rows = ((10, Fraction(100)), (20, Fraction(300)))
    assert [between(rows, flow) for flow in (5, 10, 15, 20, 99)] == [100, 100, 200, 300, 300]


def test_an_error_curve_gives_the_programmed_error_at_its_points_and_lines_between():
    """-1000 ppm at 100 L/h and 3000 at 500: at 200 a quarter of the way, 0."""
    curve = ErrorCurve((500_000, 3000), (100_000, -1000))
    assert [curve.at(flow) for flow in (100_000, 200_000, 500_000)] == [-1000, 0, 3000]


def test_the_reference_gives_its_calibrated_pulses_at_each_flow():
    """1.0004 mL a pulse at 20 L/h: an hour is 20 000/1.0004 = 19 992 pulses, and a part."""
    reference = Reference(((20_000, (1_000_400, 1000), 0), (400_000, (1_000_000, 1000), 0)))
    assert reference.ul_per_pulse(210_000) == Fraction(2_000_400, 2000)
    assert reference.train(running(20_000)).edges(3600 * TPS) == 19_992


def test_a_perfect_meter_registers_what_flowed():
    """2.5 m3/h for 36 s is 25 L: register 25 units of a litre on, 2500 pulses of 10 mL give or take the phase."""
    meter = Meter(CATALOGUE["itron_bm"], "12345678", ErrorCurve((1, 0)), register=100)
    history = running(2_500_000)
    meter.mount(history, 0, 1, EVEN)
    before = meter.volume_ul(0)
    assert meter.volume_ul(36 * TPS) - before == 25_000_000
    assert meter.register(36 * TPS) == 125
    assert meter.gate(0, 36 * TPS)[0] == 2499


@pytest.mark.parametrize("ppm", [-50_000, -4000, 0, 1, 13_500, 27_000])
@pytest.mark.parametrize("flow", [25_000, 40_000, 2_500_000])
def test_the_point_integers_carry_exactly_the_programmed_error_of_a_water_meter(ppm, flow):
    """E = (V_i - V_ref)/V_ref by double chronometry (ISO 7278-3): V_i = counts x 10 mL, V_ref = 1 mL x ref_counts x
    meter_ticks / ref_ticks. Each of the four edges is late by under one tick: one tick in either time.
    """
    meter = Meter(CATALOGUE["itron_bm"], "12345678", ErrorCurve((1, ppm)))
    history = running(flow)
    meter.mount(history, 0, 3, EVEN)
    opened, closed = 7 * TPS, 607 * TPS
    counts, first, last = meter.gate(opened, closed)
    ref_counts, ref_first, ref_last = Reference(ONE_ML).train(history).gate(opened, closed)
    meter_ticks, ref_ticks = last - first, ref_last - ref_first
    v_ref = Fraction(1000 * ref_counts * meter_ticks, ref_ticks)
    error = (counts * 10_000 - v_ref) / v_ref
    assert abs(error - Fraction(ppm, 10**6)) < Fraction(11, 10) * (
        Fraction(1, meter_ticks) + Fraction(1, ref_ticks)
    )


@pytest.mark.parametrize("ppm", [-21_000, 0, 12_500])
@pytest.mark.parametrize("flow", [40_000, 1_200_000, 6_000_000])
@pytest.mark.parametrize("position", [1, 8])
def test_a_gas_meter_down_the_line_shows_its_error_after_correction(ppm, flow, position):
    """E = (V_m p_m T_ref)/(V_ref p_ref T_m) - 1 (JJG 577) with what the sensors say at that position, to one tick."""
    air = climate(kinds.GAS)
    meter = Meter(CATALOGUE["lgb"], "17591208", ErrorCurve((1, ppm)))
    history = running(flow)
    meter.mount(history, 0, position, air)
    counts, first, last = meter.gate(0, 900 * TPS)
    rows = ((30_000, (10_006, 1), 2500), (7_000_000, (9_996, 1), 1800))
    reference = Reference(rows)
    ref_counts, ref_first, ref_last = reference.train(history).gate(0, 900 * TPS)
    per_pulse = 10_006 - Fraction(10 * (flow - 30_000), 6_970_000)
    v_ref = per_pulse * ref_counts * (last - first) / (ref_last - ref_first)
    (ref_mk, ref_p), (mk, p) = air.at_reference(), air.at_position(position, flow)
    error = counts * 100_000 * p * (ref_mk + KELVIN) / (v_ref * ref_p * (mk + KELVIN)) - 1
    assert abs(error - Fraction(ppm, 10**6)) < Fraction(2, last - first) + Fraction(2, ref_last - ref_first)


def test_the_register_goes_on_where_it_stood_when_the_meter_comes_back():
    """25 L on one bench, off for an hour, 25 L on the next: from 100 to 150 units of a litre."""
    meter = Meter(CATALOGUE["itron_bm"], "12345678", ErrorCurve((1, 0)), register=100)
    meter.mount(running(2_500_000), 0, 1, EVEN)
    meter.unmount(36 * TPS)
    assert meter.register(3600 * TPS) == 125
    meter.mount(running(2_500_000), 3600 * TPS, 4, EVEN)
    assert meter.register(3636 * TPS) == 150


def test_pulses_fall_where_the_registered_volume_passes_a_pulse_volume():
    """At an edge the volume registered is a multiple of 10 mL, or under one tick's flow (694 uL/s, 0.7 uL) past it."""
    meter = Meter(CATALOGUE["itron_bm"], "87654321", ErrorCurve((1, 0)))
    meter.mount(running(2_500_000), 0, 1, EVEN)
    _, first, last = meter.gate(0, 60 * TPS)
    for tick in (first, last):
        assert meter.volume_ul(tick) % 10_000 < Fraction(2_500_000 * 1000, 3600 * TPS)


def test_a_meter_with_a_dead_pulse_output_goes_on_registering():
    """No edge comes out, yet 25 L stand on the register."""
    meter = Meter(CATALOGUE["itron_bm"], "12345678", ErrorCurve((1, 0)), register=1)
    meter.mount(running(2_500_000), 0, 1, EVEN)
    meter.dead_pulse = True
    assert meter.gate(0, 36 * TPS) == (0, 0, 0)
    assert meter.register(36 * TPS) == 26


def test_the_secondary_address_is_id_maker_version_and_medium_as_on_the_bus():
    """EN 13757-3: id 12082058 low byte first, then the template's E2 30 (LGB), version 40, medium 03."""
    meter = Meter(CATALOGUE["lgb"], "12082058", ErrorCurve((1, 0)))
    assert meter.secondary_address.hex() == "58200812e2304003"
