"""The registry's beacons and grants, fetched while it can be reached and passed on only when they verify.

A beacon is the *not before* of every test that cites it, and the judge refuses one that was too old when the attempt
was logged (`time.beacon_stale`; the rule pack says how old). A fixture has no clock of its own and cites the newest one
that it was given, however old; so it is the edge that watches the age: it stands on the page, and from OLD_S on there
is an alarm, in time for somebody to bring the registry back. The newest beacon is kept in a file: an edge that is
started while the registry is away still has one for the fixtures that come online.
"""

import contextlib
import logging
import threading
import time

import httpx

from meterseal_edge.errors import RegistryAbsent
from meterseal_edge.inbox import Inbox
from meterseal_edge.keybook import Keybook
from meterseal_edge.settings import Settings
from meterseal_edge.state import State
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

log = logging.getLogger("meterseal.edge.beacon")
GRANTS_BYTES = 1 << 24
FILE = "beacon.cose"
OLD_S, SAY_EACH_S = 86_400, 3600  # a day; the shipped packs allow fourteen


class BeaconKeeper:
    """Holds the newest beacon and hands it to the inbox for every fixture."""

    def __init__(self, settings: Settings, keys: Keybook, inbox: Inbox, state: State) -> None:
        self.settings = settings
        self.keys = keys
        self.inbox = inbox
        self.state = state
        self.newest, self.newest_s = -1, 0
        self._file = settings.folder / FILE
        self._said_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Ask the registry until `stop`, beginning with what was known before."""
        self.recall()
        with httpx.Client(base_url=self.settings.registry, timeout=10) as client:
            while not stop.is_set():
                self.ask(client)
                self.watch(time.time())
                stop.wait(self.settings.registry_poll_s)

    def recall(self) -> None:
        """The beacon of the time before, if there is one that still verifies."""
        with contextlib.suppress(OSError, ProtocolError, WireError):
            self.take(self._file.read_bytes())

    def watch(self, now_s: float) -> None:
        """An alarm, once an hour, while the newest beacon is older than a day."""
        age_s = int(now_s - self.newest_s)
        if self.newest >= 0 and age_s > OLD_S and now_s - self._said_s >= SAY_EACH_S:
            self._said_s = now_s
            why = f"beacon {self.newest} is {age_s // 3600} h old; the rules say how old it may be in an attempt"
            self.state.alarm("", "edge.beacon_stale", why)

    def ask(self, client: httpx.Client) -> None:
        """Refresh once; the page is told whether the registry answered, and an alarm raised where it said nonsense."""
        try:
            self.refresh(client)
        except httpx.HTTPError as error:
            self.state.registry(False)
            log.warning("no beacon: registry %s is away: %s", self.settings.registry, error)
        except (ProtocolError, WireError, RegistryAbsent) as error:
            self.state.alarm("", error.code, f"the registry's beacon or grants: {error}")

    def refresh(self, client: httpx.Client) -> None:
        """Grants first, since a beacon is believed by the registry's key; then the newest beacon."""
        answer = client.get("/grants")
        if answer.status_code == httpx.codes.OK:
            self.keys.learn(grants_in(answer.content))
        answer = client.get("/beacon")
        if answer.status_code == httpx.codes.OK:
            self.take(answer.content)
        self.state.registry(answer.status_code == httpx.codes.OK)

    def take(self, raw: bytes) -> None:
        """Believe a beacon only from a registry's key and only if it is newer."""
        statement = verify(raw, self.keys.registries).statement
        if statement.typ != L.KIND_BEACON:
            self.state.alarm("", "edge.beacon", f"the registry gave a {statement.kind} for a beacon")
            return
        number = statement.payload[L.NUMBER]
        if number > self.newest:
            self.newest, self.newest_s = number, statement.payload[L.TIME_S]
            self.state.beacon(number, self.newest_s)
            self.inbox.greet_with([raw])
            part = self._file.with_suffix(".part")
            part.write_bytes(raw)
            part.replace(self._file)


def grants_in(body: bytes) -> list[bytes]:
    """The statements of a `GET /grants` answer: CBOR array of [statement, receipt]."""
    rows = scan(body, GRANTS_BYTES)
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        raise RegistryAbsent("the answer to /grants is no array of [statement, receipt]")
    found = [row[0] for row in rows]
    if not all(isinstance(raw, bytes) for raw in found):
        raise RegistryAbsent("the answer to /grants holds something else than statements")
    return found
