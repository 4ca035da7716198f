"""The store: whole, not older than what was signed for, and neither quarantine nor outbox running over.

Read only, beside a running edge. The mark is read before the store: a store that grows meanwhile is not older.
"""

import sqlite3
import time
from contextlib import closing

from meterseal_edge import mark
from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.folder import STORE
from meterseal_edge.mark import Signed
from meterseal_edge.recount import open_to_read
from meterseal_edge.settings import Settings

NEAR, LATE_H, HOUR_S = 0.8, 24, 3600
QUARANTINED = "SELECT fixture, COUNT(*) FROM quarantine GROUP BY fixture ORDER BY fixture"
WAITS = "SELECT received_s FROM statement WHERE receipt IS NULL ORDER BY leaf LIMIT 1"


def store(settings: Settings) -> Found:
    """`store.damaged`, `store.older`, `quarantine`, `outbox`."""
    signed, path = mark.peek(settings.folder), settings.folder / STORE
    if not path.exists():
        if signed is not None and signed.size:
            yield fault("store.older", 0, signed.size)
        return
    try:
        with closing(open_to_read(path)) as db:
            [said] = db.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                yield fault("store.damaged", said)
                return
            yield from _older(db, signed)
            yield from _full(db, settings.quarantine)
            yield from _late(db)
    except sqlite3.Error as error:
        yield fault("store.damaged", error)


def _older(db: sqlite3.Connection, signed: Signed | None) -> Found:
    [size] = db.execute("SELECT COALESCE(MAX(leaf) + 1, 0) FROM statement").fetchone()
    if signed is not None and size < signed.size:
        yield fault("store.older", size, signed.size)


def _full(db: sqlite3.Connection, bound: int) -> Found:
    for fixture, count in db.execute(QUARANTINED):
        if count >= bound * NEAR:
            yield fault("quarantine", fixture, count, bound)


def _late(db: sqlite3.Connection) -> Found:
    row = db.execute(WAITS).fetchone()
    hours = int(time.time() - row[0]) // HOUR_S if row else 0
    if hours >= LATE_H:
        yield fault("outbox", hours)
