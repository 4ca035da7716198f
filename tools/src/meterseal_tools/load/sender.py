"""Publishes lines to a broker as fixtures do (MQTT 3.1.1, QoS 1) and takes custody back; one thread for all lines.

A statement is *covered* when the edge's custody for its key has reached it; the seconds from its publication to then
are what a factory waits. Custody is read as it comes and its signature checked at the end, over the last of each line.
"""

import select
import selectors
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from meterseal_protocol.keys import KeyRing
from meterseal_protocol.verify import verify
from meterseal_tools.load.lines import Line
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split

AGAIN_S = 4.0  # without custody a fixture offers again from the first that is not covered
WINDOW = 4  # messages of one line that the broker has not acknowledged
MISC_S, LOOK_S, JOIN_S = 1.0, 0.05, 5.0
PARCEL_BYTES = 65536


class NoCustody(Exception):
    """Custody did not come in time, or does not hold. The message says for whom and how far it came."""

    code = "load.custody"


@dataclass
class Sent:
    """One line on its way: `open` are parcels published and not covered as (statements up to it, when)."""

    line: Line
    client: Client
    next: int = 0
    published: int = 0
    unacknowledged: int = 0
    covered: int = 0
    moved_s: float = 0.0
    custody: bytes = b""
    open: deque[tuple[int, float]] = field(default_factory=deque)

    @property
    def done(self) -> bool:
        """True if custody reached the end."""
        return self.covered >= self.line.statements


