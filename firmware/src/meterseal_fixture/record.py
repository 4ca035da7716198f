"""One record in a segment file: a head of 64 bytes, a body, the body's CRC-32.

    head  0 "MS" · 2 opens an attempt (0, 1) · 3 zero · 4 epoch · 8 seq · 12 attempts ever signed, this one included ·
          16 epoch and 20 seq of the attempt it closes, else zeros · 24 identity · 56 bytes that follow · 60 CRC-32
    body  CBOR array [statement, * evidence]

Numbers are big-endian. The head has a CRC of its own, so a damaged body does not hide the records behind it, and a
damaged head only those up to the next sound head.
"""

import os
from binascii import crc32

from meterseal_fixture.errors import NotKept

MAGIC = b"MS"
HEAD = 64
CHECK = 4
BLOCK = 512
NOWHERE = (0, 0)


class Entry:
    """What the head of a record says. `closes` is (epoch, seq) of an attempt, or NOWHERE.

    `offset` and `size` say where it lies in its segment: bytes, head and CRC included.
    """

    def __init__(
        self, number: tuple[int, int], identity: bytes, attempts: int, opens: bool, closes: tuple[int, int]
    ) -> None:
        self.number = number
        self.identity = identity
        self.attempts, self.opens, self.closes = attempts, opens, closes
        self.offset = self.size = 0


class Record:
    """A kept statement: epoch, seq, identity (32 bytes), statement bytes and evidence items."""

    def __init__(self, entry: Entry, parts: list[bytes]) -> None:
        self.epoch, self.seq = entry.number
        self.identity = entry.identity
        self.statement = parts[0] if parts else b""
        self.evidence = parts[1:]


def pack_head(entry: Entry) -> bytes:
    """The 64 bytes for an entry whose `size` is set."""
    raw = MAGIC + bytes((1 if entry.opens else 0, 0))
    for value in (entry.number[0], entry.number[1], entry.attempts, entry.closes[0], entry.closes[1]):
        raw += value.to_bytes(4, "big")
    raw += entry.identity + (entry.size - HEAD).to_bytes(4, "big")
    whole: bytes = raw + crc32(raw).to_bytes(CHECK, "big")
    return whole


def unpack_head(raw: bytes, offset: int) -> Entry | None:
    """The entry at `offset` of its segment, or None where the head is torn or damaged."""
    if len(raw) != HEAD or raw[:2] != MAGIC or crc32(raw[:60]) != int.from_bytes(raw[60:], "big"):
        return None
    values = [int.from_bytes(raw[at : at + 4], "big") for at in range(4, 24, 4)]
    entry = Entry((values[0], values[1]), raw[24:56], values[2], raw[2] == 1, (values[3], values[4]))
    entry.offset, entry.size = offset, HEAD + int.from_bytes(raw[56:60], "big")
    return entry


def walk(file, bodies: bool):
    """The entries of a segment file in order; None for each stretch that cannot be read.

    With `bodies`, a record whose body is torn or damaged is such a stretch too.
    """
    offset = 0
    while True:
        file.seek(offset)
        raw = file.read(HEAD)
        if not raw:
            return
        entry = unpack_head(raw, offset)
        yield entry if entry and (not bodies or _body_is_whole(file, entry)) else None
        offset = offset + entry.size if entry else _next_head(file, offset + 1)


def read_body(path: str, entry: Entry) -> bytes | None:
    """The body of a record, or None when it is damaged."""
    with open(path, "rb") as file:
        file.seek(entry.offset + HEAD)
        body = file.read(entry.size - HEAD - CHECK)
        check = file.read(CHECK)
    return body if crc32(body) == int.from_bytes(check, "big") else None


def write_back(path: str, offset: int, parts: tuple[bytes, ...]) -> None:
    """Append the parts at `offset`, which is the file's end, flush, read back; NotKept unless all of it is there."""
    try:
        with open(path, "ab") as file:
            for part in parts:
                file.write(part)
            file.flush()  # fsync on every file system of MicroPython's
        if hasattr(os, "sync"):
            os.sync()
        with open(path, "rb") as file:
            file.seek(offset)
            same = all(_reads(file, part) for part in parts) and not file.read(1)
    except OSError as wrong:
        raise NotKept("keep.not_kept", "%s: %s" % (path, wrong))
    if not same:
        raise NotKept("keep.not_kept", path)


def _reads(file, part: bytes) -> bool:
    return all(
        file.read(len(part[at : at + BLOCK])) == part[at : at + BLOCK] for at in range(0, len(part), BLOCK)
    )


def _body_is_whole(file, entry: Entry) -> bool:
    check, left = 0, entry.size - HEAD - CHECK
    while left > 0:
        block = file.read(min(BLOCK, left))
        if not block:
            return False
        check = crc32(block, check)
        left -= len(block)
    found: bytes = file.read(CHECK)
    return len(found) == CHECK and check == int.from_bytes(found, "big")


def _next_head(file, offset: int):
    """Where the next sound head begins at or after `offset`, or the file's end."""
    while True:
        file.seek(offset)
        raw = file.read(BLOCK)
        at = raw.find(MAGIC)
        if at < 0:
            if len(raw) < len(MAGIC):
                return offset + len(raw)
            offset += len(raw) - 1
            continue
        file.seek(offset + at)
        if unpack_head(file.read(HEAD), 0):
            return offset + at
        offset += at + 1
