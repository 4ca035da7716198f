"""The edge's folder: what lies where, and the lock that only one process has."""

import fcntl
import os
from pathlib import Path
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
