"""A small value that must outlive a power cut: two files written alternately, each with a turn and a CRC.

Promise: after a cut at any moment `read` gives the value that was written last, or the one before it. Why it holds:
a write touches only the file with the older value, and its turn counts only once the CRC fits.
"""

from binascii import crc32

from meterseal_fixture.errors import NotKept

TURN = 8
CHECK = 4


class Cell:
    """A value of `size` bytes in the files `path`.0 and `path`.1."""

    def __init__(self, path: str, size: int) -> None:
        self.path, self.size = path, size
        self._turn, self._value = max(self._side(0), self._side(1))

    def read(self) -> bytes:
        """The newest whole value; empty when there never was one."""
        return self._value

    def write(self, value: bytes) -> None:
        """Persist a value; NotKept when reading back shows another, or cannot be done."""
        turn = self._turn + 1
        raw = turn.to_bytes(TURN, "big") + value
        raw += crc32(raw).to_bytes(CHECK, "big")
        path = "%s.%d" % (self.path, turn & 1)
        try:
            with open(path, "wb") as file:
                file.write(raw)
                file.flush()
            with open(path, "rb") as file:
                same = file.read() == raw
        except OSError as wrong:
            raise NotKept("keep.not_kept", "%s: %s" % (path, wrong))
        if not same:
            raise NotKept("keep.not_kept", path)
        self._turn, self._value = turn, value

    def _side(self, side: int) -> tuple[int, bytes]:
        try:
            with open("%s.%d" % (self.path, side), "rb") as file:
                raw = file.read()
        except OSError:
            return 0, b""
        whole = len(raw) == TURN + self.size + CHECK
        if not whole or crc32(raw[:-CHECK]) != int.from_bytes(raw[-CHECK:], "big"):
            return 0, b""
        return int.from_bytes(raw[:TURN], "big"), raw[TURN:-CHECK]
