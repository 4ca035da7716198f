"""A whole line: broker, edge process, a registry of the test's own, and fixture W1 on real MicroPython."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.tests.site import Site, served
from typer.testing import CliRunner

from meterseal_tools.boards.image import Image
from meterseal_tools.broker import start_broker
from meterseal_tools.cli import app
from meterseal_tools.firmware import build, repository
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.fixture import FirmwarePaths
from meterseal_tools.sim.meter import ErrorCurve, Meter
from meterseal_tools.sim.rig import FixturePlace, Rig
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode

BOARD = "unix/sim-1"
RULES = sha256(b"rules of the test")
FLOWS = (2_500_000, 40_000, 25_000)
WAIT_S = 60
VERSION = 'VERSION = "0.1.0"'


def plan_document(counts: int = 10, rules: bytes = RULES) -> bytes:
    """Three flows, so many intervals of the meter at each."""
    points = [[flow, counts, 100_000, 5000, 1] for flow in FLOWS]
    return bytes(encode({L.MEDIUM: kinds.WATER, L.RULES: rules, L.PLAN_POINTS: points}))


class Line:
    """`site` is the edge's side, `rig` the fixture's; `cli(...)` runs `meterseal edge ...` on the edge's settings."""

    def __init__(self, site: Site, rig: Rig, folder: Path) -> None:
        self.site, self.rig, self.panel, self.folder = site, rig, rig.panel, folder
        self.world = site.world
        self.state = folder / "w1"
        self.state.mkdir()
        self.world.keys["W1"].save(self.state / "key")
        self.settings = self.write_settings(self.state)

    def write_settings(self, state: Path) -> Path:
        """The fixture's settings, with the root for its authority."""
        keys, broker = self.world.keys, self.site.broker
        place = FixturePlace(
            "W1",
            "YUHANG1",
            "BENCH-W1",
            state,
            broker.host,
            broker.port,
            keys["edge"].public_xy.hex(),
            keys["registry"].public_xy.hex(),
        )
        fields = {**self.rig.settings(place), "authority_key": keys["root"].public_xy.hex()}
        path = self.folder / "w1.json"
        path.write_text(json.dumps(fields), "utf-8")
        return path

    def power(self, board: Path | None = None) -> None:
        """Start the fixture, from the sources or from a board's own files; returns when it has a beacon."""
        self.rig.start_fixture(self.settings, "2m", FirmwarePaths(board / "main.py", ()) if board else None)
        self.panel.wait(lambda message: message.get("link") == "up" and bool(message.get("beacon")), WAIT_S)

    def board(self, image: Image) -> Path:
        """An image laid onto a board: its folder."""
        return Path(shutil.copytree(image.folder, self.folder / "board"))

    def cli(self, *arguments: object) -> tuple[int, str]:
        """Exit code and everything that was printed."""
        kind, verb, *more = map(str, arguments)
        done = CliRunner().invoke(app, ["edge", kind, verb, str(self.folder / "edge.json"), *more])
        return done.exit_code, done.output

    def grant(self, name: str, role: str, kind: int, **fields: Any) -> Path:
        """A grant signed by `role`, as a file."""
        path = self.folder / f"{name}.cose"
        path.write_bytes(
            self.world.grant(role, kind, {getattr(L, key): value for key, value in fields.items()})
        )
        return path

    def file(self, name: str, content: bytes) -> Path:
        """A file with that content."""
        path = self.folder / name
        path.write_bytes(content)
        return path

    def order(self, plan: bytes, **more: Any) -> None:
        """Ask for a run of the one meter."""
        self.panel.run(plan, [self.rig.position(1, "2026F101-33")], **more)

    def refusal(self) -> str:
        """The code of the next error on the panel."""
        return str(self.panel.wait(lambda message: "error" in message, WAIT_S)["error"])

    def told(self, name: str, value: Any) -> dict[str, Any]:
        """The next status line whose `granted` says so."""
        return self.panel.wait(lambda message: message.get("granted", {}).get(name) == value, WAIT_S)

    def alarms(self) -> dict[str, str]:
        """Alarms on the edge's page: code and reason."""
        return {alarm["code"]: alarm["why"] for alarm in self.site.summary()["alarms"]}


@contextmanager
def line(folder: Path) -> Iterator[Line]:
    """Everything runs but the fixture."""
    with start_broker(folder / "broker") as broker, Rig(BenchSpec(kinds.WATER, 8)) as rig:
        site = Site(folder, broker)
        try:
            with served(site.registry, site.registry_port):
                site.edge.start()
                rig.mount(
                    1,
                    Meter(
                        CATALOGUE["itron_bm"], "12082058", ErrorCurve(*((flow, 0) for flow in FLOWS)), 1000
                    ),
                )
                yield Line(site, rig, folder)
        finally:
            site.close()


def image_of(folder: Path, version: str, counter: int, *changes: tuple[str, str, str]) -> Image:
    """An image of a copy of the sources with that version; `changes` are (file, old text, new text)."""
    sources = folder / f"sources-{version}"
    for part in ("firmware", "protocol/src"):
        shutil.copytree(
            repository() / part, sources / part, ignore=shutil.ignore_patterns("tests", "__pycache__")
        )
    first = ("firmware/src/meterseal_fixture/__init__.py", VERSION, f'VERSION = "{version}"')
    for path, old, new in (first, *changes):
        text = (sources / path).read_text("utf-8")
        assert old in text, f"{path} has no {old!r}"
        (sources / path).write_text(text.replace(old, new, 1), "utf-8")
    return build(sources, "unix", folder / f"image-{version}", counter)
