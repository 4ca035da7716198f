"""The real registry, in this process behind real HTTP, and an edge in a world whose grants it has entered."""

import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from edge.tests.batch import PACK, Bench
from edge.tests.conftest import Box
from edge.tests.office import Office
from edge.tests.site import on_port

from meterseal_edge.outbox import Outbox
from meterseal_edge.people.post import Post
from meterseal_protocol.testing.world import World
from meterseal_registry.record import open_record
from meterseal_registry.routes import make_app
from meterseal_registry.settings import Settings
from meterseal_tools.services import free_port
from meterseal_wire.labels import REASONS
from meterseal_wire.sign1 import identity

SIX_HOURS_S = 6 * 3600


class PublicRecord:
    """A registry by the shipped water pack, with every grant of `world` entered over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.world = World(int(time.time()) - SIX_HOURS_S, rules={"jjg162": PACK.digest})
        self.world.keys["registry"].save(folder / "registry.key")
        (folder / "anchors.cbor").write_bytes(self.world.anchors_file)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        key, anchors = folder / "registry.key", folder / "anchors.cbor"
        settings = Settings(folder / "registry", port, "REG-CN", key, anchors, self.url, rules=("jjg162",))
        self.record = open_record(settings)
        self._stack = ExitStack()
        self._stack.callback(self.record.entries.store.close)
        self._stack.enter_context(on_port(make_app(self.record), port))
        for raw in self.world.grants.values():
            self.enter(raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def enter(self, raw: bytes) -> None:
        """A statement that does not come through the edge."""
        httpx.post(f"{self.url}/entries", content=raw).raise_for_status()

    def bench(self, box: Box) -> Bench:
        """A bench of the edge whose attempts cite the registry's beacon."""
        return Bench(box, "W1", identity(httpx.get(f"{self.url}/beacon").content))

    def post(self, office: Office) -> Post:
        """What an edge sends by: `drain` uses both halves."""

        class NoInbox:
            state = office.box.state

            def send_receipts(self, *_: object) -> None:
                """To nobody: there is no broker here."""

        settings = replace(office.settings, registry=self.url)
        return Post(office.desk.sayings, Outbox(settings, office.box.store, office.box.keys, NoInbox()))  # type: ignore[arg-type]

    def drain(self, post: Post) -> int:
        """Everything that waits at the edge; how much of what people signed was not taken."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while post.outbox.send(client, 0):
                continue
            return post.deliver(client)

    def decided(self, meter: str) -> tuple[int, list[str]]:
        """(status of the certificate's address, codes of the newest decision)."""
        decision = self.record.decisions.newest(meter)
        assert decision is not None
        answer = httpx.get(f"{self.url}/certificates/{meter}")
        return answer.status_code, sorted({code for code, _ in decision.payload[REASONS]})
