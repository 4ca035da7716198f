"""A registry in this process on real files, with a world of grants and a model fixture that signs for real."""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.rules import load_pack, plan_for
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.runs import TYPE_FIELDS, Seat, point
from meterseal_protocol.testing.trial import with_values
from meterseal_protocol.testing.world import ROLES, World
from meterseal_registry.record import Record, open_record
from meterseal_registry.routes import make_app
from meterseal_registry.settings import Settings
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.suites import DEFAULT, Suite

BASE = "http://127.0.0.1:8443"
GOOD_PPM = (-3_000, 4_000, -8_000)
BAD_PPM = (-3_000, 27_000, -8_000)
START_S = 20
BEGAN_S = 6 * 3600
SERIAL = "12345678"
METER = f"DEMO.{SERIAL}"


class Office:
    """A registry and everybody who sends to it; `now_s` is its clock, moved by the test. `suite` is the registry's.

    With `people` its water rules ask for sign-offs and marks, as the shipped ones do.
    """

    def __init__(self, folder: Path, suite: Suite = DEFAULT, people: bool = False) -> None:
        self.folder = folder
        unsigned = {"signoff_roles": [], "least_people": 0, "marks_needed": 0}
        self.pack = load_pack("jjg162") if people else with_values(load_pack("jjg162"), unsigned)
        (folder / "rules.cbor").write_bytes(self.pack.raw)
        # Close to the real clock, which the routes ask: the windows of grants hold on whatever day this runs.
        self.world = World(
            int(time.time()) - BEGAN_S,
            rules={"jjg162": self.pack.digest, "jjg577": load_pack("jjg577").digest},
            keys={role: PrivateKey.generate(suite if role == "registry" else DEFAULT) for role in ROLES},
        )
        self.now_s = self.world.start_s
        self.world.keys["registry"].save(folder / "registry.key")
        (folder / "anchors.cbor").write_bytes(self.world.anchors_file)
        self.settings = Settings(
            folder / "registry",
            8443,
            "REG-CN",
            folder / "registry.key",
            folder / "anchors.cbor",
            BASE,
            rules=(str(folder / "rules.cbor"), "jjg577"),
        )
        self.fixture = ModelFixture(self.world.author("W1"))
        self.litres: dict[str, int] = {}  # what each meter's register shows
        self.plan = plan_for(self.pack, TYPE_FIELDS[kinds.WATER])
        self.record = self.open()
        for grant in self.world.grants.values():
            self.record.submit(grant, self.now_s)
        self.tick(60)
        self.beacon = identity(self.record.beacon(self.now_s))
        self.offer(self.fixture.boot())

    def open(self) -> Record:
        """The registry on these files, as a new process would open it."""
        return open_record(self.settings)

    def reopen(self) -> None:
        """Close and open again."""
        self.record.entries.store.close()
        self.record = self.open()

    def tick(self, seconds: int) -> int:
        """Time passes."""
        self.now_s += seconds
        return self.now_s

    def offer(self, *items: Signed) -> list[Any]:
        """One bundle."""
        return self.record.bundle([(item.raw, item.evidence) for item in items], self.now_s)

    def seat(self, errors_ppm: Sequence[int] = GOOD_PPM, serial: str = SERIAL) -> Seat:
        """A water meter at position 1 with these errors at the plan's points."""
        flows = [row[0] for row in scan(self.plan)[L.PLAN_POINTS]]
        rows = [
            point(index, flow, ppm) for index, (flow, ppm) in enumerate(zip(flows, errors_ppm, strict=True))
        ]
        return Seat(1, serial, start_litres=self.litres.get(serial, 100), points=rows)

    def attempt(self, seat: Seat) -> Signed:
        """A signed attempt, not sent."""
        return self.fixture.attempt([seat], self.plan, self.beacon)

    def run(self, errors_ppm: Sequence[int] = GOOD_PPM, serial: str = SERIAL) -> list[Signed]:
        """A signed attempt and result, not sent."""
        seat = self.seat(errors_ppm, serial)
        self.tick(60)
        self.litres[serial] = seat.end
        return [self.attempt(seat), self.fixture.result([seat])]

    @property
    def ring(self) -> KeyRing:
        """Every key of the world."""
        return self.world.ring()

    def root(self) -> bytes:
        """RFC 9162 section 2.1.1 over the log's leaves, by hand."""
        return root_by_hand([row.identity for row in self.record.log.rows])


def root_by_hand(leaves: list[bytes]) -> bytes:
    """MTH of one leaf, or of the two parts at the largest power of two below n."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + root_by_hand(leaves[:split]) + root_by_hand(leaves[split:])).digest()


@contextmanager
def serving(record: Record) -> Iterator[str]:
    """A record on a real port of the loopback, in a thread; its address."""
    config = uvicorn.Config(make_app(record), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + START_S
    while not server.started:
        assert time.monotonic() < until, "the registry did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(START_S)


@pytest.fixture
def served(office: Office) -> Iterator[str]:
    """The address of the office's record."""
    with serving(office.record) as address:
        yield address


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A registry with every grant, a beacon and a booted fixture."""
    found = Office(tmp_path)
    yield found
    found.record.entries.store.close()
