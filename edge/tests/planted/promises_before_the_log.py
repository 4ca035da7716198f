"""Planted bug: custody is signed over the tree as it was before the statement, so that its root does not hold it."""

from typing import Any

import pytest

from meterseal_edge.custody import Promiser
from meterseal_edge.events import Covered, Durable
from meterseal_edge.log import EdgeLog
from meterseal_wire import labels as L
from meterseal_wire.statement import build

honest = EdgeLog.append
before: list[tuple[int, bytes]] = []


def append(self: EdgeLog, *given: Any) -> list[Durable]:
    """Remember the tree before."""
    before[:] = [self.tip()]
    return honest(self, *given)


def promise(self: Promiser, key: bytes, fixture: str) -> Covered:
    """Custody with that root."""
    head = self.log.head(key)
    assert head is not None
    [(size, root)] = before
    payload = {L.KEY: key, L.EPOCH: head.epoch, L.SEQ: head.seq, L.HEAD: head.identity}
    raw = build(self.author, L.KIND_CUSTODY, {**payload, L.LOG_SIZE: size, L.LOG_ROOT: root})
    return Covered(key, fixture, head.epoch, head.seq, raw)


def plant(patch: pytest.MonkeyPatch) -> None:
    """Until the test ends."""
    patch.setattr(EdgeLog, "append", append)
    patch.setattr(Promiser, "promise", promise)
