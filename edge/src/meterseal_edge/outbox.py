"""Station 10, the edge's side: what is durable here is offered to the registry until a receipt covers it.

Oldest first, in bundles; a statement counts as entered only when its receipt verified against the registry's key
and names this very statement. A registry that was away gets everything, once: it answers a known statement with
the entry it already has. What it refuses is passed over, so that it never blocks what comes after, and is offered
again in a later pass, ever more seldom. Receipts are passed down: what the registry has, a fixture may delete.

After a failure the wait doubles, with jitter, so that the edges of a country don't come back in one second; a registry
that says `Retry-After` is left alone for that long. A bundle that the registry refuses as a whole is halved, down to
the one item that it can't take, which is passed over; one that it did not answer in time is halved too.

Memory is bounded by one bundle and one answer, however much waits: what waits stays in the store. How fast a week is
drained is measured by bench/drain.py against a registry process.
"""

import logging
import secrets
import threading
import time
from email.utils import parsedate_to_datetime

import httpx

from meterseal_edge.errors import RegistryAbsent, StoreFailed
from meterseal_edge.inbox import Inbox
from meterseal_edge.keybook import Keybook
from meterseal_edge.settings import Settings
from meterseal_edge.store.contract import Store, Stored
from meterseal_protocol import receipt
from meterseal_protocol.errors import ProtocolError
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

log = logging.getLogger("meterseal.edge.outbox")
BUNDLE = 50
CATCH_UP = 64
ANSWER_BYTES = 1 << 22
LEAST_WAIT_S, MOST_WAIT_S, MOST_DOUBLINGS = 1, 300, 9
MOST_AFTER_S = 3600
TOO_MUCH = {httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE, httpx.codes.UNPROCESSABLE_ENTITY}
FROM_THE_START = -1
WHY_CHARACTERS = 200
TYPE = "application/cbor"


