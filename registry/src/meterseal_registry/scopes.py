"""Absence, proved: the signed list of every entry that names a meter, up to a log size."""

from meterseal_registry.log import Log
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


def scope(author: Author, log: Log, meter: str, now_s: int) -> bytes:
    """Scope statement of `meter` over the log as it stands. Read and signed under the log's lock."""
    with log.lock:
        payload = {
            L.METER: meter,
            L.LOG_SIZE: log.size,
            L.ENTRIES: log.catalogue.entries_of(meter),
            L.TIME_S: now_s,
        }
    return build(author, L.KIND_SCOPE, payload)
