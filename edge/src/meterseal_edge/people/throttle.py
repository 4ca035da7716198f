"""How often the door may be tried: after FREE failures each further one doubles the wait, for a name and for an
address. An attempt counts as failed from the moment it begins, so a hundred at once gain nothing over one by one.

Held in memory and bounded: the oldest is forgotten first, and everything that was quiet for FORGOTTEN_S. Somebody else
can make a name wait, at most MOST_WAIT_S at a time; a passkey is not asked for a name and goes on.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from meterseal_edge.errors import NotTaken

FREE, FIRST_WAIT_S, MOST_WAIT_S, FORGOTTEN_S, REMEMBERED = 5, 15, 900, 3600, 5000
MOST_DOUBLINGS = 10


class Throttle:
    """Failures by name and by address; `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def begin(self, subjects: Sequence[str]) -> None:
        """Count an attempt for each; NotTaken while one of them has to wait."""
        with self._lock:
            left = max(self._left(subject) for subject in subjects)
            if left > 0:
                why = f"too many failed attempts; try again in {int(left) + 1} s"
                raise NotTaken("edge.wait", why)
            for subject in subjects:
                self._failures[subject] = (self._count(subject) + 1, self.clock())
                self._failures.move_to_end(subject)
                if len(self._failures) > REMEMBERED:
                    self._failures.popitem(last=False)

    def passed(self, name: str, address: str) -> None:
        """The attempt was good: forget a name's failures, and of the address only this one: others try from there."""
        with self._lock:
            self._failures.pop(name, None)
            count, at_s = self._failures.pop(address, (0, 0.0))
            if count > 1:
                self._failures[address] = (count - 1, at_s)

    def _count(self, subject: str) -> int:
        count, at_s = self._failures.get(subject, (0, 0.0))
        return count if self.clock() - at_s < FORGOTTEN_S else 0

    def _left(self, subject: str) -> float:
        count = self._count(subject)
        if count < FREE:
            return 0
        wait_s = min(MOST_WAIT_S, FIRST_WAIT_S << min(count - FREE, MOST_DOUBLINGS))
        return self._failures[subject][1] + wait_s - self.clock()
