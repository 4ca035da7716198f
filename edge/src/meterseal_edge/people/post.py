"""What people signed goes on to the registry, until a receipt covers it. The same promise as the outbox's.

Oldest first, in small bundles, all that waits in one pass. An absent registry is asked again ever more seldom; what it
refuses (a grant that it does not know yet) is offered again in later passes and blocks nothing: a fresh signature wakes
the loop at once. Only a receipt that verifies against the registry's key, for this very statement, ends the waiting.
"""

import logging
import threading
from dataclasses import dataclass

import httpx

from meterseal_edge.errors import RegistryAbsent, StoreFailed
from meterseal_edge.outbox import Outbox, jittered, longest_wait
from meterseal_edge.people.said import ITEMS_BYTES, Sayings
from meterseal_edge.store.contract import Stored
from meterseal_wire.scan import scan

log = logging.getLogger("meterseal.edge.people")
BUNDLE = 20
WAITING = """
SELECT number, key, identity, raw, items FROM said WHERE receipt IS NULL AND number > ? ORDER BY number LIMIT ?
"""


@dataclass
class Post:
    """A loop that brings what people signed to the registry; it asks and checks as the outbox does."""

    sayings: Sayings
    outbox: Outbox
    failures: int = 0
    fruitless: int = 0

    def run(self, stop: threading.Event) -> None:
        """Send until `stop`."""
        with httpx.Client(base_url=self.outbox.settings.registry, timeout=30) as client:
            while not stop.is_set():
                self.sayings.fresh.clear()
                wait_s = self.round(client)
                if self.failures:
                    stop.wait(wait_s)
                else:
                    self.sayings.fresh.wait(wait_s)

    def round(self, client: httpx.Client) -> float:
        """One pass; seconds until the next."""
        try:
            left = self.deliver(client)
        except (RegistryAbsent, StoreFailed) as error:
            self.failures += 1
            self.outbox.state.alarm("", error.code, str(error))
            log.warning("%s", error)
            return jittered(self.failures)
        self.failures = 0
        self.fruitless = self.fruitless + 1 if left else 0
        poll_s = self.outbox.settings.registry_poll_s
        return max(poll_s, longest_wait(self.fruitless)) if left else poll_s

    def deliver(self, client: httpx.Client) -> int:
        """Offer everything that waits; how many were not taken. RegistryAbsent when no answer can be used."""
        roll, after, left = self.sayings.trail.roll, 0, 0
        while rows := roll.all(WAITING, after, BUNDLE):
            waiting = [
                Stored(number, key, identity, raw, tuple(scan(items, ITEMS_BYTES)))
                for number, key, identity, raw, items in rows
            ]
            held = self.outbox.accept(waiting, self.outbox.ask(client, waiting))
            with roll.together():
                for number, receipt in held:
                    roll.change("UPDATE said SET receipt = ? WHERE number = ?", receipt, number)
            after, left = waiting[-1].leaf, left + len(waiting) - len(held)
        return left
