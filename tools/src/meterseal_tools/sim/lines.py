"""Serial lines as ptys, and the one thread that serves them.

The rig holds the master of each pty and keeps the slave open as well: so a fixture may come and go, its end never
hangs up the rig's, and the line stays raw. What was on its way when the power failed is thrown away (`flush`).
The thread also starts the fixtures: a child that must die with its parent dies with the thread that made it.
"""

import os
import selectors
import termios
import threading
import tty
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from meterseal_tools.sim.errors import SimError

READ_SIZE = 4096
MOST_WAITING = 65_536
LONGEST_SLEEP_S = 0.5
T = TypeVar("T")


class Station(Protocol):
    """Whoever answers on a line."""

    def feed(self, data: bytes) -> bytes:
        """Bytes that came from the fixture; gives the answer, empty where there is none yet."""

    def poll(self) -> bytes:
        """Bytes whose time has come."""

    def sleep_s(self) -> float:
        """How long `poll` need not be called, in seconds."""

    def reset(self) -> None:
        """Forget what came in part: the fixture lost its power."""


class SerialLine:
    """One pty, raw, and the station on the rig's side of it. `path` is what the fixture opens."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._slave)
        self.waiting = b""

    def receive(self) -> None:
        """Take what came, and let the station answer."""
        data = self._read()
        if data:
            self.send(self.station.feed(data))

    def _read(self) -> bytes:
        try:
            return os.read(self.master, READ_SIZE)
        except BlockingIOError:
            return b""

    def send(self, data: bytes) -> None:
        """Send, or keep until there is room. Where nobody reads, the line's oldest bytes are kept, the rest lost."""
        self.waiting = (self.waiting + data)[:MOST_WAITING]
        if self.waiting:
            try:
                self.waiting = self.waiting[os.write(self.master, self.waiting) :]
            except BlockingIOError:
                return

    def flush(self) -> None:
        """Throw away everything under way, both directions."""
        termios.tcflush(self._slave, termios.TCIOFLUSH)
        while self._read():
            continue
        self.waiting = b""
        self.station.reset()

    def close(self) -> None:
        """Take the line down; a fixture that still has it open sees it hang up."""
        os.close(self.master)
        os.close(self._slave)


class Service(threading.Thread):
    """Serves lines until `stop`. Holds `lock` while a station works: take it to touch what stations use."""

    def __init__(self, lines: list[SerialLine], lock: threading.RLock) -> None:
        super().__init__(name="meterseal-rig", daemon=True)
        self._lines, self._lock = lines, lock
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._jobs: list[Callable[[], None]] = []
        self._stopping = False

    def wake(self) -> None:
        """Make the thread look at its lines and jobs now."""
        os.write(self._wake_write, b"w")

    def call(self, job: Callable[[], T]) -> T:
        """Run `job` in the service thread and give its result."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(job())
            except (OSError, SimError) as error:
                done.set_exception(error)

        with self._lock:
            self._jobs.append(run)
        self.wake()
        return done.result()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping = True
        self.wake()
        self.join()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def run(self) -> None:
        """The loop; ends at `stop`."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            for line in self._lines:
                selector.register(line.master, selectors.EVENT_READ)
            while not self._stopping:
                ready = {key.fd for key, _ in selector.select(self._sleep_s())}
                if self._wake_read in ready:
                    os.read(self._wake_read, READ_SIZE)
                with self._lock:
                    self._serve(ready)

    def _sleep_s(self) -> float:
        with self._lock:
            if any(line.waiting for line in self._lines):
                return 0.01
            return min([LONGEST_SLEEP_S] + [line.station.sleep_s() for line in self._lines])

    def _serve(self, ready: set[int]) -> None:
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job()
        for line in self._lines:
            if line.master in ready:
                line.receive()
            line.send(line.station.poll())
