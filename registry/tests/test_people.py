"""Sign-offs, marks, corrections, withdrawals and samples at the registry: what they open, suspend and end."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from registry.tests.conftest import METER, Office

from meterseal_protocol.certificate import marks_hash, read
from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.signoff import Row
from meterseal_protocol.status import INVALID, SUSPENDED, VALID
from meterseal_protocol.testing.fixture import Signed
from meterseal_protocol.testing.people import SEAL, correction, mark, sign_off
from meterseal_registry.errors import BadSettings, NotPermitted
from meterseal_registry.record import read_pack
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import build


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """A registry whose rules ask for three signatures and seals, and a meter that has run."""
    found = Office(tmp_path, people=True)
    found.offer(*found.run())
    return found


def rows(office: Office) -> list[Row]:
    """What the judge computes of the meter, as people sign it."""
    record = office.record
    evidence = [record.decisions.evidence(METER)]
    return sheet(evidence, record.entries.authorities.grants(record.log), record.packs)


def signed(office: Office) -> list[Signed]:
    """Three sign-offs and the marks."""
    [own] = rows(office)
    return [*sign_off(office.world, [own], office.tick(60)), mark(office.world, own, office.now_s)]


def codes(office: Office) -> set[str]:
    """Codes of the newest decision's reasons."""
    decision = office.record.decisions.newest(METER)
    assert decision is not None
    return {code for code, _ in decision.payload[L.REASONS]}


def statuses(office: Office) -> list[int]:
    """Of every certificate, in their order."""
    return list(office.record.certificates.store.statuses())


def test_a_result_waits_for_three_signatures_and_the_seals(office: Office) -> None:
    """检定, 核验, 批准 and the marks; each that comes is decided on, and the last one opens it."""
    assert codes(office) == {"signoff.missing", "marks.missing"}
    for item in signed(office):
        assert statuses(office) == []
        office.offer(item)
    assert codes(office) == set()
    assert statuses(office) == [VALID]


def test_the_certificate_binds_the_seal_number(office: Office) -> None:
    """Its marks are the hash over serial, electronic address and seal."""
    office.offer(*signed(office))
    raw = office.record.certificates.newest(METER)
    assert raw is not None
    address = office.seat().address
    assert read(raw, office.ring).marks == marks_hash(METER.partition(".")[2], address, SEAL)


def test_rows_that_come_late_count_from_then_on(office: Office) -> None:
    """Sign-offs without their rows say nothing yet; the rows may follow with the same statement."""
    items = signed(office)
    office.offer(*(Signed(item.raw) for item in items))
    assert statuses(office) == []
    office.offer(*items)
    assert statuses(office) == [VALID]
    office.reopen()
    assert statuses(office) == [VALID]


def test_rows_that_are_not_what_was_signed_are_left_out(office: Office) -> None:
    """The root stands in the statement."""
    items = signed(office)
    other = Row(bytes(32), 1, METER, kinds.PASSED, 0).encoded()
    office.offer(*(Signed(item.raw, (other,) if item.evidence else ()) for item in items))
    assert "signoff.missing" in codes(office)


def test_a_signature_taken_back_suspends_until_another_is_given(office: Office) -> None:
    """A correction is added; the certificate waits, and is valid again once the role has signed again."""
    items = signed(office)
    office.offer(*items)
    office.offer(correction(office.world, "verifier", items[0].identity, office.tick(60)))
    assert statuses(office) == [SUSPENDED]
    office.reopen()
    assert statuses(office) == [SUSPENDED]
    [own] = rows(office)
    office.offer(*sign_off(office.world, [own], office.tick(60), {"verifier": kinds.VERIFIER}))
    assert statuses(office) == [VALID]


def withdrawal(office: Office, name: str, from_s: int) -> bytes:
    """The province takes a grant back from a second on."""
    payload = {
        L.STATEMENT: identity(office.world.grants[name]),
        L.TAINTED_FROM_S: from_s,
        L.TIME_S: office.now_s,
        L.DETAIL: "found wrong",
    }
    return bytes(build(office.world.author("province"), L.KIND_WITHDRAWAL, payload))


def test_a_withdrawal_reaches_every_certificate_that_rests_on_it(office: Office) -> None:
    """Tainted from the beginning: invalid, and that is final."""
    office.offer(*signed(office))
    office.record.submit(withdrawal(office, "manufacturer", office.world.start_s), office.tick(60))
    assert codes(office) == {"grant.withdrawn"}
    assert statuses(office) == [INVALID]


def test_a_withdrawal_from_now_on_leaves_what_was_tested_before(office: Office) -> None:
    """Mere end of a grant does not reach back."""
    office.offer(*signed(office))
    office.record.submit(withdrawal(office, "manufacturer", office.now_s + 1), office.tick(60))
    assert codes(office) == set()
    assert statuses(office) == [VALID]


@pytest.mark.parametrize("share, status", [([0, 1], VALID), ([1, 1], SUSPENDED)])
def test_a_sample_suspends_who_is_drawn(tmp_path: Path, share: Sequence[int], status: int) -> None:
    """Committed before the run, revealed after its window: nobody is drawn of a share of 0, everybody of 1."""
    office = Office(tmp_path, people=True)
    seed = bytes(range(32))
    head = {L.NUMBER: 1, L.MAKER: "DEMO", L.WINDOW: [office.now_s, office.now_s + 600]}
    author = office.world.author("province")
    commitment = {**head, L.COMMITMENT: sha256(seed), L.SHARE: list(share)}
    office.record.submit(bytes(build(author, L.KIND_SAMPLING, commitment)), office.now_s)
    office.offer(*office.run())
    office.offer(*signed(office))
    assert codes(office) == {"sampling.pending"}
    assert statuses(office) == []
    office.tick(1000)
    office.record.submit(bytes(build(author, L.KIND_SAMPLING, {**head, L.SEED: seed})), office.now_s)
    assert statuses(office) == ([VALID] if status == VALID else [])


@pytest.mark.parametrize("role", ["W1", "edge", "province"])
def test_only_people_sign_off(office: Office, role: str) -> None:
    """A fixture, an edge and an authority are no verifier."""
    said = {L.ROLE: kinds.VERIFIER, L.ROWS: bytes(32), L.TIME_S: 1}
    with pytest.raises(NotPermitted):
        office.record.submit(bytes(build(office.world.author(role), L.KIND_SIGNOFF, said)), office.now_s)


def test_a_person_gives_no_grants_and_withdraws_none(office: Office) -> None:
    """Whoever signs off authorises nobody."""
    payload = {L.STATEMENT: bytes(32), L.TAINTED_FROM_S: 1, L.TIME_S: 1, L.DETAIL: ""}
    raw = bytes(build(office.world.author("approver"), L.KIND_WITHDRAWAL, payload))
    with pytest.raises(NotPermitted):
        office.record.submit(raw, office.now_s)


def test_rules_come_by_name_or_from_a_file(office: Office, tmp_path: Path) -> None:
    """An authority's own pack is a file; what is neither is one sentence with what ships."""
    assert read_pack(str(tmp_path / "rules.cbor")).digest == office.pack.digest
    for name in (str(tmp_path / "gone.cbor"), str(tmp_path / "anchors.cbor")):
        with pytest.raises(BadSettings, match="jjg162"):
            read_pack(name)
