"""The chains of many fixtures, and which part of them concerns one meter.

A part is a map *reach*: by (key, epoch) the highest sequence number. It goes up to each attempt and to what closed it;
it holds every epoch that lies between the two; and the boot that follows, since that says which head was still held.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Mapping

from meterseal_protocol.entry import Entry, closes
from meterseal_wire import labels as L
from meterseal_wire.chain import GENESIS

Reach = Mapping[tuple[bytes, int], int]


class Chains:
    """Chained entries by key and epoch. What was logged at `log_size` or beyond is never looked at."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._epochs: dict[bytes, list[int]] = {}
        self._within: dict[tuple[bytes, int], list[Entry]] = {}
        self._seen: dict[tuple[bytes, int, int | bytes], list[Entry]] = {}
        self._twice: dict[bytes, dict[tuple[int, int | bytes], list[Entry]]] = {}
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """One more entry; those outside of any chain are left alone."""
        if entry.statement.chain is None:
            return
        key, epoch, seq = entry.place
        own = self._within.setdefault((key, epoch), [])
        if not own:
            insort(self._epochs.setdefault(key, []), epoch)
        own.append(entry)
        self._meet(entry, (epoch, seq))
        prev = entry.statement.chain[2]
        if entry.statement.typ == L.KIND_BOOT and prev != GENESIS:
            self._meet(entry, (-1, prev))

    def _meet(self, entry: Entry, at: tuple[int, int | bytes]) -> None:
        """Remember who stands at one place, or opens an epoch behind one head: there may be one only."""
        group = self._seen.setdefault((entry.key, *at), [])
        group.append(entry)
        if len(group) > 1:
            self._twice.setdefault(entry.key, {})[at] = group

    def reach(self, attempts: Iterable[Entry], closers: Iterable[Entry], log_size: int) -> Reach:
        """The part of the chains that these attempts and closers need."""
        found: dict[tuple[bytes, int], int] = {}
        for entry in (*attempts, *closers):
            _take(found, entry)
        for closer in closers:
            key, opened, _ = closes(closer)
            for between in self._between(key, opened, closer.place[1], log_size):
                _take(found, between)
        for key, epoch in list(found):
            later = self._after(key, epoch, log_size)
            if later is not None:
                found.setdefault((key, later), 0)
        return found

    def within(self, reach: Reach, log_size: int) -> list[Entry]:
        """Every entry of that part."""
        return [
            entry
            for place, most in reach.items()
            for entry in self._within.get(place, ())
            if entry.place[2] <= most and entry.leaf < log_size
        ]

    def forked(self, keys: Iterable[bytes], log_size: int) -> list[list[Entry]]:
        """Groups of different statements of one key at one place, or of boots behind one head, in log order."""
        groups = (group for key in set(keys) for group in self._twice.get(key, {}).values())
        known = ([entry for entry in group if entry.leaf < log_size] for group in groups)
        return [
            sorted(group, key=lambda entry: entry.leaf)
            for group in known
            if len({entry.statement.identity for entry in group}) > 1
        ]

    def behind(self, key: bytes, prev: bytes, log_size: int) -> list[Entry]:
        """Boots of a key that follow the statement of that identity."""
        return [entry for entry in self._seen.get((key, -1, prev), ()) if entry.leaf < log_size]

    def _between(self, key: bytes, first: int, beyond: int, log_size: int) -> Iterable[Entry]:
        epochs = self._epochs.get(key, [])
        for epoch in epochs[bisect_right(epochs, first - 1) : bisect_right(epochs, beyond - 1)]:
            yield from (entry for entry in self._within[key, epoch] if entry.leaf < log_size)

    def _after(self, key: bytes, epoch: int, log_size: int) -> int | None:
        epochs = self._epochs.get(key, [])
        for later in epochs[bisect_right(epochs, epoch) :]:
            if any(entry.leaf < log_size for entry in self._within[key, later]):
                return later
        return None


def _take(found: dict[tuple[bytes, int], int], entry: Entry) -> None:
    key, epoch, seq = entry.place
    found[key, epoch] = max(seq, found.get((key, epoch), 0))
