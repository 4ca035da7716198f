"""Subject log, first part (checkpoint.md): verifier keys, notes, cosignatures, checkpoints."""

import base64
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from maker.case import FixedKey, accept, refuse
from meterseal_protocol.checkpoint_text import LogHead, sign_head
from meterseal_protocol.merkle import EMPTY, leaf_hash, subtree
from meterseal_protocol.note import NoteSignature
from meterseal_protocol.note_key import TIMED, NoteSigner, VerifierKey
from meterseal_wire.suites import ED25519

ENTRIES = [sha256(f"meterseal vector entry {number}".encode()).digest() for number in range(12)]
HASHES = [leaf_hash(entry) for entry in ENTRIES]
OTHERS = HASHES[:6] + [leaf_hash(sha256(f"rewritten {number}".encode()).digest()) for number in range(6)]
ROOTS = [EMPTY, *(subtree(HASHES, 0, size) for size in range(1, 13))]
ORIGIN = "edge/EDGE1"
LOG = NoteSigner(ORIGIN, FixedKey("log", ED25519))
STRANGER = NoteSigner(ORIGIN, FixedKey("a stranger's log", ED25519))
SEEDS = {
    name: FixedKey(name, ED25519) for name in ("witness.example/a", "witness.example/b", "witness.example/c")
}
A, B, C = (NoteSigner(name, key, TIMED) for name, key in SEEDS.items())
NOW_S = 1_790_000_300
HEAD = LogHead(ORIGIN, 7, ROOTS[7])
NOTE = sign_head(LOG, HEAD)
PAGE = "checkpoint.md, rule"
# C2SP signed-note, section Verifier keys: its example key and note.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_VALUE = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
C2SP_LINE = f"— example.com/foo {C2SP_VALUE}\n"


def cases() -> Iterator[dict[str, Any]]:
    """Every case of this part."""
    yield from key_cases()
    yield from note_cases()
    yield from cosignature_cases()
    yield from checkpoint_cases()


def key_text(name: str, encoded: bytes, key_id: str | None = None) -> str:
    """A verifier key from its parts, the id right unless another is given; made without the code that reads it."""
    right = sha256(name.encode() + b"\n" + encoded).hexdigest()[:8]
    return f"{name}+{key_id or right}+{base64.b64encode(encoded).decode()}"


def key_cases() -> Iterator[dict[str, Any]]:
    """Verifier keys."""
    public = LOG.key.public.xy
    rows = (
        (
            "key of a log",
            key_text(ORIGIN, b"\x01" + public),
            "type 1: what signs checkpoints",
            ORIGIN,
            1,
            public,
        ),
        ("key of a witness", str(A.key), "type 4: what cosigns them", A.key.name, 4, A.key.public.xy),
        ("key of C2SP's example", C2SP_KEY, "as C2SP publishes it", "example.com/foo", 1, None),
    )
    for name, text, why, called, kind, xy in rows:
        shown = (xy or base64.b64decode(text.split("+", 2)[2])[1:]).hex()
        given = {"what": "key", "key": text}
        yield accept(
            name, f"{PAGE} 1", why, given, key_name=called, id=text.split("+")[1], type=kind, public=shown
        )
    broken = (
        (
            "key whose id is another's",
            key_text(ORIGIN, b"\x01" + public, "00000000"),
            "the id is 4 bytes of a hash over name and key",
            "note",
        ),
        ("key under another name", str(LOG.key).replace("EDGE1", "EDGE2"), "the name is hashed too", "note"),
        (
            "key with an id in capitals",
            key_text(ORIGIN, b"\x01" + public, _upper(public)),
            "an id has one spelling",
            "note",
        ),
        ("key without its id", f"{ORIGIN}+{str(LOG.key).split('+', 2)[2]}", "three parts", "note"),
        (
            "key with a plus in its name",
            key_text("edge+EDGE1", b"\x01" + public),
            "names hold no plus",
            "note",
        ),
        (
            "key with a space in its name",
            key_text("edge EDGE1", b"\x01" + public),
            "names hold no space",
            "note",
        ),
        ("key without a name", key_text("", b"\x01" + public), "names are not empty", "note"),
        ("key of an unknown type", key_text(ORIGIN, b"\x06" + public), "types are 1 and 4 here", "key"),
        ("key too short", key_text(ORIGIN, b"\x01" + public[:-1]), "32 bytes of public key", "key"),
        (
            "key of small order",
            key_text(ORIGIN, b"\x01\x01" + bytes(31)),
            "one signature would fit every note",
            "key",
        ),
        (
            "key in broken base64",
            key_text(ORIGIN, b"\x01" + public)[:-1] + "B=",
            "base64 has one spelling",
            "note",
        ),
    )
    for name, text, why, code in broken:
        yield refuse(name, f"{PAGE} 1", why, {"what": "key", "key": text}, code)


def _upper(public: bytes) -> str:
    return sha256(ORIGIN.encode() + b"\n\x01" + public).hexdigest()[:8].upper()


