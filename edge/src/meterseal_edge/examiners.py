"""Who examines: this process, or several beside it, since checking a signature takes most of a statement's time.

`start` hands a batch over and returns; `finish` waits for the oldest one. In between the caller writes earlier batches
to disk; with AHEAD batches handed over, a worker that is done with its part of one goes on with the next. A worker
takes what comes by a thread of its own, so neither side of a pipe ever waits for the other. It ends by itself when its
pipe ends, so a killed edge leaves none behind.
"""

import contextlib
import threading
from collections import deque
from itertools import chain
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Protocol

from meterseal_edge.errors import WorkerLost
from meterseal_edge.events import Parcel
from meterseal_edge.examine import Directory, Examined, Said, examine
from meterseal_edge.keybook import Keybook
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.suites import by_number

STOP_S = 5
AHEAD = 2
Task = tuple[
    bytes, list[Said]
]  # keys as CBOR: [suite, public key, name of a fixture or nothing] each; messages


class Examiner(Protocol):
    """Examines batches, in the order in which they come."""

    def start(self, parcels: list[Parcel]) -> None:
        """Take a batch; at most AHEAD are not finished."""

    def finish(self) -> Examined:
        """The oldest batch that was started, in the order of its parcels."""

    def close(self) -> None:
        """Release what examines."""


class Here:
    """Examines in the caller's own thread, when asked for the answer."""

    def __init__(self, keys: Keybook) -> None:
        self._keys = keys
        self._batches: deque[list[Parcel]] = deque()

    def start(self, parcels: list[Parcel]) -> None:
        """Remember the batch."""
        self._batches.append(parcels)

    def finish(self) -> Examined:
        """Examine it now."""
        said = ((parcel.fixture, parcel.payload) for parcel in self._batches.popleft())
        return examine(said, self._keys.directory())

    def close(self) -> None:
        """Nothing is held."""


class Beside:
    """Examines in `count` processes. WorkerLost where one of them ended."""

    def __init__(self, keys: Keybook, count: int) -> None:
        self._keys = keys
        self._cards: tuple[Directory | None, bytes] = (None, b"")
        self._asked: deque[list[Connection]] = deque()
        context = get_context("spawn")
        self._workers = []
        for number in range(count):
            ours, theirs = context.Pipe()
            worker = context.Process(target=work, args=(theirs,), daemon=True, name=f"examiner {number}")
            worker.start()
            theirs.close()
            self._workers.append((worker, ours))

    def start(self, parcels: list[Parcel]) -> None:
        """Deal the batch out: neighbours stay together, the parts are of about equal bytes."""
        said = [(parcel.fixture, parcel.payload) for parcel in parcels]
        cards = self._known()
        asked = []
        for (_, pipe), part in zip(self._workers, dealt(said, len(self._workers)), strict=True):
            if part:
                self._send(pipe, (cards, part))
                asked.append(pipe)
        self._asked.append(asked)

    def finish(self) -> Examined:
        """Collect the parts in their order."""
        parts = [self._receive(pipe) for pipe in self._asked.popleft()]
        return Examined(
            list(chain.from_iterable(part.found for part in parts)),
            list(chain.from_iterable(part.alarms for part in parts)),
        )

    def close(self) -> None:
        """End the workers."""
        for worker, pipe in self._workers:
            pipe.close()
            worker.join(STOP_S)
            worker.close()

    def _known(self) -> bytes:
        directory = self._keys.directory()
        if self._cards[0] is not directory:
            names = directory.names
            cards = [[key.suite.number, key.xy, names.get(key.thumbprint, "")] for key in directory.ring]
            self._cards = (directory, encode(cards))
        return self._cards[1]

    def _send(self, pipe: Connection, task: Task) -> None:
        try:
            pipe.send(task)
        except OSError:
            raise WorkerLost("a process that verifies has ended; the edge must be started again") from None

    def _receive(self, pipe: Connection) -> Examined:
        try:
            found: Examined = pipe.recv()
        except (EOFError, OSError):
            raise WorkerLost("a process that verifies has ended; the edge must be started again") from None
        return found


def dealt(said: list[Said], hands: int) -> list[list[Said]]:
    """`said` in so many parts of about equal bytes, order kept."""
    parts: list[list[Said]] = [[] for _ in range(hands)]
    total = sum(len(payload) for _, payload in said) or 1
    before = 0
    for one in said:
        parts[min(before * hands // total, hands - 1)].append(one)
        before += len(one[1])
    return parts


def work(pipe: Connection) -> None:
    """A worker's life: examine what comes until the pipe ends."""
    tasks: SimpleQueue[Task | None] = SimpleQueue()
    threading.Thread(target=take, args=(pipe, tasks), daemon=True).start()
    held, directory = b"", Directory(KeyRing(), {})
    with contextlib.suppress(OSError, KeyboardInterrupt):
        while (task := tasks.get()) is not None:
            cards, said = task
            if cards != held:
                held, directory = cards, opened(cards)
            pipe.send(examine(said, directory))


def take(pipe: Connection, tasks: "SimpleQueue[Task | None]") -> None:
    """Fetch tasks as they come; None after the last."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            tasks.put(pipe.recv())
    tasks.put(None)


def opened(cards: bytes) -> Directory:
    """The directory on the other side of a pipe."""
    ring, names = KeyRing(), {}
    for suite, public, name in scan(cards, len(cards)):
        key = PublicKey(public, by_number(suite))
        ring.add(key)
        if name:
            names[key.thumbprint] = name
    return Directory(ring, names)
