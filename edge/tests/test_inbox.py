"""Station 5 with a real broker: what is not acknowledged comes again; one fixture never closes the window for all."""

import json
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from edge.tests.site import wait_until
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from meterseal_edge.events import Parcel
from meterseal_edge.inbox import HELD_BACK, QUEUED_DOWN, RECEIPTS_A_MESSAGE, RECEIVE_MAXIMUM, Inbox
from meterseal_edge.settings import Settings
from meterseal_edge.state import State
from meterseal_tools.broker import Broker, start_broker
from meterseal_wire.scan import scan

TAKE_S = 20.0


class Place:
    """A broker, an inbox that is connected, and a client in a fixture's place whose subscription is granted."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.broker, self.folder = broker, folder
        self.state = State("EDGE1", "YUHANG1")
        self.inbox = self.connect()
        self.down: queue.Queue[list[bytes]] = queue.Queue()
        # Its session outlives the broker: whoever comes back first, edge or fixture, nothing is missed.
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, "YUHANG1-W1", clean_session=False)
        self.client.on_message = lambda _client, _data, message: self.down.put(scan(message.payload, 65536))
        granted = threading.Event()
        self.client.on_connect = lambda client, *_: client.subscribe("ms/1/YUHANG1/W1/down", 1)
        self.client.on_subscribe = lambda *_: granted.set()
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        assert granted.wait(TAKE_S), "the broker granted no subscription"

    def connect(self) -> Inbox:
        """A new inbox, as after a restart; returns when the broker has granted its subscription."""
        port, here = self.broker.port, self.folder
        version = self.broker.mqtt_version
        settings = Settings(here, port, "YUHANG1", "EDGE1", here, here, "http://r", 1, mqtt_version=version)
        self.state.broker(False)
        inbox = Inbox(settings, self.state)
        inbox.start()
        wait_until(lambda: bool(self.state.snapshot()["broker"]), "the subscription")
        return inbox

    def say(self, end: str, payload: bytes, fixture: str = "W1") -> None:
        """Publish on one of a fixture's topics, and return when the broker has it."""
        self.client.publish(f"ms/1/YUHANG1/{fixture}/{end}", payload, 1).wait_for_publish(TAKE_S)

    def take(self, count: int) -> list[Parcel]:
        """So many parcels."""
        found: list[Parcel] = []
        while len(found) < count:
            more = self.inbox.take(count - len(found), TAKE_S)
            assert more, f"{len(found)} of {count} parcels came"
            found += more
        return found

    def view(self) -> dict[str, Any]:
        """What the page says of W1; empty where it says nothing."""
        return next((f for f in self.state.snapshot()["fixtures"] if f["fixture"] == "W1"), {})

    def close(self) -> None:
        """Leave the broker."""
        self.inbox.stop()
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A connected inbox."""
    with start_broker(tmp_path / "broker") as broker:
        found = Place(tmp_path, broker)
        yield found
        found.close()


def payloads(parcels: list[Parcel]) -> list[bytes]:
    """What they carried."""
    return [parcel.payload for parcel in parcels]


def test_parcels_come_in_order_with_their_fixtures_name(place: Place) -> None:
    """CONTRACT: `ms/1/{site}/{fixture}/up`; MQTT 5 section 4.6: order per topic and publisher."""
    for number in range(5):
        place.say("up", bytes([number]))
    place.say("up", b"gas", "G1")
    found = place.take(6)
    assert payloads(found[:5]) == [bytes([number]) for number in range(5)]
    assert (found[5].fixture, found[5].payload) == ("G1", b"gas")
    assert place.inbox.take(1, 0.0) == []


def test_another_sites_parcels_are_not_taken(place: Place) -> None:
    """The subscription names this site."""
    place.client.publish("ms/1/ELSEWHERE/W1/up", b"theirs", 1).wait_for_publish(TAKE_S)
    place.say("up", b"ours")
    assert payloads(place.take(1)) == [b"ours"]


def test_what_is_not_acknowledged_comes_again_after_a_restart_and_what_is_does_not(place: Place) -> None:
    """MQTT 5 section 4.4: on reconnection with a session the server sends unacknowledged messages again."""
    for number in range(4):
        place.say("up", bytes([number]))
    first = place.take(4)
    place.inbox.acknowledge(first[0])
    place.inbox.acknowledge(first[1])
    place.say("state", b'{"state":"online"}')
    wait_until(lambda: bool(place.view()), "the acknowledgements on their way")
    place.inbox.stop()
    place.say("up", b"while away")
    place.inbox = place.connect()
    assert payloads(place.take(3)) == [b"\x02", b"\x03", b"while away"]


def test_renewing_the_connection_brings_everything_unacknowledged_again(place: Place) -> None:
    """main.py: a store that failed ends the session's connection; recovery needs no restart."""
    for number in range(3):
        place.say("up", bytes([number]))
    stale = place.take(2)
    place.inbox.renew()
    again = place.take(3)
    assert sorted(payloads(again)) == [b"\x00", b"\x01", b"\x02"]
    for parcel in stale:
        place.inbox.acknowledge(parcel)
    place.inbox.renew()
    assert sorted(payloads(place.take(3))) == [b"\x00", b"\x01", b"\x02"]


