"""Subject log, second part (checkpoint.md): a witness's answers, quorums, and the time of an entry."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from maker.case import FixedKey, accept, refuse
from maker.logs import (
    ENTRIES,
    HASHES,
    HEAD,
    LOG,
    NOTE,
    NOW_S,
    ORIGIN,
    OTHERS,
    PAGE,
    ROOTS,
    STRANGER,
    A,
    B,
    C,
    key_text,
    line,
)
from meterseal_protocol.checkpoint_text import LogHead, sign_head
from meterseal_protocol.merkle import EMPTY, Inclusion, consistency_proof, include, subtree
from meterseal_protocol.note import Note, NoteSignature
from meterseal_protocol.note_key import NoteSigner
from meterseal_wire.suites import ED25519


def cases() -> Iterator[dict[str, Any]]:
    """Every case of this part."""
    yield from witness_cases()
    yield from time_cases()


def head_of(hashes: Sequence[bytes], size: int) -> Note:
    """The log's signed checkpoint over the first leaves of a history."""
    return sign_head(LOG, LogHead(ORIGIN, size, subtree(hashes, 0, size) if size else EMPTY))


def asked(old: int, proof: Sequence[bytes], note: Note, seen: int | None) -> dict[str, Any]:
    """Input of a witness case: the request, and the size of the honest history that the witness remembers."""
    hashes = "".join(base64.b64encode(item).decode() + "\n" for item in proof)
    return {
        "what": "witness",
        "request": (f"old {old}\n{hashes}\n".encode() + note.raw).hex(),
        "seen": None if seen is None else {"size": seen, "root": ROOTS[seen].hex()},
        "name": A.key.name,
        "seed": sha256(f"meterseal vector key {A.key.name}".encode()).hexdigest(),
        "logs": {ORIGIN: [str(LOG.key)]},
        "now_s": NOW_S,
    }


def witness_cases() -> Iterator[dict[str, Any]]:
    """A witness's answers (C2SP tlog-witness, add-checkpoint)."""
    proof = consistency_proof(HASHES, 3, 7)

    def signed(name: str, why: str, given: dict[str, Any], size: int) -> dict[str, Any]:
        body = line(A.sign(head_of(HASHES, size).text, NOW_S))
        new = {"size": size, "root": ROOTS[size].hex()}
        return accept(name, f"{PAGE} 8", why, given, status=200, body=body, seen=new)

    yield signed(
        "witness sees a log for the first time",
        "the empty tree is the beginning of every tree",
        asked(0, [], head_of(HASHES, 3), None),
        3,
    )
    yield signed("witness sees it grow", "3 to 7 with its proof", asked(3, proof, head_of(HASHES, 7), 3), 7)
    yield signed(
        "witness sees the same again",
        "a fresh time over the same tree",
        asked(7, [], head_of(HASHES, 7), 7),
        7,
    )
    yield signed(
        "witness sees an empty log",
        "size 0 and the hash of nothing",
        asked(0, [], head_of(HASHES, 0), None),
        0,
    )
    conflict = {"status": 409, "body": "3\n"}
    yield accept(
        "witness remembers another size",
        f"{PAGE} 8",
        "the answer says which",
        asked(2, consistency_proof(HASHES, 2, 7), head_of(HASHES, 7), 3),
        **conflict,
    )
    yield accept(
        "witness is asked to forget",
        f"{PAGE} 8",
        "a first time comes once",
        asked(0, [], head_of(HASHES, 7), 3),
        **conflict,
    )
    late = asked(3, proof, head_of(HASHES, 7), 3)
    stranger = Note(HEAD.text, (STRANGER.sign(HEAD.text),))
    forged = NOTE.signed(NoteSignature(ORIGIN, LOG.key.key_id, bytes(64)))
    nothing = Note(LogHead(ORIGIN, 0, bytes(32)).text, (LOG.sign(LogHead(ORIGIN, 0, bytes(32)).text),))
    rows = (
        (
            "witness of an unknown log",
            404,
            "it knows the origins it was given",
            {**late, "logs": {"edge/EDGE2": [str(LOG.key)]}},
        ),
        (
            "witness without a signature of the log",
            403,
            "a line by a trusted key",
            asked(3, proof, stranger, 3),
        ),
        (
            "witness with a forged signature of the log",
            403,
            "a trusted key's line must hold",
            asked(3, proof, forged, 3),
        ),
        (
            "witness is shown a smaller tree",
            400,
            "the old size is not above the new",
            asked(7, [], head_of(HASHES, 3), 7),
        ),
        (
            "witness is shown a rewritten tree",
            422,
            "no proof leads there",
            asked(7, consistency_proof(OTHERS, 7, 9), head_of(OTHERS, 9), 7),
        ),
        (
            "witness is shown two roots of one size",
            422,
            "never two roots for one size",
            asked(7, [], head_of(OTHERS, 7), 7),
        ),
        ("witness gets no proof", 422, "a tree that grew needs one", asked(3, [], head_of(HASHES, 7), 3)),
        (
            "witness gets a proof too long",
            422,
            "no hash is left over",
            asked(3, [*proof, bytes(32)], head_of(HASHES, 7), 3),
        ),
        (
            "witness gets a proof too short",
            422,
            "every hash is needed",
            asked(3, proof[:-1], head_of(HASHES, 7), 3),
        ),
        (
            "witness gets a proof from nothing",
            422,
            "from the empty tree there is none",
            asked(0, proof, head_of(HASHES, 7), None),
        ),
        (
            "witness gets a proof for the same tree",
            422,
            "from a tree to itself there is none",
            asked(7, [bytes(32)], head_of(HASHES, 7), 7),
        ),
        (
            "witness is shown an empty tree with a root",
            422,
            "the hash of nothing",
            asked(0, [], nothing, None),
        ),
        ("witness gets 64 hashes", 400, "at most 63", asked(3, [bytes(32)] * 64, head_of(HASHES, 7), 3)),
        (
            "witness gets a size with a leading zero",
            400,
            "decimal without leading zeroes",
            {**late, "request": late["request"].replace(b"old 3\n".hex(), b"old 03\n".hex())},
        ),
        (
            "witness gets no old size",
            400,
            "the first line is `old` and a size",
            {**late, "request": late["request"][12:]},
        ),
    )
    for name, status, why, given in rows:
        yield accept(name, f"{PAGE} 8", why, given, status=status)