def opened(text: str, *lines: str) -> dict[str, Any]:
    """Input of a note case: a text, signature lines, and the keys of log and witnesses."""
    raw = text.encode() + b"\n" + "".join(lines).encode()
    return {"what": "note", "note": raw.hex(), "keys": [str(LOG.key), str(A.key)]}


def line(item: NoteSignature) -> str:
    """A signature line with its newline."""
    return item.line + "\n"


def value_line(key: VerifierKey, value: bytes) -> str:
    """A line of this key with whatever value."""
    return line(NoteSignature(key.name, key.key_id, value))


def note_cases() -> Iterator[dict[str, Any]]:
    """Signed notes."""
    text = HEAD.text
    log, foreign = line(LOG.sign(text)), line(STRANGER.sign(text))
    good = {str(LOG.key): [0]}
    poem = "a text\n\nwith an empty line\n"
    yield accept(
        "note of a log",
        f"{PAGE} 2",
        "text, empty line, one line",
        opened(text, log),
        text=text,
        lines=1,
        signers=good,
    )
    yield accept(
        "note beside a stranger's line",
        f"{PAGE} 3",
        "lines of unknown keys are read past",
        opened(text, foreign, log),
        text=text,
        lines=2,
        signers=good,
    )
    yield accept(
        "note signed twice by one key",
        f"{PAGE} 3",
        "it counts once",
        opened(text, log, log),
        text=text,
        lines=2,
        signers={str(LOG.key): [0, 0]},
    )
    yield accept(
        "note with an empty line in its text",
        f"{PAGE} 2",
        "the text goes to the last empty line",
        opened(poem, line(LOG.sign(poem))),
        text=poem,
        lines=1,
        signers=good,
    )
    example = "This is an example message.\n"
    given = {"what": "note", "note": f"{example}\n{C2SP_LINE}".encode().hex(), "keys": [C2SP_KEY]}
    yield accept(
        "note of C2SP's example",
        f"{PAGE} 2",
        "as C2SP publishes it",
        given,
        text=example,
        lines=1,
        signers={C2SP_KEY: [0]},
    )
    sixteen = "".join(line(NoteSignature(f"pq{n}", b"unkn", bytes(64))) for n in range(15))
    yield accept(
        "note of sixteen lines",
        f"{PAGE} 2",
        "C2SP: at least 16 signatures",
        opened(text, sixteen, log),
        text=text,
        lines=16,
        signers=good,
    )
    broken = (
        ("note without an empty line", (text[:-1], log), "text and signatures run together"),
        ("note without signatures", (text,), "one line at least"),
        ("note that does not end in a newline", (text, log[:-1]), "every line ends in a newline"),
        (
            "note with a hyphen for a dash",
            (text, log.replace("—", "-")),
            "a line begins with U+2014 and a space",
        ),
        (
            "note with carriage returns",
            (text.replace("\n", "\r\n"), log),
            "no control characters but the newline",
        ),
        ("note with a tab", (text.replace("/", "\t"), log), "no control characters but the newline"),
        (
            "note with a line that is no signature",
            (text, log, "more\n"),
            "below the empty line stand signatures alone",
        ),
        ("note with a line of two spaces", (text, log.replace("— ", "—  ")), "one space each"),
        ("note with another base64", (text, _respelled(log)), "base64 has one spelling"),
        (
            "note with an id and no signature",
            (text, f"— {ORIGIN} {base64.b64encode(LOG.key.key_id).decode()}\n"),
            "4 bytes and at least one more",
        ),
        ("note of a hundred and one lines", (text, *[log] * 101), "at most 100 lines"),
    )
    for name, parts, why in broken:
        yield refuse(name, f"{PAGE} 2", why, opened(*parts), "note")
    bad = opened(text, log)
    yield refuse(
        "note that is not UTF-8", f"{PAGE} 2", "UTF-8 alone", {**bad, "note": "ff" + bad["note"]}, "note"
    )
    yield refuse(
        "note of a stranger",
        f"{PAGE} 3",
        "no line is of a known key",
        opened(text, foreign),
        "verify.unknown_key",
    )
    forged = value_line(LOG.key, bytes(64))
    yield refuse(
        "note with a forged line",
        f"{PAGE} 3",
        "a known key's line must hold",
        opened(text, forged),
        "verify.signature",
    )
    yield refuse(
        "note with a forged line beside a good one",
        f"{PAGE} 3",
        "one is enough to spoil it",
        opened(text, line(A.sign(text, 5)), forged),
        "verify.signature",
    )
    yield refuse(
        "note whose text was changed",
        f"{PAGE} 3",
        "the signature is over the text",
        opened(text.replace("7\n", "8\n"), log),
        "verify.signature",
    )