class Outbox:
    """A loop that empties the store's unentered statements into the registry."""

    def __init__(self, settings: Settings, store: Store, keys: Keybook, inbox: Inbox) -> None:
        self.settings = settings
        self.inbox = inbox
        self.store = store
        self.keys = keys
        self.state = inbox.state
        self.wake = threading.Event()
        self.failures = 0
        self.bundle = BUNDLE
        self._asked_s = 0
        self._after = FROM_THE_START
        self._fruitless = 0
        self._next_pass_s = 0.0
        self._passed_over = False

    def run(self, stop: threading.Event) -> None:
        """Send until `stop`. After a failure new statements don't cut the wait short; else they wake it."""
        with httpx.Client(base_url=self.settings.registry, timeout=30) as client:
            while not stop.is_set():
                self.wake.clear()
                if self.round(client):
                    continue
                if self.failures:
                    stop.wait(max(jittered(self.failures), self._asked_s))
                else:
                    self.wake.wait(self.settings.registry_poll_s)

    def round(self, client: httpx.Client) -> bool:
        """One bundle; True if there may be more to send at once."""
        try:
            more = self.send(client, time.monotonic())
        except (RegistryAbsent, StoreFailed) as error:
            self.failures += 1
            self.state.alarm("", error.code, str(error))
            log.warning("%s", error)
            away = isinstance(error, RegistryAbsent)
            self.state.registry(not away)
            self._asked_s = error.after_s if isinstance(error, RegistryAbsent) else 0
            return False
        self.failures = self._asked_s = 0
        return more

    def send(self, client: httpx.Client, now_s: float) -> bool:
        """Offer the next bundle; True if it was a full one. RegistryAbsent when no answer can be used."""
        if self._passed_over and now_s >= self._next_pass_s:
            self._after, self._passed_over = FROM_THE_START, False
        waiting = self.store.unentered(self._after, self.bundle)
        if not waiting:
            return False
        held = self.taken(client, waiting)
        if held is None:
            return True
        self.store.enter(held)
        self.pass_down(waiting, dict(held))
        self.state.registry(True)
        self._after = waiting[-1].leaf
        self._fruitless = 0 if held else self._fruitless + 1
        if len(held) < len(waiting) and not self._passed_over:
            self._passed_over, self._next_pass_s = True, now_s + longest_wait(self._fruitless)
        full = len(waiting) == self.bundle
        self.bundle = min(BUNDLE, 2 * self.bundle)
        return full

    def taken(self, client: httpx.Client, waiting: list[Stored]) -> list[tuple[int, bytes]] | None:
        """(leaf, receipt) of what the registry took; None where it can't take the bundle, and half of it goes next."""
        try:
            return self.accept(waiting, self.ask(client, waiting))
        except RegistryAbsent as error:
            if not error.too_much:
                raise
            self.state.alarm("", "edge.refused", f"leaves from {waiting[0].leaf}: {error}")
        if len(waiting) == 1:
            return []
        self.bundle = len(waiting) // 2
        return None

    def pass_down(self, sent: list[Stored], held: dict[int, bytes]) -> None:
        """Receipts to the fixtures whose statements they are for: what is entered they may delete."""
        for key in dict.fromkeys(item.key for item in sent if item.leaf in held):
            holder = self.keys.fixture(key)
            if holder is not None:
                mine = [held[item.leaf] for item in sent if item.key == key and item.leaf in held]
                self.inbox.send_receipts(holder.name, mine)

    def catch_up(self, fixture: str, after: tuple[int, int]) -> None:
        """The receipts that a fixture missed while it was away, from the place up to which it has them."""
        for key in self.keys.keys_of(fixture):
            self.inbox.send_receipts(fixture, self.store.receipts(key, after, CATCH_UP))

    def ask(self, client: httpx.Client, waiting: list[Stored]) -> bytes:
        """The registry's answer to a bundle, unread."""
        bundle = encode([[item.raw, *item.evidence] for item in waiting])
        try:
            with client.stream("POST", "/bundles", content=bundle, headers={"content-type": TYPE}) as answer:
                body = bounded(answer)
        except httpx.HTTPError as error:
            if isinstance(error, httpx.ReadTimeout):
                self.bundle = max(1, len(waiting) // 2)
            raise RegistryAbsent(f"registry {self.settings.registry} is away: {error}") from None
        if answer.status_code != httpx.codes.OK:
            why = f"{answer.status_code}: {body[:WHY_CHARACTERS].decode(errors='replace')}"
            raise RegistryAbsent(
                f"registry {self.settings.registry} answered {why}",
                asked_for(answer.headers.get("retry-after", ""), time.time()),
                answer.status_code in TOO_MUCH,
            )
        return body

    def accept(self, waiting: list[Stored], body: bytes) -> list[tuple[int, bytes]]:
        """(leaf, receipt) of each statement whose receipt holds."""
        try:
            answers = scan(body, ANSWER_BYTES)
        except WireError as error:
            raise RegistryAbsent(f"registry's answer cannot be read: {error}") from None
        if not isinstance(answers, list) or len(answers) != len(waiting):
            raise RegistryAbsent("registry's answer does not match the bundle")
        pairs = zip(waiting, answers, strict=True)
        return [(item.leaf, answer) for item, answer in pairs if self.holds(item, answer)]

    def holds(self, item: Stored, answer: object) -> bool:
        """True if `answer` is a receipt for exactly this statement; an alarm says why not."""
        if not isinstance(answer, bytes):
            self.state.alarm("", "edge.refused", f"leaf {item.leaf}: {str(answer)[:WHY_CHARACTERS]}")
            return False
        try:
            receipt.check(answer, item.identity, self.keys.registries)
        except (ProtocolError, WireError) as error:
            self.state.alarm("", "edge.receipt", f"leaf {item.leaf}: {error}")
            return False
        return True


def bounded(answer: httpx.Response) -> bytes:
    """An answer's body; RegistryAbsent where it does not end."""
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES:
            raise RegistryAbsent(f"registry's answer has more than {ANSWER_BYTES} bytes")
    return bytes(body)


def asked_for(after: str, now_s: float) -> int:
    """Seconds, an hour at most, that a Retry-After asks for: RFC 9110 section 10.2.3 has seconds, or a date; else 0."""
    if after.isdecimal():
        return min(int(after[:9]), MOST_AFTER_S)
    try:
        wait = parsedate_to_datetime(after).timestamp() - now_s
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(max(0, min(wait, MOST_AFTER_S)))


def longest_wait(failures: int) -> int:
    """Seconds: doubled with each failure, up to five minutes."""
    return min(MOST_WAIT_S, LEAST_WAIT_S << min(failures, MOST_DOUBLINGS))


def jittered(failures: int) -> float:
    """Seconds to wait after so many failures: anything up to the longest wait, and not under LEAST_WAIT_S."""
    spread_ms = (longest_wait(failures) - LEAST_WAIT_S) * 1000
    return LEAST_WAIT_S + secrets.randbelow(spread_ms + 1) / 1000
