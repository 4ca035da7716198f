"""The people's file in a backup, and back in its place. Nobody comes in again by a restore who was put out before it.

A copy has no sessions. Where the folder's own file is whole and has every act that is marked and every act of the copy,
it is newer and stays. Where the copy has every act that is marked, it goes in the place of a file that was lost; codes
of before are spent. Else acts are missing, and nobody knows who was removed or whose password was changed by them: the
restore is declared (decisions/0011). Every account is closed until `meterseal edge person reset` opens it, the trail
says so in an act of its own, and the page has an alarm for a week.

Not covered: a signing key that was replaced since is bound to its account again. What a key may sign is in its grant.
"""

import secrets
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from meterseal_edge.errors import PeopleFailed
from meterseal_edge.folder import set_aside, sync
from meterseal_edge.people import credentials, trail_mark
from meterseal_edge.people.roll import FILE, Roll, in_one_sentence
from meterseal_edge.people.trail import BY_COMMAND, Trail, broken_at
from meterseal_edge.people.trail_mark import Newest
from meterseal_edge.recount import open_to_read
from meterseal_protocol.keys import PrivateKey, PublicKey

BESIDE = ("", "-wal", "-shm")
PUT_BACK, PUT_BACK_OLDER = "people restored", "people restored from an older file"
TELL_S = 7 * 86400
SPENT = "UPDATE account SET step = max(step, ?)"


class PutBack(NamedTuple):
    """What became of the people's file. `kept`: the folder's own was newer and stayed. Else `declared` says whether
    acts are missing in what is there now, `missing` how many (None: nobody knows), `closed` how many accounts wait.
    """

    kept: bool
    declared: bool = False
    missing: int | None = 0
    closed: int = 0
    aside: Path | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """A people's file to be read and not touched."""

    path: Path

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a query; PeopleFailed where the file can't be read."""
        with in_one_sentence(), closing(open_to_read(self.path)) as db:
            return db.execute(query, values).fetchall()


def people_path(file: Path) -> Path:
    """Where the people's part of a backup lies."""
    return file.with_name(f"{file.name}.people")


def copy_people(source: Path, target: Path) -> None:
    """The file as it is at one instant, without sessions; sqlite3.Error where it can't be read, or is damaged."""
    with closing(open_to_read(source)) as running, closing(sqlite3.connect(target)) as copy:
        running.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        with copy:
            copy.execute("DELETE FROM session")
        copy.execute("VACUUM")  # what was deleted is not in the file's free pages either
        [said] = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(f"the people's file is damaged: {said}")


def wrong_with(file: Path, keys: Sequence[PublicKey]) -> str | None:
    """What is wrong with a people's file, in a sentence; None where it is whole and its trail holds."""
    reader = Reader(file)
    try:
        [(said,)] = reader.all("PRAGMA integrity_check(1)")
        broken = broken_at(reader, keys) if said == "ok" else None
    except PeopleFailed as error:
        return str(error)
    if said != "ok":
        return f"the people's file is damaged: {said}"
    return None if broken is None else f"the people's trail is broken at act {broken}"


def put_back(folder: Path, copy: Path, keys: Sequence[PublicKey], key: PrivateKey) -> PutBack:
    """A verified copy (a file of our own, which may be changed) in the place of the folder's file, or what is newer
    there stays. `keys` may have signed acts before, `key` signs from now on.
    """
    marked, held = trail_mark.peek(folder), trail_mark.newest(Reader(copy))
    if marked is not None and _is_newer(folder / FILE, (marked, held), keys):
        return PutBack(True)
    work = copy.with_name("people.part")
    work.mkdir()
    shutil.move(copy, work / FILE)
    with closing(Roll(work / FILE)) as roll:
        done = _prepared(Trail(roll, key), marked, held)
    sync(work / FILE)
    aside = set_aside(folder, [f"{FILE}{ending}" for ending in BESIDE])
    (work / FILE).replace(folder / FILE)
    sync(folder)
    with closing(Roll(folder / FILE)) as roll:
        trail_mark.begin(roll, folder)
    return done._replace(aside=aside)


def _is_newer(file: Path, acts: Sequence[Newest], keys: Sequence[PublicKey]) -> bool:
    if not file.exists() or wrong_with(file, keys) is not None:
        return False
    return all(trail_mark.holds(Reader(file), act) for act in acts)


def _prepared(trail: Trail, marked: Newest | None, held: Newest) -> PutBack:
    roll = trail.roll
    with roll.together():
        roll.change("DELETE FROM session")
        roll.change(SPENT, roll.now_s() // credentials.STEP_S + 1)
        if marked is not None and trail_mark.holds(roll, marked):
            trail.write(BY_COMMAND, PUT_BACK, {"acts": held.number})
            return PutBack(False)
        missing = max(marked.number - held.number, 0) if marked else None
        accounts = roll.accounts()
        nobodys = credentials.hashed(secrets.token_urlsafe())
        for account in accounts:
            roll.reset(account, nobodys, credentials.new_secret())
        closed = [account.id for account in accounts]
        trail.write(BY_COMMAND, PUT_BACK_OLDER, {"acts": held.number, "missing": missing, "closed": closed})
    return PutBack(False, True, missing, len(closed))


def restored_lately(roll: Roll) -> bool:
    """True in the first days after a declared restore, in which people are told."""
    [(at_s,)] = roll.all("SELECT max(at_s) FROM act WHERE what = ?", PUT_BACK_OLDER)
    return at_s is not None and roll.now_s() - at_s < TELL_S
