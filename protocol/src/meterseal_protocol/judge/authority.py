"""grant: was everybody allowed to, for this meter, at that time? Fixture, maker, type, rules, registry."""

from collections.abc import Iterator

from meterseal_protocol.grant import Found, Reason
from meterseal_protocol.judge.case import Case
from meterseal_wire import kinds
from meterseal_wire import labels as L

NO_GRANT = 0


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family; nothing where the test's time is not known."""
    if case.stand is None or case.interval is None:
        return
    yield from _fixture(case)
    yield from case.type_grant.reasons
    yield from _manufacturer(case)
    if case.pack is not None:
        yield from _needed(case.rules_grant)
    yield from _registry(case)


def _needed(found: Found) -> Iterator[Reason]:
    if found.grant is None:
        yield "grant.missing", (NO_GRANT,)
    yield from found.reasons


def _fixture(case: Case) -> Iterator[Reason]:
    grant = case.fixture.grant
    if grant is None or case.stand is None:
        yield "fixture.unknown", ()
        return
    yield from case.fixture.reasons
    position, count = case.stand.seat[L.POSITION], grant.payload[L.POSITION_COUNT]
    if not 1 <= position <= count:
        yield "grant.scope", (grant.number,)
    if case.pack is not None and grant.payload[L.ASSURANCE] < case.pack.number("least_assurance"):
        yield "fixture.assurance", (grant.payload[L.ASSURANCE], case.pack.number("least_assurance"))


def _manufacturer(case: Case) -> Iterator[Reason]:
    yield from _needed(case.manufacturer)
    grant = case.manufacturer.grant
    if grant is None:
        return
    if not case.in_scope(grant):
        yield "grant.scope", (grant.number,)
    if not grant.payload[L.TERRITORY]:
        yield "grant.territory", (grant.number,)


def _registry(case: Case) -> Iterator[Reason]:
    """Whoever signed the beacon and the scope must be a registry."""
    assert case.interval is not None
    signers = {entry.key for entry in (case.beacon, *case.evidence.of_kind(L.KIND_SCOPE)[-1:]) if entry}
    for key in sorted(signers):
        yield from _needed(case.grants.signer_of(kinds.REGISTRY, key, case.interval))
