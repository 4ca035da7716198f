"""A site that `founding.py` made, its real mosquitto, and clients that show a certificate."""

import os
import queue
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as mqtt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from edge.tests.site import WAIT_S, wait_until
from paho.mqtt.enums import CallbackAPIVersion

from meterseal_edge.site import authority, enrolment, founding, request
from meterseal_edge.site.broker_file import Door
from meterseal_edge.site.layout import Layout, put
from meterseal_protocol.keys import PrivateKey
from meterseal_tools.broker import mosquitto
from meterseal_tools.services import free_port
from meterseal_tools.sim.fixture import DIE_WITH_PARENT

SITE, EDGE, HOST = "YUHANG1", "EDGE1", "127.0.0.1"
UP = f"ms/1/{SITE}/{{}}/up"
DOWN = f"ms/1/{SITE}/{{}}/down"


def made_site(folder: Path, host: str = HOST, **more: object) -> Layout:
    """A new site whose broker will listen on a free port of loopback."""
    plan = {"site": SITE, "edge": EDGE, "registry": "http://127.0.0.1:9", "page_port": free_port()} | more
    return founding.found(folder, founding.Plan(hosts=(host,), door=Door(free_port(), HOST), **plan))  # type: ignore[arg-type]


class Mosquitto:
    """The site's broker, run from the settings that were made for it. `says` is its log."""

    def __init__(self, layout: Layout) -> None:
        self.settings = layout.broker / "mosquitto.conf"
        words = self.settings.read_text().split("listener ")[1].split()
        self.port, self._log = int(words[0]), layout.folder.parent / "mosquitto.log"
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = mosquitto()
        assert program is not None
        command = [
            sys.executable,
            "-I",
            "-S",
            "-c",
            DIE_WITH_PARENT,
            str(os.getpid()),
            program,
            "-c",
            str(self.settings),
        ]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self._listens, f"the broker's start; it says {self.says()}")

    def says(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def told(self) -> None:
        """Return when it has read its files again after SIGHUP."""
        wait_until(lambda: "Reloading config" in self.says(), "SIGHUP")

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.says()
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def stop(self) -> None:
        """SIGTERM: it saves its sessions."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(WAIT_S)


@contextmanager
def running(layout: Layout) -> Iterator[Mosquitto]:
    """The site's broker while the context lasts."""
    broker = Mosquitto(layout)
    try:
        yield broker
    finally:
        broker.stop()


@dataclass
class Shown:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


@dataclass
class Requests:
    """What a board hands out: both requests and the proof; the TLS key stays with the test."""

    tls: bytes
    signing: bytes
    proof: bytes
    tls_key: ec.EllipticCurvePrivateKey

    @property
    def asked(self) -> request.Asked:
        """As `enrol` reads them."""
        return request.read(self.tls, self.signing, self.proof)


def openssl_key(key: PrivateKey) -> ec.EllipticCurvePrivateKey:
    """The same key as `cryptography` has it, by way of its own file format."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key")
        key.save(path)
        return ec.derive_private_key(int.from_bytes(path.read_bytes(), "big"), ec.SECP256R1())


def csr(key: ec.EllipticCurvePrivateKey, name: str, site: str = SITE) -> bytes:
    """A PKCS#10 request by `cryptography`, DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(authority.name(name, site, "B1"))
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def requests(signing: PrivateKey, name: str, site: str = SITE) -> Requests:
    """A fixture's requests, bound by its signing key."""
    tls_key = ec.generate_private_key(ec.SECP256R1())
    tls = csr(tls_key, name, site)
    return Requests(tls, csr(openssl_key(signing), name, site), signing.sign(request.BINDING + tls), tls_key)


def enrolled(layout: Layout, name: str, signing: PrivateKey | None = None) -> Shown:
    """A fixture of that name with its certificate."""
    wanted = requests(signing or PrivateKey.generate(), name)
    certificate = enrolment.enrol(layout, wanted.asked)
    return kept(layout.folder.parent, name, certificate, wanted.tls_key)


def kept(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Shown:
    """Certificate and key as files."""
    shown = Shown(folder / f"{name}.pem", folder / f"{name}.key")
    put(shown.certificate, certificate.public_bytes(Encoding.PEM))
    put(shown.key, authority.key_pem(key))
    return shown


def of_edge(layout: Layout) -> Shown:
    """What the edge itself shows."""
    return Shown(layout.edge / "tls.pem", layout.edge / "tls.key")


class Caller:
    """A client of the broker. `let_in` is True once it is connected and False once it was turned away."""

    def __init__(self, layout: Layout, port: int, shown: Shown | None, client_id: str = "") -> None:
        self.layout, self.port = layout, port
        self.heard: list[tuple[str, bytes]] = []
        self._answers: queue.Queue[bool] = queue.Queue()
        self.lost = self.answered = False
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, protocol=mqtt.MQTTv311)
        context = ssl.create_default_context(cafile=layout.authority_certificate)
        if shown is not None:
            context.load_cert_chain(shown.certificate, shown.key)
        self.client.tls_set_context(context)
        self.client.on_message = lambda _c, _d, message: self.heard.append((message.topic, message.payload))
        self.client.on_connect = lambda _c, _d, _f, reason, _p: self._answers.put(not reason.is_failure)
        self.client.on_disconnect = self._gone
        self.client.on_publish = self._published
        self.client.on_subscribe = lambda *_: self._answers.put(True)

    def _published(self, *_told: object) -> None:
        self.answered = True

    def _gone(self, *_told: object) -> None:
        self.lost = True
        self._answers.put(False)

    def let_in(self) -> bool:
        """Connect; what became of it."""
        try:
            self.client.connect(HOST, self.port)
        except OSError:
            return False
        self.client.loop_start()
        return self._answers.get(timeout=WAIT_S)

    def listen(self, topic: str) -> None:
        """Subscribe."""
        self.client.subscribe(topic, 1)
        assert self._answers.get(timeout=WAIT_S)

    def say(self, topic: str, payload: bytes = b"x") -> None:
        """Publish, QoS 1, until the broker has answered."""
        self.client.publish(topic, payload, 1).wait_for_publish(WAIT_S)

    def hears(self, payload: bytes) -> None:
        """Wait until this payload came."""
        wait_until(lambda: payload in [what for _, what in self.heard], f"{payload!r}")

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()
