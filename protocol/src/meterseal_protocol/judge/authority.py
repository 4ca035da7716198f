"""grant, fixture, firmware, key: was everybody allowed to, for this meter, at that time, and nobody twice?

Fixture with its firmware, maker, type with what it varies, tenant, rules, registry.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from meterseal_protocol.grant import Found, Grant, Reason
from meterseal_protocol.judge.case import Case
from meterseal_wire import kinds
from meterseal_wire import labels as L

NO_GRANT = 0


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family; nothing where the test's time is not known."""
    if case.stand is None or case.interval is None:
        return
    yield from _fixture(case)
    yield from _firmware(case)
    yield from case.type_grant.reasons
    yield from case.type_line.reasons
    yield from _manufacturer(case)
    yield from _tenant(case)
    if case.pack is not None:
        yield from _needed(case.rules_grant)
    yield from _registry(case)
    yield from _two_roles(case)


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


def _firmware(case: Case) -> Iterator[Reason]:
    """What the boot says it runs is granted where the pack asks for it, and not withdrawn in any case."""
    assert case.stand is not None and case.interval is not None
    place = case.stand.attempt.place[:2]
    for boot in case.evidence.of_kind(L.KIND_BOOT):
        if boot.place[:2] != place:
            continue
        said = boot.statement.payload
        found = case.grants.find(kinds.FIRMWARE, partial(_runs, said), case.interval)
        needed = case.pack is not None and bool(case.pack.number("firmware_needed"))
        if found.grant is None and needed:
            yield "firmware.unknown", ()
        yield from (reason for reason in found.reasons if needed or reason[0] == "firmware.withdrawn")


def _runs(boot: Mapping[int, Any], grant: Grant) -> bool:
    labels = (L.FIRMWARE_DIGEST, L.BOARD)
    return all(bool(grant.payload[label] == boot[label]) for label in labels)


def _tenant(case: Case) -> Iterator[Reason]:
    """Whose meters may run on a shared bench: the attempt's tenant, for this maker and this bench."""
    assert case.stand is not None and case.interval is not None
    tenant = case.stand.attempt.statement.payload.get(L.TENANT)
    if tenant is None or case.fixture.grant is None:
        return
    bench = case.fixture.grant.payload[L.BENCH]

    def named(grant: Grant) -> bool:
        return bool(grant.payload[L.TENANT] == tenant)

    def fits(grant: Grant) -> bool:
        return named(grant) and grant.payload[L.MAKER] == case.maker and bench in grant.payload[L.BENCHES]

    found = case.grants.find(kinds.TENANT, fits, case.interval)
    if found.grant is None:
        other = case.grants.find(kinds.TENANT, named, case.interval).grant
        yield ("grant.scope", (other.number,)) if other else ("grant.missing", (NO_GRANT,))
    yield from found.reasons


def _two_roles(case: Case) -> Iterator[Reason]:
    """No key that matters here is named by grants that must be apart."""
    assert case.stand is not None
    signed = [
        case.stand.attempt,
        *case.evidence.of_kind(L.KIND_SIGNOFF),
        *case.evidence.of_kind(L.KIND_SCOPE)[-1:],
    ]
    for key in sorted({entry.key for entry in (*signed, case.beacon) if entry}):
        roles = case.grants.roles_of(key)
        if len(roles) > 1:
            yield "key.two_roles", roles[:2]
