"""From raw counts to an error, in exact fractions.

    V_ref = volume per reference pulse * ref_counts * meter_ticks / ref_ticks        double chronometry, ISO 7278-3
    water: E = (V_i - V) / V,  V = V_ref carried to the meter's temperature by the density of water
    gas:   E = (V_m p_m T_ref) / (V_ref p_ref T_m) - 1, absolute pressure and kelvin  (JJG 577-2012)

Nothing is rounded before it is shown: a limit is compared with the fraction itself. Volumes are in microlitres,
flows in mL/h, temperatures in mK above 273 150 mK, pressures absolute in units of 10 Pa.

Not covered: air dissolved in water and its compressibility (below 1 ppm on a bench), real-gas factors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise

from meterseal_protocol.ratio import parts, ratio
from meterseal_wire import point as p
from meterseal_wire.encode import encode

PPM = 1_000_000
DENSITY_SOURCE = "Tanaka et al., Metrologia 38 (2001) 301, equation 1: air-free water, 101 325 Pa"
# 10^-6 kg/m3 at each whole degree Celsius from 0 to 40; linear between, within 3 ppm of the equation.
# fmt: off
DENSITY = (
    999842826, 999901652, 999942907, 999967159, 999974948, 999966783, 999943147, 999904499, 999851270, 999783874,
    999702702, 999608124, 999500494, 999380147, 999247405, 999102572, 998945937, 998777779, 998598361, 998407937,
    998206746, 997995019, 997772977, 997540830, 997298781, 997047022, 996785738, 996515107, 996235299, 995946477,
    995648797, 995342411, 995027462, 994704089, 994372426, 994032601, 993684738, 993328955, 992965366, 992594082,
    992215209,
)
# fmt: on
DENSITY_DIGEST = sha256(encode(DENSITY)).digest()
MK_PER_KELVIN = 1000


@dataclass(frozen=True)
class CalibrationRow:
    """One calibrated flow of a reference: mL/h, microlitres a pulse, U (k = 2) as a relative fraction."""

    flow: int
    pulse_ul: Fraction
    expanded: Fraction


def read_calibration(rows: Sequence[Sequence[int | Sequence[int]]]) -> tuple[CalibrationRow, ...]:
    """Rows of a standard grant; empty where flows don't ascend or a volume is 0 or no fraction."""
    found = []
    for flow, volume, u_ppm in rows:
        if not isinstance(flow, int) or not isinstance(u_ppm, int) or isinstance(volume, int):
            return ()
        if not all(volume):
            return ()
        found.append(CalibrationRow(flow, ratio(volume[0], volume[1]), ratio(u_ppm, PPM)))
    ascending = all(low.flow < high.flow for low, high in pairwise(found))
    return tuple(found) if ascending else ()


def calibrated(rows: Sequence[CalibrationRow], flow: Fraction) -> CalibrationRow | None:
    """Volume a pulse and U at `flow`, linear between rows; None outside of the calibrated range."""
    if len(rows) == 1 and rows[0].flow == flow:
        return rows[0]
    for low, high in pairwise(rows):
        if low.flow <= flow <= high.flow:
            part = (flow - low.flow) / (high.flow - low.flow)
            volume = low.pulse_ul + (high.pulse_ul - low.pulse_ul) * part
            return CalibrationRow(int(flow), volume, low.expanded + (high.expanded - low.expanded) * part)
    return None


@lru_cache(maxsize=4096)
def density(mk: int) -> Fraction | None:
    """Density of water in 10^-6 kg/m3; None outside of 0 to 40 degrees Celsius."""
    degree, rest = divmod(mk, MK_PER_KELVIN)
    if not 0 <= mk <= (len(DENSITY) - 1) * MK_PER_KELVIN:
        return None
    if rest == 0:
        return ratio(DENSITY[degree])
    return DENSITY[degree] + ratio((DENSITY[degree + 1] - DENSITY[degree]) * rest, MK_PER_KELVIN)


def mean_flow(row: Sequence[int]) -> Fraction:
    """Middle of the flows that were seen during a point, mL/h."""
    return ratio(row[p.FLOW_MIN_ML_PER_H] + row[p.FLOW_MAX_ML_PER_H], 2)


def counted(row: Sequence[int]) -> bool:
    """True if a point has what an error needs: edges and time on both channels."""
    return all(row[index] > 0 for index in (p.METER_COUNTS, p.METER_TICKS, p.REF_COUNTS, p.REF_TICKS))


def reference_ul(row: Sequence[int], pulse_ul: Fraction) -> Fraction:
    """What passed the reference during the meter's counted time, in microlitres at the reference."""
    return pulse_ul * row[p.REF_COUNTS] * ratio(row[p.METER_TICKS], row[p.REF_TICKS])


def water_error(row: Sequence[int], meter_pulse_ul: Fraction, ref_pulse_ul: Fraction) -> Fraction | None:
    """Relative error of a water meter at a point; None where counts are missing or it is not 0 to 40 degrees."""
    at_reference, at_meter = density(row[p.REF_TEMP_MK]), density(row[p.METER_TEMP_MK])
    if not counted(row) or at_reference is None or at_meter is None:
        return None
    # The same mass passes both, so volume goes with the inverse of density.
    passed = reference_ul(row, ref_pulse_ul) * at_reference / at_meter
    return (row[p.METER_COUNTS] * meter_pulse_ul - passed) / passed


def gas_error(row: Sequence[int], meter_pulse_ul: Fraction, ref_pulse_ul: Fraction) -> Fraction | None:
    """Relative error of a gas meter at a point; None where counts, a pressure or a temperature are missing."""
    meter_k, ref_k = kelvin_mk(row[p.METER_TEMP_MK]), kelvin_mk(row[p.REF_TEMP_MK])
    pressures = row[p.METER_PRESSURE_10PA], row[p.REF_PRESSURE_10PA]
    if not counted(row) or min(meter_k, ref_k, *pressures) <= 0:
        return None
    shown = row[p.METER_COUNTS] * meter_pulse_ul * pressures[0] * ref_k
    passed = reference_ul(row, ref_pulse_ul) * pressures[1] * meter_k
    return shown / passed - 1


def kelvin_mk(mk: int) -> int:
    """Thermodynamic temperature in mK."""
    return mk + p.ZERO_CELSIUS_MK


def ppm(value: Fraction) -> int:
    """Parts per million, half away from zero: to be shown, never to be compared."""
    return rounded(value * PPM)


def rounded(value: Fraction) -> int:
    """Nearest whole number, half away from zero."""
    above, below = parts(value)
    whole = (2 * abs(above) + below) // (2 * below)
    return whole if above >= 0 else -whole
