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
        self._saved: dict[str, tuple[float, float]] = {}

    def may(self, name: str) -> bool:
        """True if this name is answered now; counts it."""
        now, rim = self.now_s(), self.at_once * self.each_s
        saved, since = self._saved.pop(name, (rim, now))
        saved = min(rim, saved + now - since)
        yes = saved >= self.each_s
        # The name asked for longest ago goes: by then its bucket is mostly full again.
        while len(self._saved) >= NAMES:
            del self._saved[next(iter(self._saved))]
        self._saved[name] = (saved - self.each_s if yes else saved, now)
        return yes
