"""The log's public face: a C2SP checkpoint, cosigned by witnesses where some are configured, and the tiles below it.

Anybody may read both; there is nothing in them but hashes. What is served as checkpoint is the newest one that a
quorum of witnesses has cosigned, or, where none ever did, the log as it stands. A witness that has seen a longer log
than ours says that this store has gone back: an alarm, since only a person knows why.

A quorum counts on one head alone. So one head is shown to every witness until enough have cosigned it, and only then
the next; who comes later still adds to the head that is served. Each witness is asked by a thread of its own, so one
that fails or is slow holds up no other. While fewer than a quorum answer, the head that is shown stays the same.
"""

import logging
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

import httpx

from meterseal_edge.errors import WitnessAbsent
from meterseal_edge.log import EdgeLog
from meterseal_edge.state import State
from meterseal_protocol.checkpoint_text import LogHead, open_checkpoint, read_head, read_size, sign_head
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.merkle import Inclusion
from meterseal_protocol.note import Note, NoteSignature, parse
from meterseal_protocol.note_key import NoteSigner, VerifierKey
from meterseal_protocol.witness import CONFLICT, OK, Request

log = logging.getLogger("meterseal.edge.published")
FILE = "log.note"
ASK_S = 10
TRIES = 2
WHY_CHARACTERS = 200


class Published:
    """Signs the log's head as a note with `signer`, whose key's name is the origin."""

    def __init__(self, edge_log: EdgeLog, signer: NoteSigner, folder: Path, quorum: int = 1) -> None:
        self._log, self._signer, self._quorum = edge_log, signer, quorum
        self._file = folder / FILE
        self._lock = threading.Lock()
        self._cosigned = parse(self._file.read_bytes()) if self._file.exists() else None
        self._shown: Note | None = None

    @property
    def key(self) -> VerifierKey:
        """The log's key, to be handed out."""
        return self._signer.key

    def note(self) -> Note:
        """The log as it stands, signed by the log alone."""
        return sign_head(self._signer, LogHead(self._signer.key.name, *self._log.tip()))

    @property
    def cosigned(self) -> Note | None:
        """The newest note that a quorum of witnesses cosigned; None where there is none."""
        with self._lock:
            return self._cosigned

    def checkpoint(self) -> bytes:
        """What is served."""
        return (self.cosigned or self.note()).raw

    def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """Proof that the log only grew."""
        return self._log.consistency(first, second) if 0 < first < second else []

    def inclusion(self, leaf: int, size: int) -> Inclusion:
        """Where a leaf stands in the tree of `size` leaves."""
        return self._log.include(leaf, size)

    def cosign(self, note: Note) -> None:
        """Serve this one from now on, across restarts too."""
        with self._lock:
            self._serve(note)

    def shown(self) -> Note:
        """What every witness is asked for, signed by the log alone: the same note until a quorum has cosigned it."""
        with self._lock:
            shown = self._shown
            if shown is None or (self._reached(shown) and read_head(shown.text).size != self._log.tip()[0]):
                shown = self._shown = self.note()
            return Note(shown.text, shown.signatures[:1])

    def gather(self, text: str, added: Iterable[NoteSignature]) -> None:
        """Add a witness's signatures, already checked, to the note of this text. For a note long past, nothing."""
        with self._lock:
            if self._shown is not None and self._shown.text == text:
                grown = self._shown = self._shown.signed(*added)
            elif self._cosigned is not None and self._cosigned.text == text:
                grown = self._cosigned.signed(*added)
            else:
                return
            if self._reached(grown):
                self._serve(grown)

    def _reached(self, note: Note) -> bool:
        """The log's own signature is the first; each other is another witness's."""
        return len(note.signatures) - 1 >= self._quorum

    def _serve(self, note: Note) -> None:
        part = self._file.with_suffix(".part")
        part.write_bytes(note.raw)
        part.replace(self._file)
        self._cosigned = note


class Cosigning:
    """Takes the log's checkpoints to one witness (C2SP tlog-witness): its address and its key."""

    def __init__(self, published: Published, url: str, key: VerifierKey, state: State) -> None:
        self._published, self._url, self._key, self._state = published, url, key, state
        self.seen = 0

    def run(self, stop: threading.Event) -> None:
        """Ask every ASK_S until `stop`, where the log has grown."""
        with httpx.Client(base_url=self._url, timeout=ASK_S) as client:
            while not stop.is_set():
                try:
                    self.ask(client)
                except (WitnessAbsent, ProtocolError) as error:
                    log.warning("%s", error)
                    self._state.alarm(self._key.name, WitnessAbsent.code, str(error))
                stop.wait(ASK_S)

    def ask(self, client: httpx.Client) -> None:
        """One round. WitnessAbsent where no answer can be used, a protocol error where its signature does not hold."""
        note = self._published.shown()
        head, _ = open_checkpoint(note.raw, [self._published.key])
        if head.size == self.seen:
            return
        for _ in range(TRIES):
            proof = tuple(self._published.consistency(self.seen, head.size))
            answer = self._post(client, Request(self.seen, proof, note.raw, head))
            if answer.status_code != CONFLICT:
                break
            self.seen = self._remembered(answer, head.size)
        if answer.status_code != OK:
            raise WitnessAbsent(f"the witness answered {answer.status_code}: {answer.text[:WHY_CHARACTERS]}")
        cosigned = parse(note.raw + answer.content)
        _, opened = open_checkpoint(cosigned.raw, [self._published.key, self._key])
        if self._key not in opened.signers:
            raise WitnessAbsent(
                "the witness answered without its own signature; compare its key with the settings"
            )
        own = (self._key.name, self._key.key_id)
        self._published.gather(
            note.text, [item for item in cosigned.signatures if (item.name, item.key_id) == own]
        )
        self.seen = head.size

    def _post(self, client: httpx.Client, request: Request) -> httpx.Response:
        try:
            return client.post("/add-checkpoint", content=request.raw)
        except httpx.HTTPError as error:
            raise WitnessAbsent(f"the witness at {self._url} is away: {error}") from None

    def _remembered(self, answer: httpx.Response, size: int) -> int:
        held = read_size(answer.text.strip())
        if held > size:
            raise WitnessAbsent(
                f"the witness has seen {held} leaves of this log, and it has {size}: the store went back, or the key "
                "signs elsewhere. Stop this edge and find out which"
            )
        return held
