"""The bench as physics: one pipe with a valve, a reference, meters in series, and the gates that count their edges.

No bytes here; front_end.py puts it on a serial line. Every method takes the tick from the rig's clock, so a test
with a manual clock knows to the tick what happened when.
"""

from dataclasses import dataclass

from meterseal_tools.sim.catalogue import Calibration, calibration
from meterseal_tools.sim.climate import climate
from meterseal_tools.sim.clock import Clock
from meterseal_tools.sim.errors import BadSetup
from meterseal_tools.sim.flow import FlowHistory
from meterseal_tools.sim.meter import Meter, Reference
from meterseal_wire import kinds

RESOLUTION_TICKS, JITTER_TICKS = 1, 1
LONGEST_GATE = (1 << 32) - 1
TEST_PRESSURE_10PA = {kinds.WATER: 160_000, kinds.GAS: 11_632}


@dataclass(frozen=True)
class BenchSpec:
    """A bench to build: medium (kinds.WATER or GAS), positions, seed, and how long the valve takes, in ms."""

    medium: int
    positions: int = 8
    seed: int = 1
    ramp_ms: int = 1500
    jitter_ticks: int = JITTER_TICKS
    calibration: Calibration | None = None


@dataclass
class BenchFaults:
    """What may be wrong with the bench: no flow though the valve was set, a leak in 10 Pa a second at the closed
    bench, and edges counted at zero flow.
    """

    no_flow: bool = False
    leak_10pa_per_s: int = 0
    zero_counts: int = 0


class Bench:
    """Pipe, reference and positions 1 to n. Channel 0 is the reference, channel n position n."""

    def __init__(self, spec: BenchSpec, clock: Clock) -> None:
        self.spec, self.clock = spec, clock
        self.faults = BenchFaults()
        self.climate = climate(spec.medium)
        self.history = FlowHistory(clock.ticks_per_s, spec.ramp_ms * clock.ticks_per_s // 1000)
        self.meters: dict[int, Meter] = {}
        self.reference = Reference(spec.calibration or calibration(spec.medium))
        self._reference = self.reference.train(self.history).with_jitter(spec.jitter_ticks, spec.seed)
        self._gates: dict[int, tuple[int, int | None]] = {}

    @property
    def channels(self) -> int:
        """The reference and every position."""
        return self.spec.positions + 1

    def position(self, channel: int) -> int:
        """The position of a channel: its own number; 0 is the reference's."""
        return channel

    def mount(self, position: int, meter: Meter) -> None:
        """Put a meter at a free position of the closed bench."""
        if not 1 <= position <= self.spec.positions or position in self.meters:
            raise BadSetup(f"Position {position} is taken or not on this bench of {self.spec.positions}.")
        if meter.data.medium != self.spec.medium:
            raise BadSetup(f"Meter {meter.serial} is not for this bench's medium.")
        train = meter.mount(self.history, self.clock.now(), position, self.climate)
        train.with_jitter(self.spec.jitter_ticks, self.spec.seed + (position << 32))
        self.meters[position] = meter
        self._gates.pop(position, None)

    def unmount(self, position: int) -> Meter:
        """Take out the meter at `position`; it keeps its register."""
        if position not in self.meters:
            raise BadSetup(f"There is no meter at position {position}.")
        meter = self.meters.pop(position)
        meter.unmount(self.clock.now())
        self._gates.pop(position, None)
        return meter

    def set_flow(self, flow_ml_per_h: int) -> None:
        """Move the valve; with the no-flow fault nothing comes."""
        self.history.set(self.clock.now(), 0 if self.faults.no_flow else flow_ml_per_h)

    def lose_flow(self) -> None:
        """The supply fails: nothing flows, whatever the valve is set to, until `faults.no_flow` is taken back."""
        self.faults.no_flow = True
        self.set_flow(0)

    def arm(self, mask: int) -> int:
        """Start the gates of the channels in `mask` anew; gives the tick."""
        now = self.clock.now()
        for channel in self._chosen(mask):
            self._gates[channel] = (now, None)
        return now

    def disarm(self, mask: int) -> int:
        """Close the gates of the channels in `mask`; a closed one stays as it was. Gives the tick."""
        now = self.clock.now()
        for channel in self._chosen(mask):
            armed, closed = self._gates.get(channel, (now, now))
            self._gates[channel] = (armed, now if closed is None else closed)
        return now

    def _chosen(self, mask: int) -> list[int]:
        return [channel for channel in range(self.channels) if mask >> channel & 1]

    def counts(self, now: int) -> list[tuple[int, int, int]]:
        """(intervals, first, last) of every channel at tick `now`, the reference first."""
        return [self._count(channel, now) for channel in range(self.channels)]

    def _count(self, channel: int, now: int) -> tuple[int, int, int]:
        if channel not in self._gates:
            return 0, 0, 0
        armed, closed = self._gates[channel]
        return self.figures(channel, armed, now if closed is None else closed)

    def figures(self, channel: int, armed: int, closed: int) -> tuple[int, int, int]:
        """(intervals, first, last) of a gate that was open from tick `armed` to tick `closed`."""
        last = min(closed, armed + LONGEST_GATE)
        if channel == 0:
            return self._reference.gate(armed, last)
        meter = self.meters.get(channel)
        return meter.gate(armed, last) if meter else (0, 0, 0)

    def closed_check(self, seconds: int) -> tuple[int, int, int, int]:
        """Close the valve and give what the check shows after `seconds`: start and end pressure, seconds, counts."""
        self.set_flow(0)
        start = TEST_PRESSURE_10PA[self.spec.medium]
        end = max(0, start - self.faults.leak_10pa_per_s * seconds)
        return start, end, seconds, self.faults.zero_counts
