"""Both brokers, really running, against what the edge relies on: sessions that wait, retained messages, last wills."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from meterseal_tools.broker import Broker, Kind, mosquitto, start_broker
from meterseal_tools.services import ServiceFailed

WAIT_S = 20
KINDS: tuple[Kind, ...] = ("mosquitto", "iotcore")
LARGEST_PARCEL = 65536


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    """Each kind in turn."""
    with start_broker(tmp_path / "broker", kind=request.param) as found:
        yield found


def wait_until(true: Callable[[], object]) -> None:
    """Return when true; fail after WAIT_S."""
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.01)


class Peer:
    """A client of MQTT 3.1.1: what it got as (topic, payload, retained), what the broker granted it."""

    def __init__(self, broker: Broker, name: str, clean: bool = True, will: bytes | None = None) -> None:
        self.got: list[tuple[str, bytes, bool]] = []
        self.granted = False
        self.hold = False
        version = CallbackAPIVersion.VERSION2
        self.client = mqtt.Client(version, name, clean_session=clean, protocol=mqtt.MQTTv311, manual_ack=True)
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe
        if will is not None:
            self.client.will_set("site/W1/state", will, 1, retain=True)
        self.client.connect(broker.host, broker.port, keepalive=60)
        self.client.loop_start()
        wait_until(self.client.is_connected)

    def subscribe(self, topic: str) -> None:
        self.granted = False
        self.client.subscribe(topic, 1)
        wait_until(lambda: self.granted)

    def publish(self, topic: str, *payloads: bytes, retain: bool = False) -> None:
        """Send all and wait for each PUBACK."""
        for sent in [self.client.publish(topic, payload, 1, retain) for payload in payloads]:
            sent.wait_for_publish(WAIT_S)
            assert sent.is_published()

    def vanish(self) -> None:
        """Close the socket without a DISCONNECT, as a power cut does."""
        self.client.loop_stop()
        self.client.socket().close()

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def payloads(self) -> list[bytes]:
        return [payload for _, payload, _ in list(self.got)]

    def _on_subscribe(self, *_: object) -> None:
        self.granted = True

    def _on_message(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self.got.append((message.topic, message.payload, message.retain))
        if not self.hold:
            client.ack(message.mid, message.qos)


@contextlib.contextmanager
def peer(broker: Broker, name: str, clean: bool = True) -> Iterator[Peer]:
    """A peer that leaves at the end."""
    found = Peer(broker, name, clean)
    yield found
    found.leave()


def numbered(first: int, last: int) -> list[bytes]:
    """Payloads of 300 bytes, as large as a statement: a number, then dots."""
    return [b"%06d" % number + b"." * 294 for number in range(first, last)]


def test_what_was_not_acknowledged_and_what_came_while_away_arrives_after_a_crash(broker: Broker) -> None:
    """MQTT 3.1.1 section 4.4 (unacknowledged is sent again) and 3.1.2.4 (QoS 1 is kept for the session): the numbers
    10 to 19 were received and not acknowledged, 20 to 2519 published while the subscriber was gone.
    """
    edge = Peer(broker, "edge", clean=False)
    edge.subscribe("site/+/up")
    with peer(broker, "W1") as fixture:
        fixture.publish("site/W1/up", *numbered(0, 10))
        wait_until(lambda: len(edge.got) == 10)
        edge.hold = True
        fixture.publish("site/W1/up", *numbered(10, 20))
        wait_until(lambda: len(edge.got) == 20)
        edge.vanish()
        fixture.publish("site/W1/up", *numbered(20, 2520))
    with peer(broker, "edge", clean=False) as again:
        wait_until(lambda: len(again.got) >= 2510)
        assert sorted(set(again.payloads())) == numbered(10, 2520)


def test_a_retained_message_reaches_who_subscribes_later(broker: Broker) -> None:
    """MQTT 3.1.1 section 3.3.1.3: the last retained message, with RETAIN set."""
    with peer(broker, "W1") as fixture, peer(broker, "late") as late:
        fixture.publish("site/W1/state", b"first", retain=True)
        fixture.publish("site/W1/state", b"second", retain=True)
        late.subscribe("site/+/state")
        wait_until(lambda: late.got)
        assert late.got == [("site/W1/state", b"second", True)]


def test_a_last_will_is_published_and_retained_when_a_client_vanishes(broker: Broker) -> None:
    """MQTT 3.1.1 section 3.1.2.5: closed without DISCONNECT, so the will speaks; will retain as 3.1.2.7."""
    with peer(broker, "edge") as edge, peer(broker, "late") as late:
        edge.subscribe("site/+/state")
        fixture = Peer(broker, "W1", will=b"offline")
        fixture.publish("site/W1/state", b"online", retain=True)
        wait_until(lambda: edge.payloads() == [b"online"])
        fixture.vanish()
        wait_until(lambda: edge.payloads() == [b"online", b"offline"])
        late.subscribe("site/+/state")
        wait_until(lambda: late.got)
        assert late.got == [("site/W1/state", b"offline", True)]


def test_a_parcel_of_the_largest_size_passes(broker: Broker) -> None:
    """The contract of the up topic: a parcel has at most 65536 bytes; iotcore alone would stop at 20480."""
    with peer(broker, "edge") as edge, peer(broker, "W1") as fixture:
        edge.subscribe("site/+/up")
        fixture.publish("site/W1/up", bytes(LARGEST_PARCEL))
        wait_until(lambda: edge.got)
        assert edge.payloads() == [bytes(LARGEST_PARCEL)]


def test_it_listens_on_loopback_only_and_stops_when_told(broker: Broker) -> None:
    """Anybody may connect, so nobody from outside can: the kernel's list of the process's listening sockets."""
    process = psutil.Process(broker.pid)
    listening = {item.laddr for item in process.net_connections("inet") if item.status == psutil.CONN_LISTEN}
    assert listening == {(broker.host, broker.port)} == {("127.0.0.1", broker.port)}
    broker.stop()
    broker.stop()
    assert not psutil.pid_exists(broker.pid)


def test_mosquitto_is_taken_where_it_is_installed_and_speaks_mqtt_5(tmp_path: Path) -> None:
    """The command is in this environment's system packages; its manual names MQTT 5."""
    assert mosquitto()
    with start_broker(tmp_path) as found:
        assert (found.kind, found.mqtt_version) == ("mosquitto", 5)


