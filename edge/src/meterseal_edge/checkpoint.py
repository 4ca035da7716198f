"""Station 9: the edge's signed tree head: what a witness can compare with an older one."""

import time
from dataclasses import dataclass

from meterseal_edge.log import EdgeLog
from meterseal_protocol.checkpoint import TreeHead, sign
from meterseal_wire.statement import Author


@dataclass(frozen=True)
class Checkpointer:
    """Signs the log as it stands, with the edge's key; the time in it is the edge's clock and only a hint."""

    author: Author
    log: EdgeLog

    def checkpoint(self) -> bytes:
        """Checkpoint statement of now, its origin `edge/<name>`."""
        size, root = self.log.tip()
        return sign(self.author, TreeHead(f"edge/{self.author.issuer}", size, root, int(time.time())))
