"""Runs as one visitor may see them: a tenant's people see its own runs, everybody else's do not exist for them.

Every page and every answer that shows a run, a meter or a count of runs goes through here. Who asks is told by
whoever logs people in; where nobody does, everybody sees everything, as a screen on a wall in the factory does.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

from meterseal_edge.errors import StoreFailed
from meterseal_edge.runs.catalogue import Catalogue, Listed, Wanted
from meterseal_edge.runs.figures import Figures, Judge
from meterseal_edge.runs.run import Run, load

REMEMBERED = 64


class Viewer(Protocol):
    """Who looks."""

    def sees(self, tenant: str, /) -> bool:
        """True if runs of that tenant are theirs to see; the empty name stands for what belongs to no tenant: runs
        without one, and what is said of the whole edge.
        """


class Everybody:
    """A viewer without limits."""

    def sees(self, _tenant: str) -> bool:
        """Always."""
        return True


def not_known(_result: bytes) -> Sequence[int] | None:
    """No sign-off is known at this edge, of any result."""


def nothing_said(_run: bytes) -> Sequence[dict[str, Any]]:
    """Nobody signs at this edge."""
    return ()


@dataclass
class Views:
    """The index, the judge, `signed`: the roles in which a result (identity) is signed off, None where this edge
    cannot know; and `said`: what people signed about a run (identity of its attempt).
    """

    catalogue: Catalogue
    judge: Judge
    signed: Callable[[bytes], Sequence[int] | None] = not_known
    said: Callable[[bytes], Sequence[dict[str, Any]]] = nothing_said
    _figures: OrderedDict[tuple[bytes, int], list[Figures]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def may_see(self, viewer: Viewer) -> tuple[str, ...]:
        """The tenants, among those that have runs, whose runs a viewer may see."""
        return tuple(name for name in self.catalogue.tenants() if viewer.sees(name))

    def listed(self, wanted: Wanted) -> list[Listed]:
        """A page of runs, newest first."""
        return self.catalogue.page(wanted)

    def find(self, identity: bytes, viewer: Viewer) -> Run | None:
        """One run with its evidence; None where there is none, or none for this viewer."""
        listed = self.catalogue.find(identity)
        if listed is None or not viewer.sees(listed.tenant):
            return None
        return load(self.catalogue.store, listed)

    def others(self, meter: str, viewer: Viewer) -> list[Listed]:
        """The newest runs that name a meter."""
        return self.catalogue.page(Wanted(meter=meter, tenants=self.may_see(viewer)))

    def figures(self, run: Run) -> list[Figures]:
        """What follows from a signed run, remembered while the grants that are known stay the same."""
        if run.result is None:
            return []
        name = (run.listed.identity, len(self.judge.keys.grants()))
        with self._lock:
            if name not in self._figures:
                self._figures[name] = self.judge.figures(run)
                while len(self._figures) > REMEMBERED:
                    self._figures.popitem(last=False)
            return self._figures[name]

    def follow(self) -> int:
        """Read what the log has grown by; how many statements are left to read, -1 where the store can't be read."""
        try:
            return self.catalogue.follow()
        except StoreFailed:
            return -1
