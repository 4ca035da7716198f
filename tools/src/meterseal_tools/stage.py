"""The demo's stage: broker, registry, edge and two benches, really running; the scenes that are played on it.

Every scene waits for what the fixture says on its panel, never for a time, so a slow machine plays the same piece.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from meterseal_protocol.rules import load_pack, plan_for
from meterseal_tools.broker import Broker, start_broker
from meterseal_tools.firmware import build, repository
from meterseal_tools.scenario import ADJUSTED, GOOD, MAKERS_OF, Seat, seats_of
from meterseal_tools.services import Service, ServiceFailed, free_port, write_settings
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.fixture import FirmwarePaths
from meterseal_tools.sim.rig import FixturePlace, Rig
from meterseal_tools.world import BENCHES, PACKS, SITE, TYPES, BenchPlan, World, make_world, type_fields
from meterseal_wire.statement import Author

# A busy machine stalls a fixture for tenths of a second, and the water goes on flowing.
SPEED = {"W1": 100, "G1": 200}
RUN_S = 120
OPERATOR = b"\x01\x02\x03\x04\x05\x06\x07\x08"
Tell = Callable[[str, str], None]


@dataclass
class Stage:
    """Everything that runs, by name. Use as a context manager: leaving it stops all of it."""

    folder: Path
    tell: Tell
    rigs: dict[str, Rig] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Stage":
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._stack:
            self._set_up()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stack.close()

    def _set_up(self) -> None:
        run = self.folder / "run"
        run.mkdir()
        self.world: World = make_world(run / "keys")
        (self.folder / "anchors.cbor").write_bytes(self.world.anchors)
        self.tell(
            "keys",
            f"a national root, a province, a maker, two benches: {len(self.world.grants)} grants signed",
        )
        self.broker: Broker = self._stack.enter_context(start_broker(run / "broker"))
        self.tell("broker", f"{self.broker.kind} on port {self.broker.port}")
        self.registry = self._registry(run)
        self.edge = self._edge(run)
        self.image = build(repository(), "unix", run / "firmware", 1)
        self.tell("firmware", f"built, {len(self.image.files)} files, digest {self.image.digest.hex()[:16]}")
        for bench in BENCHES:
            self.rigs[bench.fixture] = self._rig(run, bench)

    def _registry(self, run: Path) -> Service:
        port = free_port()
        self.registry_url = f"http://127.0.0.1:{port}"
        settings = write_settings(
            run / "registry.json",
            folder=run / "registry",
            port=port,
            registry="REG-CN",
            key=run / "keys" / "registry.key",
            anchors=self.folder / "anchors.cbor",
            base_url=self.registry_url,
            beacon_s=20,
        )
        service = Service("meterseal_registry", settings, f"{self.registry_url}/healthz")
        self._stack.callback(service.stop)
        service.start()
        for name, grant in self.world.grants:
            answer = httpx.post(f"{self.registry_url}/entries", content=grant)
            if answer.status_code != httpx.codes.CREATED:
                raise ServiceFailed(f"the registry refused the grant '{name}': {answer.text}")
        self.tell("registry", f"{self.registry_url}, every grant entered before the first test")
        return service

    def _edge(self, run: Path) -> Service:
        port = free_port()
        self.edge_url = f"http://127.0.0.1:{port}"
        settings = write_settings(
            run / "edge.json",
            folder=run / "edge",
            host=self.broker.host,
            port=self.broker.port,
            site=SITE,
            edge="EDGE1",
            key=run / "keys" / "edge.key",
            anchors=self.folder / "anchors.cbor",
            registry=self.registry_url,
            page_port=port,
            mqtt_version=self.broker.mqtt_version,
            registry_poll_s=1,
        )
        service = Service("meterseal_edge", settings, f"{self.edge_url}/readyz")
        self._stack.callback(service.stop)
        service.start()
        self.tell("edge", f"{self.edge_url} shows the line live")
        return service

    def _rig(self, run: Path, bench: BenchPlan) -> Rig:
        spec = BenchSpec(bench.medium, bench.positions, calibration=bench.calibration)
        rig = self._stack.enter_context(Rig(spec, SPEED[bench.fixture]))
        for seat in seats_of(bench.fixture):
            rig.mount(seat.position, seat.make())
        folder = run / bench.fixture
        folder.mkdir()
        self.world.keys[bench.fixture].save(folder / "key")
        keys = self.world.keys
        place = FixturePlace(
            bench.fixture,
            SITE,
            bench.bench,
            folder,
            self.broker.host,
            self.broker.port,
            keys["edge"].public_xy.hex(),
            keys["registry"].public_xy.hex(),
        )
        board = shutil.copytree(self.image.folder, folder / "board")
        settings = rig.write_settings(run / f"{bench.fixture}.json", place)
        rig.start_fixture(settings, paths=FirmwarePaths(board / "main.py", ()))
        rig.panel.wait(lambda message: message.get("link") == "up" and bool(message.get("beacon")), RUN_S)
        self.tell(
            bench.fixture, f"MicroPython, process {rig.fixture.pid if rig.fixture else 0}, eight positions"
        )
        return rig

    def registry_author(self) -> Author:
        """The registry as an author: the demo alone may sign an old status list in its name."""
        return Author("REG-CN", "record", self.world.keys["registry"])


@dataclass
class Scene:
    """Runs on one bench, told through its panel."""

    stage: Stage
    fixture: str

    @property
    def rig(self) -> Rig:
        """The bench."""
        return self.stage.rigs[self.fixture]

    def tell(self, what: str) -> None:
        """One line of the story."""
        self.stage.tell(self.fixture, what)

    def start(self, seats: tuple[Seat, ...]) -> None:
        """Order a run and wait for its signed attempt."""
        kind = next(TYPES[seat.kind] for seat in seats if TYPES[seat.kind].approved)
        plan = plan_for(load_pack(PACKS[self.fixture]), type_fields(kind))
        self.wait_ready()
        rows = [self.rig.position(seat.position, TYPES[seat.kind].number) for seat in seats]
        self.rig.panel.run(plan, rows, operator=OPERATOR)
        event = self.rig.panel.wait_event("attempt_signed", RUN_S)
        self.tell(
            f"attempt signed before water flows: epoch {event['epoch']}, seq {event['seq']}, {len(seats)} meters"
        )

    def wait_ready(self) -> None:
        """Idle, linked, and with a beacon: what an order needs."""
        panel = self.rig.panel
        while True:
            status = panel.status(RUN_S)
            if status["now"] == "idle" and status["link"] == "up" and status["beacon"]:
                return
            panel.wait(lambda message: "now" in message, RUN_S)

    def wait_point(self, number: int) -> None:
        """Counting of point `number` has begun."""
        self.rig.panel.wait(
            lambda message: message.get("event") == "flow_started" and message.get("point") == number, RUN_S
        )

    def finish(self) -> None:
        """Wait for the signed result."""
        event = self.rig.panel.wait_event("result_signed", RUN_S)
        self.tell(f"result signed: epoch {event['epoch']}, seq {event['seq']}")

    def cut_short(self) -> None:
        """The operator's stop, once counting has begun."""
        self.wait_point(2)
        self.rig.panel.stop()
        event = self.rig.panel.wait_event("abandoned", RUN_S)
        self.tell(
            f"cut short by the operator, signed as abandoned: epoch {event['epoch']}, seq {event['seq']}"
        )

    def lose_power(self) -> None:
        """Power off in the middle of a point, then on again."""
        self.wait_point(2)
        self.rig.cut_power()
        self.tell("power cut while counting")
        self.rig.start_fixture()
        event = self.rig.panel.wait_event("boot", RUN_S)
        self.tell(f"power back: epoch {event['epoch']} opened, the open attempt counts as a failed try")

    def adjust(self, seat: Seat) -> None:
        """Somebody adjusts a meter that failed; its register runs on."""
        meter = self.rig.unmount(seat.position)
        meter.curve = MAKERS_OF[GOOD](meter.data, seat.serial).curve
        self.rig.mount(seat.position, meter)
        self.tell(f"meter {seat.meter_id} adjusted")


