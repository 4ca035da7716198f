"""A rig: a simulated bench with its three serial lines, and a fixture that can be powered and cut off.

    with Rig(BenchSpec(kinds.WATER), speed=600) as rig:
        rig.mount(1, good(CATALOGUE["itron_bm"], "12082058"))
        rig.write_settings(path, FixturePlace(...))
        rig.start_fixture(path)
        rig.panel.run(plan, [rig.position(1, "2026F102-33")])
        rig.panel.wait_event("result_signed")

The front end and the meters have power of their own: `cut_power` stops the fixture and closes the valve, gates and
registers stay.
"""

import json
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from meterseal_tools.sim.bench import Bench, BenchSpec
from meterseal_tools.sim.bus import Bus
from meterseal_tools.sim.cjt188 import CjtLine, CjtSlave
from meterseal_tools.sim.clock import Clock, RunningClock
from meterseal_tools.sim.errors import BadSetup
from meterseal_tools.sim.fixture import FirmwarePaths, FixtureProcess
from meterseal_tools.sim.front_end import FrontEnd
from meterseal_tools.sim.lines import SerialLine, Service, Station
from meterseal_tools.sim.meter import Meter
from meterseal_tools.sim.panel import Panel
from meterseal_tools.sim.part import Crystal, Part
from meterseal_tools.sim.slave import Slave

SPEED = 600
MBUS, CJT188 = "mbus", "cjt188"
FOREVER_S = 60.0
FRONT_POSITIONS = 7
# Far worse than real crystals, so that a ratio across two of them shows.
CRYSTAL_PPM, AHEAD_TICKS = (0, 400, -350), 12_345_678_901


@dataclass(frozen=True)
class FixturePlace:
    """Who the fixture is and whom it talks to: the part of its settings that the rig does not know.

    `folder` is its state folder, `edge_key` and `registry_key` are x then y in hex.
    """

    fixture: str
    site: str
    bench: str
    folder: Path
    host: str
    port: int
    edge_key: str
    registry_key: str


class _FrontEndStation:
    """The front end with the sleep that its closed-bench check allows."""

    def __init__(self, front_end: FrontEnd) -> None:
        self.feed, self.poll, self.reset = front_end.feed, front_end.poll, front_end.reset
        self._front_end = front_end

    def sleep_s(self) -> float:
        due = self._front_end.due()
        return FOREVER_S if due is None else self._front_end.bench.clock.real_seconds_until(due)


class _BusStation:
    """The M-Bus line: slaves answer at once, so nothing ever waits."""

    def __init__(self, bus: Bus) -> None:
        self.feed, self.reset = bus.feed, bus.reset

    def poll(self) -> bytes:
        return b""

    def sleep_s(self) -> float:
        return FOREVER_S


