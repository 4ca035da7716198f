"""Station 9: the edge's signed tree head: what a witness can compare with an older one."""

import threading
import time
from dataclasses import dataclass, field

from meterseal_edge.log import EdgeLog
from meterseal_edge.mark import FIRST_LOG, Mark, origin
from meterseal_protocol.checkpoint import TreeHead, sign
from meterseal_wire.statement import Author


@dataclass(frozen=True)
class Checkpointer:
    """Signs the log as it stands, with the edge's key; the time in it is the edge's clock and only a hint."""

    author: Author
    log: EdgeLog
    mark: Mark | None = None
    number: int = FIRST_LOG
    _one: threading.Lock = field(default_factory=threading.Lock)

    @property
    def origin(self) -> str:
        """`edge/<name>`, and the log's number after it where a declared restore began the log."""
        return origin(self.author.issuer, self.number)

    def checkpoint(self) -> bytes:
        """Checkpoint statement of now. One at a time: time and size of heads grow together."""
        with self._one:
            time_s = self.mark.head_time() if self.mark else int(time.time())
            return sign(self.author, TreeHead(self.origin, *self.log.tip(), time_s))
