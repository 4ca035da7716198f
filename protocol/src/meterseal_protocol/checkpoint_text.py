"""A log's public face: its tree head as the text of a C2SP checkpoint, which witnesses cosign.

    edge/EDGE1
    7
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

Origin, size and root are those of the checkpoint statement (checkpoint.py): the statement is what our own software
stores and cites, the note is what anybody's witness and monitor reads. It has no time: a witness's cosignature has.

Extension lines are kept and signed over, and say nothing to us; our logs write none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from meterseal_protocol.checkpoint import TreeHead
from meterseal_protocol.errors import BadNote
from meterseal_protocol.merkle import EMPTY
from meterseal_protocol.note import Note, from_base64, to_base64
from meterseal_protocol.note_key import NoteSigner, Opened, VerifierKey, open_note
from meterseal_wire.encode import LARGEST

SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
ROOT = 32


@dataclass(frozen=True, slots=True)
class LogHead:
    """Origin, number of leaves (0 to 2^63 - 1), 32-byte root, and extension lines, of a log."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note's text: these lines, each ended by a newline."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def head_of(statement: TreeHead) -> LogHead:
    """The face of a checkpoint statement: same origin, size and root."""
    return LogHead(statement.origin, statement.size, statement.root)


def read_head(text: str) -> LogHead:
    """The head that a note's text says; BadNote where it says none."""
    if not text.endswith("\n"):
        raise BadNote("a checkpoint's text ends in a newline")
    lines = text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise BadNote("a checkpoint has three lines at least, none of them empty: origin, size, root")
    origin, size, root = lines[:3]
    return LogHead(origin, read_size(size), read_hash(root), tuple(lines[3:]))


def read_size(text: str) -> int:
    """Leaves of a tree in decimal without leading zeroes, at most 2^63 - 1; else BadNote."""
    if not SIZE.fullmatch(text) or int(text) > LARGEST:
        raise BadNote("a size is a decimal number up to 2^63 - 1 without leading zeroes")
    return int(text)


def read_hash(text: str) -> bytes:
    """32 bytes from base64, else BadNote."""
    found = from_base64(text)
    if len(found) != ROOT:
        raise BadNote(f"a hash has {ROOT} bytes, not {len(found)}")
    return found


def sign_head(signer: NoteSigner, head: LogHead) -> Note:
    """A log's checkpoint note; BadNote where the head is out of form, and nothing is signed."""
    if read_head(head.text) != head or (head.size == 0 and head.root != EMPTY):
        raise BadNote("a log signs no head that others would refuse or read as another")
    return Note(head.text, (signer.sign(head.text),))


def open_checkpoint(raw: bytes, keys: Iterable[VerifierKey]) -> tuple[LogHead, Opened]:
    """The head and who signed it; as `open_note`, or BadNote where the text is no checkpoint."""
    opened = open_note(raw, keys)
    return read_head(opened.note.text), opened
