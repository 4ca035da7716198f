"""Temperature and pressure on the bench, and what they do to a volume on its way from reference to meter.

Gas: the same moles pass every meter, so its volume there is that at the reference times p_ref T_m / (p_m T_ref)
(absolute pressure and kelvin, ideal gas); each meter in series drops a little pressure, with the square of the
flow. Water: the same mass passes, so volume goes with the inverse of density (Tanaka et al., Metrologia 38, 2001,
equation 1; pressure is left out). What the sensors say is exactly what the physics uses.
"""

from dataclasses import dataclass
from fractions import Fraction

from meterseal_wire import kinds
from meterseal_wire.point import ZERO_CELSIUS_MK


def water_density(mk: int) -> Fraction:
    """kg/m3 of air-free water at 101 325 Pa and `mk` thousandths of a degree Celsius, 0 to 40 degrees."""
    t = Fraction(mk, 1000)
    a1, a2, a3, a4, a5 = (Fraction(x) for x in ("-3.983035", "301.797", "522528.9", "69.34881", "999.974950"))
    return a5 * (1 - (t + a1) ** 2 * (t + a2) / (a3 * (t + a4)))


@dataclass(frozen=True)
class Line:
    """The pipe: temperature in mK above 273 150 at the reference and its change from one position to the next,
    absolute pressure at the reference, and the drop over one meter at `drop_flow`, both in 10 Pa.
    """

    ref_mk: int
    step_mk: int
    ref_10pa: int
    drop_10pa: int
    drop_flow: int


WATER_LINE = Line(20_150, -8, 40_000, 600, 2_500_000)
GAS_LINE = Line(20_050, 15, 10_332, 12, 6_000_000)


@dataclass
class Climate:
    """The room and the pipe. The room's three figures may be changed while the rig runs."""

    medium: int
    line: Line
    air_mk: int = 20_100
    air_10pa: int = 10_132
    humidity_permille: int = 600

    def at_reference(self) -> tuple[int, int]:
        """(mK above 273 150, absolute pressure in 10 Pa)."""
        return self.line.ref_mk, self.line.ref_10pa

    def at_position(self, position: int, flow_ml_per_h: int) -> tuple[int, int]:
        """The same at the inlet of the meter at `position`, from 1, while that flow runs."""
        drop = position * self.line.drop_10pa * flow_ml_per_h**2 // self.line.drop_flow**2
        return self.line.ref_mk + position * self.line.step_mk, self.line.ref_10pa - drop

    def expansion(self, position: int, flow_ml_per_h: int) -> Fraction:
        """Volume at `position` of what takes up one volume at the reference."""
        here_mk, here_p = self.at_position(position, flow_ml_per_h)
        ref_mk, ref_p = self.at_reference()
        if self.medium == kinds.WATER:
            return water_density(ref_mk) / water_density(here_mk)
        return Fraction(ref_p * (here_mk + ZERO_CELSIUS_MK), here_p * (ref_mk + ZERO_CELSIUS_MK))


def climate(medium: int) -> Climate:
    """The usual room and pipe of a water or a gas bench."""
    return Climate(medium, WATER_LINE if medium == kinds.WATER else GAS_LINE)
