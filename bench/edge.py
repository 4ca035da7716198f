"""The edge's figures: statements a second in process and through mosquitto, waits, memory, a start with a long history.

Limits are ECDSA verifications on P-256 by `openssl speed` on every core, taken in turns with the rounds, best of each,
both by the clock on the wall. Statements are those of a factory: attempts and results of one meter with three points,
with plan and telegrams, ten in a message, forty fixtures (`meterseal factory` shows other mixtures).

The history is of 100 000 statements, with FULL=1 of a million.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path

from drain import drain_row
from meterseal_edge.custody import Promiser
from meterseal_edge.events import Parcel
from meterseal_edge.examiners import AHEAD, Beside
from meterseal_edge.ingest import Ingest
from meterseal_edge.keybook import Keybook
from meterseal_edge.log import EdgeLog
from meterseal_edge.quarantine import Quarantine
from meterseal_edge.settings import Settings
from meterseal_edge.state import State
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.testing.world import EDGE, SITE, World
from meterseal_tools.load.box import Box
from meterseal_tools.load.lines import Line, factory_world, line_names
from meterseal_tools.load.sender import Sender
from meterseal_wire.statement import Author
from row import Row

CORES = os.cpu_count() or 1
LINES, EACH, ROUNDS, STARTS = 40, 500, 8, 3
MILLION, STEPS, CALM_S = 1_000_000, 10, 10
HISTORY = MILLION if os.environ.get("FULL", "0") != "0" else MILLION // 10
INPROCESS_GOAL, MQTT_GOAL = 0.75, 0.40
KIB = 1024
SPEED = re.compile(r"nistp256\).*\s([0-9.]+)\s*$", re.MULTILINE)


def openssl_rate() -> float:
    """ECDSA P-256 verifications a second on every core."""
    if shutil.which("openssl") is None:
        sys.exit("openssl is missing: its speed is the limit of the edge's benches; apt install openssl")
    command = ["openssl", "speed", "-elapsed", "-seconds", "1", "-multi", str(CORES), "ecdsap256"]
    found = SPEED.search(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if found is None:
        sys.exit("openssl speed said nothing of nistp256; look at what it prints")
    return float(found.group(1))


def best(figure: Callable[[], float]) -> tuple[float, float]:
    """The best of a figure and of its limit, taken in turns."""
    limits, figures = [], []
    for _ in range(ROUNDS):
        limits.append(openssl_rate())
        figures.append(figure())
    return max(figures), max(limits)


class Nobody:
    """Where the inbox is: takes acknowledgements and custody."""

    def acknowledge(self, parcel: Parcel) -> None:
        """PUBACK."""

    def hold_back(self, parcel: Parcel) -> None:
        """None."""

    def send_custody(self, fixture: str, raw: bytes) -> None:
        """Custody."""


def dealt_parcels(lines: list[Line]) -> list[Parcel]:
    """The parcels of all lines, one of each in turn."""
    rows = zip_longest(*([(line.name, raw) for raw, _ in line.parcels] for line in lines))
    said = [one for row in rows for one in row if one]
    return [Parcel(name, raw, number, 1) for number, (name, raw) in enumerate(said, 1)]


def inprocess_rate(world: World, parcels: list[Parcel], statements: int) -> float:
    """Statements a second from bytes to durable and logged, as the edge's own loop does it."""
    with tempfile.TemporaryDirectory() as folder:
        keys = Keybook(world.anchors_file, Path(folder) / "grants", SITE)
        keys.learn(world.grants.values())
        store = SqliteStore(Path(folder) / "edge.sqlite")
        log = EdgeLog(store)
        promiser = Promiser(Author(EDGE, SITE, world.keys["edge"]), log)
        examiner = Beside(keys, CORES)
        ingest = Ingest(Nobody(), examiner, log, promiser, Quarantine(store, 1000), State(EDGE, SITE))  # type: ignore[arg-type]
        examiner.start(parcels[:LINES])
        examiner.finish()  # the processes have started, and have made what they match statements with
        began = time.perf_counter()
        run_through(ingest, parcels)
        seconds = time.perf_counter() - began
        examiner.close()
        durable = store.counts()[0]
        store.close()
    if durable != statements:
        sys.exit(f"{durable} of {statements} statements became durable: the figure would be wrong")
    return statements / seconds


