"""The high-water mark: how large a log this edge has signed for, kept outside the store so that an older store shows.

Custody and tree heads that left the edge speak of a log of some size. A store from a backup, from a snapshot or without
its WAL may be smaller, and an edge that goes on with it would sign a second history under the same key. So each commit
is noted here before anything is signed over it, and a start compares.

The file has two slots, written in turn and each with a digest of its own: a torn write leaves the other. A note is in
the kernel's hands when `grown` returns, so it survives the process; it is on disk SYNC_S later at most. Not covered: a
power cut and an older store within those seconds, and whoever puts back the whole folder, mark and all.
"""

import os
import struct
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from meterseal_edge.folder import sync
from meterseal_wire.digest import sha256

NAME = "mark"
SYNC_S = 5
MAGIC = b"MSMARK1\n"
SLOT_BYTES = 4096
FIELDS = struct.Struct(">8sQIQQ32s32s")
DIGEST = 32
FIRST_LOG = 1


class Signed(NamedTuple):
    """What has been signed: number of the log, its size and root, latest time in a tree head, and the edge's key."""

    log: int
    size: int
    root: bytes
    time_s: int
    key: bytes


@dataclass(frozen=True, slots=True)
class _Slot:
    turn: int
    signed: Signed

    def packed(self) -> bytes:
        log, size, root, time_s, key = self.signed
        raw = FIELDS.pack(MAGIC, self.turn, log, size, time_s, root, key)
        return raw + sha256(raw)


def origin(edge: str, log: int) -> str:
    """Origin of an edge's log: `edge/<name>`, and `edge/<name>/<number>` for those that a declared restore began."""
    return f"edge/{edge}" if log == FIRST_LOG else f"edge/{edge}/{log}"


class Mark:
    """The mark in a folder. `signed` is what it says, None where there is none that can be read."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._lock = threading.Lock()
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._slot = _newest(self._file)
        self._dirty = False

    @property
    def signed(self) -> Signed | None:
        """What the edge may have signed for."""
        return self._slot.signed if self._slot else None

    def begin(self, signed: Signed) -> None:
        """Say what is signed from now on, on disk when this returns; an earlier time in a tree head stays."""
        with self._lock:
            before = self._slot.signed.time_s if self._slot else 0
            for _ in range(2):  # both slots: the disk may be full later
                self._write(signed._replace(time_s=max(signed.time_s, before)))
        self.sync()
        sync(self.path.parent)

    def grown(self, size: int, root: bytes) -> None:
        """The log has grown. After the commit, and before custody is signed over it."""
        with self._lock:
            if self._slot is not None:
                self._write(self._slot.signed._replace(size=size, root=root))

    def head_time(self) -> int:
        """Unix seconds for a tree head: the clock, but never before an earlier head.

        A later head with an earlier time beside it looks like a log that shrank, and is a proof against the edge.
        """
        with self._lock:
            now_s = int(time.time())
            if self._slot is None or now_s <= self._slot.signed.time_s:
                return self._slot.signed.time_s if self._slot else now_s
            self._write(self._slot.signed._replace(time_s=now_s))
            return now_s

    def sync(self) -> None:
        """To the disk, where something is new."""
        if self._dirty:
            self._dirty = False
            os.fdatasync(self._file)

    def run(self, stop: threading.Event) -> None:
        """Each SYNC_S in which the log grew, note the time and sync; once more at the end."""
        while not stop.wait(SYNC_S):
            if self._dirty:
                self.head_time()
                self.sync()
        self.sync()

    def close(self) -> None:
        """Release the file. Twice is fine."""
        if self._file >= 0:
            self.sync()
            os.close(self._file)
            self._file = -1

    def _write(self, signed: Signed) -> None:
        old = self._slot or _Slot(0, signed)
        self._slot = replace(old, turn=old.turn + 1, signed=signed)
        os.pwrite(self._file, self._slot.packed(), self._slot.turn % 2 * SLOT_BYTES)
        self._dirty = True


def peek(folder: Path) -> Signed | None:
    """What the mark in a folder says now, read beside a running edge; None where there is none."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        slot = _newest(handle)
    finally:
        os.close(handle)
    return slot.signed if slot else None


def _newest(handle: int) -> _Slot | None:
    slots = [_unpacked(os.pread(handle, SLOT_BYTES, at)) for at in (0, SLOT_BYTES)]
    return max((slot for slot in slots if slot), key=lambda slot: slot.turn, default=None)


def _unpacked(raw: bytes) -> _Slot | None:
    body, digest = raw[: FIELDS.size], raw[FIELDS.size : FIELDS.size + DIGEST]
    if len(body) < FIELDS.size or sha256(body) != digest:
        return None
    magic, turn, log, size, time_s, root, key = FIELDS.unpack(body)
    return _Slot(turn, Signed(log, size, root, time_s, key)) if magic == MAGIC else None
