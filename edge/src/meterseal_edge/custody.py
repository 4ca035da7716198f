"""Station 9: the signed promise that lets a fixture overwrite what it kept.

Signed only over what the log already holds; the head in it lets the fixture see that edge and fixture speak of
the same statement, and the root pins the promise to one state of the log.
"""

from dataclasses import dataclass

from meterseal_edge.errors import StoreFailed
from meterseal_edge.events import Covered
from meterseal_edge.log import EdgeLog
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


@dataclass(frozen=True)
class Promiser:
    """Signs custody with the edge's key over the log's state."""

    author: Author
    log: EdgeLog

    def promise(self, key: bytes, fixture: str) -> Covered:
        """Custody for one fixture key: its highest contiguous place and the log's tip, read after the commit."""
        head = self.log.head(key)
        if head is None:
            raise StoreFailed("a custody was asked for a key without a durable statement")
        size, root = self.log.tip()
        payload = {
            L.KEY: key,
            L.EPOCH: head.epoch,
            L.SEQ: head.seq,
            L.HEAD: head.identity,
            L.LOG_SIZE: size,
            L.LOG_ROOT: root,
        }
        return Covered(key, fixture, head.epoch, head.seq, build(self.author, L.KIND_CUSTODY, payload))
