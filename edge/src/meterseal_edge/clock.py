"""The edge's clock, signed: the answer to the nonce that a fixture asks when it comes online (protocol/spec/time.md).

Only for a key that a grant gives to the fixture of that topic, at this site: a token names that key, so nobody else's
can use it. It is a hint, and moves no boundary.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from meterseal_edge.keybook import Keybook
from meterseal_edge.presence import Presence
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


@dataclass(frozen=True)
class Clock:
    """Signs `time` with the edge's key; `now_s` gives Unix seconds."""

    author: Author
    keys: Keybook
    now_s: Callable[[], float] = time.time

    def knows(self, presence: Presence) -> bool:
        """True if the key that it tells of is granted to the fixture of this topic."""
        holder = self.keys.fixture(presence.key)
        return holder is not None and holder.name == presence.fixture

    def answer(self, presence: Presence) -> bytes | None:
        """The `time` statement for a fixture's question; None where it asked nothing, or its key is not known."""
        if not presence.nonce or not self.knows(presence):
            return None
        payload = {L.NONCE: presence.nonce, L.TIME_S: int(self.now_s()), L.KEY: presence.key}
        return bytes(build(self.author, L.KIND_TIME, payload))
