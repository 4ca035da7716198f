"""A client that holds a granted fixture's key and does everything that it should not. Bounded here: tens of thousands.

It is G1, of whom the lines know nothing. Broker and page are attacked over their real sockets; `memory_kib` is what
the edge's process and those beside it hold while that goes on.
"""

import contextlib
import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from edge.tests.factory import Factory
from paho.mqtt.enums import CallbackAPIVersion

from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.world import SITE
from meterseal_tools.services import ServiceFailed
from meterseal_wire.encode import encode

NAME = "G1"
TINY, HUGE, HALF_OPEN, INVENTED = 10_000, 200, 1000, 800
HUGE_BYTES = 130_000  # just below what the broker takes
IN_FLIGHT = 200
LOOK_S = 0.05
GARBAGE = (
    os.urandom(4096),
    b"GET / HTTP/1.1\r\nx: " + b"a" * 200_000,
    b"POST /api/summary HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n" + b"b" * 100_000,
    b"GET /../../edge.key HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /tile/0/x999/999 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"\x16\x03\x01" + os.urandom(512),
)


class Hostile:
    """Attacks one factory; each method is one way to do it."""

    def __init__(self, factory: Factory, draw: random.Random) -> None:
        self.factory, self.draw = factory, draw
        self.fixture = ModelFixture(factory.world.author(NAME, SITE))
        self.fixture.boot()

    @contextmanager
    def client(self) -> Iterator[mqtt.Client]:
        """A connection of its own."""
        found = mqtt.Client(CallbackAPIVersion.VERSION2, f"hostile-{self.draw.random()}")
        found.max_inflight_messages_set(IN_FLIGHT)
        found.connect(self.factory.box.broker.host, self.factory.box.broker.port)
        found.loop_start()
        yield found
        found.disconnect()
        found.loop_stop()

    def wrong_topics(self) -> None:
        """Its own statement on another's topic, another's parcels on its own, and names that nobody has."""
        mine = encode([[self.fixture.signed[0].raw]])
        with self.client() as client:
            for line in self.factory.lines:
                client.publish(f"ms/1/{SITE}/{line.name}/up", mine, 1)
            for _, raw in tuple(self.factory.recent):
                client.publish(f"ms/1/{SITE}/{NAME}/up", raw, 1)
            for number in range(INVENTED):
                client.publish(f"ms/1/{SITE}/nobody{number}/state", b'{"state":"online"}', 1)
                told = client.publish(f"ms/1/{SITE}/nobody{number}/live", os.urandom(200), 1)
            told.wait_for_publish(30)

    def huge(self) -> None:
        """Messages as large as the broker takes."""
        self._flood(HUGE, HUGE_BYTES)

    def tiny(self, count: int = TINY) -> None:
        """Very many messages of three bytes."""
        self._flood(count, 3)

    def _flood(self, count: int, size: int) -> None:
        with self.client() as client:
            for _ in range(count):
                told = client.publish(f"ms/1/{SITE}/{NAME}/up", os.urandom(size), 1)
            told.wait_for_publish(60)

    @contextmanager
    def half_open(self, count: int = HALF_OPEN) -> Iterator[list[socket.socket]]:
        """Connections to broker and page on which nothing, or half a request, is said."""
        page = urlsplit(self.factory.box.page)
        broker = self.factory.box.broker
        with ExitStack() as stack:
            found = []
            for number in range(count):
                address = (broker.host, broker.port) if number % 2 else (page.hostname, page.port)
                with contextlib.suppress(OSError):
                    opened = stack.enter_context(socket.create_connection(address, timeout=5))
                    opened.sendall(b"\x10" if number % 2 else b"GET / HTTP/1.1\r\nhost: ")
                    found.append(opened)
            yield found

    def garbage(self) -> None:
        """At the page: no HTTP, endless headers, bodies that nobody asked for, paths out of the folder."""
        page = urlsplit(self.factory.box.page)
        for raw in GARBAGE:
            with (
                contextlib.suppress(OSError),
                socket.create_connection((page.hostname, page.port), timeout=5) as opened,
            ):
                opened.sendall(raw)
                opened.settimeout(1)
                answer = opened.recv(65536)
                assert not answer or b" 40" in answer.partition(b"\r\n")[0], answer[:200]


class Memory:
    """The most that an edge holds while something goes on: a look every LOOK_S, in KiB."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self.most_kib = 0

    def look(self) -> int:
        """What it holds now; 0 while it starts again."""
        with contextlib.suppress(OSError, ServiceFailed):
            found = self._factory.box.rss_kib()
            self.most_kib = max(self.most_kib, found)
            return found
        return 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Looks until the end."""
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK_S):
                self.look()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        yield
        over.set()
        thread.join()
