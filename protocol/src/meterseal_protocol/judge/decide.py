"""Station 11: one pure function from evidence, grants, rules and an instant to a decision.

No clock, no network, no database; the same inputs give the same bytes in the registry, on an inspector's laptop and
in ten years. Total: whatever verified evidence says, there is an answer. Every reason is given, never only the
first; one that refuses outweighs one that leaves it undecided.
"""

from collections.abc import Sequence
from hashlib import sha256

import cbor2

from meterseal_protocol.evidence import Evidence, evidence_root
from meterseal_protocol.grant import Grants, Reason
from meterseal_protocol.judge import (
    attempt,
    authority,
    bench,
    checks,
    continuity,
    identity,
    numbers,
    people,
    plan,
    policy,
    sheet,
    window,
)
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.decision import Decision
from meterseal_protocol.rules.pack import Pack
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import LARGEST

FAMILIES = (
    identity,
    continuity,
    attempt,
    authority,
    bench,
    checks,
    plan,
    sheet,
    people,
    window,
    policy,
)
# What more data may cure. Every other reason refuses.
UNDECIDED = frozenset(
    {
        "attempt.missing",
        "attempt.open",
        "chain.gap",
        "evidence.missing",
        "marks.missing",
        "plan.unknown",
        "sampling.pending",
        "scope.incomplete",
        "scope.missing",
        "signoff.missing",
        "supervision.missing",
        "time.straddles",
        "time.unbounded",
    }
)


def decide(evidence: Evidence, grants: Grants, rules: Sequence[Pack], at_s: int) -> Decision:
    """May the meter be installed at `at_s` (Unix seconds) without another test?"""
    known = grants.at(evidence.log_size)
    case = Case(evidence, known, rules, at_s)
    found = {_bounded(reason) for family in FAMILIES for reason in family.against(case)}
    reasons = tuple(sorted(found))
    stand, manufacturer = case.stand, case.manufacturer.grant
    outcome = stand.outcome if stand else None
    return Decision(
        meter=evidence.meter,
        outcome=_outcome(reasons),
        reasons=reasons,
        inputs_digest=inputs_digest(case),
        log_size=evidence.log_size,
        at_s=at_s,
        tries=case.tries,
        result=stand.result.statement.identity if stand and stand.result else None,
        position=stand.seat[L.POSITION] if stand else None,
        window=window.window(case),
        territory=tuple(manufacturer.payload[L.TERRITORY]) if manufacturer else None,
        rules=case.pack.digest if case.pack else None,
        budget=tuple((*row[:3], _clamp(row[3])) for row in numbers.budget(case)),
        end_register=outcome.get(L.END_REGISTER) if outcome else None,
        register_exponent=case.meter_type.register_exponent if case.meter_type else 0,
        electronic_address=stand.seat.get(L.ELECTRONIC_ADDRESS, b"") if stand else b"",
        seals=people.seals(case),
        demo=known.demo,
    )


def _outcome(reasons: tuple[Reason, ...]) -> int:
    if not reasons:
        return kinds.GRANTED
    return kinds.UNDECIDED if all(code in UNDECIDED for code, _ in reasons) else kinds.REFUSED


def _bounded(reason: Reason) -> Reason:
    """A reason whose numbers a statement can carry; only absurd evidence needs it."""
    return reason[0], tuple(_clamp(number) for number in reason[1])


def _clamp(number: int) -> int:
    return max(-LARGEST, min(LARGEST, number))


def inputs_digest(case: Case) -> bytes:
    """SHA-256 over CBOR of everything that the decision rests on, in one order."""
    evidence = case.evidence
    return sha256(
        cbor2.dumps(  # only arrays, integers and bytes, which have one spelling
            [
                sorted([e.statement.identity, e.leaf, e.entered_s] for e in evidence.entries),
                sorted([name, evidence_root(tuple(items))] for name, items in evidence.blobs.items()),
                case.grants.identities,
                sorted(pack.digest for pack in case.packs),
                evidence.log_size,
                case.at_s,
            ]
        )
    ).digest()