def play_water(stage: Stage, fault: Callable[[], None]) -> None:
    """One run of eight, the edge killed in its middle, then the retest of the meter that was adjusted."""
    scene = Scene(stage, "W1")
    seats = seats_of("W1")
    scene.start(seats)
    scene.wait_point(2)
    fault()
    scene.finish()
    again = tuple(seat for seat in seats if seat.character == ADJUSTED)
    for seat in again:
        scene.adjust(seat)
    scene.start(again)
    scene.finish()


def play_gas(stage: Stage) -> None:
    """Four meters cut short, the other four in the dark, then all eight to the end."""
    scene = Scene(stage, "G1")
    seats = seats_of("G1")
    scene.start(seats[:4])
    scene.cut_short()
    scene.start(seats[4:])
    scene.lose_power()
    scene.start(seats)
    scene.finish()


def kill_edge(stage: Stage) -> None:
    """SIGKILL the edge, then start it again on the same files."""
    stage.edge.kill()
    stage.tell("edge", "killed with SIGKILL in the middle of a run")
    stage.edge.start()
    stage.tell("edge", "started again on the same files")


def play(stage: Stage) -> None:
    """Both benches at once; an error of either ends the demo."""
    with ThreadPoolExecutor(1) as beside:
        gas = beside.submit(play_gas, stage)
        play_water(stage, lambda: kill_edge(stage))
        gas.result()


def statements_made(rig: Rig) -> int:
    """How many statements a fixture made, by its own account on the panel: the highest seq of each epoch."""
    highest: dict[int, int] = {}
    for side, message in rig.panel.transcript:
        if side == "from" and "epoch" in message and "seq" in message and message.get("event") != "custody":
            epoch, seq = int(message["epoch"]), int(message["seq"])
            highest[epoch] = max(seq, highest.get(epoch, -1))
    return sum(seq + 1 for seq in highest.values())


def summary(stage: Stage) -> dict[str, Any]:
    """The edge's own counts."""
    answer: dict[str, Any] = httpx.get(f"{stage.edge_url}/api/summary").json()
    return answer
