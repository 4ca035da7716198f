"""One verified statement in a log, and two small questions about it."""

from dataclasses import dataclass

from meterseal_protocol.statement import Statement
from meterseal_wire import labels as L

CLOSERS = (L.KIND_RESULT, L.KIND_ABANDONED)
Place = tuple[bytes, int, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified statement in a log: `key` is the thumbprint it verified under, `entered_s` its *not after*."""

    statement: Statement
    key: bytes
    leaf: int
    entered_s: int

    @property
    def place(self) -> Place:
        """(key, epoch, seq) of a chained statement."""
        chain = self.statement.chain
        return (self.key, chain[0], chain[1]) if chain else (self.key, 0, 0)


def names(entry: Entry, meter: str) -> bool:
    """True if this attempt has a position with the meter."""
    return any(position[L.METER] == meter for position in entry.statement.payload[L.POSITIONS])


def closes(entry: Entry) -> Place:
    """(key, epoch, seq) of the attempt that a result or abandonment closes."""
    epoch, seq = entry.statement.payload[L.ATTEMPT]
    return entry.key, epoch, seq
