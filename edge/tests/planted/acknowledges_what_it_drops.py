"""Planted bug: at the quarantine's bound the edge keeps nothing more, and acknowledges it all the same."""

from collections.abc import Iterable

import pytest

from meterseal_edge.events import Refused
from meterseal_edge.quarantine import Quarantine

honest = Quarantine.fit


def fit(self: Quarantine, refused: list[Refused], fixtures: Iterable[str]) -> tuple[list[Refused], set[str]]:
    """The bound holds, and nobody is held back."""
    return honest(self, refused, fixtures)[0], set()


def plant(patch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    patch.setattr(Quarantine, "fit", fit)
