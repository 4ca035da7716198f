"""Signed notes (C2SP signed-note): a text, an empty line, and one line a signature.

    example.com/foo
    7
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6Tf…

There is one spelling of a note: what `parse` accepts, `Note.raw` writes byte for byte. Parsing says nothing about who
signed; `open_note` (note_key.py) does.

Not covered: signature types that we have no key for are carried along unread, as C2SP wants, so that a log can add one.
"""

import base64
import binascii
from dataclasses import dataclass

from meterseal_protocol.errors import BadNote

MOST_BYTES = 128 * 1024  # sixteen signatures of 5 kB, which C2SP wants accepted, and a text
MOST_SIGNATURES = 100
DASH = "— "
KEY_ID = 4


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name, its id (4 bytes), and what the key's type makes of the rest."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line without its newline."""
        return f"{DASH}{self.name} {to_base64(self.key_id + self.value)}"


@dataclass(frozen=True, slots=True)
class Note:
    """A text that ends in a newline, and the signatures below it, known or not."""

    text: str
    signatures: tuple[NoteSignature, ...] = ()

    @property
    def raw(self) -> bytes:
        """The note's bytes; BadNote where its parts make none."""
        text = "".join([self.text, "\n", *(f"{item.line}\n" for item in self.signatures)])
        raw = text.encode("utf-8", "surrogatepass")
        if parse(raw) != self:
            raise BadNote("a signature line's parts run into the text: the note would be read as another")
        return raw

    def signed(self, *added: NoteSignature) -> "Note":
        """With these signatures; one by the same key is replaced, in its place."""
        by_key = {(item.name, item.key_id): item for item in (*self.signatures, *added)}
        return Note(self.text, tuple(by_key.values()))


def parse(raw: bytes) -> Note:
    """The note in these bytes, nothing verified; BadNote says what is wrong with them."""
    if len(raw) > MOST_BYTES:
        raise BadNote(f"a note has at most {MOST_BYTES} bytes, not {len(raw)}")
    text = plain_text(raw)
    body, empty, below = text.rpartition("\n\n")
    if not empty:
        raise BadNote("a note has an empty line between its text and its signatures")
    if not below.endswith("\n"):
        raise BadNote("a note has signature lines below its last empty line, each ended by a newline")
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote(f"a note has at most {MOST_SIGNATURES} signatures, not {len(lines)}")
    return Note(body + "\n", tuple(_signature(line) for line in lines))


def plain_text(raw: bytes) -> str:
    """UTF-8 without control characters but the newline; else BadNote."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadNote(f"byte {error.start} is not UTF-8") from None
    for place, sign in enumerate(text):
        if sign < " " and sign != "\n":
            raise BadNote(f"character {place} is a control character, U+{ord(sign):04X}")
    return text


def _signature(line: str) -> NoteSignature:
    if not line.startswith(DASH):
        raise BadNote("a signature line begins with an em dash (U+2014) and a space")
    name, space, encoded = line[len(DASH) :].partition(" ")
    if not space:
        raise BadNote("a signature line has a key name, a space and base64")
    check_name(name)
    value = from_base64(encoded)
    if len(value) <= KEY_ID:
        raise BadNote("a signature line's base64 holds a key id of 4 bytes and a signature")
    return NoteSignature(name, value[:KEY_ID], value[KEY_ID:])


def check_name(name: str) -> None:
    """BadNote unless a key may have this name: not empty, no Unicode space, no plus."""
    plain_text(name.encode("utf-8", "surrogatepass"))
    if not name or "+" in name or any(sign.isspace() for sign in name):
        raise BadNote("a key's name is not empty and has no space and no plus")


def from_base64(text: str) -> bytes:
    """Bytes from standard base64 in its one spelling (RFC 4648 section 4, bits of padding zero); else BadNote."""
    try:
        found = base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("this is no base64 of RFC 4648 section 4") from None
    if to_base64(found) != text:
        raise BadNote("base64 has one spelling: its padding is there, and the bits of it are zero")
    return found


def to_base64(raw: bytes) -> str:
    """Standard base64 (RFC 4648 section 4) with its padding."""
    return base64.b64encode(raw).decode()
