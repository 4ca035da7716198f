"""A flash chip in memory for VfsLfs2, whose power can be cut at any write; and the statements that tests keep there."""

import os

from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

BLOCK = 1024
EIO = 5


class Flash:
    """`cut_at` is the number of the write that fails, counted from 1; 0 means never. `torn` is what that write leaves:
    0 nothing, 1 the first half, 2 all but the last byte, 3 the first half and then zeros.

    After a cut nothing works until `revive`. Failures are returned, not raised: littlefs must see them.
    """

    def __init__(self, blocks=64):
        self.bytes = bytearray(b"\xff" * (blocks * BLOCK))
        self.writes = self.cut_at = self.torn = 0
        self.dead = False

    def revive(self):
        self.writes = self.cut_at = 0
        self.dead = False

    def readblocks(self, block, into, offset=0):
        if self.dead:
            return -EIO
        start = block * BLOCK + offset
        into[:] = self.bytes[start : start + len(into)]
        return 0

    def writeblocks(self, block, data, offset=0):
        return self._change(block * BLOCK + offset, data)

    def ioctl(self, request, argument):
        if request == 4:
            return len(self.bytes) // BLOCK
        if request == 5:
            return BLOCK
        if request == 6:
            return self._change(argument * BLOCK, b"\xff" * BLOCK)
        return -EIO if self.dead else 0

    def _change(self, start, data):
        if self.dead:
            return -EIO
        self.writes += 1
        size = len(data)
        if self.writes == self.cut_at:
            self.dead = True
            size = (0, size // 2, size - 1, size // 2)[self.torn]
            if self.torn == 3:
                self.bytes[start + size : start + len(data)] = bytes(len(data) - size)
        self.bytes[start : start + size] = data[:size]
        return -EIO if self.dead else 0


class Mounted:
    """`with Mounted(flash) as path`: littlefs on the chip; formats it first where `new` is set."""

    path = "/flash"

    def __init__(self, flash, new=False):
        if new:
            os.VfsLfs2.mkfs(flash)
        self.flash = flash

    def __enter__(self):
        os.mount(os.VfsLfs2(self.flash), self.path)
        return self.path

    def __exit__(self, kind, error, where):
        os.umount(self.path)


class Misdirected:
    """`with Misdirected(folder) as path`: a file system that takes every write and puts it elsewhere."""

    path = "/astray"

    def __init__(self, folder):
        self.files = os.VfsPosix(folder)

    def __enter__(self):
        os.mount(self, self.path)
        return self.path

    def __exit__(self, kind, error, where):
        os.umount(self.path)

    def mount(self, readonly, mkfs):
        self.files.mount(readonly, mkfs)

    def umount(self):
        self.files.umount()

    def open(self, path, mode):
        return self.files.open(path if mode == "rb" else path + ".astray", mode)

    def stat(self, path):
        return self.files.stat(path)

    def ilistdir(self, path):
        return self.files.ilistdir(path)


class _Pen:
    """Signs with zeros: the store does not verify, and a run of cuts has thousands of statements."""

    public_xy = bytes(64)

    def sign(self, _message):
        return bytes(64)


AUTHOR = Author("W1", "WATER-1", _Pen())


class Written:
    """A statement at (epoch, seq), an attempt if `opens`, else an event; `append` gives it to a store."""

    def __init__(self, number, opens=False, closes=None, size=0):
        self.number, self.opens, self.closes = number, opens, closes
        self.evidence = [b"%d/%d" % number, bytes(size)] if size else []
        typ, payload = L.KIND_EVENT, {L.EVENT: "test", L.DETAIL: "%d/%d" % number}
        if opens:
            typ, payload = L.KIND_ATTEMPT, {L.MODE: 1, L.COUNTER: 1, L.PLAN: bytes(32), L.OPERATOR: b""}
            payload.update(
                {L.BEACON: bytes(32), L.CLOCK: (1, 1, 1), L.POSITIONS: [], L.BENCH_CHECKS: (0, 0, 0, 0)}
            )
        self.statement = build(AUTHOR, typ, payload, (number[0], number[1], bytes(32)))
        self.identity = identity(self.statement)

    def append(self, keep):
        keep.append(self.number, self.identity, self.statement, self.evidence, self.closes)
        return self

    def is_in(self, record):
        """True if the record read back is this statement with its evidence."""
        number = (record.epoch, record.seq)
        found = (number, record.identity, record.statement, list(record.evidence))
        return found == (self.number, self.identity, self.statement, self.evidence)


def offered(keep):
    """Every record that the store would offer, in its order."""
    found, place = [], (0, -1)
    while True:
        record = keep.next_after(place)
        if record is None:
            return found
        found.append(record)
        place = (record.epoch, record.seq)


def numbers(keep):
    """(epoch, seq) of every record that the store would offer."""
    return [(record.epoch, record.seq) for record in offered(keep)]
