"""The other side of the fixture's link, for tests: keys, a broker, and whoever reads `up` and writes `down`.

Nothing of ours reads what the fixture sends: cbor2 takes it apart and `cryptography` verifies it. What goes down is
signed here too, with the wire's builder, since that is what an edge and a registry use.
"""

import hashlib
import queue
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2
import paho.mqtt.client as mqtt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from meterseal_tools.services import free_port
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build

WAIT_S = 20
ES256 = ec.ECDSA(hashes.SHA256())


class Key:
    """A P-256 key that signs as the wire's Author wants it: r || s."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.secret = self._key.private_numbers().private_value.to_bytes(32, "big")
        numbers = self._key.public_key().public_numbers()
        self.public_xy = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        r, s = decode_dss_signature(self._key.sign(message, ES256))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """True when the signature is this key's."""
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        try:
            self._key.public_key().verify(encode_dss_signature(r, s), message, ES256)
        except InvalidSignature:
            return False
        return True

    @property
    def thumbprint(self) -> bytes:
        """RFC 9679: SHA-256 over {1: 2, -1: 1, -2: x, -3: y}, written out: A4 01 02 20 01 21 5820 x 22 5820 y."""
        x, y = self.public_xy[:32], self.public_xy[32:]
        return hashlib.sha256(b"\xa4\x01\x02\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y).digest()


@dataclass(frozen=True)
class Read:
    """A statement taken apart by cbor2."""

    raw: bytes
    header: dict[int, Any]
    payload: dict[int, Any]
    signed: bytes
    signature: bytes
    evidence: tuple[bytes, ...] = ()

    @property
    def typ(self) -> int:
        """Its kind's number."""
        return int(self.header[16])

    @property
    def place(self) -> tuple[int, int]:
        """(epoch, seq)."""
        epoch, seq, _ = self.header[-70001]
        return epoch, seq

    @property
    def prev(self) -> bytes:
        """The identity it cites."""
        return bytes(self.header[-70001][2])

    @property
    def identity(self) -> bytes:
        """Its header is empty as it was sent, so this is the plain hash."""
        return hashlib.sha256(self.raw).digest()


def read(item: list[bytes]) -> Read:
    """One item of a parcel: [statement, * evidence]."""
    tag = cbor2.loads(item[0])
    assert tag.tag == 18
    protected, unprotected, payload, signature = tag.value
    assert unprotected == {}
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    return Read(item[0], cbor2.loads(protected), cbor2.loads(payload), signed, signature, tuple(item[1:]))


def wait_until(true: Any, what: str) -> None:
    """Look again until `true()`; AssertionError after WAIT_S."""
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, f"{what} did not happen in {WAIT_S} s"
        time.sleep(0.01)


class Broker:
    """A mosquitto of its own on a free port of the loopback."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it and wait until it listens."""
        self._process = subprocess.Popen(["mosquitto", "-c", str(self._settings)], stderr=subprocess.DEVNULL)
        wait_until(self._listens, "the broker's start")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """SIGKILL: everything it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(WAIT_S)
            self._process = None


@dataclass
class EdgeSide:
    """Reads what fixture W1 sends through `broker`, and sends what the test tells it to."""

    broker: Broker
    fixture_key: Key = field(default_factory=Key)
    edge_key: Key = field(default_factory=Key)
    registry_key: Key = field(default_factory=Key)

    def __post_init__(self) -> None:
        self.kept: dict[bytes, Read] = {}
        self.times_seen: dict[bytes, int] = {}
        self.states: list[bytes] = []
        self.live: list[bytes] = []
        self._subscribed: queue.Queue[bool] = queue.Queue()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "edge-side")
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe([("ms/1/YUHANG1/W1/#", 1)])
        self._client.on_subscribe = lambda *_: self._subscribed.put(True)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", self.broker.port)
        self._client.loop_start()
        self._subscribed.get(timeout=WAIT_S)

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        end = message.topic.rsplit("/", 1)[-1]
        if end == "up":
            for item in cbor2.loads(message.payload):
                found = read(item)
                self.kept[found.identity] = found
                self.times_seen[found.identity] = self.times_seen.get(found.identity, 0) + 1
        elif end == "state":
            self.states.append(message.payload)
        elif end == "live":
            self.live.append(message.payload)

    def chain(self) -> list[Read]:
        """What came, ordered by (epoch, seq)."""
        return sorted(self.kept.values(), key=lambda found: found.place)

    def wait_for(self, typ: int, count: int = 1) -> list[Read]:
        """The statements of a kind, once there are `count`."""
        wait_until(lambda: len(self.of(typ)) >= count, f"kind {typ} coming {count} times")
        return self.of(typ)

    def of(self, typ: int) -> list[Read]:
        """The statements of a kind that came."""
        return [found for found in self.chain() if found.typ == typ]

    def send(self, *statements: bytes) -> None:
        """One parcel on the down topic."""
        parcel = cbor2.dumps(list(statements))
        self._client.publish("ms/1/YUHANG1/W1/down", parcel, 1).wait_for_publish(WAIT_S)

    def beacon(self, number: int = 1, key: Key | None = None) -> bytes:
        """A beacon, signed by the registry unless another key is given."""
        payload = {L.NUMBER: number, L.TIME_S: 1_790_000_000, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}
        return build(Author("REG-CN", "beacon", key or self.registry_key), L.KIND_BEACON, payload)

    def custody(self, covered: Read, **changes: Any) -> bytes:
        """Custody up to `covered`; `signer`, `named` (thumbprint) and `head` may be made wrong."""
        epoch, seq = covered.place
        payload = {
            L.KEY: changes.get("named", self.fixture_key.thumbprint),
            L.EPOCH: epoch,
            L.SEQ: seq,
            L.HEAD: changes.get("head", covered.identity),
            L.LOG_SIZE: 1,
            L.LOG_ROOT: bytes(32),
        }
        return build(
            Author("EDGE1", "custody", changes.get("signer", self.edge_key)), L.KIND_CUSTODY, payload
        )
