"""Backups by the calendar, in the folder that the settings name: each under the time it was made, the oldest go.

One goes only after a newer one was made and read back, and only where its name is such a name and a manifest lies
beside it; whatever else lies there is left alone.
"""

import re
import time
from pathlib import Path
from typing import NamedTuple

from meterseal_edge.backup import MANIFEST_BYTES, Manifest, back_up, digest_of, manifest_path
from meterseal_edge.errors import BadBackup
from meterseal_edge.people.copied import people_path
from meterseal_edge.settings import Settings
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

NAMED = "%Y%m%dT%H%M%SZ"


class Made(NamedTuple):
    """A new backup, what its manifest says, and the older ones that went."""

    file: Path
    manifest: Manifest
    gone: list[Path]


def back_up_tonight(settings: Settings, keep: int) -> Made:
    """Make one and keep the newest `keep`, it included; BadBackup where it can't be made, and then none goes."""
    folder = settings.backups
    if folder is None:
        raise BadBackup("the settings name no folder for backups: set `backups`, or give the file")
    file = folder / f"{settings.edge}-{time.strftime(NAMED, time.gmtime())}.sqlite"
    manifest = back_up(settings, file)
    if digest_of(file) != manifest.digest:
        raise BadBackup(
            f"{file} reads back otherwise than it was written; is the disk whole? No older one went"
        )
    gone = made_before(folder, settings.edge)[:-keep]
    for old in gone:
        for path in (old, people_path(old), manifest_path(old)):
            path.unlink(missing_ok=True)
    return Made(file, manifest, gone)


def made_before(folder: Path, edge: str) -> list[Path]:
    """Backups of that name's edge that were made so, oldest first."""
    name = re.compile(re.escape(edge) + r"-\d{8}T\d{6}Z\.sqlite")
    return sorted(
        path for path in folder.iterdir() if name.fullmatch(path.name) and manifest_path(path).exists()
    )


def newest(folder: Path) -> tuple[int, Path]:
    """(Unix seconds, manifest) of the newest backup of any name, by what its manifest says; (0, folder) for none."""
    return max(((_made_s(path), path) for path in folder.glob("*.manifest")), default=(0, folder))


def _made_s(path: Path) -> int:
    try:
        told = scan(path.read_bytes()[:MANIFEST_BYTES], MANIFEST_BYTES)
        return int(told[2])
    except (OSError, WireError, TypeError, ValueError, IndexError):
        return 0