def log_input(least: int, members: Sequence[Any]) -> dict[str, Any]:
    """How the log is believed: its key, and a quorum."""
    return {"origin": ORIGIN, "keys": [str(LOG.key)], "quorum": {"least": least, "members": list(members)}}


def row(note: Note, place: Inclusion) -> dict[str, Any]:
    """A sighting."""
    return {
        "note": note.raw.hex(),
        "index": place.index,
        "size": place.size,
        "path": [item.hex() for item in place.path],
    }


def cosigned(times: Mapping[NoteSigner, int], note: Note = NOTE) -> Note:
    """A checkpoint with these cosignatures."""
    return note.signed(*(signer.sign(note.text, time_s) for signer, time_s in times.items()))


def time_cases() -> Iterator[dict[str, Any]]:
    """When an entry had been seen, and its not after."""
    two = log_input(2, [str(A.key), str(B.key), str(C.key)])
    place = include(HASHES, 4, 7)
    given = {"what": "sighting", "identity": ENTRIES[4].hex(), "log": two}
    good = row(cosigned({A: 100, B: 300, C: 200}), place)
    yield accept(
        "seen by two of three",
        f"{PAGE} 9",
        "the second smallest of three times",
        {**given, "sighting": good},
        seen_s=200,
    )
    groups = log_input(2, [str(A.key), {"least": 1, "members": [str(B.key), str(C.key)]}])
    yield accept(
        "seen by a witness and a group",
        f"{PAGE} 9",
        "the group counts from its first",
        {**given, "log": groups, "sighting": good},
        seen_s=200,
    )
    zero = NoteSignature(
        A.key.name,
        A.key.key_id,
        bytes(8) + FixedKey(A.key.name, ED25519).sign(b"cosignature/v1\ntime 0\n" + NOTE.text.encode()),
    )
    short = row(cosigned({A: 100, B: 300}), Inclusion(4, 7, place.path[:-1]))
    other = sign_head(LOG, LogHead("edge/EDGE2", 7, ROOTS[7]))
    rows = (
        ("seen by one of three", row(cosigned({A: 100}), place), "two are asked for", "proof"),
        ("seen at no second", row(cosigned({B: 300}).signed(zero), place), "second 0 says no time", "proof"),
        (
            "seen in another log",
            row(cosigned({A: 100, B: 300}, other), place),
            "the origin is the log's",
            "proof",
        ),
        (
            "seen without the log's signature",
            row(Note(NOTE.text, cosigned({A: 100, B: 300}).signatures[1:]), place),
            "the log signs what is witnessed",
            "verify.unknown_key",
        ),
        (
            "seen at another place",
            row(cosigned({A: 100, B: 300}), include(HASHES, 3, 7)),
            "the path starts from this entry",
            "proof",
        ),
        (
            "seen in a tree of another size",
            row(cosigned({A: 100, B: 300}), Inclusion(4, 8, place.path)),
            "the path is of the checkpoint's tree",
            "proof",
        ),
        ("seen with a path too short", short, "the path leads to the root", "proof"),
        (
            "seen with a forged cosignature",
            row(cosigned({A: 100, B: 300}).signed(NoteSignature(C.key.name, C.key.key_id, bytes(72))), place),
            "it spoils the note",
            "verify.signature",
        ),
    )
    for name, sighting, why, code in rows:
        yield refuse(name, f"{PAGE} 9", why, {**given, "sighting": sighting}, code)
    renamed = key_text("witness.example/z", b"\x04" + A.key.public.xy)
    for name, log, why in (
        (
            "seen by one key under two names",
            log_input(2, [str(A.key), renamed]),
            "a cosignature does not sign the name",
        ),
        ("seen by a log as its own witness", log_input(1, [str(LOG.key)]), "keys of type 4 alone"),
        ("seen by nobody, and that is enough", log_input(0, [str(A.key)]), "one at least"),
        ("seen by more than there are", log_input(2, [str(A.key)]), "all at most"),
    ):
        yield refuse(name, f"{PAGE} 9", why, {**given, "log": log, "sighting": good}, "key")
    yield from not_after_cases(good, short, two)


def not_after_cases(good: Any, short: Any, log: Any) -> Iterator[dict[str, Any]]:
    """The earlier of two."""
    for name, entered_s, sightings, expected, why in (
        ("not after the registry's entry", 150, [good], 150, "it was earlier"),
        ("not after the witnesses", 250, [good], 200, "they were earlier"),
        ("not after the witnesses alone", None, [good], 200, "no receipt yet"),
        ("not after the registry alone", 250, [], 250, "nobody else saw it"),
        ("not after anything", None, [short], None, "nothing bounds it"),
        ("not after a sighting that does not hold", 250, [short], 250, "it moves nothing"),
    ):
        given = {
            "what": "not after",
            "identity": ENTRIES[4].hex(),
            "log": log,
            "entered_s": entered_s,
            "sightings": sightings,
        }
        yield accept(name, f"{PAGE} 10", why, given, not_after_s=expected)
