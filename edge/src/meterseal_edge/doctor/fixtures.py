"""Fixtures that are enrolled, and say nothing."""

import sqlite3
import time
from contextlib import closing

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.errors import EdgeError, StoreFailed
from meterseal_edge.folder import STORE
from meterseal_edge.recount import open_to_read
from meterseal_edge.settings import Settings
from meterseal_edge.site import identities
from meterseal_edge.site.layout import IDENTITIES

SILENT_S, DAY_S = 3 * 86400, 86400
NEVER = ("从未发送", "it never said anything")


def fixtures(settings: Settings) -> Found:
    """`fixture.silent`, for each name that is enrolled and not revoked."""
    heard = _heard(settings)
    for name, key in _enrolled(settings):
        if key not in heard:
            yield fault("fixture.silent", name, *NEVER)
        elif time.time() - heard[key] > SILENT_S:
            days = int(time.time() - heard[key]) // DAY_S
            yield fault("fixture.silent", name, f"{days} 天", f"{days} days")


def _enrolled(settings: Settings) -> list[tuple[str, bytes]]:
    try:
        rows = identities.load(settings.folder / IDENTITIES).rows
    except EdgeError:
        return []  # trust.py says so where there should be one
    return [(row.name, row.key) for row in rows if not row.revoked_s]


def _heard(settings: Settings) -> dict[bytes, int]:
    try:
        with closing(open_to_read(settings.folder / STORE)) as db:
            return dict(db.execute("SELECT key, last_s FROM chain").fetchall())
    except (sqlite3.Error, StoreFailed):
        return {}  # store.py says so
