"""A factory under faults: edge and broker killed a hundred times, a disk that is full now and then, everything twice.

Fixtures are those of `meterseal factory`: they sign for real, keep what custody does not cover, and offer it again.
Afterwards the edge's file is read with sqlite3 alone: lost 0, counted twice 0, and nothing promised that is not there.
"""

import random
import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from edge.tests.site import wait_until

from meterseal_protocol.testing.world import SITE, World
from meterseal_tools.broker import start_broker
from meterseal_tools.load.box import Box
from meterseal_tools.load.lines import Line, factory_world, line_names
from meterseal_tools.load.sender import Sender
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

LINES, EACH, KILLS, SEED = 6, 60, 100, 20261124
AGAIN_S, RATE, MOST_S = 0.3, 400.0, 240.0
FULL_BYTES = 300_000


class Factory:
    """A box under load, and what its lines have signed, by identity in each line's order."""

    def __init__(self, folder: Path, world: World, box: Box) -> None:
        self.folder, self.box = folder, box
        self.lines = [Line(world, name) for name in line_names(LINES)]
        self.signed: dict[bytes, list[bytes]] = {line.key: [] for line in self.lines}
        self.sender = Sender(box.broker.host, box.broker.port, SITE, self.lines, AGAIN_S)
        self.world = world

    def more(self) -> None:
        """Sign more on each line."""
        for line in self.lines:
            before = len(line.parcels)
            line.make(EACH)
            items = [item for raw, _ in line.parcels[before:] for item in scan(raw, 65536)]
            self.signed[line.key] += [identity(item[0]) for item in items]

    def load(self, until: Callable[[], bool]) -> None:
        """Send, and go on signing and sending, until `until` says enough; then until all has custody."""
        while True:
            self.more()
            self.sender.run(RATE, MOST_S)
            if until():
                return

    def stored(self) -> dict[bytes, list[bytes]]:
        """Identities by key, in the chain's order, as they lie in the file."""
        database = sqlite3.connect(self.folder / "edge" / "edge.sqlite")
        query = "SELECT key, identity FROM statement JOIN chain ON chain = id ORDER BY statement.epoch, statement.seq"
        found: dict[bytes, list[bytes]] = {}
        for key, name in database.execute(query):
            found.setdefault(key, []).append(name)
        leaves = [row[0] for row in database.execute("SELECT leaf FROM statement ORDER BY leaf")]
        database.close()
        assert leaves == list(range(len(leaves)))
        return found

    def check(self) -> None:
        """Lost 0, counted twice 0, in order; custody to the end of each line, signed by the edge."""
        assert self.stored() == self.signed
        assert [one.covered for one in self.sender.sent] == [line.statements for line in self.lines]
        self.sender.check(self.world.ring("edge"))


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    """A broker, an edge with a worker, six lines."""
    world = factory_world(LINES)
    with Box(tmp_path, world, workers=1) as box:
        found = Factory(tmp_path, world, box)
        yield found
        found.sender.close()


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[threading.Thread]:
    """Something that goes on in a thread of its own; what it raises is raised at the end."""
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below
            wrong.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread
    thread.join(MOST_S)
    if wrong:
        raise wrong[0]


def test_an_edge_killed_a_hundred_times_under_load_loses_nothing_and_counts_nothing_twice(
    factory: Factory,
) -> None:
    """Issue 6, faults: 100 x SIGKILL. Each comes at a drawn moment while parcels are under way."""
    draw = random.Random(SEED)

    def kill() -> None:
        for _ in range(KILLS):
            threading.Event().wait(draw.uniform(0.01, 0.2))
            factory.box.edge.kill()
            factory.box.edge.start()

    with beside(kill) as killer:
        factory.load(lambda: not killer.is_alive())
    factory.more()
    factory.sender.run(RATE, MOST_S)
    factory.check()


def test_a_broker_killed_a_hundred_times_under_load_loses_nothing(factory: Factory) -> None:
    """Issue 6, faults: 100 x broker. mosquitto forgets what it had not saved: custody alone lets a fixture forget."""
    draw, broker = random.Random(SEED), factory.box.broker

    def kill() -> None:
        for _ in range(KILLS):
            threading.Event().wait(draw.uniform(0.05, 0.3))
            factory.box.broker.kill()
            factory.box.broker = start_broker(factory.folder / "broker", broker.port)

    with beside(kill) as killer:
        factory.load(lambda: not killer.is_alive())
    factory.more()
    factory.sender.run(RATE, MOST_S)
    factory.check()
    factory.box.broker.stop()


def test_a_disk_that_is_full_now_and_then_stops_acknowledgements_and_loses_nothing(factory: Factory) -> None:
    """Design section 13: disk full: stops acknowledging, says so in /readyz; fixtures keep their queues; then it goes
    on. The kernel refuses every write beyond FULL_BYTES of a file (RLIMIT_FSIZE) at drawn moments: a quota.
    """
    draw, refused = random.Random(SEED), []
    free = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

    def fill() -> None:
        wait_until(lambda: factory.box.durable() > LINES * EACH, "a store of some size")
        for _ in range(3):
            threading.Event().wait(draw.uniform(0.05, 0.5))
            resource.prlimit(factory.box.edge.pid, resource.RLIMIT_FSIZE, (FULL_BYTES, free))
            wait_until(lambda: httpx.get(f"{factory.box.page}/readyz").status_code == 503, "not ready")
            refused.append(factory.box.durable())
            resource.prlimit(factory.box.edge.pid, resource.RLIMIT_FSIZE, (free, free))
            wait_until(lambda: httpx.get(f"{factory.box.page}/readyz").status_code == 200, "ready again")

    with beside(fill) as filler:
        factory.load(lambda: not filler.is_alive())
    assert len(refused) == 3
    assert refused == sorted(refused)
    factory.check()


def test_everything_ten_times_and_out_of_order_is_counted_once(factory: Factory) -> None:
    """Issue 6, faults: duplicates x 10, reordering. Each parcel goes out ten times, neighbours change places; what
    comes too early waits in quarantine and is offered again in order.
    """
    factory.more()
    draw = random.Random(SEED)
    for one in factory.sender.sent:
        parcels = [raw for raw, _ in one.line.parcels for _ in range(10)]
        for at in range(0, len(parcels) - 1, 2):
            if draw.random() < 0.5:
                parcels[at], parcels[at + 1] = parcels[at + 1], parcels[at]
        draw.shuffle(parcels[: len(parcels) // 2])
        for raw in parcels:
            one.client.publish(f"ms/1/{SITE}/{one.line.name}/up", raw, 1)
    factory.sender.run(most_s=MOST_S)
    factory.check()
