"""From a rig's YAML to pytest fixtures. `pytest hil_tests --rig hil_tests/rigs/unix.yaml` (the default)."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from firmware.tests.cpython.edge_side import Broker, EdgeSide

from hil_tests.capability.dut import Dut
from hil_tests.driver.unix import UnixDut
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.meter import Meter
from meterseal_tools.sim.rig import FixturePlace
from meterseal_tools.sim.specimens import good
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode

UNIX_RIG = Path(__file__).parent / "rigs" / "unix.yaml"
DRIVERS: dict[str, Callable[[dict[str, object], FixturePlace, Path], Dut]] = {"unix": UnixDut}
FLOWS = (2_400_000, 42_000, 26_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--rig FILE`: which rig to use."""
    parser.addoption("--rig", default=str(UNIX_RIG), help="YAML file that describes the rig")


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> dict[str, object]:
    """The rig's description."""
    found: dict[str, object] = yaml.safe_load(Path(request.config.getoption("--rig")).read_text())
    return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A mosquitto for this test."""
    found = Broker(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def upstream(broker: Broker) -> Iterator[EdgeSide]:
    """The test in the edge's place: reads `up` with cbor2 and `cryptography`, writes `down`."""
    found = EdgeSide(broker)
    yield found
    found.close()


@pytest.fixture
def place(broker: Broker, upstream: EdgeSide, tmp_path: Path) -> FixturePlace:
    """Who the device is: its key lies in its folder, 0600, made by whoever provisions it."""
    folder = tmp_path / "state"
    folder.mkdir()
    key = folder / "key"
    key.touch(0o600)
    key.write_bytes(upstream.fixture_key.secret)
    keys = (upstream.edge_key.public_xy.hex(), upstream.registry_key.public_xy.hex())
    return FixturePlace("W1", "YUHANG1", "WATER-1", folder, "127.0.0.1", broker.port, *keys)


@pytest.fixture
def dut(rig: dict[str, object], place: FixturePlace, tmp_path: Path) -> Iterator[Dut]:
    """The device on its rig, without power."""
    found = DRIVERS[str(rig["driver"])](rig, place, tmp_path)
    yield found
    found.close()


def meter(position: int) -> Meter:
    """A good water meter whose serial tells its position."""
    return good(CATALOGUE["itron_bm"], f"{10_000_000 + position}", 1000)


@pytest.fixture
def plan() -> bytes:
    """Three flows with a few intervals each: a whole run in about a second."""
    points = [[flow, 10, 100_000, 5000, 1] for flow in FLOWS]
    return plan_of(points)


@pytest.fixture
def endless_plan() -> bytes:
    """One flow for so many intervals that only something else ends the run."""
    return plan_of([[FLOWS[0], 10**6, 10**10, 1000, 1]])


def plan_of(points: list[list[int]]) -> bytes:
    """A plan document over these points."""
    return encode({L.MEDIUM: kinds.WATER, L.RULES: bytes(32), L.PLAN_POINTS: points})


class Line:
    """A production line in its usual state: device on, linked, with a beacon, four meters mounted."""

    def __init__(self, dut: Dut, upstream: EdgeSide) -> None:
        self.dut, self.upstream, self.panel = dut, upstream, dut.panel

    def ready(self, beacon: int = 1) -> dict[str, Any]:
        """Power on and wait until an order would be taken; the boot event."""
        booted = self.dut.power.on()
        self.panel.wait(lambda message: message.get("link") == "up")
        self.upstream.send(self.upstream.beacon(beacon))
        self.panel.wait(lambda message: message.get("beacon") == beacon)
        return booted

    def run(self, plan: bytes) -> dict[str, Any]:
        """One run to its signed result; the event."""
        self.dut.order(plan)
        return self.panel.wait_event("result_signed", 60)


@pytest.fixture
def line(dut: Dut, upstream: EdgeSide) -> Line:
    """See `Line`."""
    for position in range(1, 5):
        dut.world.mount(position, meter(position))
    return Line(dut, upstream)
