"""Meters with a character, for tests and the demo: each errs on purpose, at the flows at which a pack tests it.

Limits from domain.md: water class 2 is 5 % below Q2 and 2 % from there, the same-sign rule half of that; gas class
1.5 is 3 % below 0.1 qmax and 1.5 % from there, the same-sign rule 1 %.
"""

from meterseal_tools.sim.catalogue import MeterData
from meterseal_tools.sim.meter import ErrorCurve, Meter
from meterseal_tools.sim.pulses import mix
from meterseal_wire import kinds

WATER_FLOWS = (25_000, 40_000, 2_500_000)  # Q1, Q2, Q3
GAS_FLOWS = (40_000, 1_200_000, 6_000_000)  # qmin, 0.2 qmax, qmax
GOOD = {kinds.WATER: (-12_000, 5_000, -4_000), kinds.GAS: (-8_000, 3_000, -5_000)}
ONE_SIDED = {kinds.WATER: (31_000, 14_000, 13_500), kinds.GAS: (18_000, 12_500, 13_000)}
PAST_LIMIT_PPM = {kinds.WATER: 27_000, kinds.GAS: -21_000}
SCATTER_PPM = 1500


def flows(medium: int) -> tuple[int, int, int]:
    """The three flows in mL/h at which the specimens' errors are given."""
    return WATER_FLOWS if medium == kinds.WATER else GAS_FLOWS


def good(data: MeterData, serial: str, register: int = 0) -> Meter:
    """Well within every limit, errors of both signs, scattered a little by serial."""
    scatter = [mix(int(serial), number + 1) % (2 * SCATTER_PPM + 1) - SCATTER_PPM for number in range(3)]
    errors = (ppm + off for ppm, off in zip(GOOD[data.medium], scatter, strict=True))
    return Meter(data, serial, ErrorCurve(*zip(flows(data.medium), errors, strict=True)), register)


def past_limit(data: MeterData, serial: str, register: int = 0) -> Meter:
    """Good at the lowest and the highest flow, past its limit at the middle one."""
    low, middle, high = flows(data.medium)
    errors = GOOD[data.medium]
    curve = ErrorCurve((low, errors[0]), (middle, PAST_LIMIT_PPM[data.medium]), (high, errors[2]))
    return Meter(data, serial, curve, register)


def one_sided(data: MeterData, serial: str, register: int = 0) -> Meter:
    """Within every limit, but all errors positive and none within the tighter figure of the same-sign rule."""
    curve = ErrorCurve(*zip(flows(data.medium), ONE_SIDED[data.medium], strict=True))
    return Meter(data, serial, curve, register)


def silent(data: MeterData, serial: str, register: int = 0) -> Meter:
    """A good meter that never answers on the bus."""
    meter = good(data, serial, register)
    meter.silent = True
    return meter
