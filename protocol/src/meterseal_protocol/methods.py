"""The volume that passed, by method, in exact fractions of a microlitre; point.py says what each method's columns hold.

    static         V = volume per reference pulse * ref_counts
    volumetric     V = volume per step of the scale * ref_counts
    gravimetric    m = indication * (1 - rho_air / rho_weights) / (1 - rho_air / rho_water);  V = m / rho_water
    bell prover    V = volume per step of the scale * ref_counts
    nozzle         V = volume per second at 20 degrees * seconds * sqrt(T / 293.15 K)

Water that was collected has the density of the reference's temperature, and is carried to the meter's as for a
reference meter. A balance is corrected for the buoyancy of air (OIML R 111-1 clause 10.2's conventional mass) with the
pack's density of air, which may be off by a tenth: what that does to the mass is a line of the point's uncertainty. The
root of the nozzle's formula is the one irrational number here: it is bracketed from below by an integer root to within
one part in 10^12, and that part is such a line too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from meterseal_protocol.metrology import (
    counted,
    density,
    gas_error,
    kelvin_mk,
    reference_ul,
    water_error,
)
from meterseal_protocol.ratio import ZERO, ratio
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_wire import kinds
from meterseal_wire import point as p

UL_PER_M3 = 10**9
NOZZLE_KELVIN_MK = 293_150  # 20 degrees: where a nozzle's volume per second is stated
ROOT = 10**12
ROOT_BOUND = Fraction(1, ROOT)
AIR_OFF = Fraction(
    11, 10
)  # air may be a tenth denser or thinner than the pack says (draft: up to some 900 m of height)
# Densities here are in 10^-6 kg/m3, so a milligram divided by one is 10^9 microlitres.
UL_MG = 10**9
AIR_TO_DENSITY, WEIGHTS_TO_DENSITY = 1000, 10**6  # from ug/mL and from kg/m3


@dataclass(frozen=True)
class Bench:
    """What a method needs to know beside the row: the capture clock, and the pack's densities for buoyancy."""

    ticks_per_s: int
    air_ug_per_ml: int
    weights_kg_per_m3: int


def complete(row: Sequence[int]) -> bool:
    """True if a row has what its method needs of meter and reference."""
    method = row[p.METHOD]
    if method == p.REFERENCE_METER:
        return counted(row)
    by_meter = row[p.METER_COUNTS] > 0 or row[p.REGISTER_DIFF] > 0
    reference = p.REF_TICKS if method == p.CRITICAL_NOZZLE else p.REF_COUNTS
    return method in p.METHODS and by_meter and row[reference] > 0


def fits(row: Sequence[int], medium: int) -> bool:
    """True if the method is one for this medium."""
    return row[p.METHOD] in (p.WATER_METHODS if medium == kinds.WATER else p.GAS_METHODS)


def meter_ul(row: Sequence[int], meter: MeterType) -> Fraction:
    """What the meter says that passed: its pulses, or its register where it counted none."""
    if row[p.METER_COUNTS] > 0:
        return row[p.METER_COUNTS] * meter.pulse_ul
    return row[p.REGISTER_DIFF] * unit_ul(meter)


def unit_ul(meter: MeterType) -> Fraction:
    """One unit of the meter's register."""
    power = meter.register_exponent
    return ratio(UL_PER_M3 * 10**power) if power >= 0 else ratio(UL_PER_M3, 10**-power)


def passed_ul(row: Sequence[int], per_step: Fraction, bench: Bench) -> Fraction | None:
    """What passed at the reference; None where a density or a temperature is out of reach."""
    method = row[p.METHOD]
    if method == p.REFERENCE_METER:
        return reference_ul(row, per_step)
    if method == p.GRAVIMETRIC:
        return _weighed_ul(row, bench)
    if method == p.CRITICAL_NOZZLE:
        return _blown_ul(row, per_step, bench)
    return row[p.REF_COUNTS] * per_step


def _weighed_ul(row: Sequence[int], bench: Bench) -> Fraction | None:
    water, lifted = density(row[p.REF_TEMP_MK]), _buoyancy(row, bench, ratio(1))
    if water is None or lifted is None:
        return None
    return row[p.REF_COUNTS] * lifted * UL_MG / water


def _buoyancy(row: Sequence[int], bench: Bench, share: Fraction) -> Fraction | None:
    """Mass by indication, with air of `share` times the pack's density; None where no water sinks in it."""
    water = density(row[p.REF_TEMP_MK])
    air = ratio(bench.air_ug_per_ml * AIR_TO_DENSITY) * share
    if water is None or air >= water or not bench.weights_kg_per_m3:
        return None
    return (1 - air / (bench.weights_kg_per_m3 * WEIGHTS_TO_DENSITY)) / (1 - air / water)


def _blown_ul(row: Sequence[int], per_second: Fraction, bench: Bench) -> Fraction | None:
    kelvin = kelvin_mk(row[p.REF_TEMP_MK])
    if kelvin <= 0 or bench.ticks_per_s <= 0:
        return None
    root = ratio(isqrt(kelvin * ROOT * ROOT // NOZZLE_KELVIN_MK), ROOT)
    return per_second * ratio(row[p.REF_TICKS], bench.ticks_per_s) * root


def left_open(row: Sequence[int], bench: Bench) -> Fraction:
    """What the method itself may be off by, as a share of the volume: a nozzle's root, a balance's air."""
    if row[p.METHOD] == p.CRITICAL_NOZZLE:
        return ROOT_BOUND
    if row[p.METHOD] != p.GRAVIMETRIC:
        return ZERO
    lifted, aside = _buoyancy(row, bench, ratio(1)), _buoyancy(row, bench, AIR_OFF)
    return abs(aside / lifted - 1) if lifted and aside else ratio(1)


def error(row: Sequence[int], meter: MeterType, per_step: Fraction, bench: Bench) -> Fraction | None:
    """Relative error of the meter at a point of any method; None where it can't be computed."""
    if not complete(row) or not fits(row, meter.medium):
        return None
    if row[p.METHOD] == p.REFERENCE_METER:
        compute = water_error if meter.medium == kinds.WATER else gas_error
        return compute(row, meter.pulse_ul, per_step)
    passed = passed_ul(row, per_step, bench)
    if passed is None or passed <= 0:
        return None
    if meter.medium == kinds.WATER:
        at_reference, at_meter = density(row[p.REF_TEMP_MK]), density(row[p.METER_TEMP_MK])
        if at_reference is None or at_meter is None:
            return None
        passed = passed * at_reference / at_meter
        return (meter_ul(row, meter) - passed) / passed
    meter_k, ref_k = kelvin_mk(row[p.METER_TEMP_MK]), kelvin_mk(row[p.REF_TEMP_MK])
    pressures = row[p.METER_PRESSURE_10PA], row[p.REF_PRESSURE_10PA]
    if min(meter_k, ref_k, *pressures) <= 0:
        return None
    return meter_ul(row, meter) * pressures[0] * ref_k / (passed * pressures[1] * meter_k) - 1
