"""Entries that note who was looked at: cost counted, not timed.

Whoever picks entries up to a log size asks each for its leaf, so an entry whose leaf nobody asked for was not looked
at.
"""

from typing import ClassVar

from meterseal_protocol.entry import Entry


class Looked(Entry):
    """An entry; `Looked.at` are the leaves of all whose leaf was asked for since somebody last cleared it."""

    __slots__ = ("_place",)
    _place: int
    at: ClassVar[set[int]] = set()

    @property
    def leaf(self) -> int:
        """Where it stands in its log; noted."""
        Looked.at.add(self._place)
        return self._place

    @leaf.setter
    def leaf(self, value: int) -> None:
        object.__setattr__(self, "_place", value)