class Rig:
    """See the top of this file. `clock` replaces the running clock where a test wants to step. `fronts` gives the
    positions to so many front ends, seven each, with crystals of their own; the first one is `front_end` and its line
    `capture_line`. `meters` is what stands on the meter line: MBUS or CJT188.
    """

    def __init__(
        self,
        spec: BenchSpec,
        speed: int = SPEED,
        clock: Clock | None = None,
        fronts: int = 1,
        meters: str = MBUS,
    ) -> None:
        self.lock = threading.RLock()
        self.bench = Bench(spec, clock or RunningClock(speed))
        self.fronts = [FrontEnd(part) for part in _parts(self.bench, fronts)]
        self.front_end = self.fronts[0]
        self.slaves: dict[int, Slave] = {}
        self.cjt_slaves: dict[int, CjtSlave] = {}
        self.meters = meters
        self.panel = Panel(self._wake, self._death)
        self.capture_lines = [SerialLine(_FrontEndStation(front)) for front in self.fronts]
        self.capture_line = self.capture_lines[0]
        self.mbus_line = SerialLine(self._meter_station())
        self.panel_line = SerialLine(self.panel)
        self._lines = [*self.capture_lines, self.mbus_line, self.panel_line]
        self._service = Service(self._lines, self.lock)
        self.fixture: FixtureProcess | None = None
        self._start: tuple[Path, str, FirmwarePaths | None] | None = None

    def _meter_station(self) -> Station:
        now = self.bench.clock.now
        if self.meters == CJT188:
            return CjtLine(lambda: list(self.cjt_slaves.values()), now)
        return _BusStation(Bus(lambda: list(self.slaves.values()), now, self.bench.spec.seed))

    def __enter__(self) -> "Rig":
        self._service.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cut the fixture's power and take the lines down."""
        self.cut_power()
        self._service.stop()
        for line in self._lines:
            line.close()

    def mount(self, position: int, meter: Meter) -> Slave:
        """Put a meter in the pipe and on the bus. Its slave takes the bus's faults."""
        with self.lock:
            self.bench.mount(position, meter)
            self.slaves[position] = Slave(meter)
            self.cjt_slaves[position] = CjtSlave(meter)
            return self.slaves[position]

    def unmount(self, position: int) -> Meter:
        """Take a meter off the bus and out of the pipe; it can be mounted again, here or elsewhere."""
        with self.lock:
            del self.slaves[position], self.cjt_slaves[position]
            return self.bench.unmount(position)

    def unmount_all(self) -> list[Meter]:
        """Clear the bench, lowest position first."""
        return [self.unmount(position) for position in sorted(self.slaves)]

    def position(self, position: int, approval: str, maker: str = "DEMO") -> dict[str, Any]:
        """The panel's row for the meter mounted at `position`, of the approved type of that number."""
        meter = self.bench.meters[position]
        cjt = self.meters == CJT188
        bus = self.cjt_slaves[position].address if cjt else meter.secondary_address
        return {"position": position, "meter": f"{maker}.{meter.serial}", "type": approval, "bus": bus.hex()}

    def settings(self, place: FixturePlace) -> dict[str, Any]:
        """The fixture's settings: the place, this rig's three paths and its number of positions."""
        paths = {"mbus": self.mbus_line.path, "panel": self.panel_line.path}
        paths["capture"] = " ".join(line.path for line in self.capture_lines)
        own: dict[str, Any] = {"positions": self.bench.spec.positions}
        if self.meters != MBUS:
            own["meters"] = self.meters
        return {**asdict(place), "folder": str(place.folder), **paths, **own}

    def write_settings(self, path: Path, place: FixturePlace) -> Path:
        """Write them as JSON; gives `path`."""
        path.write_text(json.dumps(self.settings(place), indent=1) + "\n", encoding="utf-8")
        return path

    def start_fixture(
        self, settings: Path | None = None, heap: str = "2m", paths: FirmwarePaths | None = None
    ) -> FixtureProcess:
        """Power up: MicroPython on the settings file, or once more as the last time. Old bytes never reach it."""
        if settings is not None:
            self._start = (settings, heap, paths)
        if self._start is None:
            raise BadSetup("The first start of a fixture needs its settings file.")
        if self.fixture is not None and self.fixture.ended() is None:
            raise BadSetup("The fixture has power already: cut it first.")
        path, size, where = self._start
        self.flush()
        self.fixture = self._service.call(lambda: FixtureProcess(path, path.with_suffix(".log"), size, where))
        return self.fixture

    def cut_power(self) -> None:
        """SIGKILL the fixture, if there is one; the valve closes."""
        if self.fixture is not None:
            self.fixture.kill()
            self.fixture = None
        self.flush()
        with self.lock:
            self.bench.set_flow(0)

    def flush(self) -> None:
        """Throw away what is under way on all lines."""
        with self.lock:
            for line in self._lines:
                line.flush()

    def _wake(self) -> None:
        self._service.wake()

    def _death(self) -> str:
        if self.fixture is None or self.fixture.ended() is None:
            return ""
        return f"The fixture ended with {self.fixture.ended()}: {self.fixture.last_words()}"


def _parts(bench: Bench, fronts: int) -> list[Bench] | list[Part]:
    if fronts == 1:
        return [bench]
    found = []
    for number in range(fronts):
        first = 1 + FRONT_POSITIONS * number
        crystal = Crystal(bench, CRYSTAL_PPM[number % len(CRYSTAL_PPM)], AHEAD_TICKS * number)
        found.append(Part(bench, first, min(first + FRONT_POSITIONS - 1, bench.spec.positions), crystal))
    return found
