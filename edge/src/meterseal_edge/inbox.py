"""Station 5: parcels from MQTT, acknowledged by hand and only when told to.

PUBACK tells the broker that it may forget; it is sent after the commit and after custody was handed to the
connection, never by the client library (paho `manual_ack`). The session outlives the process, so what the broker
holds comes again after a crash. PUBACK promises a fixture nothing: custody does.
"""

import contextlib
import logging
import queue
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from meterseal_edge.events import Parcel
from meterseal_edge.examine import PARCEL_BYTES
from meterseal_edge.live_line import parse
from meterseal_edge.presence import Presence, read_presence
from meterseal_edge.settings import Settings
from meterseal_edge.site import tls
from meterseal_edge.state import State
from meterseal_wire.encode import encode

log = logging.getLogger("meterseal.edge.inbox")
mqtt_log = logging.getLogger("meterseal.edge.mqtt")
mqtt_log.setLevel(logging.WARNING)
SESSION_S = 7 * 86400
RECEIVE_MAXIMUM = 400
HELD_BACK = 100
QUEUED_DOWN = 1000
AGAIN_S, MOST_AGAIN_S = 0.2, 30  # a broker on the same box is soon back
NAME_CHARACTERS = 16
RECEIPTS_A_MESSAGE = 8
FAILURE = 128  # MQTT reason codes from here on are refusals
PREFIX = "ms/1"


