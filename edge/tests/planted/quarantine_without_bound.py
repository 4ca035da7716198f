"""Planted bug: everything that is refused is kept. A hostile client fills the disk."""

from collections.abc import Iterable

import pytest

from meterseal_edge.events import Refused
from meterseal_edge.quarantine import Quarantine


def fit(
    _self: Quarantine, refused: list[Refused], _fixtures: Iterable[str]
) -> tuple[list[Refused], set[str]]:
    """Room for all."""
    return refused, set()


def plant(patch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    patch.setattr(Quarantine, "fit", fit)
