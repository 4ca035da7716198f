"""How old the newest backup is, by what its own manifest says."""

import time

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.nightly import newest
from meterseal_edge.settings import Settings

OLD_S, DAY_S = 2 * 86400, 86400


def backups(settings: Settings) -> Found:
    """`backup.unnamed`, `backup.none`, `backup.old`."""
    if settings.backups is None:
        yield fault("backup.unnamed")
        return
    newest_s, path = newest(settings.backups)
    if not newest_s:
        yield fault("backup.none", settings.backups)
    elif time.time() - newest_s > OLD_S:
        days = int(time.time() - newest_s) // DAY_S
        yield fault("backup.old", f"{days} 天", path.stem, f"{days} days")
