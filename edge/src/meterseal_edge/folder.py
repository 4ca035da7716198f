"""The edge's folder: what lies where, and the lock that only one process has."""

import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

from meterseal_edge.errors import BadSettings

STORE, LOCK = "edge.sqlite", "lock"


def take_folder(folder: Path) -> BinaryIO:
    """A lock on the state folder that ends with the process: two edges on one store would spoil each other's log."""
    lock = (folder / LOCK).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise BadSettings(f"another edge runs on {folder}; stop it or give this one its own folder") from None
    return lock


def sync(path: Path) -> None:
    """A file's bytes, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def set_aside(folder: Path, names: Sequence[str]) -> Path | None:
    """Those of the files that are there, into a new folder of their own, which is returned; None where none is."""
    there = [folder / name for name in names if (folder / name).exists()]
    if not there:
        return None
    aside = Path(mkdtemp(prefix=time.strftime("aside-%Y%m%dT%H%M%SZ-", time.gmtime()), dir=folder))
    for path in there:
        path.replace(aside / path.name)
    sync(aside)
    sync(folder)
    return aside
