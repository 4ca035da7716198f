"""The one question about time that is open: a nonce in the state topic, and the edge's signed answer to it.

An answer is believed once, if it is for this fixture's own key and for the nonce that was asked last. So an old token,
another fixture's, or one that was not asked for sets no clock. Whoever holds the edge's key can name any second: what
is believed here sets the board's calendar clock, by which TLS checks the dates of certificates, and stands in the
status line. It decides nothing else: an attempt's time is the registry's beacon (design section 1, item 4).
"""

import os

from meterseal_fixture.errors import Disbelieved
from meterseal_wire import labels as L

NONCE = 16
# 2020 and 2100: what lies outside is no clock's, and a board's calendar may not take it.
FIRST_S, LAST_S = 1577836800, 4102444800


class Question:
    """`time_s` is the last second that was believed, None before."""

    def __init__(self, entropy=os.urandom) -> None:
        self.entropy = entropy
        self.time_s: int | None = None
        self._nonce = b""

    def ask(self) -> str:
        """A fresh nonce in hex; the one before it counts no more."""
        self._nonce = self.entropy(NONCE)
        return self._nonce.hex()

    def answered(self, fields, thumbprint: bytes) -> int:
        """The second in a `time` statement that is signed by the edge; Disbelieved unless it answers what was asked."""
        if fields[L.KEY] != thumbprint:
            raise Disbelieved("down.disbelieved", "time for another key")
        if not self._nonce or fields[L.NONCE] != self._nonce:
            raise Disbelieved("down.disbelieved", "time for another question")
        self._nonce = b""
        if not FIRST_S <= fields[L.TIME_S] < LAST_S:
            raise Disbelieved("down.disbelieved", "no second of this century")
        time_s: int = fields[L.TIME_S]
        self.time_s = time_s
        return time_s
