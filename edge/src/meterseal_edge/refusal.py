"""The signed answer to what arrived damaged: `refused` (protocol/spec/chain.md, "What was refused").

A record that has rotted in a fixture's flash, or was signed wrongly, can never link, and nothing behind it ever would.
So the edge says that it can't take it: the fixture's key, the place where it was due, the SHA-256 of what came, and the
error's code. The fixture closes the epoch there and opens the next one. With it goes custody for what is held: where
the damaged one was a repetition, that is all that the fixture needs.

Answered is only what comes on the topic of a fixture whose key is granted and of which something is held. The same
bytes at one place are signed for once, and sent again at most each AGAIN_S while they are offered again; a fixture is
signed for a few times at once and then seldom (pace.py). So hostile bytes cost no more than that, and nobody else.

Not covered: the first statement that a key signs. Where nothing is held no place is due, and the chain begins here with
what comes next.
"""

import time
from collections.abc import Callable

from meterseal_edge.custody import Promiser
from meterseal_edge.events import Refused
from meterseal_edge.keybook import Keybook
from meterseal_edge.pace import Pace
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.statement import read
from meterseal_wire import labels as L
from meterseal_wire.chain import Head
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.statement import build

# What the bytes themselves are to blame for. An unknown key is not: its grant may come yet.
DAMAGED = ("wire", "verify.signature", "verify.header", "edge.parcel")
AT_ONCE, EACH_S, AGAIN_S = 8, 60, 30
REMEMBERED = 256
CODE_CHARACTERS = 64


class Refuser:
    """Signs with the promiser's key, and remembers what it has signed for."""

    def __init__(
        self, promiser: Promiser, keys: Keybook, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.promiser, self.keys, self.now_s = promiser, keys, now_s
        self._pace = Pace(AT_ONCE, EACH_S, now_s)
        self._said: dict[tuple[str, bytes, tuple[int, int]], tuple[bytes, float]] = {}

    def answer(self, refused: Refused) -> list[bytes]:
        """Custody and `refused` for one fixture; nothing where nothing is to be said, or was said just now."""
        if not refused.code.startswith(DAMAGED):
            return []
        key, head = self._newest(refused.fixture)
        place = due(head, refused.raw) if head else None
        if place is None:
            return []
        name, now = (refused.fixture, sha256(refused.raw), place), self.now_s()
        raw, said = self._said.get(name, (b"", 0.0))
        if now - said < AGAIN_S if raw else not self._pace.may(refused.fixture):
            return []
        raw = raw or self._signed(key, place, refused)
        self._said.pop(name, None)
        while len(self._said) >= REMEMBERED:
            del self._said[next(iter(self._said))]
        self._said[name] = (raw, now)
        return [self.promiser.promise(key, refused.fixture).raw, raw]

    def _newest(self, fixture: str) -> tuple[bytes, Head | None]:
        """The key that the fixture signed with last, as far as is held, and the head of its chain."""
        found: tuple[bytes, Head | None] = (b"", None)
        for key in self.keys.keys_of(fixture):
            head = self.promiser.log.head(key)
            if head and (found[1] is None or (head.epoch, head.seq) > (found[1].epoch, found[1].seq)):
                found = (key, head)
        return found

    def _signed(self, key: bytes, place: tuple[int, int], refused: Refused) -> bytes:
        payload = {
            L.KEY: key,
            L.EPOCH: place[0],
            L.SEQ: place[1],
            L.STATEMENT: sha256(refused.raw),
            L.CODE: refused.code[:CODE_CHARACTERS],
        }
        return bytes(build(self.promiser.author, L.KIND_REFUSED, payload))


def due(head: Head, raw: bytes) -> tuple[int, int] | None:
    """Where those bytes stood in the chain: the place after the head, unless they still say another that may follow.

    None where they say one that does not follow: what is held already, or what waits for something else.
    """
    following = (head.epoch, head.seq + 1)
    try:
        chain = read(raw).chain
    except (ProtocolError, WireError):
        return following
    if chain is None:
        return following
    said = chain[:2]
    return said if said == following or (said[0] > head.epoch and said[1] == 0) else None
