"""Which of the two slots, `a` and `b`, starts: one value in a cell, and a table.

| state of a slot | event | next |
|---|---|---|
| old, bad, try, filling | staged | filling |
| filling | verified | try |
| try | started, while one of its three starts is left | try |
| try | given_up, at the start after the third | bad |
| try | confirmed | good |
| good | replaced, when the other slot is confirmed | old |
| any but good | needed, when the good slot is damaged and this one is whole | good |
| good | damaged, when the other slot is needed | bad |

One slot is good at any time. It starts, except while the other is `try`; old, filling and bad never start. Whether what
lies in a slot is whole, the loader looks at each start (whole.py).

Promise: a power cut at any moment leaves the value before a step or the one after it (cell.py), so a slot that was
not verified whole never starts, and the rollback counter never goes back: it is in the same value and only grows.

The loader is built from this file too, and stays as it was when the board was flashed: the 44 bytes of the value
cannot change their meaning.

Not covered: whoever can write the flash can write the cell.
"""

import os

from meterseal_fixture.cell import Cell
from meterseal_fixture.errors import NotKept

NAMES = ("a", "b")
GOOD, OLD, FILLING, TRY, BAD = "good", "old", "filling", "try", "bad"
NEXT = {
    (OLD, "staged"): FILLING,
    (BAD, "staged"): FILLING,
    (TRY, "staged"): FILLING,
    (FILLING, "staged"): FILLING,
    (FILLING, "verified"): TRY,
    (TRY, "started"): TRY,
    (TRY, "given_up"): BAD,
    (TRY, "confirmed"): GOOD,
    (GOOD, "replaced"): OLD,
    (OLD, "needed"): GOOD,
    (FILLING, "needed"): GOOD,
    (TRY, "needed"): GOOD,
    (BAD, "needed"): GOOD,
    (GOOD, "damaged"): BAD,
}
STARTS = 3
STATES = (OLD, FILLING, TRY, BAD)
QUIET, INSTALLED, GIVEN_UP, DAMAGED = 0, 1, 2, 3
NOTHING = bytes(32)
SIZE = 44


class Slots:
    """The slots below `root` ("" for the board's root) and their cell `state/slot`; `running` is a name or "".

    `good` and `other` are names, `state` is the other's, `left` its starts; `counter` is the rollback counter;
    `coming` and `digest` are counter and digest (32 bytes) of what was staged last.
    """

    def __init__(self, root: str, running: str = "") -> None:
        self.root, self.running = root, running
        self._cell = Cell(root + "/state/slot", SIZE)
        raw = self._cell.read() or bytes(SIZE)
        self.good, self.other = NAMES[raw[0] & 1], NAMES[1 - (raw[0] & 1)]
        self.state = STATES[raw[1] & 3]
        self.left, self.news = raw[2], raw[3]
        self.counter, self.coming = int.from_bytes(raw[4:8], "big"), int.from_bytes(raw[8:12], "big")
        self.digest = raw[12:SIZE]

    def folder(self, name: str) -> str:
        """Where the slot of that name lies."""
        return "%s/%s" % (self.root, name)

    def on_trial(self) -> bool:
        """True if what runs was not confirmed yet."""
        return self.running == self.other and self.state == TRY

    def choose(self) -> str:
        """The loader's question: the slot to start now. A start on trial is counted before it is made."""
        if self.state != TRY:
            return self.good
        try:
            if self.left:
                self._step("started", self.left - 1)
                return self.other
            self.news = GIVEN_UP
            self._step("given_up")
        except NotKept:
            return self.good
        return self.good

    def stage(self, digest: bytes) -> None:
        """What lies in the other slot will not start any more; `digest` names what is to come there. An event about
        what was there is told before this, or never.
        """
        self.digest, self.news = digest, QUIET
        self._step("staged")

    def mark(self, counter: int) -> None:
        """The other slot was verified whole: it may start, STARTS times."""
        self.coming = counter
        self._step("verified", STARTS)

    def confirm(self) -> None:
        """What runs on trial is good from now on, and the counter is its own. Nothing where nothing is on trial."""
        if not self.on_trial():
            return
        self.counter, self.news = max(self.counter, self.coming), INSTALLED
        self.state = NEXT[self.state, "confirmed"]
        self.good, self.other = self.other, self.good
        self.state = NEXT[self.state, "replaced"]
        self._write()

    def fall_back(self) -> None:
        """The good slot is damaged and the other one was found whole: from now on that is the good one."""
        self.state = NEXT[self.state, "needed"]
        self.good, self.other = self.other, self.good
        self.news = DAMAGED
        self._step("damaged")

    def event(self):
        """(event, detail) that the next boot must sign, or None; `told` ends it."""
        what = "slot %s counter %d digest %s"
        if self.news == INSTALLED:
            return "update installed", what % (self.good, self.counter, self.digest.hex())
        if self.news == GIVEN_UP:
            return "update given up", what % (self.other, self.coming, self.digest.hex())
        if self.news == DAMAGED:
            return "slot damaged", "slot %s damaged, slot %s started instead" % (self.other, self.good)
        return None

    def told(self) -> None:
        """The event is signed and kept."""
        if self.news != QUIET:
            self.news = QUIET
            self._write()

    def _step(self, event: str, left: int = 0) -> None:
        self.state, self.left = NEXT[self.state, event], left
        self._write()

    def _write(self) -> None:
        if "state" not in os.listdir(self.root or "/"):
            os.mkdir(self.root + "/state")
        raw = bytes((NAMES.index(self.good), STATES.index(self.state), self.left, self.news))
        self._cell.write(raw + self.counter.to_bytes(4, "big") + self.coming.to_bytes(4, "big") + self.digest)


def here(file: str):
    """The slots around the application whose package lies at `file`; None where it does not run from a slot."""
    parts = file.rsplit("/", 3)
    return Slots(parts[0], parts[1]) if len(parts) == 4 and parts[1] in NAMES else None
