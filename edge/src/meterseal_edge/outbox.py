"""Station 10, the edge's side: what is durable here is offered to the registry until a receipt covers it.

Oldest first, in bundles; a statement counts as entered only when its receipt verified against the registry's key
and names this very statement. A registry that was away gets everything, once: it answers a known statement with
the entry it already has.
"""

import logging
import secrets
import threading

import httpx

from meterseal_edge.errors import RegistryAbsent
from meterseal_edge.keybook import Keybook
from meterseal_edge.settings import Settings
from meterseal_edge.state import State
from meterseal_edge.store.contract import Store, Stored
from meterseal_protocol import receipt
from meterseal_protocol.errors import ProtocolError
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

log = logging.getLogger("meterseal.edge.outbox")
BUNDLE = 50
ANSWER_BYTES = 1 << 22
LEAST_WAIT_S, MOST_WAIT_S = 1, 300
TYPE = "application/cbor"


class Outbox:
    """A loop that empties the store's unentered statements into the registry."""

    def __init__(self, settings: Settings, store: Store, keys: Keybook, state: State) -> None:
        self.settings = settings
        self.store = store
        self.keys = keys
        self.state = state
        self.wake = threading.Event()
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Send until `stop`; waits longer after each failure, with jitter, up to five minutes."""
        with httpx.Client(base_url=self.settings.registry, timeout=30) as client:
            while not stop.is_set():
                self.wake.clear()
                if not self._round(client):
                    self.wake.wait(self.pause())

    def _round(self, client: httpx.Client) -> bool:
        try:
            moved = self.send(client)
        except RegistryAbsent as error:
            self._failures += 1
            self.state.registry(False)
            log.warning("%s", error)
            return False
        self._failures = 0
        self.state.registry(True)
        return moved > 0

    def pause(self) -> float:
        """Seconds until the next round: short when all is well, else exponential with jitter."""
        if not self._failures:
            return float(self.settings.registry_poll_s)
        longest = min(MOST_WAIT_S, LEAST_WAIT_S << min(self._failures, 9))
        return LEAST_WAIT_S + secrets.randbelow(longest * 1000) / 1000

    def send(self, client: httpx.Client) -> int:
        """One bundle: how many statements got a receipt. RegistryAbsent when no answer can be used."""
        waiting = self.store.unentered(BUNDLE)
        if not waiting:
            return 0
        bundle = encode([[item.raw, *item.evidence] for item in waiting])
        try:
            answer = client.post("/bundles", content=bundle, headers={"content-type": TYPE})
        except httpx.HTTPError as error:
            raise RegistryAbsent(f"registry {self.settings.registry} is away: {error}") from None
        if answer.status_code != httpx.codes.OK:
            raise RegistryAbsent(f"registry answered {answer.status_code}: {answer.text[:200]}")
        return self.accept(waiting, answer.content)

    def accept(self, waiting: list[Stored], body: bytes) -> int:
        """Keep the receipts that hold; the rest stays and is offered again."""
        try:
            answers = scan(body, ANSWER_BYTES)
        except WireError as error:
            raise RegistryAbsent(f"registry's answer cannot be read: {error}") from None
        if not isinstance(answers, list) or len(answers) != len(waiting):
            raise RegistryAbsent("registry's answer does not match the bundle")
        held = [(item.leaf, raw) for item, raw in zip(waiting, answers, strict=True) if self.holds(item, raw)]
        self.store.enter(held)
        if not held:
            raise RegistryAbsent("registry gave no receipt that holds")
        return len(held)

    def holds(self, item: Stored, answer: object) -> bool:
        """True if `answer` is a receipt for exactly this statement."""
        if not isinstance(answer, bytes):
            self.state.alarm("", "edge.registry", f"leaf {item.leaf}: {answer}")
            return False
        try:
            receipt.check(answer, item.identity, self.keys.registries)
        except (ProtocolError, WireError) as error:
            self.state.alarm("", "edge.receipt", f"leaf {item.leaf}: {error}")
            return False
        return True
