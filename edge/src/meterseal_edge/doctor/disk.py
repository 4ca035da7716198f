"""Room: on the disk, and in the store's write-ahead log, which grows while a reader holds it open."""

import shutil

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.folder import STORE
from meterseal_edge.settings import Settings

LEAST_BYTES, LEAST_SHARE, WAL_BYTES, MIB = 256 << 20, 0.05, 256 << 20, 1 << 20


def disk(settings: Settings) -> Found:
    """`disk.full`, `disk.wal`."""
    if not settings.folder.is_dir():
        return
    room = shutil.disk_usage(settings.folder)
    if room.free < max(LEAST_BYTES, room.total * LEAST_SHARE):
        yield fault("disk.full", room.free // MIB)
    wal = settings.folder / f"{STORE}-wal"
    if wal.exists() and wal.stat().st_size > WAL_BYTES:
        yield fault("disk.wal", wal.stat().st_size // MIB)
