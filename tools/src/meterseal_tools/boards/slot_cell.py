"""Which slot a board starts: the cell `state/slot.0` and `.1`, read and written by this computer.

The meaning of its 44 bytes is fixed, because a board's loader is never updated (firmware: slots.py, cell.py). A test
lets the firmware read what is written here, and reads here what the firmware wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from meterseal_tools.boards.image import SLOT, SLOTS

PATHS = ("state/slot.0", "state/slot.1")
OLD, FILLING, TRY, BAD = STATES = ("old", "filling", "try", "bad")
TURN, VALUE, CHECK = 8, 44, 4
SIZE = TURN + VALUE + CHECK


@dataclass(frozen=True)
class SlotCell:
    """`good` is the confirmed slot's prefix, `state` the other's, `left` its starts, `counter` the rollback floor."""

    good: str = SLOT
    state: str = OLD
    left: int = 0
    counter: int = 0
    turn: int = 0

    @property
    def other(self) -> str:
        """The prefix of the slot that is not the good one."""
        return SLOTS[1 - SLOTS.index(self.good)]

    @property
    def running(self) -> str:
        """The prefix of the slot that the next start takes, when it is whole."""
        return self.other if self.state == TRY and self.left else self.good

    def is_flashed(self, counter: int) -> bool:
        """True if it says what `flashed(counter)` would make it say."""
        return (self.good, self.state, self.counter) == (SLOT, OLD, counter)

    def flashed(self, counter: int) -> tuple[str, bytes]:
        """Path and content of the side that makes slot `a` the good one, with nothing on trial."""
        turn = self.turn + 1
        raw = turn.to_bytes(TURN, "big") + bytes(4) + counter.to_bytes(4, "big") + bytes(VALUE - 8)
        return PATHS[turn & 1], raw + crc32(raw).to_bytes(CHECK, "big")


def read(files: Mapping[str, bytes]) -> SlotCell:
    """The newer whole side of those that are among `files`; that of a new board where there is none."""
    turn, value = max(_side(files.get(path, b"")) for path in PATHS)
    if not turn:
        return SlotCell()
    counter = int.from_bytes(value[4:8], "big")
    return SlotCell(SLOTS[value[0] & 1], STATES[value[1] & 3], value[2], counter, turn)


def _side(raw: bytes) -> tuple[int, bytes]:
    if len(raw) != SIZE or crc32(raw[:-CHECK]) != int.from_bytes(raw[-CHECK:], "big"):
        return 0, b""
    return int.from_bytes(raw[:TURN], "big"), raw[TURN:-CHECK]
