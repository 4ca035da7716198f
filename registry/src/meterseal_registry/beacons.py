"""Beacons: a number, a time and the log's state, signed and logged. An attempt that cites one is not older."""

from meterseal_registry.log import Log
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


def beacon(author: Author, log: Log, now_s: int) -> bytes:
    """The next beacon over the log as it stands."""
    with log.lock:
        last = log.catalogue.beacon
        payload = {
            L.NUMBER: last.statement.payload[L.NUMBER] + 1 if last else 1,
            L.TIME_S: now_s,
            L.LOG_SIZE: log.size,
            L.LOG_ROOT: log.tree.root(),
        }
    return build(author, L.KIND_BEACON, payload)
