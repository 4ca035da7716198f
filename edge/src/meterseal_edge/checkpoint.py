"""The edge's signed tree head: what a witness can compare with an older one."""

from meterseal_edge.log import EdgeLog
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


def checkpoint(author: Author, log: EdgeLog, time_s: int) -> bytes:
    """Signed checkpoint of the log as it stands; `time_s` is the edge's clock and only a hint."""
    size, root = log.tip()
    payload = {L.ORIGIN: f"edge/{author.issuer}", L.LOG_SIZE: size, L.LOG_ROOT: root, L.TIME_S: time_s}
    return build(author, L.KIND_CHECKPOINT, payload)
