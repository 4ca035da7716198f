"""A meter: what it registers of the volume that passes it, and the pulses and register that follow from that.

Everything follows from one number, the volume registered since the meter was built. The register shows it in
whole units; a pulse edge falls wherever it passes a multiple of the pulse volume. So pulses and register agree,
from one run to the next too.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from meterseal_tools.sim.catalogue import Calibration, MeterData, telegram
from meterseal_tools.sim.climate import Climate
from meterseal_tools.sim.flow import FlowHistory
from meterseal_tools.sim.pulses import PulseTrain, mix

UL_PER_ML = 1000
PPM = 1_000_000
SECONDARY_ADDRESS = slice(7, 15)


def between(rows: Sequence[tuple[int, Fraction]], flow: int) -> Fraction:
    """The value at `flow`: linear between rows of ascending flow, the end rows' values outside."""
    for (low, below), (high, above) in pairwise(rows):
        if low <= flow <= high:
            return below + (above - below) * (flow - low) / (high - low)
    return rows[0][1] if flow < rows[0][0] else rows[-1][1]


class ErrorCurve:
    """Error of indication in ppm by flow on the bench in mL/h, linear between the given points."""

    def __init__(self, *points: tuple[int, int]) -> None:
        self.rows = tuple((flow, Fraction(ppm)) for flow, ppm in sorted(points))

    def at(self, flow_ml_per_h: int) -> Fraction:
        """Error in ppm, as a fraction."""
        return between(self.rows, flow_ml_per_h)


class Reference:
    """The bench's reference meter: exactly the volume per pulse that its calibration says at each flow."""

    def __init__(self, rows: Calibration) -> None:
        self.rows = tuple((flow, Fraction(*volume)) for flow, volume, _ in rows)

    def ul_per_pulse(self, flow_ml_per_h: int) -> Fraction:
        """Microlitres for one pulse at that flow."""
        return between(self.rows, flow_ml_per_h)

    def train(self, history: FlowHistory) -> PulseTrain:
        """Its pulses in that history."""
        return PulseTrain(history, lambda flow: UL_PER_ML / self.ul_per_pulse(flow))


class Meter:
    """One meter with its serial (up to 8 digits, its M-Bus id too), error curve and start register in register units.

    `silent`: it never answers on the bus. `dead_pulse`: it counts, but no edge comes out. `shown_id`: the id in its
    telegrams, where that is not the one by which it is selected. All three may be changed at any time.
    """

    def __init__(self, data: MeterData, serial: str, curve: ErrorCurve, register: int = 0) -> None:
        self.data, self.serial, self.curve = data, serial.zfill(8), curve
        self.silent = self.dead_pulse = False
        self.shown_id = self.serial
        self.template = telegram(data.telegram)
        hidden = Fraction(mix(int(serial), 0) % PPM, PPM)
        self._volume_ul = (register + hidden) * data.register_unit_ul
        self._train: PulseTrain | None = None

    @property
    def secondary_address(self) -> bytes:
        """8 bytes as on the bus: id (BCD, low byte first), manufacturer, version, medium (EN 13757-3)."""
        return bytes.fromhex(self.serial)[::-1] + self.template[SECONDARY_ADDRESS][4:]

    def mount(self, history: FlowHistory, since: int, position: int, climate: Climate) -> PulseTrain:
        """Put it into the pipe at `position` from tick `since` on."""

        def pulses_per_ml(flow: int) -> Fraction:
            gain = 1 + self.curve.at(flow) / PPM
            return climate.expansion(position, flow) * gain * UL_PER_ML / self.data.pulse_ul

        self._train = PulseTrain(history, pulses_per_ml, since, self._volume_ul / self.data.pulse_ul % 1)
        return self._train

    def unmount(self, tick: int) -> None:
        """Take it out at `tick`; its register stays."""
        self._volume_ul = self.volume_ul(tick)
        self._train = None

    def volume_ul(self, tick: int) -> Fraction:
        """Microlitres registered since it was built, up to `tick`."""
        if self._train is None:
            return self._volume_ul
        phase = self._volume_ul / self.data.pulse_ul % 1
        return self._volume_ul + (self._train.pulses(tick) - phase) * self.data.pulse_ul

    def register(self, tick: int) -> int:
        """The register at `tick`, whole register units."""
        return int(self.volume_ul(tick) // self.data.register_unit_ul)

    def gate(self, first: int, last: int) -> tuple[int, int, int]:
        """(intervals, first edge, last edge) as `PulseTrain.gate`; zeros when no edge comes out."""
        if self._train is None or self.dead_pulse:
            return 0, 0, 0
        return self._train.gate(first, last)
