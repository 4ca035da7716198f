"""Offering: oldest first, again after a loss, and never while gates are open."""

import asyncio

from doubles import Folder

from meterseal_fixture import offer as offering
from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.delivery import Delivery
from meterseal_fixture.keep import Keep
from meterseal_fixture.link import NotSent
from meterseal_fixture.offer import Offer, parcel
from meterseal_fixture.signer.software_p256 import SoftwareSigner
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author

AUTHOR = Author("W1", "WATER-1", SoftwareSigner(bytes(31) + b"\x05"))


class Settings:
    def topic(self, end):
        return "ms/1/S/W1/" + end


class Link:
    """Remembers what was published; refuses while `state` is not up or `deaf` is set."""

    papers = None

    def __init__(self):
        self.state = "up"
        self.deaf = False
        self.sent = []

    async def publish(self, topic, payload, qos=1, _retain=False):
        if self.state != "up" or self.deaf:
            raise NotSent("link.not_sent", self.state)
        self.sent.append((topic, payload, qos))


class Down:
    """Something waits when `waiting` is not empty; covers what it is told to."""

    def __init__(self, keep):
        self.keep = keep
        self.waiting = []
        self.delivery = Delivery(None)

    def act(self):
        places, self.waiting = self.waiting, []
        for epoch, seq in places:
            self.keep.cover(epoch, seq)
        return places


class Station:
    """Counts how often it was told that something changed; `counting` is the bench's."""

    def __init__(self):
        self.bench = self.panel = self
        self.counting = False
        self.told = []

    def changed(self):
        self.told.append("changed")

    def tell(self, event, **fields):
        self.told.append((event, fields["epoch"], fields["seq"]))


class World:
    """Three kept events and everything around the offer loop."""

    def __init__(self, path):
        self.chronicle = Chronicle(AUTHOR, Keep(path))
        for text in "abc":
            self.chronicle.sign(L.KIND_EVENT, {L.EVENT: "test", L.DETAIL: text}, [text.encode()])
        self.link, self.down, self.station = Link(), Down(self.chronicle.keep), Station()
        self.offer = Offer(Settings(), self.chronicle, self.down, self.link)

    def sequences(self):
        """The evidence of the parcels that were sent, in order."""
        return [item[1].decode() for _, payload, _ in self.link.sent for item in scan(payload, 65536)]

    def run(self, *steps):
        """Run the loop; call each step, and give the loop time after each."""

        async def both():
            loop = asyncio.create_task(self.offer.run(self.station))
            for one in (lambda: None,) + steps:
                one()
                await asyncio.sleep_ms(3 * offering.POLL_MS)
            loop.cancel()

        asyncio.run(both())


def test_a_parcel_has_one_item_a_statement_and_its_evidence():
    """The contract: parcel = array of items, item = [statement, * evidence]."""

    class Record:
        statement = b"statement"
        evidence = [b"leaf", b"leaf"]

    assert scan(parcel([Record, Record])) == [[b"statement", b"leaf", b"leaf"]] * 2


def sizes(world):
    """How many items each parcel had."""
    return [len(scan(payload, 65536)) for _, payload, _ in world.link.sent]


def test_a_full_queue_goes_in_parcels_of_sixteen():
    """Three and thirty-seven events: 40 statements are 16, 16 and 8; every one once, in order."""
    with Folder() as path:
        world = World(path)
        for number in range(37):
            world.chronicle.sign(L.KIND_EVENT, {L.EVENT: "test", L.DETAIL: "x"}, [b"%d" % number])
        world.run(*[lambda: None] * 8)
        assert sizes(world) == [16, 16, 8]
        assert world.sequences() == ["a", "b", "c"] + [str(number) for number in range(37)]


def test_much_evidence_goes_alone_and_no_parcel_passes_what_a_message_may_hold():
    """Leaves of 3000 bytes: two statements fit into 8192, a third does not; one of 30 000 is a parcel by itself."""
    with Folder() as path:
        world = World(path)
        for size in (3000, 3000, 3000, 30_000, 10):
            world.chronicle.sign(L.KIND_EVENT, {L.EVENT: "test", L.DETAIL: "x"}, [b"e" * size])
        world.run(*[lambda: None] * 8)
        assert sizes(world) == [5, 1, 1, 1]
        assert max(len(payload) for _, payload, _ in world.link.sent) < 65536


def test_a_parcel_that_was_not_sent_is_offered_whole_again():
    """Two of three are covered meanwhile, by a custody that was late: only the third goes then."""
    with Folder() as path:
        world = World(path)
        world.link.deaf = True

        def cover():
            world.down.waiting = [(1, 1)]

        def hear():
            world.link.deaf = False

        world.run(cover, hear)
        assert world.sequences() == ["c"]


def test_what_is_kept_goes_up_oldest_first_once():
    """QoS 1 on the up topic, each of the three once while nothing is lost."""
    with Folder() as path:
        world = World(path)
        world.run()
        assert world.sequences() == ["a", "b", "c"]
        assert {(topic, qos) for topic, _, qos in world.link.sent} == {("ms/1/S/W1/up", 1)}


def test_after_the_link_was_down_everything_still_kept_is_offered_again():
    """The broker forgot; the edge knows duplicates."""
    with Folder() as path:
        world = World(path)

        def down():
            world.link.state = "down"

        def back():
            world.link.state = "up"

        world.run(down, back)
        assert world.sequences() == ["a", "b", "c"] * 2


def test_a_message_without_acknowledgement_is_offered_again():
    """The link raises NotSent; the same statement is the next that goes."""
    with Folder() as path:
        world = World(path)
        world.link.deaf = True

        def hear():
            world.link.deaf = False

        world.run(hear)
        assert world.sequences() == ["a", "b", "c"]


def test_what_custody_covers_is_not_offered_and_the_panel_hears_of_it():
    """The first two are covered before the link is up: only the third goes."""
    with Folder() as path:
        world = World(path)
        world.link.state = "down"

        def cover():
            world.down.waiting = [(1, 1)]

        def up():
            world.link.state = "up"

        world.run(cover, up)
        assert world.sequences() == ["c"]
        assert ("custody", 1, 1) in world.station.told


def test_nothing_is_verified_or_freed_while_gates_are_open():
    """Design section 6: flash and signatures stall. What waits is acted on once the gates are closed."""
    with Folder() as path:
        world = World(path)
        world.station.counting = True
        world.down.waiting = [(1, 2)]
        seen = []
        world.run(
            lambda: seen.append(world.chronicle.keep.count), lambda: setattr(world.station, "counting", False)
        )
        assert seen == [3] and world.chronicle.keep.count == 0


def test_without_custody_everything_is_offered_again_ever_more_seldom():
    """AGAIN_MS is made 1 ms: after two rounds more the wait has doubled twice, to 4 ms or more; an answer from the
    edge makes it 1 ms again.
    """
    usual = offering.AGAIN_MS
    offering.AGAIN_MS = 1
    try:
        with Folder() as path:
            world = World(path)
            while len(world.link.sent) < 3:
                world.run()
            assert world.sequences()[:9] == ["a", "b", "c"] * 3
            assert world.offer.again_ms >= 4
            world.down.waiting = [(1, 2)]
            world.link.deaf = True
            world.offer.obey(world.station)
            assert world.offer.again_ms == 1
    finally:
        offering.AGAIN_MS = usual
