"""Whose key may submit what: each kind of holder against each kind of statement."""

import pytest
from registry.tests.conftest import Office

from meterseal_protocol.keys import PrivateKey
from meterseal_registry.errors import BadEntry, NotPermitted, UnknownSigner
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.statement import Author, build

HASH = bytes(32)
HEAD = {L.LOG_SIZE: 1, L.LOG_ROOT: HASH, L.TIME_S: 1}
PAYLOADS = {
    L.KIND_GRANT: {L.GRANT: kinds.RULES, L.NUMBER: 99, L.WINDOW: [0, 9], L.RULES: HASH, L.RULES_NAME: "mine"},
    L.KIND_BEACON: {L.NUMBER: 9, **HEAD},
    L.KIND_SCOPE: {L.METER: "DEMO.1", L.LOG_SIZE: 1, L.ENTRIES: [], L.TIME_S: 1},
    L.KIND_CHECKPOINT: {L.ORIGIN: "edge/EDGE1", **HEAD},
    L.KIND_SIGHTING: {L.STATEMENT: HASH, L.NOTE: b"", L.INCLUSION: [1, 0, []]},
    L.KIND_DECISION: {
        L.METER: "DEMO.1",
        L.OUTCOME: kinds.GRANTED,
        L.REASONS: [],
        L.INPUTS_DIGEST: HASH,
        L.JUDGE: "judge/1",
        L.LOG_SIZE: 1,
        L.AT_S: 1,
        L.TRIES: 1,
    },
    L.KIND_TIME: {L.NONCE: b"n", L.TIME_S: 1, L.KEY: HASH},
    L.KIND_CUSTODY: {L.KEY: HASH, L.EPOCH: 1, L.SEQ: 1, L.HEAD: HASH, L.LOG_SIZE: 1, L.LOG_ROOT: HASH},
    L.KIND_EVENT: {L.EVENT: "case_opened", L.DETAIL: "1"},
}
MAY = {
    "root": {L.KIND_GRANT},
    "province": {L.KIND_GRANT},
    "edge": {L.KIND_CHECKPOINT, L.KIND_SIGHTING},
    "W1": {L.KIND_EVENT},
    "registry": set[int](),
}


@pytest.mark.parametrize("role", MAY)
def test_each_holder_submits_its_own_kinds_and_no_other(office: Office, role: str) -> None:
    """CONTRACT, authority of kinds. Not even the registry's own key comes in by the door."""
    for typ, payload in PAYLOADS.items():
        chain = (1, 1, office.fixture.head) if typ == L.KIND_EVENT else None
        raw = build(office.world.author(role), typ, payload, chain)
        size = office.record.log.size
        if typ in MAY[role]:
            assert office.record.submit(raw, office.now_s)[1]
            continue
        with pytest.raises(NotPermitted, match=f"a {L.KIND_NAMES[typ]} is not for a key"):
            office.record.submit(raw, office.now_s)
        assert office.record.log.size == size


def test_every_holder_is_told_which_grants_its_key_has(office: Office) -> None:
    """The sentence says what is wrong."""
    raw = build(office.world.author("W1"), L.KIND_BEACON, PAYLOADS[L.KIND_BEACON])
    with pytest.raises(NotPermitted, match="these grants: fixture"):
        office.record.submit(raw, office.now_s)


def test_a_grant_to_a_point_off_the_curve_is_refused_and_the_registry_starts_again(office: Office) -> None:
    """Zero for x and y is no point of P-256, since b is not zero. Logged, such a grant would stop every later start."""
    fields = {**office.world.fixture_fields("W1"), L.SUBJECT_KEY: cose_key(bytes(64))}
    parent = {L.PARENT: office.record.log.catalogue.grants[-1].statement.payload[L.PARENT]}
    raw = office.world.grant("province", kinds.FIXTURE, {**parent, **fields})
    size = office.record.log.size
    with pytest.raises(BadEntry, match="names no key"):
        office.record.submit(raw, office.now_s)
    office.reopen()
    assert office.record.log.size == size


def test_a_key_that_a_fixture_would_name_is_nobodys(office: Office) -> None:
    """Only anchors and delegated authorities name keys: a fixture's grant is refused and teaches nothing."""
    stranger = PrivateKey.generate()
    fields = {**PAYLOADS[L.KIND_GRANT], L.GRANT: kinds.EDGE, L.EDGE: "E9", L.SITE: "YUHANG1"}
    fields = {label: value for label, value in fields.items() if label not in (L.RULES, L.RULES_NAME)}
    grant = build(
        office.world.author("W1"), L.KIND_GRANT, {**fields, L.SUBJECT_KEY: cose_key(stranger.public_xy)}
    )
    with pytest.raises(NotPermitted):
        office.record.submit(grant, office.now_s)
    head = build(Author("E9", "x", stranger), L.KIND_CHECKPOINT, PAYLOADS[L.KIND_CHECKPOINT])
    with pytest.raises(UnknownSigner):
        office.record.submit(head, office.now_s)


def test_the_chain_of_grants_is_built_again_when_one_is_added(office: Office) -> None:
    """What was granted after a decision counts for the next."""
    authorities, log = office.record.entries.authorities, office.record.log
    first = authorities.grants(log)
    assert authorities.grants(log) is first
    grant = {**PAYLOADS[L.KIND_GRANT], L.NUMBER: 100}
    office.record.submit(build(office.world.author("root"), L.KIND_GRANT, grant), office.now_s)
    assert len(authorities.grants(log).below(log.size)) == len(first.below(log.size)) + 1
