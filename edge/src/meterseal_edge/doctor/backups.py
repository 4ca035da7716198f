"""How old the newest backup is, by what its own manifest says."""

import time
from pathlib import Path

from meterseal_edge.backup import MANIFEST_BYTES
from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.settings import Settings
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

OLD_S, DAY_S = 2 * 86400, 86400


def backups(settings: Settings) -> Found:
    """`backup.unnamed`, `backup.none`, `backup.old`."""
    if settings.backups is None:
        yield fault("backup.unnamed")
        return
    made = [(_made_s(path), path) for path in settings.backups.glob("*.manifest")]
    newest_s, path = max(made, default=(0, settings.backups))
    if not newest_s:
        yield fault("backup.none", settings.backups)
    elif time.time() - newest_s > OLD_S:
        days = int(time.time() - newest_s) // DAY_S
        yield fault("backup.old", f"{days} 天", path.stem, f"{days} days")


def _made_s(path: Path) -> int:
    try:
        told = scan(path.read_bytes()[:MANIFEST_BYTES], MANIFEST_BYTES)
        return int(told[2])
    except (OSError, WireError, TypeError, ValueError, IndexError):
        return 0
