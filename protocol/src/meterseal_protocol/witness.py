"""A witness (C2SP tlog-witness): it cosigns a log's checkpoint if that continues the one it cosigned before.

What is promised: for one origin this witness never signs two roots of one size, nor a tree that is smaller than, or no
continuation of, one it has signed. It holds because an answer of 200 needs a proof from exactly what is remembered,
and because `seen` of that answer is what is remembered next.

The state is the caller's: it gives what it remembers of the origin (`None` at first), and must put `Answer.seen` on
disk before it sends the answer, in one step with the comparison. Two requests answered from one memory, or an answer
sent before the write, let a witness that lost its power sign a rollback. Nothing here can see that.

Not covered: whether the entries are right. A witness says that a log has one history, not that it is a true one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from meterseal_protocol.checkpoint_text import LogHead, open_checkpoint, read_hash, read_head, read_size
from meterseal_protocol.errors import BadKey, BadNote, BadProof, UnknownKey, Unverified
from meterseal_protocol.merkle import EMPTY, verify_consistency
from meterseal_protocol.note import parse, to_base64
from meterseal_protocol.note_key import TIMED, NoteSigner, VerifierKey, by_id

MOST_HASHES = 63
OLD = re.compile(r"old ([0-9]+)")
OK, BAD_REQUEST, FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 200, 400, 403, 404, 409, 422


@dataclass(frozen=True, slots=True)
class Request:
    """An add-checkpoint request: the size that its proof starts from, the proof, the note's bytes, its head."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes
    head: LogHead

    @property
    def raw(self) -> bytes:
        """The request's body, as a log sends it."""
        hashes = "".join(f"{line}\n" for line in map(to_base64, self.proof))
        return f"old {self.old}\n{hashes}\n".encode() + self.note


@dataclass(frozen=True, slots=True)
class Seen:
    """What a witness remembers of an origin: the size and root that it cosigned last."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is HTTP's; `body` the cosignature's line, or the remembered size, or one sentence.

    `seen`, where not None, replaces what is remembered, and is durable before the answer is sent.
    """

    status: int
    body: str
    seen: Seen | None = None


def read_request(raw: bytes) -> Request:
    """The request in a body; BadNote says what is wrong with it, and the answer is 400."""
    above, empty, note = raw.partition(b"\n\n")
    if not empty:
        raise BadNote("a request has an empty line between its proof and its checkpoint")
    try:
        first, *hashes = above.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise BadNote("the lines of a request before its checkpoint are ASCII") from None
    old = OLD.fullmatch(first)
    if not old:
        raise BadNote("a request begins with a line `old <size>`")
    if len(hashes) > MOST_HASHES:
        raise BadNote(f"a proof has at most {MOST_HASHES} hashes, not {len(hashes)}")
    proof = tuple(read_hash(line) for line in hashes)
    return Request(read_size(old.group(1)), proof, note, read_head(parse(note).text))


class Witness:
    """A cosigner and the logs it knows: verifier keys by origin.

    BadKey where the signer's key is no witness's, or two of a log's keys look alike.
    """

    def __init__(self, signer: NoteSigner, logs: Mapping[str, Sequence[VerifierKey]]) -> None:
        if signer.key.type != TIMED:
            raise BadKey("a witness signs with a key of type 4, which carries a time")
        for keys in logs.values():
            by_id(keys)
        self._signer, self._logs = signer, logs

    def add_checkpoint(self, request: Request, seen: Seen | None, now_s: int) -> Answer:
        """The answer at Unix second `now_s`, `seen` being what is remembered of the request's origin."""
        head = request.head
        if head.origin not in self._logs:
            return Answer(NOT_FOUND, f"{head.origin} is no log that this witness knows")
        try:
            note = open_checkpoint(request.note, self._logs[head.origin])[1].note
        except (UnknownKey, Unverified) as error:
            return Answer(FORBIDDEN, str(error))
        held = seen or Seen(0, EMPTY)
        if request.old > head.size:
            return Answer(BAD_REQUEST, f"the old size {request.old} is above the checkpoint's, {head.size}")
        if request.old != held.size:
            return Answer(CONFLICT, f"{held.size}\n")
        try:
            _continues(held, head, request.proof)
        except BadProof as error:
            return Answer(UNPROCESSABLE, str(error))
        return Answer(OK, f"{self._signer.sign(note.text, now_s).line}\n", Seen(head.size, head.root))


def _continues(held: Seen, head: LogHead, proof: Sequence[bytes]) -> None:
    """BadProof unless the head's tree has the remembered one as its beginning; every tree has the empty one."""
    if head.size == 0 and head.root != EMPTY:
        raise BadProof("the root of a tree without leaves is the hash of nothing")
    if held.size > 0:
        verify_consistency(held.size, head.size, proof, held.root, head.root)
    elif proof:
        raise BadProof("a proof from the empty tree is empty")
