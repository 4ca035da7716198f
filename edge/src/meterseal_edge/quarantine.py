"""Refused but not lost: kept with the reason, up to a bound a fixture.

At the bound nothing more of that fixture is kept or acknowledged, and an operator sees an alarm; its own queue still
holds what the edge can't take. A refusal never gets custody, and leaves by itself once its statement links.

A name that no grant gives costs whoever invents it nothing, where the broker has no access list. So all of these
together have the bound of one fixture: whatever is published under however many names, disk and memory stay bounded,
and the quarantines of real fixtures keep their room.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from meterseal_edge.events import Refused
from meterseal_edge.store.contract import Store

STRANGERS = ""  # no fixture is called so: a topic has a name


@dataclass(frozen=True)
class Quarantine:
    """The bound, asked of the store that keeps the refusals. `known` gives the names of this site's fixtures."""

    store: Store
    bound: int
    known: Callable[[], frozenset[str]] = frozenset

    def fit(self, refused: list[Refused], fixtures: Iterable[str]) -> tuple[list[Refused], set[str]]:
        """What there is room for, and those of `fixtures` that are at the bound once it is kept."""
        known = self.known()
        counted = {name: name if name in known else STRANGERS for name in fixtures}
        room = {name: self.bound - self._held(name) for name in set(counted.values())}
        kept: list[Refused] = []
        taken: Counter[str] = Counter()
        for item in refused:
            name = counted[item.fixture]
            if taken[name] < room[name]:
                taken[name] += 1
                kept.append(item)
        return kept, {fixture for fixture, name in counted.items() if taken[name] >= room[name]}

    def _held(self, name: str) -> int:
        """How many refusals are kept of a fixture, or of all strangers."""
        if name != STRANGERS:
            return self.store.quarantined(name)
        return self.store.counts()[2] - sum(map(self.store.quarantined, self.known()))
