"""What a full segment holds, in a small file beside it, so that a start reads heads and tail and not the whole queue.

    identity of the last record · first epoch, seq · last epoch, seq · records · bytes of the segment · attempts ever
    signed · open attempts, each epoch and seq · CRC-32 of all that

Numbers are four bytes, big-endian. A summary that is torn, missing, or speaks of another size is none: then the
segment is walked. So it needs no care of its own when the power goes, and it is never believed against the segment.
"""

import os
from binascii import crc32

NUMBER = 4
NAME = 32
FIXED = 7
MOST_OPEN = 64


class Summary:
    """First and last place (epoch, seq), how many records, how many bytes; attempts and open attempts behind it; the
    last one's identity.
    """

    def __init__(self, places, counts, open_attempts, identity: bytes) -> None:
        self.identity = identity
        self.first, self.last = places
        self.count, self.size, self.attempts = counts
        self.open = open_attempts

    def write(self, path: str) -> None:
        """Put it into a file; what cannot be written is left out, since a segment can always be walked."""
        numbers = [
            self.first[0],
            self.first[1],
            self.last[0],
            self.last[1],
            self.count,
            self.size,
            self.attempts,
        ]
        for place in self.open[:MOST_OPEN]:
            numbers += place
        raw = self.identity + b"".join([number.to_bytes(NUMBER, "big") for number in numbers])
        try:
            with open(path, "wb") as file:
                file.write(raw + crc32(raw).to_bytes(NUMBER, "big"))
        except OSError:
            return


def read_summary(path: str, size: int) -> Summary | None:
    """The summary in a file, if it is whole and speaks of a segment of that size."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError:
        return None
    whole = len(raw) >= NAME + (FIXED + 1) * NUMBER and len(raw) % NUMBER == 0
    if not whole or crc32(raw[:-NUMBER]) != int.from_bytes(raw[-NUMBER:], "big"):
        return None
    numbers = [int.from_bytes(raw[at : at + NUMBER], "big") for at in range(NAME, len(raw) - NUMBER, NUMBER)]
    rest = numbers[FIXED:]
    if numbers[5] != size or len(rest) % 2:
        return None
    places = (numbers[0], numbers[1]), (numbers[2], numbers[3])
    opened = [(rest[at], rest[at + 1]) for at in range(0, len(rest), 2)]
    return Summary(places, numbers[4:7], opened, raw[:NAME])


def remove(path: str) -> None:
    """Take a summary away, if it is there."""
    try:
        os.remove(path)
    except OSError:
        return
