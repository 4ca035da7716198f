"""The file of people: accounts, sessions, passkeys, what they signed, and the trail of what they did.

It lies beside the store, readable by the edge's user alone, and is no part of it: names live in the account's row and
nowhere else, so they can be erased (`Roll.remove`) while every statement stays, which knows a person by key only, and
the trail, which knows one by number. A TOTP secret has to be kept as it is: whoever can read this file has the second
factor of its people and still lacks the first.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from meterseal_edge.errors import NotTaken, PeopleFailed

FILE = "people.sqlite"
ENGINEER = "engineer"  # the factory's metrology engineer: reads the trail
ROLES = ("operator", "verifier", "checker", "approver", ENGINEER, "supervisor")
NAME_CHARACTERS = 32
BUSY_S = 10
SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, roles TEXT NOT NULL, tenant TEXT NOT NULL,
    password TEXT NOT NULL, totp TEXT NOT NULL, step INTEGER NOT NULL DEFAULT 0, key BLOB UNIQUE, cose BLOB,
    made_s INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS passkey (
    id BLOB PRIMARY KEY, account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE, public BLOB NOT NULL,
    uses INTEGER NOT NULL, made_s INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    token BLOB PRIMARY KEY, account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE, csrf TEXT NOT NULL,
    made_s INTEGER NOT NULL, seen_s INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS act (
    number INTEGER PRIMARY KEY, at_s INTEGER NOT NULL, who INTEGER NOT NULL, what TEXT NOT NULL, about TEXT NOT NULL,
    hash BLOB NOT NULL, signature BLOB NOT NULL
);
CREATE TRIGGER IF NOT EXISTS act_stays BEFORE UPDATE ON act BEGIN SELECT RAISE(ABORT, 'the trail only grows'); END;
CREATE TRIGGER IF NOT EXISTS act_kept BEFORE DELETE ON act BEGIN SELECT RAISE(ABORT, 'the trail only grows'); END;
"""
SAID = """
CREATE TABLE IF NOT EXISTS said (
    number INTEGER PRIMARY KEY, identity BLOB NOT NULL UNIQUE, run BLOB NOT NULL, result BLOB NOT NULL,
    typ INTEGER NOT NULL, role INTEGER NOT NULL, position INTEGER NOT NULL, account INTEGER NOT NULL,
    key BLOB NOT NULL, raw BLOB NOT NULL, items BLOB NOT NULL, at_s INTEGER NOT NULL, receipt BLOB, replaces BLOB
);
CREATE INDEX IF NOT EXISTS said_run ON said (run);
CREATE INDEX IF NOT EXISTS said_result ON said (result);
CREATE INDEX IF NOT EXISTS said_replaces ON said (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX IF NOT EXISTS said_waiting ON said (number) WHERE receipt IS NULL;
"""
# Before there were corrections a role could be signed once by a key; what was taken back may be signed again.
BEFORE = "SELECT 1 FROM sqlite_master WHERE name = 'said' AND sql NOT LIKE '%replaces%'"
REBUILD = f"""
BEGIN IMMEDIATE;
DROP INDEX IF EXISTS said_result;
DROP INDEX IF EXISTS said_waiting;
ALTER TABLE said RENAME TO said_before;
{SAID}
INSERT INTO said SELECT *, NULL FROM said_before;
DROP TABLE said_before;
COMMIT;
"""  # noqa: S608 (our own words)
NEW = "INSERT INTO account (name, roles, tenant, password, totp, made_s) VALUES (?, ?, ?, ?, ?, ?)"
ACCOUNT = "SELECT id, name, roles, tenant, key, cose FROM account"


@dataclass(frozen=True, slots=True)
class Account:
    """A person: roles at this edge, the tenant whose runs alone are shown (empty: all), the signing key if enrolled."""

    id: int
    name: str
    roles: tuple[str, ...]
    tenant: str
    key: bytes | None
    cose: bytes | None

    def sees(self, tenant: str) -> bool:
        """True if runs of a tenant are this person's to see."""
        return not self.tenant or self.tenant == tenant


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What makes an account: the password's hash (never the password) and the secret of its one-time codes."""

    name: str
    roles: Sequence[str]
    tenant: str
    password: str
    totp: str


