"""A fixture of real MicroPython on a simulated bench, a real broker, and a test in the edge's place."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from firmware.tests.cpython.edge_side import Broker, EdgeSide

from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.fixture import FirmwarePaths
from meterseal_tools.sim.meter import ErrorCurve, Meter
from meterseal_tools.sim.rig import FixturePlace, Rig
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode

FLOWS = (2_500_000, 40_000, 25_000)
ERRORS_PPM = (-4000, 12_000, 31_000)
APPROVAL = "2026F102-33"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A mosquitto that dies with the test."""
    found = Broker(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def edge(broker: Broker) -> Iterator[EdgeSide]:
    """The test in the edge's place."""
    found = EdgeSide(broker)
    yield found
    found.close()


class Bench:
    """A rig with some meters, ready to be powered."""

    def __init__(self, rig: Rig, edge: EdgeSide, folder: Path) -> None:
        self.rig, self.edge, self.panel = rig, edge, rig.panel
        self.folder = folder / "state"
        self.folder.mkdir()
        key = self.folder / "key"
        key.touch(0o600)
        key.write_bytes(edge.fixture_key.secret)
        place = FixturePlace(
            "W1",
            "YUHANG1",
            "WATER-1",
            self.folder,
            "127.0.0.1",
            edge.broker.port,
            edge.edge_key.public_xy.hex(),
            edge.registry_key.public_xy.hex(),
        )
        self.settings = rig.write_settings(folder / "settings.json", place)

    def meter(self, position: int, register: int = 1000, errors_ppm: tuple[int, ...] = ERRORS_PPM) -> Meter:
        """Mount a meter with these errors at FLOWS."""
        meter = Meter(
            CATALOGUE["itron_bm"],
            "%08d" % (10_000_000 + position),
            ErrorCurve(*zip(FLOWS, errors_ppm, strict=True)),
            register,
        )
        self.rig.mount(position, meter)
        return meter

    def power(self, heap: str = "1m", paths: FirmwarePaths | None = None) -> dict[str, Any]:
        """Start the fixture; its boot event, once it is linked and has had a beacon."""
        self.rig.start_fixture(self.settings, heap, paths)
        booted = self.panel.wait_event("boot")
        self.panel.wait(lambda message: message.get("link") == "up")
        self.edge.send(self.edge.beacon())
        self.panel.wait(lambda message: message.get("beacon") == 1)
        return booted

    def order(self, plan: bytes, **more: Any) -> None:
        """Order a run of every mounted meter, once the beacon has arrived."""
        rows = [self.rig.position(position, APPROVAL) for position in sorted(self.rig.slaves)]
        self.panel.run(plan, rows, **more)


@pytest.fixture
def bench(edge: EdgeSide, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A water bench of eight positions, three of them with meters; a parameter asks for (positions, front ends)."""
    positions, fronts = getattr(request, "param", (8, 1))
    with Rig(BenchSpec(kinds.WATER, positions), fronts=fronts) as rig:
        yield Bench(rig, edge, tmp_path)


@pytest.fixture
def plan() -> bytes:
    """Three flows, ten intervals of the meter at each."""
    points = [[flow, 10, 100_000, 5000, 1] for flow in FLOWS]
    return encode({L.MEDIUM: kinds.WATER, L.RULES: bytes(32), L.PLAN_POINTS: points})


@pytest.fixture
def long_plan() -> bytes:
    """One flow for so many intervals that a test has time to do something meanwhile."""
    return encode(
        {L.MEDIUM: kinds.WATER, L.RULES: bytes(32), L.PLAN_POINTS: [[FLOWS[0], 10**6, 10**10, 1000, 1]]}
    )
