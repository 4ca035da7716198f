"""A copy of the store while the edge runs, with a signed word on what it holds.

FILE is a whole SQLite file, FILE.people the people's file without sessions (where there is one), FILE.manifest the CBOR
array [checkpoint, SHA-256 of FILE, Unix seconds, SHA-256 of FILE.people or nothing, signature]. The checkpoint is the
edge's own statement over the log in the copy, so whoever has the edge's grant can tell whose it is and how large; the
signature, by the same key over DOMAIN and the four items before it, says the same of accounts. A manifest of three
items is from before there were people in it.
Its time is that of the newest tree head before the copy was begun: heads that the edge signs meanwhile are larger and
not earlier, and the two never contradict each other. The third item is the clock, for people.
"""

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from meterseal_edge.errors import BadBackup
from meterseal_edge.folder import STORE, sync
from meterseal_edge.log import Frontier
from meterseal_edge.mark import FIRST_LOG, origin, peek
from meterseal_edge.people.copied import copy_people, people_path
from meterseal_edge.people.roll import FILE
from meterseal_edge.recount import open_to_read
from meterseal_edge.settings import Settings
from meterseal_protocol import checkpoint
from meterseal_protocol.checkpoint import TreeHead
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author

MANIFEST_BYTES, AT_ONCE = 4096, 4096
OLD_ITEMS = [bytes, bytes, int]
ITEMS = [*OLD_ITEMS, bytes, bytes]
DOMAIN = b"MeterSeal: a backup of this edge\n"  # no Sig_structure begins like this
WHOLE_COPY = -1  # all pages in one step, under one read lock: what the edge writes meanwhile is not in it


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup's manifest says: the signed head, the file's SHA-256, when it was made, who signed, SHA-256 of the
    people's part (empty where there is none).
    """

    head: TreeHead
    digest: bytes
    made_s: int
    key: bytes
    people: bytes = b""


def manifest_path(file: Path) -> Path:
    """Where a backup's manifest lies."""
    return file.with_name(f"{file.name}.manifest")


def back_up(settings: Settings, file: Path) -> Manifest:
    """Copy the store of these settings to `file`; BadBackup where it can't be, and nothing is left then."""
    if any(path.exists() for path in (file, manifest_path(file), people_path(file))):
        raise BadBackup(f"{file} is there already; give another name")
    author = Author(settings.edge, settings.site, PrivateKey.load(settings.key))
    before = peek(settings.folder)
    made_s = int(time.time())
    part = file.with_name(f"{file.name}.part")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        copy_store(settings.folder / STORE, part)
        size, root, number = tip_of(part)
        head = TreeHead(origin(settings.edge, number), size, root, before.time_s if before else made_s)
        digest, people = digest_of(part), back_up_people(settings.folder / FILE, people_path(file))
        told = [checkpoint.sign(author, head), digest, made_s, people]
        manifest_path(file).write_bytes(encode([*told, author.sign(DOMAIN + encode(told))]))
        sync(part)
        sync(manifest_path(file))
        part.replace(file)
        sync(file.absolute().parent)
    except (sqlite3.Error, OSError) as error:
        for path in (part, manifest_path(file), people_path(file)):
            path.unlink(missing_ok=True)
        raise BadBackup(f"no backup was made: {error}. Give the disk room, or run verify-store") from None
    return Manifest(head, digest, made_s, author.thumbprint, people)


def copy_store(source: Path, target: Path) -> None:
    """The store as it is at one instant; sqlite3.Error where it can't be read or written, or is damaged."""
    with closing(open_to_read(source)) as running, closing(sqlite3.connect(target)) as copy:
        running.backup(copy, pages=WHOLE_COPY)
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        [said] = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(f"the store is damaged: {said}")


def back_up_people(source: Path, target: Path) -> bytes:
    """SHA-256 of the copy of a people's file, on disk; empty where there is no such file."""
    if not source.exists():
        return b""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    copy_people(source, target)
    sync(target)
    return digest_of(target)


def tip_of(file: Path) -> tuple[int, bytes, int]:
    """(size, root, number of the log) of a store's file, from the identities in it."""
    with closing(open_to_read(file)) as db:
        rows = db.execute("SELECT identity FROM statement ORDER BY leaf")
        frontier = Frontier()
        while some := rows.fetchmany(AT_ONCE):
            frontier, _ = frontier.grown(name for [name] in some)
        return frontier.size, frontier.root(), number_of(db)


def number_of(db: sqlite3.Connection) -> int:
    """The number of the log in a store's file of any version."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'note'").fetchone():
        return FIRST_LOG
    row = db.execute("SELECT value FROM note WHERE name = 'log'").fetchone()
    return int(scan(row[0], len(row[0]))) if row else FIRST_LOG


def digest_of(file: Path) -> bytes:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").digest()


def read_manifest(file: Path, edges: KeyRing) -> Manifest:
    """The manifest of a backup whose bytes are those it names, signed by one of `edges`; else BadBackup."""
    path = manifest_path(file)
    try:
        told = scan(path.read_bytes()[:MANIFEST_BYTES], MANIFEST_BYTES)
        if not isinstance(told, list) or [type(item) for item in told] not in (OLD_ITEMS, ITEMS):
            raise BadBackup(f"{path} is no manifest of a backup. Use another backup")
        head, key = checkpoint.read(told[0], edges)
        people = told[3] if len(told) == len(ITEMS) else b""
        if len(told) == len(ITEMS):
            key.verify(DOMAIN + encode(told[:-1]), told[-1])
        for copy, digest in ((file, told[1]), *([(people_path(file), people)] if people else [])):
            if digest_of(copy) != digest:
                raise BadBackup(
                    f"{copy} is damaged: its bytes are not those that were backed up. Use another backup"
                )
    except OSError as error:
        raise BadBackup(f"{error.filename} cannot be read: {error.strerror}") from None
    except (WireError, ProtocolError) as error:
        raise BadBackup(f"{path} does not hold: {error}. Use another backup") from None
    return Manifest(head, told[1], told[2], key.thumbprint, people)
