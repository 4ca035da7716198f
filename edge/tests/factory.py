"""A box under load that is counted afterwards: what its lines signed against what lies in the edge's file.

Fixtures are those of `meterseal factory`: they sign for real, keep what custody does not cover, and offer it again.
The file is read with sqlite3 alone, so nothing of the edge vouches for itself.
"""

import sqlite3
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meterseal_protocol.testing.world import SITE, World
from meterseal_tools.load.box import Box
from meterseal_tools.load.lines import Line, line_names
from meterseal_tools.load.sender import Sender
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

LINES, EACH, RECENT = 6, 60, 60
AGAIN_S, RATE, MOST_S = 0.3, 400.0, 100.0


@dataclass(frozen=True)
class Count:
    """What became of what was signed. `lost` is stored nowhere, `twice` more than once, `strange` was never signed,
    `misplaced` stands elsewhere in its chain, `broken` counts leaves that are missing from the log's order.
    """

    lost: int = 0
    twice: int = 0
    strange: int = 0
    misplaced: int = 0
    broken: int = 0


NOTHING_WRONG = Count()


class Factory:
    """A running box, its lines, and what they have signed by identity in each line's order."""

    def __init__(
        self, folder: Path, world: World, box: Box, rate: float = RATE, most_s: float = MOST_S
    ) -> None:
        self.folder, self.world, self.box, self._pace = folder, world, box, (rate, most_s)
        self.lines = [Line(world, name) for name in line_names(LINES)]
        self.signed: dict[bytes, list[bytes]] = {line.key: [] for line in self.lines}
        self.recent: deque[tuple[str, bytes]] = deque(maxlen=RECENT)
        self.sender = Sender(box.broker.host, box.broker.port, SITE, self.lines, AGAIN_S)

    @property
    def statements(self) -> int:
        """How many were signed."""
        return sum(map(len, self.signed.values()))

    def more(self) -> None:
        """Sign more on each line, and forget the bytes of what is covered."""
        self.sender.forget()
        for line in self.lines:
            line.make(EACH)
            self.recent += [(line.name, raw) for raw, _ in line.parcels]
            items = [item for raw, _ in line.parcels for item in scan(raw, 65536)]
            self.signed[line.key] += [identity(item[0]) for item in items]

    def send(self) -> None:
        """Sign more and send it, until all has custody."""
        self.more()
        self.sender.run(*self._pace)

    @contextmanager
    def load(self) -> Iterator[None]:
        """Sending goes on beside what is done here, and then until all has custody; NoCustody where that stalls."""
        enough = threading.Event()

        def go_on() -> None:
            while not enough.is_set():
                self.send()

        with beside(go_on):
            try:
                yield
            finally:
                enough.set()

    def stored(self) -> dict[bytes, list[bytes]]:
        """Identities by key, in the chain's order, as they lie in the file."""
        query = "SELECT key, identity FROM statement JOIN chain ON chain = id ORDER BY statement.epoch, statement.seq"
        found: dict[bytes, list[bytes]] = {}
        for key, name in self.rows(query):
            found.setdefault(key, []).append(name)
        return found

    def rows(self, query: str) -> list[tuple]:  # type: ignore[type-arg]
        """What the file answers."""
        database = sqlite3.connect(self.folder / "edge" / "edge.sqlite")
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def count(self) -> Count:
        """Compare what was signed with what is stored."""
        stored = self.stored()
        there = Counter(name for names in stored.values() for name in names)
        signed = {name for names in self.signed.values() for name in names}
        misplaced = sum(
            one != other
            for key, names in self.signed.items()
            for one, other in zip(names, stored.get(key, ()), strict=False)
        )
        leaves = [row[0] for row in self.rows("SELECT leaf FROM statement ORDER BY leaf")]
        return Count(
            lost=len(signed - there.keys()),
            twice=sum(there.values()) - len(there),
            strange=len(there.keys() - signed),
            misplaced=misplaced,
            broken=len(set(range(len(leaves))) ^ set(leaves)),
        )

    def check(self) -> None:
        """Nothing wrong; custody to the end of each line, signed by the edge."""
        assert self.count() == NOTHING_WRONG
        assert [one.covered for one in self.sender.sent] == [line.statements for line in self.lines]
        self.sender.check(self.world.ring("edge"))


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Something that goes on in a thread of its own; what it raises is raised at the end.

    A process is best started in the main thread: the kernel ends a service with the thread that made it.
    """
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below
            wrong.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        if wrong:
            raise wrong[0]