def test_renewing_while_the_broker_is_away_raises_nothing(tmp_path: Path) -> None:
    """The store may fail while the broker is down too; the client's own thread goes on trying."""
    settings = Settings(tmp_path, 1, "YUHANG1", "EDGE1", tmp_path, tmp_path, "http://r", 1)
    inbox = Inbox(settings, State("EDGE1", "YUHANG1"))
    inbox.renew()
    inbox.start()
    inbox.renew()
    inbox.stop()


def test_held_back_parcels_leave_the_window_open_for_others(place: Place) -> None:
    """MQTT 5 section 3.1.2.11.3: the server sends at most Receive Maximum unacknowledged messages. More than that
    many parcels of one silenced fixture must not keep another's away.
    """
    over = RECEIVE_MAXIMUM + 50
    for number in range(over):
        place.client.publish("ms/1/YUHANG1/BAD/up", number.to_bytes(2, "big"), 1)
    place.say("up", b"honest")
    seen: list[Parcel] = []
    while not seen or seen[-1].payload != b"honest":
        for parcel in place.take(1):
            seen.append(parcel)
            if parcel.fixture == "BAD":
                place.inbox.hold_back(parcel)
    assert len(seen) == over + 1
    place.inbox.acknowledge(seen[-1])
    place.inbox.renew()
    assert len(place.take(HELD_BACK)) == HELD_BACK


def test_statements_go_down_to_one_fixture_as_one_array(place: Place) -> None:
    """CONTRACT, down topic: CBOR array of statements."""
    place.inbox.send_down("W1", [b"one", b"two"])
    assert place.down.get(timeout=TAKE_S) == [b"one", b"two"]


def test_the_greeting_goes_to_those_online_and_to_whoever_comes_online(place: Place) -> None:
    """CONTRACT, down topic: the newest beacon when a fixture's state turns online and whenever a new one comes."""
    place.inbox.greet_with([b"beacon 1"])
    place.say("state", b'{"state":"online","fixture":"W1"}')
    assert place.down.get(timeout=TAKE_S) == [b"beacon 1"]
    place.inbox.greet_with([b"beacon 2"])
    assert place.down.get(timeout=TAKE_S) == [b"beacon 2"]
    place.say("state", b'{"state":"offline","fixture":"W1"}')
    wait_until(lambda: place.view().get("online") is False, "offline")
    place.inbox.greet_with([b"beacon 3"])
    place.inbox.send_down("W1", [b"last"])
    assert place.down.get(timeout=TAKE_S) == [b"last"]


def test_who_comes_online_says_what_it_has_receipts_for(place: Place) -> None:
    """The place reaches the outbox; what is no place, or beyond any number that a chain has, is harmless."""
    asked: queue.Queue[tuple[str, tuple[int, int]]] = queue.Queue()
    place.inbox.on_online = lambda told: asked.put((told.fixture, told.entered))
    beyond = 2**32
    for told, after in (
        (b"[3,7]", (3, 7)),
        (b"[0,-1]", (0, -1)),
        (b"[-5,-5]", (0, -1)),
        (b"[9e99,1]", (0, -1)),
        (b"[99999999999999999999,99999999999999999999]", (beyond, beyond)),
        (b"[true,1]", (0, -1)),
        (b'"x"', (0, -1)),
    ):
        place.say("state", b'{"state":"online","entered":%s}' % told)
        assert asked.get(timeout=TAKE_S) == ("W1", after)


