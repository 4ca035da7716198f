"""Station 3, evidence: every counted point of a run under one signature, or the raw counts of a run cut short."""

from meterseal_fixture.positions import Position
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.tree import tree_hash

START, END = 0, 1


class Spread:
    """Least, mean and greatest of what was seen; whole numbers, the mean rounded half up."""

    def __init__(self) -> None:
        self.least = self.greatest = self.total = self.count = 0

    def see(self, value: int) -> None:
        """Take one value in."""
        self.least = min(self.least, value) if self.count else value
        self.greatest = max(self.greatest, value) if self.count else value
        self.total += value
        self.count += 1

    def mean(self) -> int:
        """Rounded half up; 0 where nothing was seen."""
        return (2 * self.total + self.count) // (2 * self.count) if self.count else 0

    def row(self) -> tuple[int, int, int]:
        """(least, mean, greatest) as it is signed."""
        return self.least, self.mean(), self.greatest


class Conditions:
    """The air around the bench over a run: temperature in mK above 273 150, pressure in 10 Pa, permille RH."""

    def __init__(self) -> None:
        self.air_mk, self.air_10pa, self.humidity = Spread(), Spread(), Spread()

    def see(self, air: tuple[int, int], humidity: int) -> None:
        """Take one sample in."""
        self.air_mk.see(air[0])
        self.air_10pa.see(air[1])
        self.humidity.see(humidity)

    def rows(self) -> tuple[tuple[int, int, int], ...]:
        """The three rows as they are signed."""
        return self.air_mk.row(), self.air_10pa.row(), self.humidity.row()


def leaves(positions: list[Position]) -> list[bytes]:
    """Evidence leaves, by position and start before end: CBOR [position, 0 start or 1 end, raw telegram]; behind those
    of a position its points', which have the point and its repeat too.
    """
    found = []
    for position in positions:
        for when, reading in ((START, position.start), (END, position.end)):
            if reading:
                found.append(encode([position.number, when, reading.telegram]))
        found += position.leaves
    return found


def result_payload(
    place: tuple[int, int], positions: list[Position], conditions: Conditions, evidence: list[bytes]
) -> dict[int, object]:
    """The payload of a `result` for the attempt at `place` = (epoch, seq)."""
    return {
        L.ATTEMPT: place,
        L.POSITIONS: [_position(position) for position in positions],
        L.EVIDENCE_ROOT: tree_hash(evidence),
        L.CONDITIONS: conditions.rows(),
    }


def _position(position: Position) -> dict[int, object]:
    fields: dict[int, object] = {L.POSITION: position.number, L.POINTS: position.points}
    if position.end and position.end.register is not None:
        fields[L.END_REGISTER] = position.end.register
    if position.ended is not None:
        fields[L.ENDED] = position.ended
    return fields


def abandoned_payload(
    place: tuple[int, int], reason: int, raw: list[tuple[int, int, int]]
) -> dict[int, object]:
    """The payload of an `abandoned`; `raw` has (position, meter counts, reference counts) until then."""
    return {L.ATTEMPT: place, L.REASON: reason, L.RAW_COUNTS: raw}
