"""What people said of the governing result, as it stands after corrections, and whether they may say it.

A correction is added and never overwrites: both statements stay in the evidence, and the newest correction that holds
decides which of them counts. It holds when it is signed by a person who has the role of the corrected statement, or
the approver's.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from meterseal_protocol.evidence import CORRIGIBLE, Entry, evidence_root
from meterseal_protocol.grant import Found, Grant, Interval, Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.kept import kept
from meterseal_protocol.signoff import Row, rows_of
from meterseal_wire import kinds
from meterseal_wire import labels as L

NO_GRANT = 0
ANY_ROLE = 0


@dataclass(frozen=True)
class Said:
    """People's statements about `result`, the governing one, tested over `interval`."""

    case: Case
    result: Entry
    interval: Interval

    @classmethod
    def of(cls, case: Case) -> "Said | None":
        """None where there is no result, or its time is not known."""
        if case.stand is None or case.stand.result is None or case.interval is None:
            return None
        return cls(case, case.stand.result, case.interval)

    @kept
    def signoffs(self) -> list[tuple[Entry, Row]]:
        """Sign-offs that stand, with their row of the meter; one whose rows are not those signed says nothing."""
        meter, result = self.case.evidence.meter, self.result.statement.identity
        found = []
        for entry in self.standing(L.KIND_SIGNOFF):
            items = tuple(self.case.evidence.blobs.get(entry.statement.identity, ()))
            if evidence_root(items) == entry.statement.payload[L.ROWS]:
                rows = [row for row in rows_of(items) if (row.result, row.meter) == (result, meter)]
                found += [(entry, row) for row in rows]
        return found

    def about(self, kind: int) -> list[Entry]:
        """Marks, notices or remeasurements of the governing result that stand."""
        name = self.result.statement.identity
        return [entry for entry in self.standing(kind) if entry.statement.payload[L.RESULT] == name]

    def standing(self, kind: int) -> list[Entry]:
        """Statements of a kind that no correction took back, in log order."""
        entries = self.case.evidence.of_kind(kind)
        return [entry for entry in entries if entry.statement.identity not in self._void]

    def against(self, entry: Entry, role: int = ANY_ROLE) -> Iterator[Reason]:
        """What speaks against the signer of a statement in a role: no grant, wrong role, wrong kind of meter."""
        found = self._person(entry, role)
        if found.grant is None:
            yield "person.unqualified", (role, NO_GRANT)
            return
        yield from found.reasons
        payload, number = found.grant.payload, found.grant.number
        if role != ANY_ROLE and role not in payload[L.ROLES]:
            yield "person.role", (role, number)
        if not self._knows(found.grant):
            yield "person.unqualified", (role, number)

    def _person(self, entry: Entry, role: int) -> Found:
        """The signer's grant: one that fits role and medium where there is one, else the newest of the key."""
        grants, when = (
            self.case.grants,
            Interval(self.interval.not_before_s, entry.entered_s, self.interval.leaf),
        )
        fitting = grants.find(
            kinds.PERSON,
            lambda grant: grant.subject == entry.key and _has(grant, role) and self._knows(grant),
            when,
        )
        return fitting if fitting.grant else grants.signer_of(kinds.PERSON, entry.key, when)

    def _knows(self, grant: Grant) -> bool:
        """True if the person is qualified for this medium."""
        pack = self.case.pack
        return pack is None or pack.medium in grant.payload[L.QUALIFICATION]

    @kept
    def _void(self) -> frozenset[bytes]:
        """Identities of statements that don't count any more."""
        held = {e.statement.identity: e for kind in CORRIGIBLE for e in self.case.evidence.of_kind(kind)}
        newest: dict[bytes, bytes | None] = {}
        void: set[bytes] = set()
        for correction in self.case.evidence.of_kind(L.KIND_CORRECTION):
            payload = correction.statement.payload
            replaced = held.get(payload[L.REPLACES])
            instead = held.get(payload.get(L.REPLACEMENT, b""))
            if replaced is None or (instead and instead.statement.typ != replaced.statement.typ):
                continue
            if self._may_correct(correction, replaced):
                void |= {payload[L.REPLACES], newest.get(payload[L.REPLACES]) or b""}
                newest[payload[L.REPLACES]] = payload.get(L.REPLACEMENT)
        return frozenset(void - ({name for name in newest.values() if name} - set(newest)))

    def _may_correct(self, correction: Entry, replaced: Entry) -> bool:
        if L.ROLE in replaced.statement.payload:
            roles = {replaced.statement.payload[L.ROLE]}
        else:
            said = self._person(replaced, ANY_ROLE).grant
            roles = set(said.payload[L.ROLES]) if said else set()
        return any(not list(self.against(correction, role)) for role in sorted(roles | {kinds.APPROVER}))


def _has(grant: Grant, role: int) -> bool:
    return role == ANY_ROLE or role in grant.payload[L.ROLES]
