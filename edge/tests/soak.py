"""`make soak MINUTES=10`: one edge under load and every fault in any order, and at the end nothing lost or twice.

Edges start from nothing, with a process that verifies beside them, in front of a real mosquitto. The registry is away
from the beginning until a week's statements of these lines have been made (a run each half hour on each, day and
night) and half of the time is over; then it must get everything. Ends with one line of figures. Exit codes: 0 nothing
lost, counted twice or covered wrongly, memory within its bound and everything entered; 1 else; 64 misuse.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.tests.factory import LINES, NOTHING_WRONG, Factory
from edge.tests.faults import Faults
from edge.tests.hostile import Hostile, Memory
from edge.tests.site import SmallRegistry, served

from meterseal_protocol.merkle import include, leaf_hash
from meterseal_protocol.receipt import issue
from meterseal_tools.load.box import Box
from meterseal_tools.load.lines import factory_world
from meterseal_tools.services import free_port
from meterseal_wire.sign1 import identity

WEEK = LINES * 7 * 24 * 2 * 2  # an attempt and a result each half hour
RATE, MOST_S, DRAIN_S = 400.0, 300.0, 600.0
GROWTH_KIB = 128 * 1024
RECEIPT_S = 1_790_000_000
OFTEN, SELDOM = 20, 2


class SwiftRegistry(SmallRegistry):
    """Enters a statement into a log of its own: a receipt costs one signature however many there are."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.known: dict[bytes, bytes] = {}
        self.open = False

    def answer(self, raw: bytes) -> Any:
        """A receipt, the same one at each question."""
        name = identity(raw)
        if name not in self.known:
            self.known[name] = issue(self.author, name, include([leaf_hash(name)], 0, 1), RECEIPT_S)
        return self.known[name]


@dataclass
class Campaign:
    """A factory, what happens to it, and the registry that is away at first."""

    factory: Factory
    faults: Faults
    hostile: Hostile
    memory: Memory
    registry: SwiftRegistry
    port: int
    attacks: int = 0
    drained: str = "registry away to the end"

    def choices(self) -> list[Callable[[], None]]:
        """Every fault, as often as it stands here."""
        often = [self.faults.kill_edge, self.faults.kill_broker]
        attacks = [
            self.hostile.wrong_topics,
            self.hostile.huge,
            self.hostile.tiny,
            self.hostile.garbage,
            self.silent,
        ]
        told = [lambda attack=attack: self.attack(attack) for attack in attacks]
        return often * OFTEN + [self.faults.fill_disk, self.faults.repeat] * SELDOM + told

    def attack(self, how: Callable[[], None]) -> None:
        """One way of a hostile client."""
        how()
        self.attacks += 1

    def silent(self) -> None:
        """Half-open connections for a moment."""
        with self.hostile.half_open():
            self.faults.pause(0.5, 1.0)

    def run(self, seconds: float) -> None:
        """Faults under load for so long; then everything gets custody, and the registry everything."""
        began = time.monotonic()
        with ExitStack() as stack:
            with self.memory.watched(), self.factory.load():
                while (elapsed := time.monotonic() - began) < seconds:
                    if not self.registry.open and elapsed > seconds / 2 and self.factory.statements > WEEK:
                        stack.enter_context(self.back())
                    self.faults.pause(0.05, 0.5)
                    self.faults.draw.choice(self.choices())()
            if not self.registry.open:
                stack.enter_context(self.back())
            self.drain()

    @contextmanager
    def back(self) -> Iterator[None]:
        """The registry is reachable again."""
        self.registry.open = True
        with served(self.registry, self.port):
            yield

    def drain(self) -> None:
        """Wait until the registry has everything."""
        began, first = time.monotonic(), len(self.registry.known)
        while len(self.registry.known) < self.factory.statements and time.monotonic() - began < DRAIN_S:
            time.sleep(0.2)
        entered, seconds = len(self.registry.known) - first, time.monotonic() - began
        self.drained = f"the last {entered} in {seconds:.0f} s"

    def report(self, base_kib: int) -> int:
        """The line of figures; the exit code."""
        found, faults, kept = self.factory.count(), self.faults, len(self.registry.known)
        covered = sum(one.covered for one in self.factory.sender.sent)
        signed = self.factory.statements
        peak = self.memory.most_kib
        print(
            f"soak: {signed} statements, {faults.kills} kills of the edge, {faults.broker_kills} of the broker, "
            f"{faults.disks_full} disks full, {faults.repeats} parcels again and out of order, "
            f"{self.attacks} attacks: lost {found.lost}, counted twice {found.twice}, strange {found.strange}, "
            f"misplaced {found.misplaced}, covered {covered}, entered {kept} ({self.drained}), "
            f"peak RSS {peak // 1024} MiB ({base_kib // 1024} at rest)"
        )
        whole = found == NOTHING_WRONG and covered == kept == signed
        return 0 if whole and peak - base_kib < GROWTH_KIB else 1


def soak(minutes: float, seed: int) -> int:
    """The whole campaign in a folder of its own."""
    world = factory_world(LINES)
    registry, port = SwiftRegistry(world), free_port()
    address = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryDirectory() as name,
        Box(Path(name), world, workers=1, registry=address, registry_poll_s=1, quarantine=500) as box,
    ):
        factory, draw = Factory(Path(name), world, box, RATE, MOST_S), random.Random(seed)
        factory.send()
        memory = Memory(factory)
        base_kib = memory.look()
        hostile = Hostile(factory, draw)
        campaign = Campaign(factory, Faults(factory, draw), hostile, memory, registry, port)
        campaign.run(minutes * 60)
        code = campaign.report(base_kib)
        factory.sender.close()
        box.broker.stop()
    return code


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    print(f"-- edge under faults for {given.minutes:g} minutes, seed {given.seed}", flush=True)
    return soak(given.minutes, given.seed)


if __name__ == "__main__":
    sys.exit(main())
