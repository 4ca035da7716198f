"""Planted bug: whatever stands at a place that is taken counts as held. A clone would be acknowledged in silence."""

import pytest

from meterseal_edge.events import Candidate
from meterseal_edge.ingest import Batch, Ingest
from meterseal_wire.chain import DUPLICATE, FORK, Head

honest = Ingest.verdict


def verdict(self: Ingest, candidate: Candidate, held: Head | None, batch: Batch) -> str:
    """A fork is a duplicate."""
    found = honest(self, candidate, held, batch)
    return DUPLICATE if found == FORK else found


def plant(patch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    patch.setattr(Ingest, "verdict", verdict)
