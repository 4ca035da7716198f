"""An edge in this process with an inbox that only remembers, and fixtures that sign for real."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from meterseal_edge.custody import Promiser
from meterseal_edge.events import Parcel
from meterseal_edge.examiners import Here
from meterseal_edge.ingest import Ingest
from meterseal_edge.keybook import Keybook
from meterseal_edge.log import EdgeLog
from meterseal_edge.quarantine import Quarantine
from meterseal_edge.state import State
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.world import World
from meterseal_wire.encode import encode
from meterseal_wire.statement import Author

BOUND = 5


@dataclass
class Recorder:
    """Stands at the inbox's place and writes down, in order, what the ingest asks of it."""

    calls: list[tuple[str, object]] = field(default_factory=list)

    def acknowledge(self, parcel: Parcel) -> None:
        """PUBACK."""
        self.calls.append(("puback", parcel.message_id))

    def hold_back(self, parcel: Parcel) -> None:
        """No PUBACK."""
        self.calls.append(("held", parcel.message_id))

    def send_custody(self, fixture: str, raw: bytes) -> None:
        """Custody goes out."""
        self.calls.append(("down", (fixture, (raw,))))

    def send_down(self, fixture: str, items: list[bytes]) -> None:
        """Whatever else goes out."""
        self.calls.append(("told", (fixture, tuple(items))))

    @property
    def acknowledged(self) -> list[object]:
        """Message ids that got their PUBACK."""
        return [what for name, what in self.calls if name == "puback"]

    @property
    def custody(self) -> list[bytes]:
        """Custody statements that went down."""
        return [raw for name, what in self.calls if name == "down" for raw in what[1]]  # type: ignore[index]


class Box:
    """An edge without a network: world, store, log, ingest; `reopen` starts it again on the same file."""

    def __init__(self, folder: Path, world: World | None = None) -> None:
        self.folder = folder
        self.world = world or World()
        self.messages = 0
        self.reopen()

    def reopen(self) -> None:
        """A new process on the same files."""
        self.recorder = Recorder()
        self.state = State("EDGE1", "YUHANG1")
        self.store = SqliteStore(self.folder / "edge.sqlite")
        self.log = EdgeLog(self.store)
        self.keys = Keybook(self.world.anchors_file, self.folder / "grants", "YUHANG1")
        self.keys.learn(self.world.grants.values())
        promiser = Promiser(Author("EDGE1", "YUHANG1", self.world.keys["edge"]), self.log)
        quarantine = Quarantine(self.store, BOUND, self.keys.names)
        self.ingest = Ingest(self.recorder, Here(self.keys), self.log, promiser, quarantine, self.state)  # type: ignore[arg-type]

    def fixture(self, name: str = "W1") -> ModelFixture:
        """A fixture of the world that has signed its boot."""
        found = ModelFixture(self.world.author(name))
        found.boot()
        return found

    def parcel(self, *items: Signed, fixture: str = "W1") -> Parcel:
        """One MQTT message with these items."""
        return self.message(encode([[item.raw, *item.evidence] for item in items]), fixture)

    def message(self, payload: bytes, fixture: str = "W1") -> Parcel:
        """One MQTT message with these bytes."""
        self.messages += 1
        return Parcel(fixture, payload, self.messages, 1)

    def offer(self, *items: Signed, fixture: str = "W1") -> None:
        """Each item as a parcel of its own, all in one batch."""
        self.ingest.keep([self.parcel(item, fixture=fixture) for item in items])


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A fresh edge."""
    found = Box(tmp_path)
    yield found
    found.store.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium, driven by playwright; no browser is downloaded."""
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield found
        found.close()
