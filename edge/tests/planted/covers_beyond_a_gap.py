"""Planted bug: custody names the newest statement seen, not the highest contiguous one."""

import pytest

from meterseal_edge.custody import Promiser
from meterseal_edge.events import Candidate, Covered
from meterseal_edge.ingest import Batch, Ingest
from meterseal_wire import labels as L
from meterseal_wire.statement import build

honest = Ingest.linked
newest: dict[bytes, Candidate] = {}


def linked(self: Ingest, candidate: Candidate, batch: Batch) -> None:
    """Remember the newest, whether it links or not."""
    newest[candidate.key] = max(
        candidate, newest.get(candidate.key, candidate), key=lambda one: one.chain[:2]
    )
    honest(self, candidate, batch)


def promise(self: Promiser, key: bytes, fixture: str) -> Covered:
    """Custody up to that one."""
    epoch, seq, _ = newest[key].chain
    size, root = self.log.tip()
    payload = {L.KEY: key, L.EPOCH: epoch, L.SEQ: seq, L.HEAD: newest[key].identity}
    raw = build(self.author, L.KIND_CUSTODY, {**payload, L.LOG_SIZE: size, L.LOG_ROOT: root})
    return Covered(key, fixture, epoch, seq, raw)


def plant(patch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    patch.setattr(Ingest, "linked", linked)
    patch.setattr(Promiser, "promise", promise)
