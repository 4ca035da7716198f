"""One row of a result with all that follows from it: its limit, its reference, its error, its uncertainty."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from meterseal_protocol import methods
from meterseal_protocol.kept import kept
from meterseal_protocol.metrology import CalibrationRow, calibrated, mean_flow
from meterseal_protocol.ratio import ZERO
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.pack import Pack, Zone
from meterseal_protocol.uncertainty import Clock, Given, Sensors, squares
from meterseal_wire import kinds
from meterseal_wire import point as p

MS_PER_S = 1000
LONGEST_TICKS = (1 << 32) - 1
UL_MS_PER_ML_H = 3600  # at 1 mL/h a microlitre takes 3600 ms
FLOW_SLACK = 10, 11  # a bench sees its flow to within a tenth


@dataclass(frozen=True)
class Measured:
    """One row of a position with what follows from it; None where an input is missing."""

    row: Sequence[int]
    flow: Fraction
    plausible: bool
    limit: Fraction | None
    reference: CalibrationRow | None
    error: Fraction | None
    squares: tuple[Fraction, ...]


@dataclass(frozen=True)
class Frame:
    """What a row is measured by; pack and type are None where they are not known."""

    clock: Clock
    pack: Pack | None
    meter: MeterType | None
    calibrations: Sequence[tuple[CalibrationRow, ...]]

    def measure(self, row: Sequence[int]) -> Measured:
        """Everything that follows from a row."""
        flow = mean_flow(row)
        reference = self._reference(row, flow)
        plausible = self._plausible(row) and self._in_time(row, reference)
        error = self._error(row, reference) if plausible else None
        lines: tuple[Fraction, ...] = ()
        if error is not None and reference is not None:
            lines = self._squares(row, reference)
        return Measured(row, flow, plausible, self._limit(row, flow), reference, error, lines)

    def _plausible(self, row: Sequence[int]) -> bool:
        """True if a row has what its method needs, is of one for its medium, and fits its own duration."""
        medium = self.meter.medium if self.meter else None
        if not methods.complete(row) or (medium is not None and not methods.fits(row, medium)):
            return False
        ticks = max(row[p.METER_TICKS], row[p.REF_TICKS])
        in_time = ticks * MS_PER_S <= (row[p.DURATION_MS] + 1) * self.clock.ticks_per_s
        return ticks <= LONGEST_TICKS and in_time

    def _in_time(self, row: Sequence[int], reference: CalibrationRow | None) -> bool:
        """True unless more passed, by the counts, than the greatest flow seen lets through while gates were open."""
        passed = methods.passed_ul(row, reference.pulse_ul, self.bench) if reference else None
        if passed is None:
            return True
        most = row[p.FLOW_MAX_ML_PER_H] * (row[p.DURATION_MS] + 1)
        return passed * UL_MS_PER_ML_H * FLOW_SLACK[0] <= most * FLOW_SLACK[1]

    def _limit(self, row: Sequence[int], flow: Fraction) -> Fraction | None:
        """Limit of the highest zone that starts at or below the flow: so Q2 and q_t are in the upper one."""
        if self.pack is None or not self.zones:
            return None
        found = [zone for low, zone in self.zones if flow >= low][-1:] or [self.zones[0][1]]
        warm = self.pack.medium == kinds.WATER and row[p.METER_TEMP_MK] > self.pack.number("warm_above_mk")
        return found[0].warm_limit if warm else found[0].limit

    @kept
    def zones(self) -> list[tuple[Fraction, Zone]]:
        """Zones of the meter's class, each with the flow in mL/h at which it starts."""
        pack, meter = self.pack, self.meter
        if pack is None or meter is None or meter.medium != pack.medium:
            return []
        return [(pack.flow(zone.low, meter), zone) for zone in pack.zones(meter.accuracy_class)]

    def _reference(self, row: Sequence[int], flow: Fraction) -> CalibrationRow | None:
        """The first of the fixture's standards that is calibrated over the flows seen."""
        for rows in self.calibrations:
            least, most = row[p.FLOW_MIN_ML_PER_H], row[p.FLOW_MAX_ML_PER_H]
            if rows and rows[0].flow <= least <= most <= rows[-1].flow:
                return calibrated(rows, flow)
        return None

    def _error(self, row: Sequence[int], reference: CalibrationRow | None) -> Fraction | None:
        if reference is None or self.meter is None:
            return None
        return methods.error(row, self.meter, reference.pulse_ul, self.bench)

    @kept
    def bench(self) -> methods.Bench:
        """What methods need beside a row; without a pack there is no buoyancy to reckon with."""
        if self.pack is None:
            return methods.Bench(self.clock.ticks_per_s, 0, 1)
        air, weights = (
            self.pack.number("air_density_ug_per_ml"),
            self.pack.number("weights_density_kg_per_m3"),
        )
        return methods.Bench(self.clock.ticks_per_s, air, weights)

    def _squares(self, row: Sequence[int], reference: CalibrationRow) -> tuple[Fraction, ...]:
        if self.pack is None or self.meter is None:
            return ()
        sensors = Sensors(self.pack.number("sensor_temperature_mk"), self.pack.number("sensor_pressure_10pa"))
        step = methods.unit_ul(self.meter) / methods.meter_ul(row, self.meter)
        register = ZERO if row[p.METER_COUNTS] else step
        given = Given(reference.expanded, self.meter.update_ms, register, methods.left_open(row, self.bench))
        return squares(self.meter.medium, row, self.clock, sensors, given)
