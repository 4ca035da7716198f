"""What the judge reads about one meter, picked from a log by a pure rule.

Two people with the same log pick the same evidence, in whichever order they got it:

- every attempt that names the meter, what closed it, the chain around both (chains.py), the beacons they cite;
- the newest scope of the meter;
- marks, notices and remeasurements of the meter, sign-offs with a row of it under one of its results, and the
  corrections of any of those with what replaces them;
- sampling statements of its maker whose window covers the entry of one of its results, and remeasurements of other
  meters of that maker under the number of one of them;
- of every key that tested the meter: its boots of 30 days before a result, check runs (with their beacons) since the
  last finished one before the meter's first attempt, key rotations and whatever it signed twice for one place; the
  rotation of another key that its own boot follows, and that boot;
- results and abandonments of other keys that cite an attempt of the meter which they don't have themselves;
- sightings of any statement of that chain.

Entries beyond the log size do not exist.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from meterseal_protocol.chains import Chains, Reach
from meterseal_protocol.entry import CLOSERS, Entry, Place, closes, names
from meterseal_protocol.errors import BadKey
from meterseal_protocol.kept import kept
from meterseal_protocol.keys import PublicKey
from meterseal_protocol.signoff import rows_of
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.tree import tree_hash

__all__ = [
    "CLOSERS",
    "MONTH_S",
    "ROTATED",
    "Entry",
    "Evidence",
    "EvidenceIndex",
    "Place",
    "closes",
    "evidence_root",
    "names",
    "select",
]
MONTH_S = 30 * 86_400
ROTATED = "key rotated"
OF_ONE_METER = (L.KIND_MARKS, L.KIND_NOTICE, L.KIND_REMEASUREMENT)
CORRIGIBLE = (L.KIND_SIGNOFF, L.KIND_MARKS, L.KIND_NOTICE)


@dataclass(frozen=True)
class Evidence:
    """All that speaks about `meter` in a log of `log_size` leaves; `blobs` are evidence items by identity."""

    meter: str
    entries: tuple[Entry, ...]
    log_size: int
    blobs: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def of_kind(self, kind: int) -> list[Entry]:
        """Entries of one kind, in log order."""
        return self._by_kind.get(kind, [])

    @kept
    def _by_kind(self) -> dict[int, list[Entry]]:
        found: dict[int, list[Entry]] = {}
        for entry in sorted(self.entries, key=lambda entry: (entry.leaf, entry.statement.identity)):
            found.setdefault(entry.statement.typ, []).append(entry)
        return found

    @kept
    def attempts(self) -> list[Entry]:
        """Attempts that name the meter, in log order."""
        return [entry for entry in self.of_kind(L.KIND_ATTEMPT) if names(entry, self.meter)]

    @kept
    def closers(self) -> list[Entry]:
        """What closes one of them."""
        opened = {entry.place for entry in self.attempts}
        return [entry for kind in CLOSERS for entry in self.of_kind(kind) if closes(entry) in opened]

    @kept
    def chains(self) -> Chains:
        """Everything chained that is here."""
        return Chains(self.entries)

    @kept
    def reach(self) -> Reach:
        """How far each epoch must be whole. What else is here of a chain stands alone, as it was picked."""
        return self.chains.reach(self.attempts, self.closers, self._beyond)

    @kept
    def links(self) -> list[Entry]:
        """The part of the chains that must be whole."""
        return self.chains.within(self.reach, self._beyond)

    @kept
    def forked(self) -> list[list[Entry]]:
        """Different statements of one key at one place, or boots behind one head."""
        return self.chains.forked((entry.key for entry in self.attempts), self._beyond)

    @property
    def _beyond(self) -> int:
        """A size above every leaf that is here."""
        return max((entry.leaf for entry in self.entries), default=0) + 1


@lru_cache(maxsize=256)
def evidence_root(items: tuple[bytes, ...]) -> bytes:
    """Tree hash over evidence items. All meters of a run share theirs, so it is kept."""
    return bytes(tree_hash(list(items)))


def select(
    meter: str, pool: Iterable[Entry], log_size: int, blobs: Mapping[bytes, tuple[bytes, ...]] | None = None
) -> Evidence:
    """The evidence about `meter` among the entries of `pool` with leaf below `log_size`."""
    known = (entry for entry in pool if entry.leaf < log_size)
    return EvidenceIndex.over(known, blobs or {}).select(meter, log_size)


class EvidenceIndex:
    """A pool that is fed entry by entry and answers for one meter without a walk over all.

    `select` gives what the function of that name gives over the same entries, and looks at nothing else.
    """

    def __init__(self) -> None:
        self._chains = Chains()
        self._blobs: dict[bytes, tuple[bytes, ...]] = {}
        self._signoffs: dict[bytes, Entry] = {}
        self._about: dict[tuple[object, ...], list[Entry]] = {}
        self._orphans: dict[tuple[int, int], list[Entry]] = {}

    @classmethod
    def over(cls, pool: Iterable[Entry], blobs: Mapping[bytes, tuple[bytes, ...]]) -> "EvidenceIndex":
        """An index of these entries, with their evidence items."""
        found = cls()
        for entry in pool:
            found.add(entry, blobs.get(entry.statement.identity, ()))
        return found

    def add(self, entry: Entry, items: tuple[bytes, ...] = ()) -> None:
        """The next entry, with its evidence items as far as they are known."""
        self._chains.add(entry)
        for about in _subjects(entry):
            self._about.setdefault(about, []).append(entry)
        if entry.statement.typ in (L.KIND_ATTEMPT, *CLOSERS):
            self._pair(entry)
        if entry.statement.typ == L.KIND_SIGNOFF:
            self._signoffs[entry.statement.identity] = entry
        if items:
            self.add_items(entry.statement.identity, items)

    def _pair(self, entry: Entry) -> None:
        """Closers whose own attempt is not there, or came later, wait by the place that they cite. They are few, where
        all that cite a place are as many as there are fixtures.
        """
        if entry.statement.typ == L.KIND_ATTEMPT:
            waiting = self._orphans.get(entry.place[1:], [])
            waiting[:] = [other for other in waiting if not _paired(entry, other)]
        elif not any(_paired(attempt, entry) for attempt in self._about.get(("place", closes(entry)), ())):
            self._orphans.setdefault(closes(entry)[1:], []).append(entry)

    def orphans(self, log_size: int, place: tuple[int, int]) -> list[Entry]:
        """Closers below a size that cite (epoch, seq) and whose attempt was not logged before them."""
        return [entry for entry in self._orphans.get(place, ()) if entry.leaf < log_size]

    def add_items(self, identity: bytes, items: tuple[bytes, ...]) -> None:
        """Evidence items of a statement, which may come after it."""
        self._blobs[identity] = items
        if identity in self._signoffs:
            for result, meter in {(row.result, row.meter) for row in rows_of(items)}:
                self._about.setdefault(("row", result, meter), []).append(self._signoffs[identity])

    def select(self, meter: str, log_size: int, without: Collection[bytes] = ()) -> Evidence:
        """The evidence about `meter` among the entries with leaf below `log_size`; `without`: as if the evidence items
        of these statements had not come.
        """
        pick = _Pick(self, meter, log_size, without)
        chosen = {(entry.statement.identity, entry.leaf): entry for entry in pick.all()}
        entries = [chosen[name] for name in sorted(chosen)]
        mine = (entry.statement.identity for entry in entries)
        blobs = {name: self._blobs[name] for name in mine if name in self._blobs and name not in without}
        return Evidence(meter, tuple(entries), log_size, blobs)

    def about(self, log_size: int, *subject: object) -> list[Entry]:
        """Entries below a size that concern a subject."""
        return [entry for entry in self._about.get(subject, ()) if entry.leaf < log_size]

    @property
    def chains(self) -> Chains:
        """Everything chained."""
        return self._chains


def _paired(attempt: Entry, closer: Entry) -> bool:
    """True if every log that holds the closer holds the attempt that it closes."""
    return closes(closer) == attempt.place and attempt.leaf <= closer.leaf


def _subjects(entry: Entry) -> Iterator[tuple[object, ...]]:
    """By what an entry is looked up."""
    typ, payload = entry.statement.typ, entry.statement.payload
    if typ == L.KIND_ATTEMPT:
        yield "place", entry.place
        yield from {("attempt", position[L.METER]) for position in payload[L.POSITIONS]}
        if payload[L.MODE] == kinds.CHECK:
            yield "check", entry.key
    elif typ in CLOSERS:
        yield "closes", closes(entry)
    elif typ == L.KIND_BEACON:
        yield "beacon", entry.statement.identity
    elif typ == L.KIND_BOOT:
        yield "boot", entry.key
    elif typ == L.KIND_EVENT and payload[L.EVENT] == ROTATED:
        yield "rotated", entry.key
        yield from _heir(payload)
    elif typ == L.KIND_SIGHTING:
        yield "sighted", payload[L.STATEMENT]
    elif typ == L.KIND_SAMPLING:
        yield "sampling", payload[L.MAKER]
    elif typ == L.KIND_SCOPE or typ in OF_ONE_METER:
        yield typ, payload[L.METER]
        if typ == L.KIND_REMEASUREMENT and L.NUMBER in payload:
            yield "drawn", payload[L.METER].partition(".")[0], payload[L.NUMBER]
    if typ in CORRIGIBLE:
        yield "corrigible", entry.statement.identity
    elif typ == L.KIND_CORRECTION:
        yield "corrects", payload[L.REPLACES]


def _heir(payload: Mapping[int, Any]) -> Iterator[tuple[object, ...]]:
    """The key that a rotation names, where it names one."""
    try:
        yield "handed to", PublicKey.from_cose(payload[L.SUBJECT_KEY]).thumbprint
    except (KeyError, BadKey):
        return


class _Pick:
    """One selection from an index."""

    def __init__(self, index: EvidenceIndex, meter: str, log_size: int, without: Collection[bytes]) -> None:
        self.index, self.meter, self.size, self.without = index, meter, log_size, without
        self.attempts = self._about("attempt", meter)
        places = {entry.place for entry in self.attempts}
        self.closers = [entry for place in places for entry in self._about("closes", place)]
        self.results = [entry for entry in self.closers if entry.statement.typ == L.KIND_RESULT]
        self.keys = {entry.key for entry in self.attempts}

    def _about(self, *subject: object) -> list[Entry]:
        return self.index.about(self.size, *subject)

    def all(self) -> Iterator[Entry]:
        """Every entry that is picked; some more than once."""
        chains = self.index.chains
        for link in chains.within(chains.reach(self.attempts, self.closers, self.size), self.size):
            yield link
            yield from self._about("sighted", link.statement.identity)
        for attempt in self.attempts:
            yield from self._about("beacon", attempt.statement.payload[L.BEACON])
        yield from sorted(self._about(L.KIND_SCOPE, self.meter), key=lambda entry: entry.leaf)[-1:]
        yield from self._people()
        yield from self._lottery()
        for group in chains.forked(self.keys, self.size):
            yield from group
        for key in self.keys:
            yield from self._about("rotated", key)
            yield from self._inherited(key)
            yield from self._boots(key)
            yield from self._checks(key)
        yield from self._foreign()

    def _people(self) -> Iterator[Entry]:
        found = [entry for typ in OF_ONE_METER for entry in self._about(typ, self.meter)]
        for result in self.results:
            rows = self._about("row", result.statement.identity, self.meter)
            found += [entry for entry in rows if entry.statement.identity not in self.without]
        seen: set[int] = set()
        while found:
            entry = found.pop()
            if entry.leaf in seen:
                continue
            seen.add(entry.leaf)
            yield entry
            for correction in self._about("corrects", entry.statement.identity):
                yield correction
                found += self._about("corrigible", correction.statement.payload.get(L.REPLACEMENT))

    def _lottery(self) -> Iterator[Entry]:
        maker = self.meter.partition(".")[0]
        for sampling in self._about("sampling", maker):
            start_s, end_s = sampling.statement.payload[L.WINDOW]
            if any(start_s <= result.entered_s <= end_s for result in self.results):
                yield sampling
                yield from self._about("drawn", maker, sampling.statement.payload[L.NUMBER])

    def _inherited(self, key: bytes) -> Iterator[Entry]:
        for event in self._about("handed to", key):
            boots = self.index.chains.behind(key, event.statement.identity, self.size)
            yield from (event, *boots) if boots else ()

    def _boots(self, key: bytes) -> Iterator[Entry]:
        """Breaks before a result are counted over 30 days from the beacon that its attempt cites."""
        for result in self.results:
            opened = [entry for entry in self.attempts if entry.place == closes(result) and entry.key == key]
            cited = [b for entry in opened for b in self._about("beacon", entry.statement.payload[L.BEACON])]
            since_s = min((beacon.statement.payload[L.TIME_S] for beacon in cited), default=None)
            for boot in self._about("boot", key):
                if since_s is not None and boot.leaf < result.leaf and boot.entered_s >= since_s - MONTH_S:
                    yield boot

    def _checks(self, key: bytes) -> Iterator[Entry]:
        """From the newest finished check before the first attempt on: the check's attempt and what closed it."""
        first = min(entry.leaf for entry in self.attempts if entry.key == key)
        runs = [(check, self._about("closes", check.place)) for check in self._about("check", key)]
        before = [
            check.leaf
            for check, closers in runs
            if check.leaf < first and any(entry.statement.typ == L.KIND_RESULT for entry in closers)
        ]
        since = max(before, default=first)
        for check, closers in runs:
            if check.leaf >= since:
                yield check
                yield from closers
                yield from self._about("beacon", check.statement.payload[L.BEACON])

    def _foreign(self) -> Iterator[Entry]:
        for attempt in self.attempts:
            for closer in self.index.orphans(self.size, attempt.place[1:]):
                if closer.key != attempt.key and not self._about("place", closes(closer)):
                    yield closer