@dataclass(frozen=True)
class Told:
    """What a load was like: statements, seconds from the first publication to the last custody, waits in seconds, and
    how many parcels were offered again because no custody came.
    """

    statements: int
    seconds: float
    waits_s: Sequence[float]
    offered_again: int

    @property
    def rate(self) -> float:
        """Statements a second."""
        return self.statements / self.seconds

    def wait_s(self, share: float) -> float:
        """The wait that this share of the parcels did not exceed."""
        ordered = sorted(self.waits_s)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Sender:
    """All lines of one site over one broker: connected at once, and again whenever a connection is lost.

    `again_s` is how long a line waits for custody before it offers again from the first parcel that is not covered.
    """

    def __init__(
        self, host: str, port: int, site: str, lines: Sequence[Line], again_s: float = AGAIN_S
    ) -> None:
        self.site, self._address, self._again_s = site, (host, port), again_s
        self._waits: list[float] = []
        self._offered_again = 0
        self._selector = selectors.DefaultSelector()
        self.sent = [Sent(line, self._client(line.name)) for line in lines]
        for one in self.sent:
            self._join(one)

    def _client(self, name: str) -> Client:
        return Client(CallbackAPIVersion.VERSION2, f"{self.site}-{name}")

    def _join(self, one: Sent) -> bool:
        client, name = one.client, one.line.name
        client.on_message = lambda _client, _data, message: self._take(one, message)
        client.on_publish = lambda *_: self._acknowledged(one)
        # A closed socket's number is soon another's: the selector must forget it at once.
        client.on_socket_open = lambda _client, _data, opened: self._opened(one, opened)
        client.on_socket_close = lambda _client, _data, opened: self._closed(opened)
        try:
            client.connect(*self._address, keepalive=60)
        except OSError:
            return False
        until = time.perf_counter() + JOIN_S
        while not client.is_connected():
            opened: Any = client.socket()
            if opened is None or time.perf_counter() > until:
                return False
            if select.select([opened], [], [], LOOK_S)[0]:
                client.loop_read()
        client.subscribe(f"ms/1/{self.site}/{name}/down", 1)
        return True

    def _opened(self, one: Sent, opened: Any) -> None:
        self._selector.register(opened, selectors.EVENT_READ, one)

    def _closed(self, opened: Any) -> None:
        if opened in (self._selector.get_map() or ()):
            self._selector.unregister(opened)

    def _rejoin(self, one: Sent) -> None:
        # A new connection begins at the first parcel that is not covered, as a fixture's does.
        one.client.disconnect()
        one.client = self._client(one.line.name)
        if self._join(one):
            self._offer_again(one)

    def _acknowledged(self, one: Sent) -> None:
        one.unacknowledged = max(0, one.unacknowledged - 1)

    def _take(self, one: Sent, message: MQTTMessage) -> None:
        for raw in scan(bytes(message.payload), PARCEL_BYTES):
            body = split(raw)[2]
            payload = scan(body) if body else {}  # a registry's receipt carries none
            if payload.get(L.KEY) == one.line.key and L.SEQ in payload:
                one.covered = max(one.covered, payload[L.SEQ] + 1)
                one.custody = raw
        now = one.moved_s = time.perf_counter()
        while one.open and one.open[0][0] <= one.covered:
            self._waits.append(now - one.open.popleft()[1])

    def warm_up(self) -> None:
        """Send the first parcel of each line that has more: what follows measures no start of the box's processes."""
        whole = [(line, line.parcels, line.statements) for line in (one.line for one in self.sent)]
        for line, parcels, _ in whole:
            first = parcels[: len(parcels) > 1]
            line.parcels, line.statements = first, first[0][1] if first else 0
        self.run()
        for line, parcels, statements in whole:
            line.parcels, line.statements = parcels, statements

    def run(self, rate: float = 0.0, most_s: float = 600.0) -> Told:
        """Send everything that was not sent, `rate` statements a second (0: as fast as it goes).

        NoCustody after `most_s` seconds without custody for all.
        """
        began = looked = time.perf_counter()
        total = sum(one.line.statements - one.published for one in self.sent)
        self._waits, self._offered_again, published = [], 0, 0
        for one in self.sent:
            one.moved_s = began
        while not all(one.done for one in self.sent):
            now = time.perf_counter()
            if now - began > most_s:
                raise NoCustody(self._missing())
            if now - looked > min(MISC_S, self._again_s):
                looked = now
                for one in self.sent:
                    one.client.loop_misc()
                    self._again(one, now)
            allowed = (now - began) * rate if rate else total
            for one in self.sent:
                published += self._publish(one, published, allowed)
            self._listen()
        return Told(total, time.perf_counter() - began, self._waits, self._offered_again)

    def _publish(self, one: Sent, published: int, allowed: float) -> int:
        if not self._may_publish(one) or published >= allowed:
            return 0
        parcel, reaches = one.line.parcels[one.next]
        one.next += 1
        one.unacknowledged += 1
        fresh = reaches - one.published
        if fresh > 0:
            one.open.append((reaches, time.perf_counter()))
            one.published = reaches
        one.client.publish(f"ms/1/{self.site}/{one.line.name}/up", parcel, 1)
        return max(fresh, 0)

    def _again(self, one: Sent, now: float) -> None:
        if not one.client.is_connected():
            self._rejoin(one)
        elif one.open and now - one.moved_s > self._again_s:
            one.moved_s = now
            self._offer_again(one)

    def _offer_again(self, one: Sent) -> None:
        # A parcel offered again keeps the moment of its first time.
        while one.next and one.line.parcels[one.next - 1][1] > one.covered:
            one.next -= 1
            self._offered_again += 1
        one.unacknowledged = 0

    def _listen(self) -> None:
        for key, _ in self._selector.select(LOOK_S if self._idle() else 0):
            key.data.client.loop_read()
        for one in self.sent:
            if one.client.want_write():
                one.client.loop_write()

    def _idle(self) -> bool:
        return not any(self._may_publish(one) for one in self.sent)

    def _may_publish(self, one: Sent) -> bool:
        waits = one.next == len(one.line.parcels) or one.unacknowledged >= WINDOW
        return not waits and one.client.is_connected()

    def _missing(self) -> str:
        behind = [one for one in self.sent if not one.done]
        first = behind[0]
        return (
            f"{len(behind)} of {len(self.sent)} lines have no custody to their end; {first.line.name} has "
            f"{first.covered} of {first.line.statements}. Look at the edge's page for alarms"
        )

    def forget(self) -> None:
        """Drop the parcels of what is covered, so that lines can go on for ever."""
        for one in self.sent:
            one.line.parcels.clear()
            one.next = 0

    def check(self, ring: KeyRing) -> None:
        """Verify the last custody of each line; a protocol error says what is wrong."""
        for one in self.sent:
            verify(one.custody, ring)

    def close(self) -> None:
        """Leave the broker."""
        for one in self.sent:
            one.client.disconnect()
        self._selector.close()
