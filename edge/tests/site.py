"""A whole edge process on a real broker, with two fixtures that publish, and a registry of the test's own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import uvicorn
from paho.mqtt.enums import CallbackAPIVersion
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterseal_protocol.merkle import include, leaf_hash
from meterseal_protocol.receipt import issue
from meterseal_protocol.testing.fixture import Signed
from meterseal_protocol.testing.world import World
from meterseal_tools.broker import Broker
from meterseal_tools.services import Service, free_port, write_settings
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import build

WAIT_S = 30


def wait_until(true: Callable[[], bool], what: str) -> None:
    """Look again until `true()`; AssertionError after WAIT_S."""
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, f"{what} did not happen in {WAIT_S} s"
        time.sleep(0.02)


class SmallRegistry:
    """Answers bundles with real receipts; `refuse` names identities that get [code, why] instead; `wrong` lies."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.entered: list[bytes] = []
        self.times_sent: dict[bytes, int] = {}
        self.refuse: set[bytes] = set()
        self.status = 200
        self.author = world.author("registry", "record")
        self.beacons = 0

    def app(self) -> Starlette:
        """The three addresses that an edge asks."""
        routes = [
            Route("/bundles", self.bundle, methods=["POST"]),
            Route("/grants", self.grants),
            Route("/beacon", self.beacon),
        ]
        return Starlette(routes=routes)

    async def bundle(self, request: Request) -> Response:
        """Receipts, one an item."""
        items = scan(await request.body(), 1 << 22)
        if self.status != 200:
            return Response("away", self.status)
        return Response(encode([self.answer(item[0]) for item in items]), media_type="application/cbor")

    def answer(self, raw: bytes) -> Any:
        """A receipt, or [code, why]."""
        name = identity(raw)
        self.times_sent[name] = self.times_sent.get(name, 0) + 1
        if name in self.refuse:
            return ["entry.malformed", "refused by the test"]
        if name not in self.entered:
            self.entered.append(name)
        hashes = [leaf_hash(known) for known in self.entered]
        return issue(self.author, name, include(hashes, self.entered.index(name), len(hashes)), 1_790_000_000)

    async def grants(self, _request: Request) -> Response:
        """Every grant, with an empty receipt: the edge asks only whose key is whose."""
        return Response(encode([[raw, b""] for raw in self.world.grants.values()]))

    async def beacon(self, _request: Request) -> Response:
        """A new beacon at each question."""
        self.beacons += 1
        payload = {L.NUMBER: self.beacons, L.TIME_S: 1_790_000_000, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}
        return Response(build(self.author, L.KIND_BEACON, payload))


@contextmanager
def served(registry: SmallRegistry, port: int) -> Iterator[None]:
    """The registry on a real port."""
    with on_port(registry.app(), port):
        yield


@contextmanager
def on_port(app: Starlette, port: int, date_header: bool = True) -> Iterator[None]:
    """An application behind a real HTTP server."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
        date_header=date_header,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until(lambda: server.started, "the server's start")
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(WAIT_S)


class Site:
    """Broker, edge process and MQTT clients in the fixtures' place."""

    def __init__(self, folder: Path, broker: Broker, workers: int = 0) -> None:
        self.folder, self.broker = folder, broker
        self.world = World()
        self.registry = SmallRegistry(self.world)
        self.registry_port, self.page_port = free_port(), free_port()
        self.world.keys["edge"].save(folder / "edge.key")
        (folder / "anchors.cbor").write_bytes(self.world.anchors_file)
        self.grants = folder / "grants"
        self.grants.mkdir()
        for number, raw in enumerate(self.world.grants.values()):
            (self.grants / f"{number}.cose").write_bytes(raw)
        settings = write_settings(
            folder / "edge.json",
            folder=folder / "edge",
            host=broker.host,
            port=broker.port,
            site="YUHANG1",
            edge="EDGE1",
            key=folder / "edge.key",
            anchors=folder / "anchors.cbor",
            grants=self.grants,
            registry=f"http://127.0.0.1:{self.registry_port}",
            page_port=self.page_port,
            mqtt_version=broker.mqtt_version,
            registry_poll_s=1,
            workers=workers,
        )
        self.edge = Service("meterseal_edge", settings, f"{self.page}/readyz")
        self.down: dict[str, list[bytes]] = {"W1": [], "G1": []}
        self.clients = {name: self._client(name) for name in self.down}

    @property
    def page(self) -> str:
        """Address of the edge's page."""
        return f"http://127.0.0.1:{self.page_port}"

    def _client(self, name: str) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, f"fixture-{name}")
        client.on_message = lambda _client, _data, message: self.down[name].extend(
            scan(message.payload, 65536)
        )
        client.on_connect = lambda found, *_: found.subscribe(f"ms/1/YUHANG1/{name}/down", 1)
        client.connect(self.broker.host, self.broker.port)
        client.loop_start()
        return client

    def offer(self, name: str, item: Signed) -> None:
        """Publish one statement, QoS 1."""
        parcel = encode([[item.raw, *item.evidence]])
        self.clients[name].publish(f"ms/1/YUHANG1/{name}/up", parcel, 1)

    def summary(self) -> dict[str, Any]:
        """The edge's counts."""
        found: dict[str, Any] = httpx.get(f"{self.page}/api/summary").json()
        return found

    def close(self) -> None:
        """Everything stops."""
        for client in self.clients.values():
            client.disconnect()
            client.loop_stop()
        self.edge.stop()
