"""Station 10, beside the outbox: what the witness saw of this log while the registry was away goes on to it.

A result that the registry enters at once needs nobody else. One that still waits a round after a head above it was
cosigned gets a sighting (protocol/spec/checkpoint.md): that head, and the result's path in its tree, signed by this
edge. It is a file here until a receipt covers it. The first head above a result is the one that counts, since no later
one bounds it better; so a sighting is made from it even though more may have been cosigned since.

Cosigned means by the quorum of the settings. Where the edge's grant asks for more, a sighting moves nothing at the
judge. Files that the disk refuses are logged; statements and custody do not wait for them.
"""

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx

from meterseal_edge.errors import RegistryAbsent, StoreFailed
from meterseal_edge.folder import sync
from meterseal_edge.outbox import Outbox, jittered, longest_wait
from meterseal_edge.published import Published
from meterseal_edge.store.contract import Stored
from meterseal_protocol.checkpoint_text import read_head
from meterseal_protocol.note import Note
from meterseal_protocol.statement import read
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

log = logging.getLogger("meterseal.edge.sightings")
FOLDER, ENDING = "sightings", ".cose"
ROUND_S = 10
BUNDLE = 20
NOBODY = b""  # the registry looks up by itself whose key a statement names


class Sightings:
    """Keeps sightings of `published`'s log in a folder below `folder`, and hands them in as `outbox` does."""

    def __init__(self, published: Published, author: Author, outbox: Outbox, folder: Path) -> None:
        self._published, self._author, self._outbox = published, author, outbox
        self._folder = folder / FOLDER
        self._ripe: Note | None = None
        self._covered = 0
        self._failures = self._fruitless = 0

    def run(self, stop: threading.Event) -> None:
        """Look and send every ROUND_S until `stop`, more seldom while nothing is taken."""
        with httpx.Client(base_url=self._outbox.settings.registry, timeout=30) as client:
            while not stop.is_set():
                stop.wait(self.round(client))

    def round(self, client: httpx.Client) -> float:
        """One look and one pass; seconds until the next."""
        try:
            self.keep()
            left = self.deliver(client)
        except (RegistryAbsent, StoreFailed, OSError) as error:
            self._failures += 1
            log.warning("%s", error)
            return max(ROUND_S, jittered(self._failures))
        self._failures = 0
        self._fruitless = self._fruitless + 1 if left else 0
        return max(ROUND_S, longest_wait(self._fruitless)) if left else ROUND_S

    def keep(self) -> None:
        """A file for each result below the head of the round before that waits still."""
        ripe, self._ripe = self._ripe, self._published.cosigned
        if ripe is None:
            return
        size = read_head(ripe.text).size
        for item in self._waiting(size):
            if read(item.raw).typ == L.KIND_RESULT:
                self._write(item, ripe, size)
        self._covered = max(self._covered, size)

    def _waiting(self, size: int) -> Iterator[Stored]:
        """What no receipt covers, of the leaves that no head covered before."""
        after = self._covered - 1
        while after + 1 < size:
            found = self._outbox.store.unentered(after, BUNDLE)
            yield from (item for item in found if item.leaf < size)
            after = found[-1].leaf if found else size

    def _write(self, item: Stored, note: Note, size: int) -> None:
        path = self._folder / f"{item.leaf}{ENDING}"
        if path.exists():
            return
        said: dict[int, object] = {
            L.STATEMENT: item.identity,
            L.NOTE: note.raw,
            L.INCLUSION: [size, item.leaf, self._published.inclusion(item.leaf, size).path],
        }
        self._folder.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(build(self._author, L.KIND_SIGHTING, said))
        sync(part)
        part.replace(path)
        sync(self._folder)

    def deliver(self, client: httpx.Client) -> int:
        """Offer every file; how many were not taken. RegistryAbsent when no answer can be used."""
        files = sorted(self._folder.glob(f"*{ENDING}"), key=lambda path: int(path.stem))
        left = len(files)
        for start in range(0, len(files), BUNDLE):
            some = {int(path.stem): path for path in files[start : start + BUNDLE]}
            raws = {leaf: path.read_bytes() for leaf, path in some.items()}
            waiting = [Stored(leaf, NOBODY, identity(raw), raw, ()) for leaf, raw in raws.items()]
            for leaf, _ in self._outbox.accept(waiting, self._outbox.ask(client, waiting)):
                some[leaf].unlink()
                left -= 1
        return left
