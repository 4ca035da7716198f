"""Refused but not lost: kept with the reason, up to a bound a fixture.

At the bound the edge stops acknowledging that fixture, so its own queue keeps what the edge can't take, and an
operator sees an alarm. A refusal never gets custody.
"""

from dataclasses import dataclass

from meterseal_edge.store.contract import Store


@dataclass(frozen=True)
class Quarantine:
    """The bound, asked of the store that keeps the refusals."""

    store: Store
    bound: int

    def is_full(self, fixture: str) -> bool:
        """True where this fixture's refusals reach the bound: stop acknowledging it."""
        return self.store.quarantined(fixture) >= self.bound