def run_through(ingest: Ingest, parcels: list[Parcel]) -> None:
    """All parcels in batches of the default size, as many ahead as `main.ingest_loop` keeps."""
    size = Settings.batch
    batches = iter([parcels[at : at + size] for at in range(0, len(parcels), size)])
    ahead: deque[list[Parcel]] = deque()
    while True:
        while len(ahead) < AHEAD and (batch := next(batches, None)):
            ingest.examiner.start(batch)
            ahead.append(batch)
        if not ahead:
            return
        ingest.keep(ahead.popleft(), ingest.examiner.finish())


def made_lines(world: World, statements: int) -> list[Line]:
    """Forty lines that have signed so many each."""
    lines = [Line(world, name) for name in line_names(LINES)]
    for line in lines:
        line.make(statements)
    return lines


@contextmanager
def boxed(world: World) -> Iterator[Box]:
    """A fresh broker and edge."""
    with tempfile.TemporaryDirectory() as folder, Box(Path(folder), world) as box:
        yield box


def mqtt_rate(world: World, lines: list[Line], rate: float = 0) -> tuple[float, float]:
    """Statements a second through a fresh broker and edge with custody back, and the 99th percentile of waits in s.

    The first message of each line is sent before the clock starts: by then the processes that verify have started.
    """
    with boxed(world) as box:
        sender = Sender(box.broker.host, box.broker.port, SITE, lines)
        sender.warm_up()
        told = sender.run(rate)
        sender.check(world.ring("edge"))
        sender.close()
    return told.rate, told.wait_s(0.99)


def long_rows() -> list[Row]:
    """A long history through one edge: how its memory grows, and how long it takes to start after it."""
    world = factory_world(LINES)
    lines = [Line(world, name) for name in line_names(LINES)]
    resident, starts = [], []
    with boxed(world) as box:
        starts.append(restart_s(box))
        sender = Sender(box.broker.host, box.broker.port, SITE, lines)
        for _ in range(STEPS):
            for line in lines:
                line.make(HISTORY // STEPS // LINES)
            sender.run()
            resident.append(box.rss_kib() / KIB)
            sender.forget()
        sender.check(world.ring("edge"))
        sender.close()
        starts.append(restart_s(box))
        stored = box.durable()
    growth = (resident[-1] - resident[0]) * STEPS / (STEPS - 1) * MILLION / HISTORY
    note = f"{resident[0]:.0f} MiB after the first tenth of {stored}, {resident[-1]:.0f} after the last"
    limit = f"{starts[0]:.2f} s with none"
    return [
        Row("edge.rss_mib_per_million", growth, "MiB", note=note),
        Row("edge.restart_s", starts[1], "s", starts[0], note=f"with {stored} statements; {limit}"),
    ]


def restart_s(box: Box) -> float:
    """Seconds from a stopped edge to one that is ready, the best of STARTS."""
    seconds = []
    for _ in range(STARTS):
        box.edge.stop()
        began = time.perf_counter()
        box.edge.start()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def rows() -> list[Row]:
    """edge.inprocess_vs_openssl, .mqtt_vs_openssl, .custody_p99_ms, .drain_vs_production, .rss_mib_per_million and
    .restart_s.
    """
    world = factory_world(LINES)
    lines = made_lines(world, EACH)
    statements = sum(line.statements for line in lines)
    parcels = dealt_parcels(lines)
    against = f"openssl speed ECDSA P-256 verify on {CORES} cores"
    own, limit = best(lambda: inprocess_rate(world, parcels, statements))
    found = [Row("edge.inprocess_vs_openssl", own, "1/s", limit, INPROCESS_GOAL, at_most=False, note=against)]
    own, limit = best(lambda: mqtt_rate(world, lines)[0])
    found.append(Row("edge.mqtt_vs_openssl", own, "1/s", limit, MQTT_GOAL, at_most=False, note=against))
    calm = limit * MQTT_GOAL / 10
    for line in lines:
        some = line.parcels[: max(2, int(calm * CALM_S / LINES / line.a_message))]
        line.parcels, line.statements = some, some[-1][1]
    _, wait_s = mqtt_rate(world, lines, calm)
    note = f"publication to custody at {calm:.0f} statements a second"
    return [*found, Row("edge.custody_p99_ms", wait_s * 1000, "ms", note=note), drain_row(), *long_rows()]
