"""Planted bug: no duplicate check. What is offered again is written again."""

import pytest

from meterseal_edge.events import Candidate
from meterseal_edge.ingest import Batch, Ingest
from meterseal_wire.chain import DUPLICATE, LINKED, Head

honest = Ingest.verdict


def verdict(self: Ingest, candidate: Candidate, held: Head | None, batch: Batch) -> str:
    """A duplicate links."""
    found = honest(self, candidate, held, batch)
    return LINKED if found == DUPLICATE else found


def plant(patch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    patch.setattr(Ingest, "verdict", verdict)
