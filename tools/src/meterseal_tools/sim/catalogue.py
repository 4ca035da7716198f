"""Types of meter that the simulator can make, each on a captured telegram, and the two benches' references.

Water: DN20, Q3 2.5 m3/h, R 100, a pulse each 10 mL. Gas: G4, qmax 6 and qmin 0.04 m3/h, a pulse each 0.1 L from an
optical pick-up (the diaphragm's own 1.2 L cycle would take minutes at qmin). Register exponents are those of the
telegram's volume record.
"""

from dataclasses import dataclass
from fractions import Fraction
from importlib.resources import files

from meterseal_tools.sim.errors import BadSetup
from meterseal_wire import kinds

Calibration = tuple[tuple[int, tuple[int, int], int], ...]


@dataclass(frozen=True)
class MeterData:
    """What all meters of a type share. `register_exponent`: one register unit is 10 to that of a cubic metre."""

    medium: int
    telegram: str
    pulse_ul: Fraction
    register_exponent: int

    @property
    def register_unit_ul(self) -> int:
        """Microlitres in one register unit."""
        return int(10 ** (9 + self.register_exponent))


def _water(telegram: str, exponent: int = -3) -> MeterData:
    return MeterData(kinds.WATER, telegram, Fraction(10_000), exponent)


def _gas(telegram: str, exponent: int) -> MeterData:
    return MeterData(kinds.GAS, telegram, Fraction(100_000), exponent)


CATALOGUE = {
    "itron_cyble": _water("itron_cyble_m-bus_v1.4_cold_water", -1),
    "itron_bm": _water("ACW_Itron-BM-plus-m"),
    "ram": _water("ram_modularis"),
    "padpuls": _water("manual_frame3"),
    "waterstar": _water("EFE_Engelmann-WaterStar"),
    "siemens": _water("siemens_water"),
    "lgb": _gas("LGB_G350", -3),
    "els": _gas("oms_frame1", -2),
}

WATER_CALIBRATION: Calibration = (
    (20_000, (1_000_400, 1000), 1500),
    (400_000, (1_000_000, 1000), 800),
    (3_200_000, (999_700, 1000), 800),
)
GAS_CALIBRATION: Calibration = (
    (30_000, (10_006, 1), 2500),
    (1_200_000, (10_000, 1), 1800),
    (7_000_000, (9_996, 1), 1800),
)


def calibration(medium: int) -> Calibration:
    """Rows (flow in mL/h, (numerator, denominator) of microlitres for a reference pulse, U in ppm), k = 2."""
    return WATER_CALIBRATION if medium == kinds.WATER else GAS_CALIBRATION


def telegram(name: str) -> bytes:
    """The captured telegram of that name, as bytes."""
    path = files("meterseal_tools.sim") / "telegrams" / f"{name}.hex"
    if not path.is_file():
        raise BadSetup(f"There is no telegram {name}: use one of those in sim/telegrams.")
    return bytes.fromhex(path.read_text(encoding="ascii"))
