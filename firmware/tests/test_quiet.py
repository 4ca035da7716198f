"""Between the first counted edge and the last: no flash write, no signature, no verification, no forced collection.

Design section 6. Watched from the moment a gate opens until it closes, which is more than the edges: a whole fixture
on littlefs whose every programmed page is seen, with a signer, a verifier and a collector that write down when they
are used, both methods, while a beacon arrives and everything kept is offered. Planted bugs show that it is seen.
"""

import asyncio

from doubles import CaptureEnd, PipeEnd
from flash import Flash, Mounted
from whole_bench import Fixture, order, plan_of, seat

from meterseal_fixture import bench as benches
from meterseal_fixture import standing
from meterseal_fixture import station as stations
from meterseal_fixture.signer.software_p256 import SoftwareSigner
from meterseal_fixture.station import Station
from meterseal_wire import labels as L
from meterseal_wire import point
from meterseal_wire.encode import encode
from meterseal_wire.statement import Author, build

benches.POLL_MS = standing.POLL_MS = 0
BEACON = {L.NUMBER: 1, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}
ROWS = [[3600, 10, 20000, 2000, 1]] * 2
FLYING, STATIC = plan_of(ROWS), plan_of(ROWS, METHOD=point.STATIC)


class Watched:
    """Is the gate open, and what was done meanwhile; `done` has everything ever done."""

    def __init__(self):
        self.open, self.seen, self.done = False, [], []

    def saw(self, what):
        self.done.append(what)
        if self.open:
            self.seen.append(what)


class Chip(Flash):
    """Every page programmed and every block erased is seen by `watched`. There is one, formatted anew for each run:
    a second one finds no room in the heap.
    """

    watched = Watched()

    def _change(self, start, data):
        self.watched.saw("flash")
        return super()._change(start, data)


CHIP = Chip(96)


class Pen:
    """A signer that tells; so does the collector, in the place of gc."""

    def __init__(self, watched, signer=None):
        self.watched, self.signer = watched, signer
        self.public_xy = signer.public_xy if signer else b""

    def sign(self, message):
        self.watched.saw("signature")
        return self.signer.sign(message)

    def verify(self, *_):
        self.watched.saw("verification")
        return False

    def collect(self):
        self.watched.saw("collection")

    def mem_alloc(self):
        return 0


def watch_gates(end, watched, on_open):
    """Tell when gates open and close; a beacon comes as soon as they are open."""
    opened, closed = end.say_a, end.say_d

    def arm(mask):
        watched.open = True
        on_open()
        return opened(mask)

    def disarm(mask):
        found = closed(mask)
        watched.open = False
        return found

    end.say_a, end.say_d = arm, disarm


def seen_in(plan, end, make=Station):
    """What was done while gates were open, and in all, in a run by that plan."""
    watched, usual = Watched(), stations.gc
    CHIP.watched = watched
    with Fixture(make=make, end=end, folder=Mounted(CHIP, new=True)) as fixture:
        registry = SoftwareSigner(bytes(31) + b"\x07")
        beacon = encode([build(Author("R", "S", registry), L.KIND_BEACON, BEACON, None)])
        pen = Pen(watched, fixture.chronicle.author.signer)
        fixture.chronicle.author.signer = pen
        fixture.offer.down.verify, fixture.offer.down.log = pen.verify, lambda *_: None
        stations.gc = pen
        watch_gates(end, watched, lambda: fixture.offer.down.take(beacon))
        if isinstance(end, PipeEnd):
            fixture.meters.register = lambda _address: end.ul() // 10

        async def script():
            offering = asyncio.create_task(fixture.offer.run(fixture.station))
            try:
                fixture.say(**order([seat(1, "DEMO.1", "0100000077041416")], plan=plan))
                await fixture.wait(event="result_signed")
                await asyncio.sleep_ms(60)  # offer looks each 20 ms
            finally:
                offering.cancel()

        try:
            fixture.run(script())
        finally:
            stations.gc = usual
    return watched.seen, watched.done


def ends():
    return (FLYING, CaptureEnd([100, 500])), (STATIC, PipeEnd([100, 0]))


def test_nothing_is_written_signed_verified_or_collected_while_gates_are_open():
    """By either method. All four are done in the same run at other times, so whoever watches does see."""
    for plan, end in ends():
        seen, done = seen_in(plan, end)
        assert seen == []
        assert sorted(set(done)) == ["collection", "flash", "signature", "verification"]
        assert end.asked.count(["A", "3"]) == 2 or end.asked.count(["A", "1"]) == 4


class Writes(Station):
    """Planted: the state of a run goes to flash whenever it changes."""

    def changed(self):
        super().changed()
        with open(self.chronicle.keep.folder + "/state", "w") as file:
            file.write(self.state)


class Signs(Station):
    """Planted: an event in the middle of a point, past the gate that `note` has."""

    def changed(self):
        super().changed()
        if self.bench.counting:
            self.chronicle.sign(L.KIND_EVENT, {L.EVENT: "planted", L.DETAIL: ""})


class Collects(Station):
    """Planted: rubbish is collected whenever something changes."""

    def changed(self):
        super().changed()
        stations.gc.collect()


def test_a_planted_write_signature_or_collection_is_found():
    """Each of the three, in each method."""
    for make, what in ((Writes, "flash"), (Signs, "signature"), (Collects, "collection")):
        for plan, end in ends():
            seen, _ = seen_in(plan, end, make)
            assert what in seen, (make, seen)


class Obeys(Station):
    """Planted: what comes down is dealt with at once."""

    def changed(self):
        super().changed()
        if self.offer.down.waiting:
            self.offer.down.act()


def test_a_planted_verification_is_found():
    """The beacon that arrives while gates are open."""
    for plan, end in ends():
        assert "verification" in seen_in(plan, end, Obeys)[0]
