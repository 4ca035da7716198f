"""A backup in the store's place, while the edge is stopped; what was there is kept aside.

Where the mark shows that the backup holds all that the edge has signed for, the same log goes on under the same key.
Else the restore is declared: the log of before has ended, and so have the keys that signed for it. The store goes on as
a new log with a number of its own, under a new key, and fixtures offer that key again what no receipt covers
(decisions/0011 of the docs). Nothing is replaced before the backup is verified from its first statement to its last.
The people's file of the backup follows (people/copied.py).
"""

import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from meterseal_edge import continuity
from meterseal_edge.backup import number_of, read_manifest
from meterseal_edge.errors import BadBackup, StoreFailed
from meterseal_edge.folder import STORE, set_aside, sync, take_folder
from meterseal_edge.keybook import Keybook
from meterseal_edge.log import EdgeLog
from meterseal_edge.mark import Mark, Signed
from meterseal_edge.people.copied import PutBack, people_path, put_back, wrong_with
from meterseal_edge.people.roll import FILE
from meterseal_edge.recount import Fault, Keys, Recount, open_to_read
from meterseal_edge.settings import Settings
from meterseal_edge.store.schema import lower
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError

BESIDE = ("", "-wal", "-shm")
COSIGNED = "log.note"


class Restored(NamedTuple):
    """What was done: size and number of the log now, whether that was declared, and where the old file is (or None).

    `missing` is how many statements that were signed for are not in it, None where nobody knows. `people` is what
    became of the people's file, None where the backup has none.
    """

    size: int
    log: int
    declared: bool
    missing: int | None
    aside: Path | None
    people: PutBack | None = None


@dataclass
class _Past:
    """What is known of the store that a backup replaces: numbers and keys of its logs."""

    number: int
    keys: list[bytes]
    ended: list[bytes]


def restore(settings: Settings, file: Path) -> Restored:
    """Put a backup in the store's place. BadSettings while an edge runs, BadBackup where it can't be used."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    with closing(take_folder(settings.folder)):
        book = keybook(settings)
        key = PrivateKey.load(settings.key)
        edges = book.edges(settings.edge)
        edges.add(key.public)
        manifest = read_manifest(file, edges)
        fault = next(Recount(file, Keys(book.ring, book.registries)).faults(), None)
        if fault:
            raise BadBackup(f"{file} does not hold: {fault}. Run verify-store on it, and use another backup")
        signers = [key.public, *edges]
        wrong = wrong_with(people_path(file), signers) if manifest.people else None
        if wrong:
            raise BadBackup(f"{people_path(file)} does not hold: {wrong}. Use another backup")
        work = settings.folder / "restore.part"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(0o700)
        try:
            shutil.copyfile(file, work / STORE)
            with closing(Mark(settings.folder)) as mark:
                done = _put(settings.folder, work, mark, key.thumbprint, manifest.head.size)
            if not manifest.people:
                return done
            copy = Path(shutil.copyfile(people_path(file), work / FILE))
            return done._replace(people=put_back(settings.folder, copy, signers, key))
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _put(folder: Path, work: Path, mark: Mark, key: bytes, size: int) -> Restored:
    store = SqliteStore(work / STORE)
    try:
        log = EdgeLog(store)
        if log.tip()[0] != size:
            raise BadBackup(f"the backup holds {log.tip()[0]} statements and its manifest says {size}")
        signed, number = mark.signed, continuity.log_number(store)
        whole = signed is not None and number == signed.log and continuity.holds(log, signed)
        if not whole:
            number = _declare(store, _past(folder), signed, key)
        root = log.tip()[1]
    finally:
        store.close()
    sync(work / STORE)
    aside = set_aside(folder, [*(f"{STORE}{ending}" for ending in BESIDE), *([] if whole else [COSIGNED])])
    (work / STORE).replace(folder / STORE)
    sync(folder)
    mark.begin(Signed(number, size, root, 0, key))
    missing = signed.size - size if signed else None
    return Restored(size, number, not whole, 0 if whole else missing, aside)


def _declare(store: SqliteStore, past: _Past, signed: Signed | None, key: bytes) -> int:
    """The number of the log that begins; BadBackup where `key` has signed for a log that ends."""
    keys = [*continuity.thumbprints(store, continuity.KEYS), *past.keys, *([signed.key] if signed else [])]
    ended = list(dict.fromkeys([*continuity.thumbprints(store, continuity.ENDED), *past.ended, *keys]))
    if key in ended:
        known = (
            f"holds {store.counts()[0]} statements and the edge has signed for {signed.size}"
            if signed
            else ""
        )
        raise BadBackup(
            f"this backup {known or 'may be older than what the edge has signed for'}, so the edge's key cannot "
            "sign on. Make a new key with `meterseal keys new`, name it in the settings, have it granted and provision "
            "the fixtures with it; then restore again"
        )
    number = 1 + max(continuity.log_number(store), past.number, signed.log if signed else 0)
    store.write_note(continuity.LOG, encode(number))
    store.write_note(continuity.RESTORED, encode(int(time.time())))
    continuity.write_thumbprints(store, continuity.ENDED, ended)
    continuity.write_thumbprints(store, continuity.KEYS, [key])
    return number


def _past(folder: Path) -> _Past:
    """What the store that is replaced says of itself, as far as it can be read."""
    try:
        with closing(open_to_read(folder / STORE)) as db:
            notes = dict(db.execute("SELECT name, value FROM note").fetchall())
            number = number_of(db)
    except (sqlite3.Error, WireError, StoreFailed):
        return _Past(0, [], [])
    keys, ended = (
        continuity.split_keys(notes.get(name, b"")) for name in (continuity.KEYS, continuity.ENDED)
    )
    return _Past(number, keys, ended)


def keybook(settings: Settings) -> Keybook:
    """Keys as the edge of these settings knows them."""
    book = Keybook(settings.anchors.read_bytes(), settings.folder / "grants", settings.site)
    if settings.grants is not None:
        book.learn_folder(settings.grants)
    return book


def recount(settings: Settings | None, file: Path) -> tuple[Recount, list[Fault]]:
    """Everything recomputed of a store's file, with the keys that settings lead to; then of the people's beside it."""
    book = keybook(settings) if settings else None
    found = Recount(file, Keys(book.ring, book.registries) if book else Keys(KeyRing(), KeyRing()))
    faults = list(found.faults())
    if settings is not None and book is not None:
        people = settings.folder / FILE if file == settings.folder / STORE else people_path(file)
        signers = [PrivateKey.load(settings.key).public, *book.edges(settings.edge)]
        wrong = wrong_with(people, signers) if people.exists() else None
        faults += [Fault(None, f"{people.name}: {wrong}")] if wrong else []
    return found, faults


def lowered(folder: Path) -> int:
    """The store of a stopped edge one version down, for the release before (`schema.lower`); its version then."""
    with closing(take_folder(folder)):
        return lower(folder / STORE)
