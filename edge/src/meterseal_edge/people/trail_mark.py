"""Which act was the newest, kept outside the people's file, so that an older file shows (decisions/0011).

A file from a backup or a snapshot would bring back who was removed since, a password that was reset, a code's secret.
So the newest act's number and hash lie in `people.mark` beside the file, written after each commit and synced; whoever
opens the file compares. Nobody logs in over a file that lacks a marked act: `meterseal edge restore` puts it in order.

Not covered: a power cut between commit and mark (the mark is one act short then, which an honest file may be), and
whoever puts back the whole folder, mark and all.
"""

from pathlib import Path
from typing import NamedTuple

from meterseal_edge.errors import PeopleFailed
from meterseal_edge.people.roll import Asked, Roll
from meterseal_edge.site import layout
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

MARK = "people.mark"
MARK_BYTES, HASH = 256, 32
NEWEST = "SELECT number, hash FROM act ORDER BY number DESC LIMIT 1"
MARKED, WAS_MARKED = "PRAGMA user_version = 1", "PRAGMA user_version"
CURE = "Stop the edge, run `meterseal edge backup`, then `meterseal edge restore` with the newest backup"


class Newest(NamedTuple):
    """Number and hash of a trail's newest act."""

    number: int
    hash: bytes


EMPTY = Newest(0, bytes(HASH))


def newest(roll: Asked) -> Newest:
    """The newest act of a file; EMPTY of an empty trail."""
    rows = roll.all(NEWEST)
    return Newest(*rows[0]) if rows else EMPTY


def peek(folder: Path) -> Newest | None:
    """What the mark in a folder says; None where there is none that can be read."""
    try:
        raw = (folder / MARK).read_bytes()[:MARK_BYTES]
        body, digest = raw[:-HASH], raw[-HASH:]
        told = scan(body, MARK_BYTES) if sha256(body) == digest else None
    except (OSError, WireError):
        return None
    match told:
        case [int(number), bytes(chained)]:
            return Newest(number, chained)
        case _:
            return None


def put(folder: Path, found: Newest) -> None:
    """Mark an act as the newest, on disk when this returns; PeopleFailed where it can't be."""
    body = encode([found.number, found.hash])
    try:
        layout.put(folder / MARK, body + sha256(body))
    except OSError as error:
        raise PeopleFailed(f"the people's mark cannot be written: {error}. Give the disk room") from None


def advance(folder: Path, found: Newest) -> None:
    """Mark an act unless a later one is marked: two processes may write the trail."""
    marked = peek(folder)
    if marked is None or marked.number < found.number:
        put(folder, found)


def holds(roll: Asked, act: Newest) -> bool:
    """True if a file's trail has an act."""
    return act == EMPTY or roll.all("SELECT hash FROM act WHERE number = ?", act.number) == [(act.hash,)]


def compare(roll: Roll, folder: Path) -> None:
    """PeopleFailed unless the file has every act that is marked. A file that never had a mark gets its first."""
    marked = peek(folder)
    if marked is None and roll.all(WAS_MARKED) != [(0,)]:
        raise PeopleFailed(
            f"people.mark is missing or damaged, so nobody can tell whether people.sqlite is the newest. {CURE}"
        )
    if marked is not None and not holds(roll, marked):
        raise PeopleFailed(
            f"people.sqlite is older than what people did at this edge: it lacks act {marked.number}. {CURE}"
        )
    if marked is None:
        begin(roll, folder)


def begin(roll: Roll, folder: Path) -> None:
    """Mark a file's newest act, whatever was marked before, and note in the file that it has a mark."""
    put(folder, newest(roll))
    roll.all(MARKED)