class Inbox:
    """MQTT in and out: `parcels` fills by itself, `acknowledge` and `send_custody` are called by the ingest."""

    def __init__(self, settings: Settings, state: State) -> None:
        self.settings = settings
        self.state = state
        self.parcels: queue.Queue[Parcel] = queue.Queue(maxsize=2 * RECEIVE_MAXIMUM)
        self._greet: list[bytes] = []
        self.on_online: Callable[[Presence], None] = lambda _presence: None
        self.on_offline: Callable[[str], None] = lambda _fixture: None
        self.on_live: Callable[[str, dict[str, Any]], None] = lambda _fixture, _told: None
        self._connection = 0
        self._held_back = 0
        self._late: dict[str, bytes] = {}
        self.client = _client(settings)
        self.client.on_publish = self._on_publish
        self.client.on_connect = self._on_connect
        self.client.on_subscribe = self._on_subscribe
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_socket_open = _no_delay
        self.client.on_connect_fail = self._on_connect_fail
        self._tls = tls.context(settings)
        if self._tls is not None:
            self.client.tls_set_context(self._tls)
            self.client.on_pre_connect = self._on_pre_connect

    def start(self) -> None:
        """Connect in the background and keep trying."""
        self.client.connect_async(
            self.settings.host, self.settings.port, keepalive=30, **_session(self.settings)
        )
        self.client.loop_start()

    def stop(self) -> None:
        """Leave; the broker keeps the session."""
        self.client.disconnect()
        self.client.loop_stop()

    def renew(self) -> None:
        """Drop what was received and not acknowledged, and ask the broker for it again by a new connection.

        Only the socket is shut: the client's own thread notices, and connects again as after any other loss.
        """
        while not self.parcels.empty():
            self.parcels.get_nowait()
        opened = self.client.socket()
        if isinstance(opened, socket.socket):
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)

    def take(self, most: int, wait_s: float) -> list[Parcel]:
        """The next parcels, at least one unless `wait_s` passes, at most `most`."""
        try:
            found = [self.parcels.get(timeout=wait_s)]
        except queue.Empty:
            return []
        while len(found) < most and not self.parcels.empty():
            found.append(self.parcels.get_nowait())
        return found

    def acknowledge(self, parcel: Parcel) -> None:
        """PUBACK, now that what the parcel held is durable. What an older connection brought comes again anyhow."""
        if parcel.connection == self._connection:
            self.client.ack(parcel.message_id, parcel.qos)

    def hold_back(self, parcel: Parcel) -> None:
        """No PUBACK, so that the broker keeps it; but at most HELD_BACK a connection.

        The broker sends RECEIVE_MAXIMUM messages ahead and no more: one fixture must not close that window for all.
        """
        self._held_back += 1
        if self._held_back > HELD_BACK:
            self.acknowledge(parcel)

    def send_custody(self, fixture: str, raw: bytes) -> None:
        """Custody for one fixture. Where the queue is full the newest one waits: it covers all before it."""
        if self._sent_down(fixture, [raw]):
            self._late.pop(fixture, None)
        else:
            self._late[fixture] = raw

    def _on_publish(self, *_: Any) -> None:
        if self._late:
            with contextlib.suppress(KeyError):
                self.send_custody(*self._late.popitem())

    def send_down(self, fixture: str, items: Sequence[Any]) -> None:
        """For one fixture: receipts, beacons, time, and what `dispatch` sends. It is told again what it misses."""
        self._sent_down(fixture, items)

    def _sent_down(self, fixture: str, items: Sequence[Any]) -> bool:
        topic = f"{PREFIX}/{self.settings.site}/{fixture}/down"
        told = self.client.publish(topic, encode(list(items)), qos=1)
        return told.rc != MQTTErrorCode.MQTT_ERR_QUEUE_SIZE

    def send_receipts(self, fixture: str, receipts: list[bytes]) -> None:
        """Receipts for one fixture, so few a message that it never has to drop custody for them."""
        for at in range(0, len(receipts), RECEIPTS_A_MESSAGE):
            self.send_down(fixture, receipts[at : at + RECEIPTS_A_MESSAGE])

    def greet_with(self, statements: list[bytes]) -> None:
        """What every fixture gets now and whenever it comes online: the newest beacon."""
        self._greet = statements
        for fixture in self.state.fixtures_online():
            self.send_down(fixture, statements)

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            self.state.alarm("", "edge.broker", f"the broker refused the edge: {reason}")
            return
        self._connection += 1
        self._held_back = 0
        site = f"{PREFIX}/{self.settings.site}/+"
        client.subscribe([(f"{site}/up", 1), (f"{site}/state", 1), (f"{site}/live", 0)])

    def _on_pre_connect(self, _client: Client, _data: Any) -> None:
        if self._tls is not None:
            tls.show(self._tls, self.settings)

    def _on_connect_fail(self, _client: Client, _data: Any) -> None:
        error = sys.exception()
        if isinstance(error, ssl.SSLError):
            self.state.alarm("", "edge.tls", f"no TLS with the broker: {error}. Run `meterseal edge doctor`")

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _props: Properties | None
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.value >= FAILURE]
        if refused:
            self.state.alarm("", "edge.broker", f"the broker refused the subscription: {refused[0]}")
        self.state.broker(not refused)

    def _on_disconnect(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _props: Properties | None,
    ) -> None:
        self.state.broker(False)
        log.warning("broker gone: %s", reason)

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        fixture, _, what = message.topic.removeprefix(f"{PREFIX}/{self.settings.site}/").partition("/")
        if what == "up":
            # What is longer is refused, whatever it says: nobody needs the rest.
            payload = bytes(message.payload[: PARCEL_BYTES + 1])
            self.parcels.put(Parcel(fixture, payload, message.mid, message.qos, self._connection))
            return
        if message.qos:
            client.ack(message.mid, message.qos)
        if len(fixture) <= NAME_CHARACTERS:
            self._note(fixture, what, parse(bytes(message.payload)))

    def _note(self, fixture: str, what: str, told: dict[str, Any]) -> None:
        if what == "live":
            self.state.live(fixture, told)
            self.on_live(fixture, told)
        elif self.state.presence(fixture, told.get("state") == "online"):
            if self._greet:
                self.send_down(fixture, self._greet)
            self.on_online(read_presence(fixture, told))
        else:
            self.on_offline(fixture)


def _client(settings: Settings) -> Client:
    version = MQTTProtocolVersion(settings.mqtt_version)
    # MQTT 5 says at each CONNECT whether the session goes on (see _session); 3.1.1 says it once, here.
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"edge-{settings.edge}",
        clean_session=None if version == MQTTProtocolVersion.MQTTv5 else False,
        protocol=version,
        manual_ack=True,
    )
    client.reconnect_delay_set(AGAIN_S, MOST_AGAIN_S)  # type: ignore[arg-type]  # seconds, whole or not
    client.max_queued_messages_set(QUEUED_DOWN)
    client.max_inflight_messages_set(RECEIVE_MAXIMUM)
    # What a callback raises is logged; it must not end the client's thread and leave the edge deaf.
    client.suppress_exceptions = True
    client.enable_logger(mqtt_log)
    return client


def _session(settings: Settings) -> dict[str, Any]:
    if settings.mqtt_version != MQTTProtocolVersion.MQTTv5:
        return {}
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no type there
    properties.SessionExpiryInterval = SESSION_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    return {"clean_start": False, "properties": properties}


def _no_delay(_client: Client, _data: Any, opened: Any) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
