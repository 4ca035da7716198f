"""Station 5: one MQTT connection, kept up for ever. Bytes in from the down topic, bytes out with an acknowledgement.

Promised: `publish` at QoS 1 returns only after the broker's PUBACK; in every other case it raises NotSent, and the
caller offers again. Nothing is queued here and nothing is sent again here: what must not be lost lies in flash
(`keep.py`), `offer.py` starts from its beginning after each loss, and the edge knows duplicates. So no packet ever
goes out with DUP, and the session is a clean one: the broker holds nothing for a fixture.

"online" is published, retained, only after the subscription stands, because the edge answers it with the newest
beacon. The last will says "offline". DISCONNECT would take the will back, so the connection is simply closed.

Not covered: a broker that answers pings but never acknowledges is asked again for ever, without a new connection.
"""

import asyncio
import json
import os

from meterseal_fixture import mqtt
from meterseal_fixture.connection import Connection, Lost
from meterseal_fixture.errors import FixtureError
from meterseal_fixture.mqtt import MqttError

DOWN, JOINING, UP = "down", "joining", "up"
NEXT = {
    (DOWN, "tried"): JOINING,
    (JOINING, "joined"): UP,
    (JOINING, "lost"): DOWN,
    (UP, "lost"): DOWN,
}
KEEPALIVE_S = 20
BEAT_MS = 10000
JOIN_MS = 10000
ACK_MS = 10000
WAIT_FIRST_MS, WAIT_LONGEST_MS = 250, 16000
ENDS = (OSError, EOFError, asyncio.TimeoutError, FixtureError)


class NotSent(FixtureError):
    """The message has no PUBACK; it may have arrived or not. Keep it and offer it again."""

    code = "link.not_sent"


class Link:
    """The connection of one fixture; `state` is down, joining or up.

    `settings` has host, port, site, fixture and topic(end); `on_message(payload)` gets what comes on the down topic,
    `log(word, text)` why a connection ended; `papers` are those with which it shows itself (papers.py), or None;
    `more()` gives what the state topic tells too, asked anew each time the fixture comes online.
    """

    def __init__(self, settings, on_message, log, papers=None, more=dict) -> None:
        self.settings = settings
        self.on_message = on_message
        self.log = log
        self.papers = papers
        self._reached = False
        self.state = DOWN
        self.more = more
        self._connection: Connection | None = None
        self._identifier = 0
        self._waiting: dict[int, asyncio.Event] = {}

    async def run(self) -> None:
        """Stay connected until cancelled; then everything is closed, and the will speaks."""
        wait = WAIT_FIRST_MS
        while True:
            try:
                await self._session()
                wait = WAIT_FIRST_MS
            except ENDS as why:
                wait = WAIT_FIRST_MS if self.state == UP else min(2 * wait, WAIT_LONGEST_MS)
                if self.papers and self._reached and self.state != UP:
                    self.papers.failed()
                self.log("link", "%s, lost: %r" % (self.state, why))
            finally:
                self._lose()
            await asyncio.sleep_ms(wait // 2 + int.from_bytes(os.urandom(2), "big") % wait)

    async def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> None:
        """Send one message; at QoS 1 return after its PUBACK. NotSent in every other case, after ACK_MS at most."""
        if self._connection is None or self.state != UP:
            raise NotSent("link.not_sent", self.state)
        identifier = self._next_identifier() if qos else 0
        packet = mqtt.publish(topic, payload, identifier, retain)
        try:
            await asyncio.wait_for_ms(self._exchange(self._connection, packet, identifier), ACK_MS)
        except (OSError, asyncio.TimeoutError):
            raise NotSent("link.not_sent", topic)

    async def _exchange(self, connection: Connection, packet: bytes, identifier: int) -> None:
        if not identifier:
            await connection.send(packet)
            return
        answered = self._waiting[identifier] = asyncio.Event()
        try:
            await connection.send(packet)
            await answered.wait()
        finally:
            self._waiting.pop(identifier, None)
        if self._connection is not connection:
            raise NotSent("link.not_sent", "lost while waiting")

    # One connection.

    async def _session(self) -> None:
        self._go("tried")
        self._reached = False
        self._connection = connection = Connection(self.settings.host, self.settings.port)
        await asyncio.wait_for_ms(self._join(connection), JOIN_MS)
        self._go("joined")
        if self.papers:
            self.papers.passed()
        gone = asyncio.Event()
        listener = asyncio.create_task(self._listen(connection, gone))
        try:
            await self._beat(connection, gone)
            if gone.is_set():
                raise await listener
        finally:
            listener.cancel()

    async def _join(self, connection: Connection) -> None:
        await connection.open(self.papers.context() if self.papers else None)
        self._reached = True
        client = "%s-%s" % (self.settings.site, self.settings.fixture)
        will = (self.settings.topic("state"), self._presence("offline"))
        await connection.send(mqtt.connect(client, KEEPALIVE_S, True, will))
        if (await self._expect(connection, mqtt.CONNACK))[2]:
            raise Lost("link.refused", "connect")
        await connection.send(mqtt.subscribe(self._next_identifier(), self.settings.topic("down")))
        if (await self._expect(connection, mqtt.SUBACK))[2] == mqtt.REFUSED_FILTER:
            raise Lost("link.refused", "subscribe")
        online = (self.settings.topic("state"), self._presence("online"), self._next_identifier(), True)
        await connection.send(mqtt.publish(*online))
        await self._expect(connection, mqtt.PUBACK)

    async def _expect(self, connection: Connection, kind: int):
        packet = await connection.receive()
        while packet[0] == mqtt.PUBLISH:
            await self._take(connection, packet)
            packet = await connection.receive()
        if packet[0] != kind:
            raise MqttError("mqtt.kind", packet[0])
        return packet

    async def _beat(self, connection: Connection, gone: asyncio.Event) -> None:
        while not gone.is_set() and not (self.papers and self.papers.again):
            connection.heard = False
            await asyncio.wait_for_ms(connection.send(mqtt.PINGREQ), BEAT_MS)
            try:
                await asyncio.wait_for_ms(gone.wait(), BEAT_MS)
            except asyncio.TimeoutError:
                if not connection.heard:
                    raise Lost("link.silent")

    async def _listen(self, connection: Connection, gone: asyncio.Event):
        # Returns what ended it: MicroPython prints what a task raises before anybody has awaited it.
        try:
            while True:
                await self._take(connection, await connection.receive())
        except ENDS as why:
            return why
        finally:
            gone.set()

    async def _take(self, connection: Connection, packet) -> None:
        if packet[0] == mqtt.PUBLISH:
            self.on_message(packet[2])
            if packet[3]:
                await connection.send(mqtt.puback(packet[3]))
        elif packet[0] == mqtt.PUBACK and packet[1] in self._waiting:
            self._waiting[packet[1]].set()

    def _lose(self) -> None:
        self._go("lost")
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for answered in self._waiting.values():
            answered.set()

    def _go(self, event: str) -> None:
        self.state = NEXT[self.state, event]

    def _presence(self, word: str) -> bytes:
        told: dict[str, object] = {"state": word, "fixture": self.settings.fixture}
        if word == "online":
            told.update(self.more())
        return json.dumps(told).encode()

    def _next_identifier(self) -> int:
        self._identifier = self._identifier % 65535 + 1
        return self._identifier
