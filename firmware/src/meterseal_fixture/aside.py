"""What the queue will never send again: stretches from a record that the edge refused to what was newest then.

The edge cannot link anything behind a record that it cannot take, so the epoch is closed before it, and the next boot
cites the record before (protocol/spec/chain.md, "What was refused"). What lies in the stretch is disowned by that boot:
sent later it would be a fork. Attempts in it show as a gap of the counter, and their meters are tested again.

Promise: a stretch is on record before the boot that closes it is signed, in a cell (cell.py), so a power cut between
the two changes nothing. A stretch is forgotten when receipts have passed it. At most MOST are remembered; with one
more the store waits for receipts.
"""

from meterseal_fixture.cell import Cell

MOST, HASH = 4, 32
PLACE = 8
SIZE = MOST * 2 * PLACE + HASH


class Aside:
    """`stretches` are pairs (first place, last place), oldest first; `name` the SHA-256 of what was refused last."""

    def __init__(self, path: str) -> None:
        self._cell = Cell(path, SIZE)
        raw = self._cell.read() or bytes(SIZE)
        places = [_place(raw[at : at + PLACE]) for at in range(0, SIZE - HASH, PLACE)]
        pairs = [(places[at], places[at + 1]) for at in range(0, len(places), 2)]
        self.stretches = [pair for pair in pairs if pair[1] != (0, 0)]
        self.name = raw[SIZE - HASH :] if self.stretches else b""

    def end_of(self, place: tuple[int, int]) -> tuple[int, int] | None:
        """The last place of the stretch that holds a place; None where none does."""
        for first, last in self.stretches:
            if first <= place <= last:
                return last
        return None

    def add(self, stretch, name: bytes, entered: tuple[int, int]) -> bool:
        """Put a stretch on record; one that begins inside an older one, or right behind it, makes that longer. False,
        and nothing changed, where there are too many.
        """
        kept = [pair for pair in self.stretches if pair[1] > entered and pair[0] < stretch[0]]
        if kept and kept[-1][1] >= stretch[0]:
            stretch = (kept.pop()[0], stretch[1])
        kept.append(stretch)
        if len(kept) > MOST:
            return False
        raw = b"".join([_raw(first) + _raw(last) for first, last in kept])
        self._cell.write(raw + bytes(SIZE - HASH - len(raw)) + name)
        self.stretches, self.name = kept, name
        return True


def _raw(place: tuple[int, int]) -> bytes:
    return place[0].to_bytes(4, "big") + place[1].to_bytes(4, "big")


def _place(raw: bytes) -> tuple[int, int]:
    return int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:], "big")
