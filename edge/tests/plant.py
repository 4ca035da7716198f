"""An edge's folder with settings, keys and grants, without a network: what backup, restore and retention work on."""

import json
from pathlib import Path

from edge.tests.conftest import Box

from meterseal_edge import continuity
from meterseal_edge.checkpoint import Checkpointer
from meterseal_edge.errors import RolledBack
from meterseal_edge.mark import Mark
from meterseal_edge.settings import Settings, load
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import Tree
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_tools.services import write_settings
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author


class Plant:
    """An edge's folder, settings and fixtures, without a network: `open` begins as main does, `close` stops it."""

    def __init__(self, folder: Path) -> None:
        (folder / "edge").mkdir()
        self.box = Box(folder / "edge")
        self.box.store.close()
        world = self.box.world
        world.keys["edge"].save(folder / "edge.key")
        (folder / "anchors.cbor").write_bytes(world.anchors_file)
        (folder / "grants").mkdir()
        for number, raw in enumerate(world.grants.values()):
            (folder / "grants" / f"{number}.cose").write_bytes(raw)
        self.path = write_settings(
            folder / "edge.json",
            folder=folder / "edge",
            port=1,
            site="YUHANG1",
            edge="EDGE1",
            key=folder / "edge.key",
            anchors=folder / "anchors.cbor",
            grants=folder / "grants",
            registry="http://127.0.0.1:9",
            page_port=8080,
        )
        self.fixture = ModelFixture(world.author("W1"))
        self.fixture.boot()

    @property
    def settings(self) -> Settings:
        """As the file says now."""
        return load(self.path)

    def open(self) -> None:
        """As `main.build`: store, log, mark, and the comparison."""
        self.box.reopen()
        self.mark = Mark(self.settings.folder)
        key = PrivateKey.load(self.settings.key)
        try:
            self.number = continuity.begin(self.box.store, self.box.log, self.mark, key.thumbprint)
        except RolledBack:
            self.close()
            raise
        self.box.log.on_growth = self.mark.grown
        self.heads = Checkpointer(Author("EDGE1", "YUHANG1", key), self.box.log, self.mark, self.number)

    def close(self) -> None:
        """As at the end of `main.run`."""
        self.box.store.close()
        self.mark.close()

    def work(self, count: int) -> None:
        """So many more statements, durable."""
        for number in range(count):
            self.fixture.event("tick", str(number))
        self.box.offer(*self.fixture.signed[self.box.log.tip()[0] :])

    def new_key(self) -> None:
        """A fresh key in the settings, and its grant."""
        world = self.box.world
        world.keys["edge"] = PrivateKey.generate()
        path = self.path.parent / f"edge-{world.keys['edge'].thumbprint.hex()[:8]}.key"
        world.keys["edge"].save(path)
        fields = {L.SUBJECT_KEY: world.cose("edge"), L.EDGE: "EDGE1", L.SITE: "YUHANG1"}
        parent = {L.PARENT: identity(world.grants["delegation"])}
        world.grants[f"edge {path.stem}"] = raw = world.grant("province", kinds.EDGE, {**parent, **fields})
        (self.path.parent / "grants" / f"{path.stem}.cose").write_bytes(raw)
        self.path.write_text(json.dumps({**json.loads(self.path.read_text()), "key": str(path)}))


def tree_root(plant: Plant, count: int) -> bytes:
    """Root over the first statements, by the tree alone."""
    tree = Tree()
    for item in plant.fixture.signed[:count]:
        tree.append(item.identity)
    return tree.root()
