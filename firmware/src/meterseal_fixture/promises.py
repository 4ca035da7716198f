"""What others have said about the queue, in cells that outlive a power cut: how far custody and receipts reach, and
which record was the last one to go.

Custody counts under the key of the edge that gave it: with a new edge, only what receipts cover is covered. Each place
only goes on, never back; whoever calls has verified what it rests on.
"""

from hashlib import sha256

from meterseal_fixture.cell import Cell
from meterseal_fixture.record import NOWHERE, Entry, Record
from meterseal_fixture.segment import START, raw_place, read_place

TAG, HASH = 4, 32


class Promises:
    """The cells in `folder`; `edge` is the edge's key."""

    def __init__(self, folder: str, edge: bytes) -> None:
        self._edge = sha256(edge).digest()[:TAG]
        self._gone = Cell(folder + "/gone", 8 + HASH)
        self._covered = Cell(folder + "/covered", 8 + TAG)
        self._entered = Cell(folder + "/entered", 8)

    def covered(self) -> tuple[int, int]:
        """The highest place that custody of this edge, or receipts, cover; (0, -1) before any."""
        raw = self._covered.read()
        promised = read_place(raw) if raw[8:] == self._edge else START
        return max(promised, self.entered())

    def cover(self, place: tuple[int, int]) -> None:
        """Custody of this edge reaches up to there."""
        self._covered.write(raw_place(place) + self._edge)

    def entered(self) -> tuple[int, int]:
        """The highest place up to which the registry has a receipt for every record; (0, -1) before any."""
        return read_place(self._entered.read())

    def enter(self, place: tuple[int, int]) -> None:
        """Receipts reach up to there."""
        self._entered.write(raw_place(place))

    def gone(self) -> Record | None:
        """The record that went last while custody ended with it, without its bytes: an epoch may have to cite it."""
        raw = self._gone.read()
        return Record(Entry(read_place(raw), raw[8:], 0, False, NOWHERE), []) if raw else None

    def went(self, entry: Entry) -> None:
        """That record goes now."""
        self._gone.write(raw_place(entry.number) + entry.identity)
