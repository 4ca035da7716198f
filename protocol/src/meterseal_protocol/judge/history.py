"""Every time that a meter stood on a bench, and how each ended: tries are counted here.

A try begins with the first counted pulse. A verification counts as one when a result has a point of the meter, or
says nothing of it; when it was abandoned by the operator or a fault after something was counted; when the power
went; or when it stood open at a break. It does not count where raw evidence shows that nothing was counted at the
meter and the reason is on the short list: silent, no flow, temperature.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meterseal_protocol.evidence import CLOSERS, Entry, Evidence, closes, names
from meterseal_protocol.kept import kept
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p

EXCUSED = (kinds.SILENT, kinds.NO_FLOW, kinds.TEMPERATURE)


@dataclass(frozen=True)
class Stand:
    """One attempt that names the meter, and what closed it, in the order of their places; `broken` by a boot."""

    meter: str
    attempt: Entry
    closers: tuple[Entry, ...]
    broken: bool

    @kept
    def seat(self) -> Mapping[int, Any]:
        """The attempt's position with the meter; the first, where a bad attempt names it twice."""
        positions: list[Mapping[int, Any]] = self.attempt.statement.payload[L.POSITIONS]
        return next(item for item in positions if item[L.METER] == self.meter)

    @kept
    def closer(self) -> Entry | None:
        """What closed the attempt; None while it is open."""
        return self.closers[0] if self.closers else None

    @kept
    def result(self) -> Entry | None:
        """The result, where that is what closed it."""
        return self.closer if self.closer and self.closer.statement.typ == L.KIND_RESULT else None

    @kept
    def outcome(self) -> Mapping[int, Any] | None:
        """The result's position with the meter, if there is one."""
        if self.result is None:
            return None
        positions: list[Mapping[int, Any]] = self.result.statement.payload[L.POSITIONS]
        return next((item for item in positions if item[L.POSITION] == self.seat[L.POSITION]), None)

    @kept
    def verifies(self) -> bool:
        """True for a verification; training and checks never count."""
        return bool(self.attempt.statement.payload[L.MODE] == kinds.VERIFY)

    @kept
    def open(self) -> bool:
        """True while nothing has closed it."""
        return self.closer is None and not self.broken

    @kept
    def tried(self) -> bool:
        """True if it counts as a try."""
        if not self.verifies or self.open:
            return False
        if self.closer is None:
            return True
        if self.result is not None:
            return self.outcome is None or _counted_points(self.outcome)
        payload = self.closer.statement.payload
        counted = any(row[1] or row[2] for row in payload[L.RAW_COUNTS])
        return payload[L.REASON] == kinds.POWER or (counted and payload[L.REASON] not in EXCUSED)


def _counted_points(position: Mapping[int, Any]) -> bool:
    if position.get(L.ENDED) in EXCUSED:
        return any(point[p.METER_COUNTS] for point in position[L.POINTS])
    return bool(position[L.POINTS])


def stands(evidence: Evidence) -> list[Stand]:
    """Every attempt that names the meter, in log order."""
    closers: dict[tuple[bytes, int, int], list[Entry]] = {}
    for entry in evidence.entries:
        if entry.statement.typ in CLOSERS:
            closers.setdefault(closes(entry), []).append(entry)
    boots = [entry.place for entry in evidence.of_kind(L.KIND_BOOT)]
    found = []
    for attempt in evidence.of_kind(L.KIND_ATTEMPT):
        if names(attempt, evidence.meter):
            key, epoch, _ = attempt.place
            broken = any(boot[0] == key and boot[1] > epoch for boot in boots)
            mine = sorted(
                (entry for entry in closers.get(attempt.place, ()) if _may_close(entry, attempt)),
                key=lambda entry: (entry.place, entry.statement.identity),
            )
            found.append(Stand(evidence.meter, attempt, tuple(mine), broken))
    return found


def _may_close(closer: Entry, attempt: Entry) -> bool:
    """A result stands in its attempt's epoch, later; only an abandonment may come after a break."""
    if closer.place <= attempt.place:
        return False
    return closer.statement.typ == L.KIND_ABANDONED or closer.place[1] == attempt.place[1]


def governing(found: list[Stand]) -> Stand | None:
    """The stand whose result is newest: of a verification, or of another mode where there is no verification."""
    finished = [stand for stand in found if stand.result is not None]
    verified = [stand for stand in finished if stand.verifies] or finished
    return max(verified, key=lambda stand: stand.result.leaf if stand.result else -1, default=None)
