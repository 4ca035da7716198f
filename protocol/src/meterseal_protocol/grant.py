"""Authority: signed grants, each narrowed and never widened on the way from an anchor.

A grant is judged over the interval in which the test happened, not at the moment of asking: mere expiry later does
not hurt. It counts only if its own log entry precedes the beacon that the attempt cites: nobody is authorised
after the fact. Everything here is a pure function of logged grants; bad ones give reasons, never exceptions.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from meterseal_protocol.errors import BadKey
from meterseal_protocol.evidence import Entry
from meterseal_protocol.keys import PublicKey
from meterseal_wire import kinds
from meterseal_wire import labels as L

Reason = tuple[str, tuple[int, ...]]
DEEPEST = 8


@dataclass(frozen=True)
class Interval:
    """When a test happened: not before and not after, in Unix seconds; `leaf` is the cited beacon's log leaf."""

    not_before_s: int
    not_after_s: int
    leaf: int


@dataclass(frozen=True)
class Grant:
    """One logged grant: its payload, who signed it, and the key it names (thumbprints)."""

    entry: Entry
    subject: bytes

    @property
    def payload(self) -> dict[int, Any]:
        """The grant's fields."""
        return self.entry.statement.payload

    @property
    def number(self) -> int:
        """The issuer's number of this grant, for reasons."""
        return int(self.payload[L.NUMBER])


@dataclass(frozen=True)
class Found:
    """A grant that was looked for, and what speaks against it; `grant` None means that there is none at all."""

    grant: Grant | None
    reasons: tuple[Reason, ...] = ()

    @property
    def good(self) -> bool:
        """True if there is a grant and nothing speaks against it."""
        return self.grant is not None and not self.reasons


@dataclass
class Grants:
    """Every grant of a log, and the anchors from which authority comes."""

    entries: Iterable[Entry]
    anchors: Sequence[PublicKey]
    demo: bool = field(init=False)

    def __post_init__(self) -> None:
        found = [_grant(e) for e in self.entries if e.statement.typ == L.KIND_GRANT]
        self._all = sorted(found, key=lambda grant: grant.entry.leaf)
        self._by_identity = {grant.entry.statement.identity: grant for grant in self._all}
        self._trusted = {anchor.thumbprint for anchor in self.anchors}
        self.demo = any(grant.payload.get(L.DEMO) for grant in self._all)

    def below(self, log_size: int) -> list[Grant]:
        """Grants entered before the log had `log_size` leaves."""
        return [grant for grant in self._all if grant.entry.leaf < log_size]

    def find(self, kind: int, fits: Callable[[Grant], bool], interval: Interval) -> Found:
        """The newest grant of a kind that fits and holds over the interval; else what speaks against the newest."""
        newest = Found(None)
        for grant in reversed(self._all):
            if grant.payload[L.GRANT] != kind or not fits(grant):
                continue
            found = Found(grant, tuple(self.against(grant, interval)))
            if found.good:
                return found
            if newest.grant is None:
                newest = found
        return newest

    def signer_of(self, kind: int, key: bytes, interval: Interval) -> Found:
        """The grant of `kind` that names `key` (thumbprint)."""
        return self.find(kind, lambda grant: grant.subject == key, interval)

    def against(self, grant: Grant, interval: Interval) -> list[Reason]:
        """Everything that speaks against a grant over an interval, up to its anchor."""
        reasons: list[Reason] = []
        for child, parent in self._steps(grant, reasons):
            reasons += _timing(child, interval)
            if parent is not None and not narrowed(child.payload, parent.payload):
                reasons.append(("grant.widened", (child.number,)))
        return reasons

    def _steps(self, grant: Grant, reasons: list[Reason]) -> Iterable[tuple[Grant, Grant | None]]:
        for _ in range(DEEPEST):
            name = grant.payload.get(L.PARENT)
            if name is None:
                if grant.entry.key not in self._trusted:
                    reasons.append(("grant.missing", (grant.number,)))
                yield grant, None
                return
            parent = self._by_identity.get(name)
            if parent is None or parent.subject != grant.entry.key:
                reasons.append(("grant.missing", (grant.number,)))
                yield grant, None
                return
            yield grant, parent
            grant = parent
        reasons.append(("grant.missing", (grant.number,)))


def _grant(entry: Entry) -> Grant:
    subject = b""
    if L.SUBJECT_KEY in entry.statement.payload:
        try:
            subject = PublicKey.from_cose(entry.statement.payload[L.SUBJECT_KEY]).thumbprint
        except BadKey:
            subject = b"no key of P-256"
    return Grant(entry, subject)


def _timing(grant: Grant, interval: Interval) -> list[Reason]:
    start, end = grant.payload[L.WINDOW]
    numbers = (grant.number, start, end)
    reasons: list[Reason] = []
    if interval.not_after_s < start or interval.not_before_s > end:
        reasons.append(("grant.window", numbers))
    elif interval.not_before_s < start or interval.not_after_s > end:
        reasons.append(("time.straddles", numbers))
    if grant.entry.leaf >= interval.leaf:
        reasons.append(("grant.late", (grant.number, grant.entry.leaf, interval.leaf)))
    return reasons


def narrowed(child: dict[int, Any], parent: dict[int, Any]) -> bool:
    """True if `child` stays within the delegation `parent`: kind, depth, measures, window and territory."""
    if parent[L.GRANT] != kinds.DELEGATION:
        return False
    if not (parent[L.WINDOW][0] <= child[L.WINDOW][0] and child[L.WINDOW][1] <= parent[L.WINDOW][1]):
        return False
    if not all(covers(parent[L.TERRITORY], place) for place in child.get(L.TERRITORY, ())):
        return False
    if child[L.GRANT] == kinds.DELEGATION:
        return set(child[L.MEASURES]) <= set(parent[L.MEASURES]) and child[L.DEPTH] < parent[L.DEPTH]
    return kinds.TWO_IN_ONE in parent[L.MEASURES]


def covers(territory: Sequence[str], place: str) -> bool:
    """True if one of the territory's prefixes of GB/T 2260 codes covers `place`."""
    return any(place.startswith(prefix) for prefix in territory)