def _respelled(text: str) -> str:
    """A line whose base64 ends in `=`, with a bit of the padding set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    head, last = text[:-3], text[-3]
    return head + alphabet[alphabet.index(last) + 1] + "=\n"


def cosignature_cases() -> Iterator[dict[str, Any]]:
    """Cosignatures."""
    text = HEAD.text
    log, seen = line(LOG.sign(text)), A.sign(text, NOW_S)
    both = {str(LOG.key): [0], str(A.key): [NOW_S]}
    yield accept(
        "cosignature",
        f"{PAGE} 6",
        "over `cosignature/v1`, the time and the text",
        opened(text, log, line(seen)),
        text=text,
        lines=2,
        signers=both,
    )
    yield accept(
        "cosignature at two times",
        f"{PAGE} 6",
        "the times in ascending order",
        opened(text, line(A.sign(text, 9)), line(A.sign(text, 4))),
        text=text,
        lines=2,
        signers={str(A.key): [4, 9]},
    )
    yield accept(
        "cosignature at the last second",
        f"{PAGE} 6",
        "2^63 - 1 is the greatest",
        opened(text, line(A.sign(text, 2**63 - 1))),
        text=text,
        lines=1,
        signers={str(A.key): [2**63 - 1]},
    )
    late, signed = (NOW_S + 1).to_bytes(8, "big"), seen.value[8:]
    beyond = (2**63).to_bytes(8, "big")
    key = FixedKey(A.key.name, ED25519)
    rows = (
        ("cosignature moved by a second", late + signed, "the time is signed"),
        ("cosignature without its time", signed, "8 bytes of time before the signature"),
        (
            "cosignature that signs the text alone",
            NOW_S.to_bytes(8, "big") + key.sign(text.encode()),
            "the two lines before the text are signed",
        ),
        (
            "cosignature beyond the last second",
            beyond + key.sign(b"cosignature/v1\ntime 9223372036854775808\n" + text.encode()),
            "2^63 - 1 is the greatest",
        ),
        (
            "cosignature with a zero before its time",
            NOW_S.to_bytes(8, "big") + key.sign(f"cosignature/v1\ntime 0{NOW_S}\n{text}".encode()),
            "decimal without leading zeroes",
        ),
    )
    for name, value, why in rows:
        yield refuse(name, f"{PAGE} 6", why, opened(text, value_line(A.key, value)), "verify.signature")


def checkpoint_cases() -> Iterator[dict[str, Any]]:
    """The text of a checkpoint; every note here is rightly signed by the log."""
    root = HEAD.text.split("\n")[2]

    def given(text: str) -> dict[str, Any]:
        return {**opened(text, line(LOG.sign(text))), "what": "checkpoint"}

    right = {"origin": ORIGIN, "root": ROOTS[7].hex()}
    yield accept(
        "checkpoint", f"{PAGE} 4", "origin, size, root", given(HEAD.text), size=7, extensions=[], **right
    )
    yield accept(
        "checkpoint with extension lines",
        f"{PAGE} 4",
        "kept, and without meaning here",
        given(HEAD.text + "one\ntwo 2\n"),
        size=7,
        extensions=["one", "two 2"],
        **right,
    )
    yield accept(
        "checkpoint of no leaves",
        f"{PAGE} 4",
        "size 0 and the hash of nothing",
        given(LogHead(ORIGIN, 0, EMPTY).text),
        origin=ORIGIN,
        size=0,
        root=EMPTY.hex(),
        extensions=[],
    )
    yield accept(
        "checkpoint of the largest log",
        f"{PAGE} 4",
        "2^63 - 1",
        given(f"{ORIGIN}\n9223372036854775807\n{root}\n"),
        size=2**63 - 1,
        extensions=[],
        **right,
    )
    yield accept(
        "checkpoint of an origin with spaces",
        f"{PAGE} 4",
        "an origin is any text that is not empty",
        given(f"Log Checkpoint v0\n7\n{root}\n"),
        origin="Log Checkpoint v0",
        size=7,
        root=ROOTS[7].hex(),
        extensions=[],
    )
    broken = (
        ("checkpoint of two lines", f"{ORIGIN}\n7\n", "three lines at least"),
        ("checkpoint without an origin", f"\n7\n{root}\n", "no line is empty"),
        ("checkpoint with an empty line at its end", f"{HEAD.text}\n", "no line is empty"),
        ("checkpoint with a leading zero", f"{ORIGIN}\n07\n{root}\n", "decimal without leading zeroes"),
        ("checkpoint with a sign", f"{ORIGIN}\n+7\n{root}\n", "decimal digits alone"),
        ("checkpoint with other digits", f"{ORIGIN}\n７\n{root}\n", "ASCII digits"),
        ("checkpoint beyond the largest log", f"{ORIGIN}\n9223372036854775808\n{root}\n", "2^63 - 1 at most"),
        (
            "checkpoint with a short root",
            f"{ORIGIN}\n7\n{base64.b64encode(bytes(31)).decode()}\n",
            "32 bytes",
        ),
        ("checkpoint with a root in hex", f"{ORIGIN}\n7\n{ROOTS[7].hex()}\n", "base64 of 32 bytes"),
    )
    for name, text, why in broken:
        yield refuse(name, f"{PAGE} 4", why, given(text), "note")
