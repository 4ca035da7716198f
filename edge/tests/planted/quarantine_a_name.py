"""Planted bug: whoever invents a name gets a quarantine of its own. A hostile client invents a million."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from meterseal_edge.events import Refused
from meterseal_edge.quarantine import Quarantine

honest = Quarantine.fit


def fit(self: Quarantine, refused: list[Refused], fixtures: Iterable[str]) -> tuple[list[Refused], set[str]]:
    """Everybody is known."""
    names = frozenset(fixtures)
    return honest(replace(self, known=lambda: names), refused, names)


def plant(patch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    patch.setattr(Quarantine, "fit", fit)