def test_without_mosquitto_the_embedded_broker_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same choice with an empty PATH: iotcore, for which the edge has to speak 3.1.1 (level 4)."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("meterseal_tools.broker.SYSTEM_FOLDERS", str(tmp_path))
    with start_broker(tmp_path / "broker") as found:
        assert (found.kind, found.mqtt_version) == ("iotcore", 4)
    with pytest.raises(ServiceFailed, match="no mosquitto"):
        start_broker(tmp_path / "broker", kind="mosquitto")


@pytest.mark.parametrize("kind", KINDS)
def test_a_port_that_is_taken_is_one_plain_error(tmp_path: Path, kind: Kind) -> None:
    """Two brokers cannot have one port; the second says so and leaves the first alone."""
    with start_broker(tmp_path / "first") as first:
        with pytest.raises(ServiceFailed, match=f"port {first.port} is taken"):
            start_broker(tmp_path / "second", first.port, kind)
        with peer(first, "edge") as edge:
            assert edge.client.is_connected()


def test_mosquitto_keeps_sessions_and_retained_messages_over_its_own_end(tmp_path: Path) -> None:
    """mosquitto.conf(5), persistence: saved when it ends, loaded when it starts in the same folder."""
    with start_broker(tmp_path, kind="mosquitto") as first:
        edge = Peer(first, "edge", clean=False)
        edge.subscribe("site/+/up")
        edge.vanish()
        with peer(first, "W1") as fixture:
            fixture.publish("site/W1/up", *numbered(0, 50))
            fixture.publish("site/W1/state", b"online", retain=True)
    with (
        start_broker(tmp_path, first.port, "mosquitto") as second,
        peer(second, "edge", clean=False) as again,
    ):
        wait_until(lambda: len(again.got) == 50)
        assert again.payloads() == numbered(0, 50)
        again.subscribe("site/+/state")
        wait_until(lambda: len(again.got) == 51)


@pytest.mark.parametrize("kind", KINDS)
def test_it_dies_with_the_process_that_started_it(tmp_path: Path, kind: Kind) -> None:
    """prctl(2), PR_SET_PDEATHSIG: the parent is killed and cannot clean up; nothing stays behind."""
    program = (
        "import pathlib, sys, time\n"
        "from meterseal_tools.broker import start_broker\n"
        "print(start_broker(pathlib.Path(sys.argv[1]), kind=sys.argv[2]).pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path), kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        started = int(parent.stdout.readline())
        assert psutil.pid_exists(started)
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(started) or psutil.Process(started).status() == "zombie")
