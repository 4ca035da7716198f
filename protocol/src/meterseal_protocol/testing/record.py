"""A registry's log in memory: statements enter verified, get a leaf and a time, and beacons and scopes come out."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from meterseal_protocol.evidence import Entry, Evidence, closes, names, select
from meterseal_protocol.grant import Grants
from meterseal_protocol.merkle import Tree, include, leaf_hash
from meterseal_protocol.receipt import issue
from meterseal_protocol.testing.fixture import Signed
from meterseal_protocol.testing.world import World
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.statement import build


@dataclass
class Record:
    """The log of `world`'s registry; `now_s` is its clock, moved by the test."""

    world: World
    now_s: int = 0
    pool: list[Entry] = field(default_factory=list)
    blobs: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    tree: Tree = field(default_factory=Tree)

    def __post_init__(self) -> None:
        self.now_s = self.now_s or self.world.start_s
        self.keys = self.world.ring()

    def enter(self, raw: bytes, evidence: Iterable[bytes] = ()) -> Entry:
        """One statement into the log, now."""
        found = verify(raw, self.keys)
        entry = Entry(found.statement, found.key.thumbprint, self.tree.size, self.now_s)
        self.tree.append(found.statement.identity)
        self.pool.append(entry)
        items = tuple(evidence)
        if items:
            self.blobs[found.statement.identity] = items
        return entry

    def enter_all(self, items: Iterable[Signed]) -> list[Entry]:
        """What a fixture signed, in its order."""
        return [self.enter(item.raw, item.evidence) for item in items]

    def enter_grants(self) -> list[Entry]:
        """Every grant of the world, parents first."""
        return [self.enter(raw) for raw in self.world.grants.values()]

    def beacon(self) -> Entry:
        """A beacon of now, entered."""
        number = len(self.of_kind(L.KIND_BEACON)) + 1
        head = {L.LOG_SIZE: self.tree.size, L.LOG_ROOT: self.tree.root()}
        payload = {L.NUMBER: number, L.TIME_S: self.now_s, **head}
        return self.enter(build(self.world.author("registry", "beacon"), L.KIND_BEACON, payload))

    def scope(self, meter: str) -> Entry:
        """The list of all attempts naming a meter and of what closed them, entered."""
        attempts = [e for e in self.of_kind(L.KIND_ATTEMPT) if names(e, meter)]
        opened = {entry.place for entry in attempts}
        closers = [e for e in self.of_kind(L.KIND_RESULT, L.KIND_ABANDONED) if closes(e) in opened]
        listed = sorted(entry.statement.identity for entry in (*attempts, *closers))
        payload = {L.METER: meter, L.LOG_SIZE: self.tree.size, L.ENTRIES: listed, L.TIME_S: self.now_s}
        return self.enter(build(self.world.author("registry", "scope"), L.KIND_SCOPE, payload))

    def of_kind(self, *typs: int) -> list[Entry]:
        """Entries of these kinds, in log order."""
        return [entry for entry in self.pool if entry.statement.typ in typs]

    def receipt(self, entry: Entry) -> bytes:
        """Receipt of an entry against the log as it stands."""
        hashes = [leaf_hash(item.statement.identity) for item in self.pool]
        place = include(hashes, entry.leaf, self.tree.size)
        return issue(self.world.author("registry", "log"), entry.statement.identity, place, entry.entered_s)

    def evidence(self, meter: str) -> Evidence:
        """Everything the log has about a meter."""
        return select(meter, self.pool, self.tree.size, self.blobs)

    def grants(self) -> Grants:
        """The authority chain of the log."""
        return Grants(self.of_kind(L.KIND_GRANT, L.KIND_WITHDRAWAL), self.world.anchors)
