"""A broker and an edge of one's own in a folder, without a registry: what a load is sent to."""

import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from meterseal_protocol.testing.world import EDGE, SITE, World
from meterseal_tools.broker import Broker, start_broker
from meterseal_tools.services import Service, free_port, write_settings

NOBODY = "http://127.0.0.1:9"  # the discard port: a registry that is away


class Box:
    """A broker and an edge process in `folder`, running; ended with the context. `service` starts the edge."""

    def __init__(self, folder: Path, world: World, service: type[Service] = Service, **settings: Any) -> None:
        self._stack = ExitStack()
        self.folder, self.world = folder, world
        self.broker: Broker = self._stack.enter_context(start_broker(folder / "broker"))
        self.page = f"http://127.0.0.1:{(page_port := free_port())}"
        key = folder / "edge.key"
        if not key.exists():
            world.keys["edge"].save(key)
        (folder / "anchors.cbor").write_bytes(world.anchors_file)
        grants = folder / "granted"
        grants.mkdir(exist_ok=True)
        for name, raw in world.grants.items():
            (grants / f"{name.replace(' ', '-')}.cose").write_bytes(raw)
        written = write_settings(
            folder / "edge.json",
            folder=folder / "edge",
            host=self.broker.host,
            port=self.broker.port,
            site=SITE,
            edge=EDGE,
            key=key,
            anchors=folder / "anchors.cbor",
            grants=grants,
            page_port=page_port,
            mqtt_version=self.broker.mqtt_version,
            **({"workers": os.cpu_count() or 1, "registry": NOBODY} | settings),
        )
        self.edge = service("meterseal_edge", written, f"{self.page}/readyz")
        self._stack.callback(self.edge.stop)

    def __enter__(self) -> Self:
        self.edge.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def durable(self) -> int:
        """How many statements the edge says it has."""
        return int(httpx.get(f"{self.page}/api/summary").json()["durable"])

    def rss_kib(self) -> int:
        """Resident memory of the edge and of the processes beside it, in KiB (Linux: /proc)."""
        return sum(_rss_kib(pid) for pid in (self.edge.pid, *_children(self.edge.pid)))


def _rss_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    # A process that has just ended has no memory left to name.
    return int(next((line for line in lines if line.startswith("VmRSS")), "VmRSS 0").split()[1])


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