def test_receipts_go_down_a_few_a_message(place: Place) -> None:
    """A fixture holds sixteen statements while gates are open, and custody must have room among them."""
    place.inbox.send_receipts("W1", [b"%d" % number for number in range(RECEIPTS_A_MESSAGE + 1)])
    assert len(place.down.get(timeout=TAKE_S)) == RECEIPTS_A_MESSAGE <= 8
    assert place.down.get(timeout=TAKE_S) == [b"%d" % RECEIPTS_A_MESSAGE]


def test_a_retained_state_is_known_after_a_restart(place: Place) -> None:
    """CONTRACT: state is retained, so a restarted edge greets fixtures that were online before it."""
    place.client.publish("ms/1/YUHANG1/W1/state", b'{"state":"online"}', 1, retain=True).wait_for_publish(
        TAKE_S
    )
    place.inbox.stop()
    place.state = State("EDGE1", "YUHANG1")
    place.inbox = place.connect()
    wait_until(lambda: place.view().get("online") is True, "online")


HOSTILE = (
    b"",
    b"\xff\xfe",
    b"[" * 9000,
    b'{"now": NaN}',
    b'{"now": "\\ud800"}',
    b'{"positions": {}}',
    b"7",
    b"null",
    b"1" * 6000,
    b'{"state": []}',
)


def test_hostile_lines_leave_the_edge_listening(place: Place) -> None:
    """Design section 13: never a crash. What a callback raises must not end the client's thread."""
    for point, payload in enumerate(HOSTILE):
        place.say("live", payload)
        place.say("state", payload)
        place.say("live", payload, "A-NAME-THAT-IS-LONGER-THAN-ANY-FIXTURES")
        good = {"now": "idle", "point": point}
        place.say("live", json.dumps(good).encode())
        wait_until(lambda good=good: place.view().get("live") == good, f"the line after {payload[:9]!r}")  # type: ignore[misc]
    assert len(place.state.snapshot()["fixtures"]) == 1
    json.dumps(place.state.snapshot(), allow_nan=False).encode()


def test_a_broker_that_goes_and_comes_is_shown_and_joined_again(tmp_path: Path) -> None:
    """Paho reconnects after one second at the earliest; custody that could not leave meanwhile waits, bounded."""
    with start_broker(tmp_path / "broker") as broker:
        place = Place(tmp_path, broker)
        port = broker.port
        broker.stop()
        wait_until(lambda: not place.state.snapshot()["broker"], "the loss")
        place.inbox.send_down("W1", [b"meanwhile"])
    with start_broker(tmp_path / "broker", port):
        wait_until(lambda: bool(place.state.snapshot()["broker"]), "the return")
        wait_until(place.client.is_connected, "the fixture's return")
        place.client.subscribe("ms/1/YUHANG1/W1/down", 1)
        place.say("up", b"after")
        assert payloads(place.take(1)) == [b"after"]
        place.close()


def test_of_more_custody_than_waits_the_newest_arrives(tmp_path: Path) -> None:
    """inbox.py: paho drops what is beyond its queue without a word; the newest custody covers all that was dropped."""
    with start_broker(tmp_path / "broker") as broker:
        place = Place(tmp_path, broker)
        port = broker.port
        broker.stop()
        wait_until(lambda: not place.state.snapshot()["broker"], "the loss")
        for number in range(QUEUED_DOWN + 200):
            place.inbox.send_custody("W1", b"%d" % number)
    with start_broker(tmp_path / "broker", port):
        wait_until(place.client.is_connected, "the fixture's return")
        newest = [b"%d" % (QUEUED_DOWN + 199)]
        until = iter(lambda: place.down.get(timeout=TAKE_S), newest)
        assert sum(1 for _ in until) <= QUEUED_DOWN
        place.close()


def test_a_refused_subscription_is_an_alarm_and_not_ready(place: Place) -> None:
    """MQTT 5 section 3.9.3: from 0x80 on a reason code of SUBACK is a refusal. (mosquitto's access lists never refuse
    there, other brokers do; so the callback gets paho's own reason codes.)
    """
    reasons = [ReasonCode(PacketTypes.SUBACK, identifier=code) for code in (1, 0x87)]
    place.inbox._on_subscribe(place.inbox.client, None, 1, reasons, None)
    assert place.state.snapshot()["broker"] is False
    assert place.state.snapshot()["alarms"][0]["code"] == "edge.broker"
    place.inbox._on_subscribe(place.inbox.client, None, 1, reasons[:1], None)
    assert place.state.snapshot()["broker"] is True
