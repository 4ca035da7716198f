"""What an edge has when the registry was away: a store full of real runs, and a registry process to send them to.

    with Backlog(folder, meters=300) as backlog:
        backlog.registry.start()
        backlog.drain(backlog.outbox())

The registry starts once before, so that grants are entered and a beacon can be cited; then it is stopped. Statements
are one attempt and one result a meter, by the shipped water pack, so the registry really decides each of them.
"""

import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from meterseal_edge.events import Candidate
from meterseal_edge.inbox import Inbox
from meterseal_edge.keybook import Keybook
from meterseal_edge.log import EdgeLog
from meterseal_edge.outbox import Outbox
from meterseal_edge.settings import Settings
from meterseal_edge.state import State
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.rules import load_pack, plan_for
from meterseal_protocol.statement import read
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.runs import TYPE_FIELDS, Seat, point
from meterseal_protocol.testing.world import EDGE, REGISTRY, SITE, WATER_BENCH, World
from meterseal_tools.services import Service, free_port, write_settings
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

PACKS = ("jjg162", "jjg577")
SIX_HOURS_S = 6 * 3600
GOOD_PPM = (-3_000, 4_000, -8_000)


class Quiet(Inbox):
    """An inbox without a broker: receipts have nowhere to go."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.state = settings, State(EDGE, SITE)

    def send_receipts(self, fixture: str, receipts: list[bytes]) -> None:
        """To nobody."""


class Backlog:
    """`store` holds a boot and two statements a meter of one bench; `registry` is a process, stopped."""

    def __init__(self, folder: Path, meters: int, withheld: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.rules = {name: load_pack(name) for name in PACKS}
        digests = {name: pack.digest for name, pack in self.rules.items()}
        self.world = World(int(time.time()) - SIX_HOURS_S, rules=digests)
        (folder / "anchors.cbor").write_bytes(self.world.anchors_file)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.registry = self._registry()
        self.keys = Keybook(self.world.anchors_file, folder / "grants", SITE)
        self.keys.learn(self.world.grants.values())
        self.store = SqliteStore(folder / "edge.sqlite")
        self.log = EdgeLog(self.store)
        self._stack = ExitStack()
        self._stack.callback(self.registry.stop)
        self._stack.callback(self.store.close)
        self.registry.start()
        self.enter_grants(*(name for name in self.world.grants if name not in withheld))
        self.beacon = identity(httpx.get(f"{self.url}/beacon").content)
        self.registry.stop()
        self.fill(WATER_BENCH, meters)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _registry(self) -> Service:
        key = self.folder / "registry.key"
        self.world.keys["registry"].save(key)
        settings = write_settings(
            self.folder / "registry.json",
            folder=self.folder / "registry",
            port=httpx.URL(self.url).port,
            registry=REGISTRY,
            key=key,
            anchors=self.folder / "anchors.cbor",
            base_url=self.url,
        )
        return Service("meterseal_registry", settings, f"{self.url}/healthz")

    def enter_grants(self, *names: str) -> None:
        """Send these grants to the registry."""
        for name in names:
            httpx.post(f"{self.url}/entries", content=self.world.grants[name]).raise_for_status()

    def fill(self, bench: str, meters: int) -> None:
        """Sign a boot and the runs of so many meters on a bench, and keep them as the ingest does."""
        plan = plan_for(self.rules["jjg162"], TYPE_FIELDS[kinds.WATER])
        flows = [row[0] for row in scan(plan)[L.PLAN_POINTS]]
        pairs = zip(flows, GOOD_PPM, strict=True)
        points = [point(index, flow, ppm) for index, (flow, ppm) in enumerate(pairs)]
        fixture = ModelFixture(self.world.author(bench))
        fixture.boot()
        for number in range(meters):
            seats = [Seat(1, f"{number:08}", points=points)]
            fixture.attempt(seats, plan, self.beacon)
            fixture.result(seats)
        self.keep(bench, fixture.signed)

    def keep(self, bench: str, signed: list[Signed]) -> None:
        """Into store and log."""
        key = self.world.keys[bench].thumbprint
        fresh = [Candidate.of(read(one.raw), key, bench, one.evidence) for one in signed]
        self.log.append(fresh, [], int(time.time()))

    def outbox(self, url: str = "") -> Outbox:
        """A new one, as after the edge's start, that sends to the registry or to what stands before it."""
        here = self.folder
        settings = Settings(here, 1, SITE, EDGE, here, here, url or self.url, 1, registry_poll_s=1)
        return Outbox(settings, self.store, self.keys, Quiet(settings))

    def drain(self, outbox: Outbox, now_s: float = 0) -> int:
        """Send until a pass is at its end or fails; how many bundles."""
        bundles = 1
        with httpx.Client(base_url=outbox.settings.registry, timeout=30) as client:
            while outbox.send(client, now_s):
                bundles += 1
        return bundles
