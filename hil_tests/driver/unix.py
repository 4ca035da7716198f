"""The unix port as a device: a MicroPython process whose power is SIGKILL, on a simulated bench over three ptys."""

from dataclasses import dataclass
from pathlib import Path

from hil_tests.capability.dut import Message
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.meter import Meter
from meterseal_tools.sim.rig import FixturePlace, Rig
from meterseal_wire import kinds

BOOT_S = 30
APPROVAL = "2026F102-33"
MEDIA = {"water": kinds.WATER, "gas": kinds.GAS}


@dataclass
class UnixPower:
    """SIGKILL is a power cut: the process has no last word."""

    rig: Rig
    settings: Path
    heap: str

    def on(self) -> Message:
        """Start MicroPython and wait for its boot event."""
        self.rig.start_fixture(self.settings, self.heap)
        return self.rig.panel.wait_event("boot", BOOT_S)

    def cut(self) -> None:
        """Kill it."""
        self.rig.cut_power()


@dataclass
class SimulatedWorld:
    """The simulated bench."""

    rig: Rig

    def mount(self, position: int, meter: Meter) -> None:
        """Into the pipe and on the bus."""
        self.rig.mount(position, meter)

    def flow_now(self) -> int:
        """The valve's flow in mL/h."""
        with self.rig.lock:
            return self.rig.bench.history.flow_at(self.rig.bench.clock.now())

    def damage_lines(self, count: int) -> None:
        """The front end's next lines are damaged."""
        self.rig.front_end.damage = count

    def damage_telegrams(self, position: int, count: int) -> None:
        """The slave's next telegrams have a bad checksum."""
        self.rig.slaves[position].faults.bad_checksums = count

    def silence(self, position: int) -> None:
        """The meter stops answering."""
        self.rig.bench.meters[position].silent = True

    def lose_flow(self) -> None:
        """The supply fails."""
        with self.rig.lock:
            self.rig.bench.lose_flow()


class UnixDut:
    """One MicroPython process on one simulated bench."""

    def __init__(self, rig: dict[str, object], place: FixturePlace, folder: Path) -> None:
        self.positions = int(str(rig["positions"]))
        self._rig = Rig(BenchSpec(MEDIA[str(rig["medium"])], self.positions), int(str(rig["speed"])))
        self._rig.__enter__()
        settings = self._rig.write_settings(folder / "settings.json", place)
        self.power = UnixPower(self._rig, settings, str(rig["heap"]))
        self.panel = self._rig.panel
        self.world = SimulatedWorld(self._rig)

    def order(self, plan: bytes) -> None:
        """Order a run of every mounted meter."""
        rows = [self._rig.position(position, APPROVAL) for position in sorted(self._rig.slaves)]
        self.panel.run(plan, rows)

    def close(self) -> None:
        """Power off, lines down."""
        self._rig.close()
