"""Faults that happen to a factory: what tests do a few times, and `make soak` for minutes. Main thread only."""

import random
import resource
import time
from dataclasses import dataclass, field

import httpx
import paho.mqtt.client as mqtt
from edge.tests.factory import Factory
from edge.tests.forked import Forked
from edge.tests.site import wait_until
from paho.mqtt.enums import CallbackAPIVersion

from meterseal_protocol.testing.world import SITE
from meterseal_tools.broker import start_broker

FULL_BYTES = 40_000  # a store that is young, or whose journal has just begun anew, is larger soon
TIMES = 10


@dataclass
class Faults:
    """Does things to a factory at moments drawn from a seed, and counts them."""

    factory: Factory
    draw: random.Random
    kills: int = 0
    broker_kills: int = 0
    disks_full: int = 0
    repeats: int = 0
    durable_when_full: list[int] = field(default_factory=list)

    def pause(self, least_s: float, most_s: float) -> None:
        """A drawn moment later."""
        time.sleep(self.draw.uniform(least_s, most_s))

    def kill_edge(self) -> None:
        """SIGKILL, and the next edge starts at once on the same files."""
        self.factory.box.edge.kill()
        self.factory.box.edge.start()
        self.kills += 1

    def kill_edge_again_and_again(self, times: int) -> None:
        """SIGKILL, and the next edge is killed while it starts; the last one of so many lives."""
        edge = self.factory.box.edge
        assert isinstance(edge, Forked)
        for _ in range(times - 1):
            edge.kill()
            edge.begin()
            self.pause(0.005, 0.2)
            self.kills += 1
        self.kill_edge()

    def kill_broker(self) -> None:
        """SIGKILL: mosquitto forgets all it had not saved, sessions and messages that it acknowledged."""
        box = self.factory.box
        box.broker.kill()
        box.broker = start_broker(self.factory.folder / "broker", box.broker.port)
        self.broker_kills += 1

    def fill_disk(self) -> None:
        """No write beyond FULL_BYTES of a file (RLIMIT_FSIZE, as a quota) until the edge says that it takes nothing."""
        box = self.factory.box
        free = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.prlimit(box.edge.pid, resource.RLIMIT_FSIZE, (FULL_BYTES, free))
        wait_until(lambda: self.ready() == httpx.codes.SERVICE_UNAVAILABLE, "not ready")
        self.durable_when_full.append(box.durable())
        resource.prlimit(box.edge.pid, resource.RLIMIT_FSIZE, (free, free))
        wait_until(lambda: self.ready() == httpx.codes.OK, "ready again")
        self.disks_full += 1

    def ready(self) -> int:
        """Status of /readyz."""
        return httpx.get(f"{self.factory.box.page}/readyz").status_code

    def repeat(self) -> None:
        """The latest parcels of all lines ten times, in any order, from a connection beside theirs."""
        box = self.factory.box
        parcels = list(self.factory.recent) * TIMES
        self.draw.shuffle(parcels)
        client = mqtt.Client(CallbackAPIVersion.VERSION2, "repeats")
        client.connect(box.broker.host, box.broker.port)
        client.loop_start()
        told = [client.publish(f"ms/1/{SITE}/{name}/up", raw, 1) for name, raw in parcels]
        wait_until(lambda: all(one.is_published() for one in told), "the broker's acknowledgements")
        client.disconnect()
        client.loop_stop()
        self.repeats += len(parcels)
