"""The fixture's Link in real MicroPython against a real mosquitto that is killed, frozen, closed and disguised."""

import datetime as dt
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paho.mqtt.enums import CallbackAPIVersion

from meterseal_tools.services import free_port

ROOT = Path(__file__).resolve().parents[3]
# The command loads the interpreter into its own process: it neither spawns nor needs an exec to be killed.
MICROPYTHON = Path(sys.executable).parent / "micropython"
DRIVER = Path(__file__).with_name("link_driver.py")
WAIT_S = 30
COUNT = 50
TOPIC = "ms/1/YUHANG1/W1/"
ONLINE, OFFLINE = b'{"state": "online", "fixture": "W1"}', b'{"state": "offline", "fixture": "W1"}'


def wait_until(true: Callable[[], object], what: str = "it") -> None:
    """Return when true; fail after WAIT_S."""
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, f"{what} never came true"
        time.sleep(0.005)


class Mosquitto:
    """A broker on a free port of loopback, with more lines of configuration."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text("\n".join([f"listener {self.port} 127.0.0.1", "user root", *lines, ""]))
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(["mosquitto", "-c", str(self.settings)], stderr=subprocess.DEVNULL)
        wait_until(self._accepts, "the broker's port")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Fixture:
    """The driver inside MicroPython; `lines` is what it has printed."""

    def __init__(self, host: str, port: int, *more: str) -> None:
        search = f".frozen:{ROOT / 'protocol/src'}:{ROOT / 'firmware/src'}"
        self.process = subprocess.Popen(
            [str(MICROPYTHON), "-X", "heapsize=256k", str(DRIVER), host, str(port), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "MICROPYPATH": search},
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.strip())

    def wait_line(self, part: str, after: int = 0) -> None:
        wait_until(lambda: any(part in line for line in self.lines[after:]), part)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


class Edge:
    """Subscribes to what a fixture sends, and covers a number for each payload once `covering` is set."""

    def __init__(self, port: int, covering: bool = False) -> None:
        self.covering = covering
        self.arrived: list[int] = []
        self.states: list[tuple[bytes, bool]] = []
        self.live: list[bytes] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self.client.on_connect = lambda client, *_: client.subscribe(TOPIC + "+", 1)
        self.client.on_message = self._on_message
        self.subscribed = threading.Event()
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(WAIT_S)

    def _on_message(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        end = message.topic.removeprefix(TOPIC)
        if end == "state":
            self.states.append((message.payload, message.retain))
        elif end == "live":
            self.live.append(message.payload)
        elif end == "up":
            number = int(message.payload[:6])
            assert message.payload == b"%06d" % number + b"." * 250
            self.arrived.append(number)
            if self.covering:
                client.publish(TOPIC + "down", b"%d" % number, 1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    found = Mosquitto(tmp_path, "allow_anonymous true")
    yield found
    found.kill()


@pytest.fixture
def edge(broker: Mosquitto) -> Iterator[Edge]:
    found = Edge(broker.port)
    yield found
    found.close()


@pytest.fixture
def fixture(broker: Mosquitto, edge: Edge) -> Iterator[Fixture]:
    found = Fixture("127.0.0.1", broker.port, str(COUNT))
    yield found
    found.kill()


def test_every_payload_arrives_although_the_broker_is_killed_in_the_middle(
    broker: Mosquitto, edge: Edge, fixture: Fixture
) -> None:
    """Design section 6: only custody frees, so all of 0 to 49 arrive, some more than once. Nothing is covered before
    the broker is killed, so the kill falls into the offering.
    """
    wait_until(lambda: len(edge.arrived) >= 20, "twenty payloads")
    broker.kill()
    fixture.wait_line("state down")
    edge.arrived.clear()
    edge.covering = True
    broker.start()
    fixture.wait_line("covered")
    assert set(edge.arrived) == set(range(COUNT))
    wait_until(lambda: edge.live == [b"covered"], "the message at QoS 0")
    assert [line for line in fixture.lines if line.startswith("state")][-1] == "state up"


def test_a_killed_fixture_is_offline_for_those_who_come_later_too(
    broker: Mosquitto, edge: Edge, fixture: Fixture
) -> None:
    """MQTT 3.1.1 section 3.1.2.5: the will speaks when the connection ends without DISCONNECT; the contract of
    `state`: retained, JSON, online and offline.
    """
    edge.covering = True
    fixture.wait_line("covered")
    assert edge.states == [(ONLINE, False)]
    fixture.process.kill()
    wait_until(lambda: len(edge.states) == 2, "the last will")
    assert edge.states[1] == (OFFLINE, False)
    late = Edge(broker.port)
    wait_until(lambda: late.states, "the retained will")
    late.close()
    assert late.states == [(OFFLINE, True)]


def test_a_broker_that_falls_silent_is_left_and_found_again(
    broker: Mosquitto, edge: Edge, fixture: Fixture
) -> None:
    """SIGSTOP: the port stays open and nothing is answered. The publish that waits for its PUBACK raises NotSent, the
    unanswered ping ends the connection (3.1.2.10), and after SIGCONT all payloads arrive.
    """
    wait_until(lambda: len(edge.arrived) >= 5, "five payloads")
    broker.process.send_signal(signal.SIGSTOP)
    fixture.wait_line("not_sent link.not_sent")
    fixture.wait_line("link.silent")
    edge.covering = True
    broker.process.send_signal(signal.SIGCONT)
    fixture.wait_line("covered")
    assert set(edge.arrived) == set(range(COUNT))


def test_a_broker_that_refuses_the_fixture_is_asked_again_and_never_up(tmp_path: Path) -> None:
    """MQTT 3.1.1 table 3.1: without anonymous access the return code is 5; nothing may be sent."""
    refusing = Mosquitto(tmp_path, "allow_anonymous false")
    found = Fixture("127.0.0.1", refusing.port, "1")
    try:
        wait_until(lambda: sum("link.refused" in line for line in found.lines) >= 3, "three refusals")
        assert "state up" not in found.lines
    finally:
        found.kill()
        refusing.kill()


# TLS.


class Authority:
    """A certificate authority with P-256 keys, for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
        self.certificate = self._issue(self.name, self.key.public_key(), [], authority=True)
        self._write("ca", self.certificate)

    def issue(
        self, who: str, alternative: list[x509.GeneralName], key: ec.EllipticCurvePrivateKey | None = None
    ) -> ec.EllipticCurvePrivateKey:
        """`who`.pem, `who`.der and its keys `who`_key.pem, key.der; a new key unless there is one."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
        self._write(who, self._issue(name, key.public_key(), alternative))
        kind, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        for encoding, path in (
            (serialization.Encoding.PEM, f"{who}_key.pem"),
            (serialization.Encoding.DER, "key.der"),
        ):
            (self.folder / path).write_bytes(key.private_bytes(encoding, kind, plain))
        return key

    def _issue(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        alternative: list[x509.GeneralName],
        authority: bool = False,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if alternative:
            built = built.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        return built.sign(self.key, hashes.SHA256())

    def _write(self, who: str, certificate: x509.Certificate) -> None:
        for encoding, end in ((serialization.Encoding.PEM, "pem"), (serialization.Encoding.DER, "der")):
            (self.folder / f"{who}.{end}").write_bytes(certificate.public_bytes(encoding))


def secured(folder: Path, names: list[x509.GeneralName], stranger: bool = False) -> tuple[Mosquitto, Fixture]:
    """A mosquitto whose certificate has `names`, and a fixture that connects to 127.0.0.1 with TLS; a stranger's
    certificate comes from an authority of the same name that the broker does not know.
    """
    authority = Authority(folder)
    authority.issue("server", names)
    (folder / "fixture").mkdir()
    other = Authority(folder / "fixture") if stranger else authority
    other.folder = folder / "fixture"
    other.issue("client", [])
    (folder / "fixture" / "ca.der").write_bytes((folder / "ca.der").read_bytes())
    broker = Mosquitto(
        folder,
        f"cafile {folder}/ca.pem",
        f"certfile {folder}/server.pem",
        f"keyfile {folder}/server_key.pem",
        "require_certificate true",
        "use_identity_as_username true",
    )
    return broker, Fixture("127.0.0.1", broker.port, "1", str(folder / "fixture"))


LOOPBACK = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]


def test_mutual_tls_brings_the_link_up(tmp_path: Path) -> None:
    """Both sides show a certificate of the same authority; the name is in the broker's (RFC 6125)."""
    broker, found = secured(tmp_path, LOOPBACK)
    try:
        found.wait_line("state up")
        assert not any("link" in line for line in found.lines)
    finally:
        found.kill()
        broker.kill()


@pytest.mark.parametrize("wrong", ["name", "authority"])
def test_a_wrong_name_or_a_certificate_of_a_stranger_never_brings_it_up(tmp_path: Path, wrong: str) -> None:
    """RFC 6125: a certificate for other.example does not speak for 127.0.0.1. RFC 5246 section 7.4.8: a client whose
    certificate comes from another authority is turned away.
    """
    names = [x509.DNSName("other.example")] if wrong == "name" else LOOPBACK
    broker, found = secured(tmp_path, names, wrong == "authority")
    try:
        wait_until(lambda: sum("lost" in line for line in found.lines) >= 2, "two refusals")
        assert "state up" not in found.lines
        assert wrong == "authority" or any("link.tls" in line for line in found.lines)
    finally:
        found.kill()
        broker.kill()
