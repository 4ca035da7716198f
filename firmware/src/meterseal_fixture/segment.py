"""A segment of the queue as it stands in memory, and places as they stand in cells: epoch and seq, big-endian."""

FLASH_BLOCK = 4096
START = (0, -1)


class Segment:
    """A segment file: its first and last record's numbers, how many records, how many bytes; `whole` if undamaged."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.first = self.last = START
        self.count = self.size = 0
        self.whole = True

    def note(self, number: tuple[int, int]) -> None:
        """One record more."""
        if not self.count:
            self.first = number
        self.last = number
        self.count += 1

    def holds(self, number: tuple[int, int]) -> bool:
        """True if a record of that number would lie here."""
        return self.count > 0 and self.first <= number <= self.last


def raw_place(place: tuple[int, int]) -> bytes:
    """Eight bytes."""
    return place[0].to_bytes(4, "big") + (place[1] + 1).to_bytes(4, "big")


def read_place(raw: bytes) -> tuple[int, int]:
    """The place in eight bytes; START where there are none."""
    return (int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:8], "big") - 1) if raw else START


def blocks(size: int) -> int:
    """Bytes that a file of that size takes in flash."""
    return (size + FLASH_BLOCK - 1) // FLASH_BLOCK * FLASH_BLOCK
