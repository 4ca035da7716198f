"""Keys of signed notes: a log's (type 0x01) and a witness's, whose signatures carry a time (type 0x04).

A verifier key is the text `name+id+base64(type || public key)`; its id is the first four bytes of
SHA-256(name, newline, type, public key). A cosignature (C2SP tlog-cosignature) is 8 bytes of Unix seconds and a
signature over `cosignature/v1`, `time <seconds>` and the note's text: *at this time this was the largest tree of that
log that I had seen, and it continued all that I had seen before*.

A line that held is not verified again: a judge reads one sighting for every decision about what it covers. The answer
hangs on key, text and signature alone, so it is the same with and without.

Both types are suite 3 by definition of C2SP; its type 0x06 (ML-DSA-44) is read past like any type we have no key for.
Not covered: a cosignature does not sign the witness's name, so one key must not serve two names (Quorum refuses it).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from meterseal_protocol.errors import BadKey, BadNote, UnknownKey, Unverified
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_protocol.note import KEY_ID, Note, NoteSignature, check_name, from_base64, parse, to_base64
from meterseal_wire.suites import ED25519

PLAIN, TIMED = 0x01, 0x04
TIME_BYTES = 8
LATEST_S = 2**63 - 1
LONGEST_HELD = 4096  # characters: a checkpoint has three lines; lines below longer texts are checked anew
KEY_TEXT = re.compile(r"([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name under which it signs notes; `type` is PLAIN (a log) or TIMED (a witness)."""

    name: str
    type: int
    public: PublicKey

    def __post_init__(self) -> None:
        """BadNote for a name no key may have, BadKey for another type or suite."""
        check_name(self.name)
        if self.type not in (PLAIN, TIMED) or self.public.suite is not ED25519:
            raise BadKey("a key of notes is of suite 3, its type 1 for a log or 4 for a witness")

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """From its text; BadNote or BadKey says why it is none."""
        found = KEY_TEXT.fullmatch(text)
        if not found:
            raise BadNote("a verifier key is name+id+base64, the id in eight hexadecimal digits")
        name, key_id, encoded = found.group(1), found.group(2), from_base64(found.group(3))
        check_name(name)
        if _key_id(name, encoded).hex() != key_id:
            raise BadNote("the id is not that of this name and key: one of the three was changed")
        return cls(name, encoded[0], PublicKey(encoded[1:], ED25519))

    @property
    def key_id(self) -> bytes:
        """4 bytes that tell the key apart from others of its name."""
        return _key_id(self.name, self._encoded)

    @property
    def _encoded(self) -> bytes:
        return bytes([self.type]) + self.public.xy

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(self._encoded)}"

    def check(self, text: str, value: bytes) -> int:
        """Unix seconds in a cosignature over a note's text, 0 in a plain signature; Unverified unless it holds."""
        if self.type == PLAIN:
            self.public.verify(text.encode(), value)
            return 0
        time_s = int.from_bytes(value[:TIME_BYTES], "big")
        if time_s > LATEST_S:
            raise Unverified("the time of a cosignature is beyond 2^63 - 1")
        self.public.verify(cosigned(text, time_s), value[TIME_BYTES:])
        return time_s


def _key_id(name: str, encoded: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + encoded).digest()[:KEY_ID]


def cosigned(text: str, time_s: int) -> bytes:
    """What a witness signs of a note's text (tlog-cosignature, Ed25519 signed message)."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


class NoteSigner:
    """A private key with a name; `key` is its public half, to be handed out."""

    def __init__(self, name: str, private: PrivateKey, kind: int = PLAIN) -> None:
        self.key = VerifierKey(name, kind, PublicKey(private.public_xy, private.suite))
        self._sign = private.sign

    def sign(self, text: str, time_s: int = 0) -> NoteSignature:
        """Signature line over a note's text; a witness's carries `time_s`, 1 to 2^63 - 1, a log's carries none.

        BadKey where a log is given a time or a witness none.
        """
        if (self.key.type == TIMED) != (0 < time_s <= LATEST_S):
            raise BadKey(
                "a witness's signature carries a time of at least 1 second, and a log's carries none"
            )
        if self.key.type == PLAIN:
            return NoteSignature(self.key.name, self.key.key_id, self._sign(text.encode()))
        value = time_s.to_bytes(TIME_BYTES, "big") + self._sign(cosigned(text, time_s))
        return NoteSignature(self.key.name, self.key.key_id, value)


@dataclass(frozen=True, slots=True)
class Opened:
    """A note and the keys that signed it, each with its times in ascending order (0 of a plain signature)."""

    note: Note
    signers: dict[VerifierKey, tuple[int, ...]]


def open_note(raw: bytes, keys: Iterable[VerifierKey]) -> Opened:
    """The note, if one known key at least signed it and every known key's line holds.

    A line of an unknown key is read past, even when name or id (but not both) are a known one's. A key that signed
    twice counts once. BadNote for no note, UnknownKey where no line is of a known key, Unverified where a known key's
    line does not hold: then the whole note is refused.
    """
    note, known = parse(raw), by_id(keys)
    times: dict[VerifierKey, list[int]] = {}
    for item in note.signatures:
        key = known.get((item.name, item.key_id))
        if key is not None:
            times.setdefault(key, []).append(_checked(key, note.text, item.value))
    if not times:
        raise UnknownKey(
            "no line of this note is of a known key; learn the log's verifier key, then try again"
        )
    return Opened(note, {key: tuple(sorted(found)) for key, found in times.items()})


@lru_cache(maxsize=1024)
def _held(key: VerifierKey, text: str, value: bytes) -> int:
    """As `VerifierKey.check`, computed once for a key, a text and a signature; what does not hold is not kept."""
    return key.check(text, value)


def by_id(keys: Iterable[VerifierKey]) -> dict[tuple[str, bytes], VerifierKey]:
    """Keys by name and id, as signature lines name them; BadKey where two different ones have the same."""
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise BadKey(
                f"two keys are called {key.name}+{key.key_id.hex()}; one was made to look like the other"
            )
    return known


def _checked(key: VerifierKey, text: str, value: bytes) -> int:
    try:
        return _held(key, text, value) if len(text) <= LONGEST_HELD else key.check(text, value)
    except Unverified as error:
        raise Unverified(f"the line of {key.name}+{key.key_id.hex()}: {error}") from None
