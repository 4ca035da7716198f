"""Which runs there are, newest first: an index beside the store, made from it and never the other way round.

The store knows statements by leaf and key; people look for runs by fixture, tenant and meter. So this index follows the
log when somebody looks, a bounded number of leaves at a time, and ingest never waits for it. It can be deleted: it is
read again from the log. A log that is no longer the one it was read from (a restore) makes it begin anew.

Not covered: a run whose bytes retention let go before it was ever read here is not listed. The registry has it.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meterseal_edge.errors import StoreFailed
from meterseal_edge.store.contract import Kept, Store
from meterseal_protocol.statement import Statement, read
from meterseal_wire import kinds
from meterseal_wire import labels as L

FILE = "runs.sqlite"
AT_ONCE, MOST_AT_ONCE = 1000, 20_000
PAGE = 50
OPEN, SIGNED, ABANDONED, BROKEN = "open", "signed", "abandoned", "broken"
SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    leaf INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, key BLOB NOT NULL, epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL, fixture TEXT NOT NULL, mode INTEGER NOT NULL, tenant TEXT NOT NULL, meters INTEGER NOT NULL,
    received_s INTEGER NOT NULL, state TEXT NOT NULL, closer INTEGER, closed_s INTEGER, UNIQUE (key, epoch, seq)
);
CREATE INDEX IF NOT EXISTS run_fixture ON run (fixture, leaf);
CREATE INDEX IF NOT EXISTS run_tenant ON run (tenant, leaf);
CREATE INDEX IF NOT EXISTS run_state ON run (tenant, state);
CREATE TABLE IF NOT EXISTS seat (meter TEXT NOT NULL, leaf INTEGER NOT NULL, PRIMARY KEY (meter, leaf)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS followed (
    one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, last BLOB NOT NULL
);
INSERT OR IGNORE INTO followed VALUES (1, 0, x'');
"""
CLEAR = "DELETE FROM run; DELETE FROM seat; UPDATE followed SET size = 0, last = x'';"
# From one name to the next in the index: a plain DISTINCT would read every run.
TENANTS = """
WITH RECURSIVE named(tenant) AS (
    SELECT MIN(tenant) FROM run
    UNION ALL SELECT (SELECT MIN(tenant) FROM run WHERE tenant > named.tenant) FROM named WHERE tenant IS NOT NULL
) SELECT tenant FROM named WHERE tenant IS NOT NULL
"""
COLUMNS = (
    "leaf, identity, key, epoch, seq, fixture, mode, tenant, meters, received_s, state, closer, closed_s"
)
NEW = "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)"
BREAK = "UPDATE run SET state = 'broken' WHERE key = ? AND epoch < ? AND state = 'open'"
CLOSE = "UPDATE run SET state = ?, closer = ?, closed_s = ? WHERE key = ? AND epoch = ? AND seq = ? AND state IN (?, ?)"