class Asked(Protocol):
    """What answers a query: the file, open to be written, or a copy that is only read."""

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query."""


class Roll:
    """The file, open. Every method is one transaction and safe from any thread; another process may have it open."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.clock, self.folder = clock, path.parent
        self._lock = threading.RLock()
        self._then: list[Callable[[], None]] = []
        _ours(path)
        with in_one_sentence():
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=BUSY_S)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._db.execute(f"PRAGMA {pragma}").fetchall()
            self._db.executescript(SCHEMA)
            self._db.executescript(REBUILD if self._db.execute(BEFORE).fetchone() else SAID)

    def now_s(self) -> int:
        """Unix seconds by the edge's clock."""
        return int(self.clock())

    @contextmanager
    def together(self) -> Iterator[None]:
        """What happens inside is on disk as a whole, or not at all; what is nested belongs to the outermost."""
        with self._lock, in_one_sentence():
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            self._then.clear()
            with self._db:  # commits at the end, rolls back where something is raised
                yield
            for then in self._then:
                then()

    def once_durable(self, then: Callable[[], None]) -> None:
        """What to do after the commit of what happens `together` now; nothing where that fails."""
        self._then.append(then)

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with self._lock, in_one_sentence():
            return self._db.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        return next(iter(self.all(query, *values)), None)

    def change(self, query: str, *values: object) -> int:
        """Rows that a change touched."""
        with self.together():
            return self._db.execute(query, values).rowcount

    def add(self, new: NewAccount) -> Account:
        """A new person; NotTaken where the name is taken or a role is none."""
        if not new.name.strip() or len(new.name) > NAME_CHARACTERS or not new.name.isprintable():
            raise NotTaken("edge.account", f"a name has 1 to {NAME_CHARACTERS} characters")
        if set(new.roles) - set(ROLES) or not new.roles:
            raise NotTaken("edge.account", f"the roles are {', '.join(ROLES)}; give one or more")
        with self.together():
            if self.by_name(new.name) is not None:
                raise NotTaken("edge.account", f"{new.name} is there already; remove that account first")
            values = (new.name, json.dumps(list(new.roles)), new.tenant, new.password, new.totp, self.now_s())
            self.change(NEW, *values)
            return self.named(new.name)

    def reset(self, account: Account, password: str, totp: str) -> None:
        """A new password's hash and a new secret. Passkeys and sessions end; name, roles and signing key stay."""
        with self.together():
            values = (password, totp, account.id)
            self.change("UPDATE account SET password = ?, totp = ?, step = 0 WHERE id = ?", *values)
            for table in ("passkey", "session"):
                self.change(f"DELETE FROM {table} WHERE account = ?", account.id)  # noqa: S608 (our own words)

    def remove(self, account: Account) -> None:
        """Erase a person's name, password, passkeys and sessions. What they signed stays, under their key."""
        self.change("DELETE FROM account WHERE id = ?", account.id)

    def accounts(self) -> list[Account]:
        """Everybody, by name."""
        return [_account(row) for row in self.all(f"{ACCOUNT} ORDER BY name")]

    def named(self, name: str) -> Account:
        """The person of that name; NotTaken where there is none."""
        found = self.by_name(name)
        if found is None:
            raise NotTaken("edge.account", f"nobody here is called {name}")
        return found

    def by_name(self, name: str) -> Account | None:
        """The person of that name, or None."""
        row = self.one(f"{ACCOUNT} WHERE name = ?", name)
        return _account(row) if row else None

    def by_id(self, number: int) -> Account | None:
        """The person of that number, or None."""
        row = self.one(f"{ACCOUNT} WHERE id = ?", number)
        return _account(row) if row else None

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._db.close()


def _ours(path: Path) -> None:
    """Make the file, 0600, its folder's owner's also where root does it; SQLite gives its WAL the same."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(handle, 0o600)
        if os.geteuid() == 0:
            owner = path.parent.stat()
            os.fchown(handle, owner.st_uid, owner.st_gid)
    finally:
        os.close(handle)


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """What SQLite says becomes PeopleFailed."""
    try:
        yield
    except sqlite3.Error as error:
        why = f"the people's file cannot be used: {error}. Give the disk room or restore it"
        raise PeopleFailed(why) from None


def _account(row: tuple[Any, ...]) -> Account:
    return Account(row[0], row[1], tuple(json.loads(row[2])), row[3], row[4], row[5])
