"""What people did, for ever: a row for each act, chained by hash, signed by the edge, in a table that can only grow.

    hash = SHA-256 over the deterministic CBOR of [hash before, number, Unix seconds, who, what, about]
    signature = the edge's key over DOMAIN and the hash

So a row that was changed, taken out or put in between shows, to anybody who has the edge's public key; the table's
triggers stop an honest program from doing it. `who` is an account's number, 0 for the command line: no name is in the
chain, so a person can be erased and the chain stays whole.

Rows cut off at the end show by the mark beside the file (trail_mark.py), as far as nobody changes that too: whoever
needs to know keeps the newest number and hash elsewhere (the page and `meterseal edge trail` show both). Whoever has
the edge's key can write another trail. Sign-offs rest on neither: each is a statement that the person's own key signed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meterseal_edge.errors import PeopleFailed
from meterseal_edge.people import trail_mark
from meterseal_edge.people.roll import FILE, Asked, Roll
from meterseal_edge.people.trail_mark import EMPTY, Newest
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode

PAGE = 100
START = EMPTY.hash
BY_COMMAND = 0
DOMAIN = b"MeterSeal: an act of a person at this edge\n"  # no Sig_structure begins like this
SELECT = """
SELECT act.number, at_s, who, what, about, hash, signature, account.name
FROM act LEFT JOIN account ON account.id = who
"""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person did: when, whose account (`name` is None once removed), which act, about what."""

    number: int
    at_s: int
    who: int
    what: str
    about: dict[str, Any]
    hash: bytes
    name: str | None


class Trail:
    """The trail in the people's file, with the edge's key that signs it."""

    def __init__(self, roll: Roll, key: PrivateKey) -> None:
        self.roll, self.key = roll, key

    def write(self, who: int, what: str, about: Mapping[str, object]) -> None:
        """Add an act; inside `roll.together()` it is there exactly if the act is."""
        with self.roll.together():
            number, before = trail_mark.newest(self.roll)
            text, at_s = json.dumps(about, ensure_ascii=False, sort_keys=True), self.roll.now_s()
            chained = _hash(before, number + 1, at_s, (who, what, text))
            signature = self.key.suite.canonical(self.key.sign(DOMAIN + chained))
            values = (number + 1, at_s, who, what, text, chained, signature)
            self.roll.change("INSERT INTO act VALUES (?, ?, ?, ?, ?, ?, ?)", *values)
            written = Newest(number + 1, chained)
            self.roll.once_durable(lambda: trail_mark.advance(self.roll.folder, written))

    def newest(self) -> Newest:
        """Number and hash of the newest act; EMPTY of an empty trail."""
        return trail_mark.newest(self.roll)

    def page(self, before: int | None = None) -> list[Act]:
        """At most PAGE acts older than number `before`, newest first."""
        query = f"{SELECT} WHERE act.number < ? ORDER BY act.number DESC LIMIT ?"
        rows = self.roll.all(query, 1 << 62 if before is None else before, PAGE)
        return [
            Act(number, at_s, who, what, json.loads(about), chained, name)
            for number, at_s, who, what, about, chained, _, name in rows
        ]


def open_trail(folder: Path, key: PrivateKey) -> Trail:
    """The trail of an edge's folder; PeopleFailed where its file lacks what people did."""
    roll = Roll(folder / FILE)
    try:
        trail_mark.compare(roll, folder)
    except PeopleFailed:
        roll.close()
        raise
    return Trail(roll, key)


def broken_at(roll: Asked, keys: Sequence[PublicKey]) -> int | None:
    """Number of the first act that does not follow from those before it, or that none of `keys` signed; None while
    the trail is whole.
    """
    before, number = START, 1
    while rows := roll.all(f"{SELECT} WHERE act.number >= ? ORDER BY act.number LIMIT ?", number, PAGE):
        for found, at_s, who, what, about, chained, signature, _ in rows:
            follows = found == number and chained == _hash(before, number, at_s, (who, what, about))
            if not follows or not any(_signed(key, chained, signature) for key in keys):
                return number
            before, number = chained, number + 1
    return None


def _signed(key: PublicKey, chained: bytes, signature: bytes) -> bool:
    try:
        key.verify(DOMAIN + chained, signature)
    except ProtocolError:
        return False
    return True


def _hash(before: bytes, number: int, at_s: int, said: tuple[int, str, str]) -> bytes:
    return sha256(encode([before, number, at_s, *said]))
