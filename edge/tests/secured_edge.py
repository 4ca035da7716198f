"""A site that was made, with its broker and its edge as processes, and fixtures that sign for real."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from edge.tests.secured import DOWN, HOST, Caller, Mosquitto, enrolled, made_site, running
from edge.tests.site import SmallRegistry

from meterseal_edge.site.layout import Layout, put
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.world import World
from meterseal_tools.services import Service, free_port


class Factory:
    """A made site with its broker and its edge as processes; `fixtures` sign for real and show certificates."""

    def __init__(self, folder: Path, host: str = HOST) -> None:
        self.world = World()
        self.registry = SmallRegistry(self.world)
        self.registry_port = free_port()
        self.folder = folder
        anchors = folder / "anchors.cbor"
        anchors.write_bytes(self.world.anchors_file)
        address = f"http://127.0.0.1:{self.registry_port}"
        self.layout: Layout = made_site(folder / "site", host, anchors=anchors, registry=address)
        (self.layout.edge / "edge.key").unlink()
        self.world.keys["edge"].save(self.layout.edge / "edge.key")
        for number, raw in enumerate(self.world.grants.values()):
            (self.layout.edge / "grants" / f"{number}.cose").write_bytes(raw)
        self.page = f"http://127.0.0.1:{self.settings['page_port']}"
        self.edge = Service("meterseal_edge", self.layout.settings, f"{self.page}/readyz")
        self.callers: list[Caller] = []

    @property
    def settings(self) -> dict[str, object]:
        """What the edge's settings say."""
        return dict(json.loads(self.layout.settings.read_text()))

    def change(self, **fields: object) -> None:
        """Other settings, from the edge's next start."""
        put(self.layout.settings, json.dumps(self.settings | fields).encode())

    def connect(self, broker: Mosquitto, name: str, key: PrivateKey | None = None) -> Caller:
        """A fixture with its certificate, connected and listening."""
        shown = enrolled(self.layout, name, key or self.world.keys[name])
        found = Caller(self.layout, broker.port, shown)
        self.callers.append(found)
        assert found.let_in()
        found.listen(DOWN.format(name))
        return found

    def summary(self) -> dict[str, object]:
        """What the edge says of itself."""
        return dict(httpx.get(f"{self.page}/api/summary").json())

    def alarms(self) -> set[tuple[str, str]]:
        """(fixture, code) of what the page shows."""
        return {(one["fixture"], one["code"]) for one in self.summary()["alarms"]}  # type: ignore[attr-defined]

    def close(self) -> None:
        """Everything stops."""
        for caller in self.callers:
            caller.close()
        self.edge.stop()


@contextmanager
def factory(folder: Path, host: str = HOST) -> Iterator[tuple[Factory, Mosquitto]]:
    """A factory with a running broker; the edge is not started yet."""
    found = Factory(folder, host)
    with running(found.layout) as broker:
        try:
            yield found, broker
        finally:
            found.close()
