"""How often the edge answers one fixture: a few times at once, then one answer each so many seconds.

Whoever can publish as a fixture makes the edge sign and send. A bucket a name bounds that, whatever is asked; a fixture
that really comes and goes is answered at its next question.
"""

import time
from collections.abc import Callable

AT_ONCE, EACH_S = 5, 10
NAMES = 1024


class Pace:
    """Buckets by name: at most `at_once` answers together, and one more each `each_s` seconds."""

    def __init__(
        self, at_once: int = AT_ONCE, each_s: float = EACH_S, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.at_once, self.each_s, self.now_s = at_once, each_s, now_s
        self._left: dict[str, tuple[float, float]] = {}

    def may(self, name: str) -> bool:
        """True if this name is answered now; counts it."""
        now = self.now_s()
        left, since = self._left.pop(name, (float(self.at_once), now))
        left = min(float(self.at_once), left + (now - since) / self.each_s)
        yes = left >= 1
        # The name asked for longest ago goes: by then its bucket is mostly full again.
        while len(self._left) >= NAMES:
            del self._left[next(iter(self._left))]
        self._left[name] = (left - 1 if yes else left, now)
        return yes
