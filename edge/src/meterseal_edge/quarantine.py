"""Refused but not lost: kept with the reason, up to a bound a fixture.

At the bound nothing more of that fixture is kept or acknowledged, and an operator sees an alarm; its own queue still
holds what the edge can't take. A refusal never gets custody, and leaves by itself once its statement links.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from meterseal_edge.events import Refused
from meterseal_edge.store.contract import Store


@dataclass(frozen=True)
class Quarantine:
    """The bound, asked of the store that keeps the refusals."""

    store: Store
    bound: int

    def fit(self, refused: list[Refused], fixtures: Iterable[str]) -> tuple[list[Refused], set[str]]:
        """What there is room for, and those of `fixtures` that are at the bound once it is kept."""
        room = {name: self.bound - self.store.quarantined(name) for name in fixtures}
        kept: list[Refused] = []
        taken: Counter[str] = Counter()
        for item in refused:
            if taken[item.fixture] < room[item.fixture]:
                taken[item.fixture] += 1
                kept.append(item)
        return kept, {name for name in room if taken[name] >= room[name]}
