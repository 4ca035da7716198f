"""Authority: signed grants, each narrowed and never widened on the way from an anchor.

A grant is judged over the interval in which the test happened, not at the moment of asking: mere expiry later does
not hurt, and a withdrawal reaches back to the second from which it taints. A grant counts only if its own log entry
precedes the beacon that the attempt cites: nobody is authorised after the fact. Everything here is a pure function of
logged grants and withdrawals; bad ones give reasons, never exceptions. What *narrower* means is delegation.py's.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from meterseal_protocol.delegation import covers, narrowed
from meterseal_protocol.errors import BadKey
from meterseal_protocol.evidence import Entry
from meterseal_protocol.kept import kept
from meterseal_protocol.keys import PublicKey
from meterseal_wire import kinds
from meterseal_wire import labels as L

__all__ = ["Found", "Grant", "Grants", "Interval", "Reason", "covers", "narrowed"]

Reason = tuple[str, tuple[int, ...]]
DEEPEST = 8
# A key has one role: whoever measures does not sign off, and whoever keeps the log does not test.
ROLES = (
    kinds.DELEGATION,
    kinds.FIXTURE,
    kinds.EDGE,
    kinds.REGISTRY,
    kinds.WITNESS,
    kinds.PERSON,
    kinds.SUPERVISOR,
)
WITHDRAWN = {kinds.FIXTURE: "fixture.suspended", kinds.FIRMWARE: "firmware.withdrawn"}


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


@dataclass(frozen=True)
class Chain:
    """A grant with those above it, up to an anchor, and what is wrong with its structure whenever it is asked for."""

    steps: tuple[Grant, ...]
    reasons: tuple[Reason, ...]


@dataclass
class Grants:
    """Every grant and withdrawal of a log, and the anchors from which authority comes."""

    entries: Iterable[Entry]
    anchors: Sequence[PublicKey]
    demo: bool = field(init=False)

    def __post_init__(self) -> None:
        self._logged = sorted(self.entries, key=lambda entry: entry.leaf)
        self._all = [_grant(entry) for entry in self._logged if entry.statement.typ == L.KIND_GRANT]
        self._by_identity = {grant.entry.statement.identity: grant for grant in self._all}
        self._trusted = {anchor.thumbprint for anchor in self.anchors}
        self._newest_first: dict[int, list[Grant]] = {}
        self._of_subject: dict[tuple[int, bytes], list[Grant]] = {}
        self._roles: dict[bytes, set[int]] = {}
        for grant in reversed(self._all):
            self._newest_first.setdefault(grant.payload[L.GRANT], []).append(grant)
            self._of_subject.setdefault((grant.payload[L.GRANT], grant.subject), []).append(grant)
            if grant.subject and grant.payload[L.GRANT] in ROLES:
                self._roles.setdefault(grant.subject, set()).add(grant.payload[L.GRANT])
        self._withdrawn: dict[bytes, list[Entry]] = {}
        for entry in self._logged:
            if entry.statement.typ == L.KIND_WITHDRAWAL:
                self._withdrawn.setdefault(entry.statement.payload[L.STATEMENT], []).append(entry)
        self._chains: dict[bytes, Chain] = {}
        self._earlier: dict[int, Grants] = {}
        self.demo = any(grant.payload.get(L.DEMO) for grant in self._all)

    def at(self, log_size: int) -> "Grants":
        """The same as it stood when the log had `log_size` leaves: what came later does not exist."""
        known = bisect_left(self._logged, log_size, key=lambda entry: entry.leaf)
        if known == len(self._logged):
            return self
        if known not in self._earlier:
            self._earlier[known] = Grants(self._logged[:known], self.anchors)
        return self._earlier[known]

    def below(self, log_size: int) -> list[Grant]:
        """Grants entered before the log had `log_size` leaves."""
        return [grant for grant in self._all if grant.entry.leaf < log_size]

    @kept
    def identities(self) -> list[bytes]:
        """Identities of all grants and withdrawals, sorted."""
        return sorted(entry.statement.identity for entry in self._logged)

    def find(self, kind: int, fits: Callable[[Grant], bool], interval: Interval) -> Found:
        """The newest grant of a kind that fits and holds over the interval; else what speaks against the newest."""
        return self._first(filter(fits, self._newest_first.get(kind, ())), interval)

    def _first(self, fitting: Iterable[Grant], interval: Interval) -> Found:
        newest = Found(None)
        for grant in fitting:
            found = Found(grant, tuple(self.against(grant, interval)))
            if found.good:
                return found
            if newest.grant is None:
                newest = found
        return newest

    def of_kind(self, kind: int) -> list[Grant]:
        """Every grant of a kind, newest first, whatever speaks against it."""
        return self._newest_first.get(kind, [])

    def named(self, identity: bytes) -> Grant | None:
        """The grant of that identity."""
        return self._by_identity.get(identity)

    def signer_of(self, kind: int, key: bytes, interval: Interval) -> Found:
        """The grant of `kind` that names `key` (thumbprint)."""
        return self._first(self._of_subject.get((kind, key), ()), interval)

    def roles_of(self, key: bytes) -> tuple[int, ...]:
        """Kinds of grant that name a key (thumbprint), among those that must be apart."""
        return tuple(sorted(self._roles.get(key, ())))

    def against(self, grant: Grant, interval: Interval) -> list[Reason]:
        """Everything that speaks against a grant over an interval, up to its anchor."""
        chain = self._chain(grant)
        reasons = list(chain.reasons)
        for place, step in enumerate(chain.steps):
            reasons += _timing(step, interval)
            if self._withdrawn:
                reasons += self._withdrawals(step, chain.steps[place:], interval)
        return reasons

    def _chain(self, grant: Grant) -> Chain:
        name = grant.entry.statement.identity
        if name not in self._chains:
            self._chains[name] = self._walked(grant)
        return self._chains[name]

    def _walked(self, grant: Grant) -> Chain:
        steps, reasons = [grant], list[Reason]()
        for _ in range(DEEPEST):
            child, name = steps[-1], steps[-1].payload.get(L.PARENT)
            if name is None:
                if child.entry.key not in self._trusted:
                    reasons.append(self._unbacked(child))
                return Chain(tuple(steps), tuple(reasons))
            parent = self._by_identity.get(name)
            if parent is None or parent.subject != child.entry.key:
                reasons.append(self._unbacked(child) if parent else ("grant.missing", (child.number,)))
                return Chain(tuple(steps), tuple(reasons))
            if not narrowed(child.payload, parent.payload):
                delegates = parent.payload[L.GRANT] == kinds.DELEGATION
                reasons.append(("grant.widened" if delegates else "grant.level", (child.number,)))
            if len(steps) == DEEPEST:
                break
            steps.append(parent)
        return Chain(tuple(steps), (*reasons, ("grant.missing", (steps[-1].number,))))

    def _unbacked(self, grant: Grant) -> Reason:
        """A key that holds a grant of its own signed at a level that is not its; any other key is nobody's."""
        known = grant.entry.key in self._roles or grant.entry.key in self._trusted
        return ("grant.level" if known else "grant.missing"), (grant.number,)

    def _withdrawals(self, grant: Grant, above: Sequence[Grant], interval: Interval) -> list[Reason]:
        """What withdrawals of this very grant say, by its signer or any signer above; others have no effect."""
        signers = {step.entry.key for step in above}
        reasons: list[Reason] = []
        for entry in self._withdrawn.get(grant.entry.statement.identity, ()):
            if entry.key not in signers:
                continue
            from_s = entry.statement.payload[L.TAINTED_FROM_S]
            if interval.not_before_s >= from_s:
                code = WITHDRAWN.get(grant.payload[L.GRANT], "grant.withdrawn")
                reasons.append((code, (grant.number, from_s)))
            elif interval.not_after_s >= from_s:
                reasons.append(("time.straddles", (grant.number, from_s, from_s)))
        return reasons


def _grant(entry: Entry) -> Grant:
    subject = b""
    if L.SUBJECT_KEY in entry.statement.payload:
        try:
            subject = PublicKey.from_cose(entry.statement.payload[L.SUBJECT_KEY]).thumbprint
        except BadKey:
            subject = b"no key of a suite"
    return Grant(entry, subject)


def _timing(grant: Grant, interval: Interval) -> list[Reason]:
    start, end = grant.payload[L.WINDOW]
    reasons: list[Reason] = []
    if start <= interval.not_before_s and interval.not_after_s <= end and grant.entry.leaf < interval.leaf:
        return reasons  # what nearly every grant says
    numbers = (grant.number, start, end)
    if interval.not_after_s < start or interval.not_before_s > end:
        reasons.append(("grant.window", numbers))
    elif interval.not_before_s < start or interval.not_after_s > end:
        reasons.append(("time.straddles", numbers))
    if grant.entry.leaf >= interval.leaf:
        reasons.append(("grant.late", (grant.number, grant.entry.leaf, interval.leaf)))
    return reasons