@dataclass(frozen=True, slots=True)
class Listed:
    """One run as a list shows it. `state` is open, signed, abandoned, or broken: a boot came before its end."""

    leaf: int
    identity: bytes
    key: bytes
    epoch: int
    seq: int
    fixture: str
    mode: int
    tenant: str
    meters: int
    received_s: int
    state: str
    closer: int | None
    closed_s: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs to list: older than leaf `before`, and of one fixture, tenant or meter where these are said.

    `tenants` are those whose runs may be seen at all (the empty name: runs of nobody); None: everybody's. `signed`:
    signed verifications alone, the runs that people sign off.
    """

    before: int | None = None
    fixture: str = ""
    tenant: str = ""
    meter: str = ""
    tenants: tuple[str, ...] | None = None
    signed: bool = False

    def clause(self) -> tuple[str, list[object]]:
        """The condition in SQL, made of our own words alone, and its values."""
        where, values = ["leaf < ?"], list[object]([1 << 62 if self.before is None else self.before])
        for column, value in (("fixture", self.fixture), ("tenant", self.tenant)):
            if value:
                where.append(f"{column} = ?")
                values.append(value)
        if self.meter:
            where.append("leaf IN (SELECT leaf FROM seat WHERE meter = ?)")
            values.append(self.meter)
        if self.signed:
            where.append(f"state = '{SIGNED}' AND mode = {kinds.VERIFY}")
        if self.tenants is not None:
            where.append(f"tenant IN ({', '.join('?' for _ in self.tenants)})")
            values += self.tenants
        return " AND ".join(where), values


def open_catalogue(path: Path, store: Store, name_of: Callable[[bytes], str]) -> "Catalogue":
    """The index at `path`. One that is damaged is thrown away: no list of runs may keep an edge from its work."""
    try:
        return Catalogue(path, store, name_of)
    except StoreFailed:
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        return Catalogue(path, store, name_of)


class Catalogue:
    """The index in its own SQLite file. `name_of` gives the fixture that holds a key."""

    def __init__(self, path: Path, store: Store, name_of: Callable[[bytes], str]) -> None:
        self.store, self.name_of = store, name_of
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL").fetchall()
            self._db.execute("PRAGMA synchronous = NORMAL").fetchall()  # what a power cut takes is read again
            self._db.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise StoreFailed(f"{path} cannot be used: {error}. Delete it; it is made again") from None

    def follow(self) -> int:
        """Read what the log has grown by, at most MOST_AT_ONCE leaves; how many are left to read."""
        with self._lock, _in_one_sentence():
            end = self.store.counts()[0]
            size, last = self._one("SELECT size, last FROM followed")
            if size > end or (size and self.store.identities(size - 1, size) != [last]):
                self._db.executescript(CLEAR)
                size = 0
            stop = min(end, size + MOST_AT_ONCE)
            while size < stop:
                size = self._take(self.store.kept(size, min(stop, size + AT_ONCE)))
            return end - int(size)

    def _take(self, rows: list[Kept]) -> int:
        size = rows[-1].leaf + 1
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for row in rows:
                if row.raw is not None:
                    self._note(row, read(row.raw))
            [last] = self.store.identities(size - 1, size)
            self._db.execute("UPDATE followed SET size = ?, last = ?", (size, last))
            self._db.execute("COMMIT")
        except (sqlite3.Error, StoreFailed):
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        return size

    def _note(self, row: Kept, statement: Statement) -> None:
        if statement.typ == L.KIND_ATTEMPT:
            self._attempt(row, statement)
        elif statement.typ == L.KIND_RESULT:
            self._close(row, statement, SIGNED, OPEN)
        elif statement.typ == L.KIND_ABANDONED:
            self._close(row, statement, ABANDONED, BROKEN)
        elif statement.typ == L.KIND_BOOT:
            assert statement.chain is not None
            self._db.execute(BREAK, (row.key, statement.chain[0]))

    def _attempt(self, row: Kept, statement: Statement) -> None:
        payload, chain = statement.payload, statement.chain
        assert chain is not None
        seats = payload[L.POSITIONS]
        said = (self.name_of(row.key), payload[L.MODE], payload.get(L.TENANT, ""), len(seats), row.received_s)
        values = (row.leaf, statement.identity, row.key, *chain[:2], *said, OPEN)
        self._db.execute(NEW, values)
        meters = {seat[L.METER] for seat in seats}
        self._db.executemany("INSERT INTO seat VALUES (?, ?)", [(meter, row.leaf) for meter in meters])

    def _close(self, row: Kept, statement: Statement, state: str, also: str) -> None:
        """A result closes what is open in its own epoch; an abandonment also what a break left open."""
        epoch, seq = statement.payload[L.ATTEMPT]
        assert statement.chain is not None
        if state == ABANDONED or statement.chain[0] == epoch:
            values = (state, row.leaf, row.received_s, row.key, epoch, seq, OPEN, also)
            self._db.execute(CLOSE, values)

    def page(self, wanted: Wanted) -> list[Listed]:
        """At most PAGE runs, newest first."""
        where, values = wanted.clause()
        query = f"SELECT {COLUMNS} FROM run WHERE {where} ORDER BY leaf DESC LIMIT {PAGE}"  # noqa: S608 (our own words)
        with self._lock, _in_one_sentence():
            return [Listed(*row) for row in self._db.execute(query, values).fetchall()]

    def find(self, identity: bytes) -> Listed | None:
        """The run whose attempt has that identity."""
        query = f"SELECT {COLUMNS} FROM run WHERE identity = ?"  # noqa: S608 (our own words)
        with self._lock, _in_one_sentence():
            row = self._db.execute(query, (identity,)).fetchone()
        return Listed(*row) if row else None

    def tenants(self) -> list[str]:
        """Every tenant that a run names; the empty name where one names none."""
        with self._lock, _in_one_sentence():
            return [row[0] for row in self._db.execute(TENANTS)]

    def states(self, tenants: tuple[str, ...]) -> dict[str, int]:
        """How many runs of these tenants there are in each state."""
        marks = ", ".join("?" for _ in tenants)
        query = f"SELECT state, COUNT(*) FROM run WHERE tenant IN ({marks}) GROUP BY state"  # noqa: S608 (our own words)
        with self._lock, _in_one_sentence():
            return dict(self._db.execute(query, tenants).fetchall())

    def newest(self, fixture: str) -> Listed | None:
        """The newest run of a fixture that was read so far."""
        return next(iter(self.page(Wanted(fixture=fixture))), None)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()

    def _one(self, query: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self._db.execute(query).fetchone()
        return found


@contextlib.contextmanager
def _in_one_sentence() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreFailed(
            f"the list of runs cannot be read: {error}. Delete {FILE}; it is made again"
        ) from None
