"""Plans and tenants on their way to one fixture: what it lacks, few at a time. Pure: no I/O.

The fixture keeps WINDOW items waiting, and its status line names the one that it dealt with last, believed or not; so
the next ones go when the last of a window is named, and the same ones again after a while, TRIES times in all. Whether
an item was believed shows in the fixture's next state message.
"""

from collections.abc import Sequence
from typing import Any

from meterseal_edge.offers import Granted

WINDOW = 4
AGAIN_S, TRIES = 15.0, 4


class GrantLine:
    """`dealt` are the names that the fixture has said it dealt with."""

    def __init__(self, lacking: Sequence[Granted], now_s: float) -> None:
        self.dealt: set[str] = set()
        self._left = list(lacking)
        self._under_way: list[Granted] = []
        self._due, self._tries = now_s, 0

    @property
    def over(self) -> bool:
        """True once nothing more is sent."""
        return not self._left and not self._under_way

    def tick(self, now_s: float) -> list[list[Any]]:
        """What to send because time has passed."""
        if now_s < self._due or self.over:
            return []
        if self._under_way and self._tries >= TRIES:
            self._left, self._under_way = [], []
            return []
        return self._send(now_s)

    def hear(self, told: Any, now_s: float) -> list[list[Any]]:
        """What to send after a status line's `granted`."""
        last = told.get("last") if isinstance(told, dict) else None
        if not self._under_way or last != self._under_way[-1].name:
            return []
        self.dealt |= {one.name for one in self._under_way}
        self._under_way, self._tries = [], 0
        return self._send(now_s)

    def _send(self, now_s: float) -> list[list[Any]]:
        if not self._under_way:
            self._under_way, self._left = self._left[:WINDOW], self._left[WINDOW:]
        self._tries += 1
        self._due = now_s + AGAIN_S
        return [one.item for one in self._under_way]
