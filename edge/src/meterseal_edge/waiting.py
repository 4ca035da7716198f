"""How long the oldest statement waits at a fixture, from nothing but the count that the fixture tells now and then.

The oldest leaves first. So whatever a count grows by began to wait now, and whatever it shrinks by is taken from the
oldest. Where one leaves and another comes between two counts, what is left seems older than it is: the age is *at
most*. It is for eyes only, by the edge's own clock.
"""

from collections import deque

MOST = 1000


class Waiting:
    """One fixture's queue as runs of [how many, since when], oldest first; of more than MOST runs the newest join."""

    def __init__(self) -> None:
        self._runs: deque[list[int]] = deque()
        self._count = 0

    def told(self, pending: int, now_s: int) -> int | None:
        """The fixture says how many it holds; since when the oldest of them waits, None where it holds none."""
        if pending > self._count:
            self._grow(pending - self._count, now_s)
        else:
            self._shrink(self._count - pending)
        self._count = pending
        return self._runs[0][1] if self._runs else None

    def _grow(self, by: int, now_s: int) -> None:
        if len(self._runs) >= MOST:
            self._runs[-1][0] += by
        else:
            self._runs.append([by, now_s])

    def _shrink(self, by: int) -> None:
        while by and self._runs:
            taken = min(by, self._runs[0][0])
            self._runs[0][0] -= taken
            by -= taken
            if not self._runs[0][0]:
                self._runs.popleft()
