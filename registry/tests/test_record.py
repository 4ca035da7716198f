"""Entries, receipts, decisions and certificates of one registry, and what a power cut between them leaves."""

import hashlib

import pytest
from registry.tests.conftest import BAD_PPM, METER, Office

from meterseal_protocol import receipt
from meterseal_protocol.certificate import read as read_certificate
from meterseal_protocol.check import check
from meterseal_protocol.status import INVALID, VALID
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.trust import Trust
from meterseal_protocol.verify import verify
from meterseal_registry.errors import NotFound, NotPermitted, StoreFailed, UnknownSigner
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.statement import build


def outcome(office: Office, meter: str = METER) -> int:
    """Outcome of the newest decision."""
    decision = office.record.decisions.newest(meter)
    assert decision is not None
    found: int = decision.payload[L.OUTCOME]
    return found


def statuses(office: Office) -> list[int]:
    """Status of every certificate, in the order of issue."""
    return office.record.certificates.store.statuses()


def test_a_statement_enters_once_and_keeps_its_leaf_and_time(office: Office) -> None:
    """Design section 11: sent again, the same entry; the entry time is the test's not after."""
    boot = office.fixture.signed[0]
    first = receipt.check(office.offer(boot)[0], boot.identity, office.ring)
    office.tick(1000)
    again = receipt.check(office.offer(boot)[0], boot.identity, office.ring)
    assert (again.leaf, again.entered_s) == (first.leaf, first.entered_s)
    assert office.record.log.find(boot.identity).raw == boot.raw


def test_a_receipt_leads_to_the_root_computed_by_hand(office: Office) -> None:
    """RFC 9162: the root of these leaves; RFC 9942: the receipt signs it."""
    raw = office.offer(office.fixture.event("case_opened", "1"))[0]
    found = receipt.check(raw, office.fixture.signed[-1].identity, office.ring)
    assert (found.size, found.root) == (office.record.log.size, office.root())


def test_a_receipt_can_be_had_against_every_size_that_holds_the_entry(office: Office) -> None:
    """An auditor wants all receipts against one checkpoint."""
    boot = office.fixture.signed[0]
    office.offer(*office.run())
    log = office.record.log
    leaf = log.by_identity[boot.identity]
    for size in range(leaf + 1, log.size + 1):
        found = receipt.check(
            log.receipt(office.record.author, boot.identity, size), boot.identity, office.ring
        )
        assert (found.leaf, found.size) == (leaf, size)
    for size in (leaf, log.size + 1):
        with pytest.raises(NotFound):
            log.receipt(office.record.author, boot.identity, size)


def test_entry_times_never_run_backwards(office: Office) -> None:
    """A clock that is set back must not make a later entry older than an earlier one."""
    office.tick(-5000)
    office.offer(office.fixture.event("late", "1"))
    times = [row.entered_s for row in office.record.log.rows]
    assert times == sorted(times)


def test_a_stranger_is_told_to_submit_the_grant_first_and_nothing_is_stored(office: Office) -> None:
    """Design section 11: errors with a stable code; an unknown key may come again once it is granted."""
    size = office.record.log.size
    stranger = ModelFixture(office.world.author("W1").__class__("X", "Y", office.world.keys["W1"].generate()))
    with pytest.raises(UnknownSigner, match="grant"):
        office.record.submit(stranger.boot().raw, office.now_s)
    assert office.offer(stranger.event("x", "y"))[0][0] == "entry.unknown_key"
    assert office.record.log.size == size


@pytest.mark.parametrize("role", ["W1", "edge"])
def test_nobody_submits_what_is_not_his_to_say(office: Office, role: str) -> None:
    """Design section 5: beacons and decisions are the registry's, grants the authorities'."""
    author = office.world.author(role, "x")
    payload = {L.NUMBER: 9, L.TIME_S: 1, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}
    with pytest.raises(NotPermitted, match="is not for a key with these grants"):
        office.record.submit(build(author, L.KIND_BEACON, payload), office.now_s)
    grant = {L.GRANT: kinds.RULES, L.NUMBER: 9, L.WINDOW: [0, 9], L.RULES: bytes(32), L.RULES_NAME: "mine"}
    with pytest.raises(NotPermitted):
        office.record.submit(build(author, L.KIND_GRANT, grant), office.now_s)


def test_one_bad_item_of_a_bundle_stops_no_other(office: Office) -> None:
    """Per item a receipt or [code, why]; malformed bytes are named with their offset."""
    good = office.fixture.event("case_opened", "1")
    answers = office.offer(Signed(b"\xff"), good)
    assert answers[0][0] == "entry.malformed" and "byte 0" in answers[0][1]
    assert isinstance(answers[1], bytes)


def test_a_good_run_is_granted_certified_and_valid_in_the_field(office: Office) -> None:
    """The whole of stations 10 to 13: entered, decided, certified, checked with the registry's own trust file."""
    office.offer(*office.run())
    assert outcome(office) == kinds.GRANTED
    raw = office.record.certificates.newest(METER)
    assert raw is not None
    trust = Trust.load(office.record.statuses.trust(office.now_s))
    assert check(raw, trust, office.now_s, "330110", METER).outcome == "valid"
    assert check(raw, trust, office.now_s, "440300", METER).outcome == "not_valid"


def test_the_certificate_says_what_the_decision_and_the_meter_say(office: Office) -> None:
    """Design section 10: result, rules, position, end register, and the hash over serial and address, by hand."""
    attempt, result = office.run()
    office.offer(attempt, result)
    raw = office.record.certificates.newest(METER)
    assert raw is not None
    found = read_certificate(raw, office.ring)
    address = bytes.fromhex("78563412") + bytes.fromhex("2d480307")
    # CBOR of ["12345678", h'78563412 2d480307', ""]: array of 3, text of 8, bytes of 8, empty text
    marks = hashlib.sha256(b"\x83\x68" + b"12345678" + b"\x48" + address + b"\x60").digest()[:8]
    assert (found.meter, found.issuer, found.demo) == (METER, "REG-CN", True)
    assert (found.result, found.rules) == (result.identity[:16], office.pack.digest[:8])
    assert (found.position, found.end_register, found.exponent) == (1, 130, -3)
    assert (found.territory, found.marks) == (("33",), marks)


def test_scope_decision_and_certificate_are_all_logged(office: Office) -> None:
    """Design section 5: every one of the registry's statements is logged before it is published."""
    office.offer(*office.run())
    kinds_in_order = [entry.statement.kind for entry in office.record.log.pool][-4:]
    assert kinds_in_order == ["attempt", "result", "scope", "decision"]
    assert office.record.log.size == len(office.record.log.pool) + 1


def test_a_meter_past_its_limit_gets_no_certificate_and_a_retest_does(office: Office) -> None:
    """Design section 9: error.limit refuses; the newest result governs; JJG 162 draft: two tries."""
    office.offer(*office.run(BAD_PPM))
    assert outcome(office) == kinds.REFUSED
    assert office.record.certificates.newest(METER) is None
    office.offer(*office.run())
    assert outcome(office) == kinds.GRANTED
    assert statuses(office) == [VALID]


def test_a_later_failed_try_invalidates_the_certificate(office: Office) -> None:
    """Design section 1 item 9: invalid is final for a certificate."""
    office.offer(*office.run())
    raw = office.record.certificates.newest(METER)
    assert raw is not None
    office.offer(*office.run(BAD_PPM))
    assert statuses(office) == [INVALID]
    trust = Trust.load(office.record.statuses.trust(office.now_s))
    answer = check(raw, trust, office.now_s)
    assert (answer.outcome, [code for code, _ in answer.reasons]) == ("not_valid", ["status.invalid"])


def test_a_new_certificate_takes_the_place_of_the_older_one(office: Office) -> None:
    """One meter, one valid certificate: the one on the newest result."""
    office.offer(*office.run())
    office.offer(*office.run())
    assert statuses(office) == [INVALID, VALID]


def test_the_same_bundle_again_decides_nothing_again(office: Office) -> None:
    """Station 10: sent again, the same entry; no second decision, no second certificate."""
    items = office.run()
    office.offer(*items)
    size = office.record.log.size
    office.offer(*items)
    assert office.record.log.size == size


def test_after_a_restart_everything_is_as_it_was(office: Office) -> None:
    """Leaves, root, status and receipts come back from the file."""
    office.offer(*office.run())
    office.offer(*office.run(BAD_PPM))
    before = (office.record.log.size, office.record.log.tree.root(), statuses(office))
    office.reopen()
    assert (office.record.log.size, office.record.log.tree.root(), statuses(office)) == before
    assert office.record.catch_up(office.now_s) == []


def test_a_power_cut_before_the_decision_is_made_good_at_the_next_start(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Station 11: computed again, the same bytes; the edge may never send the result again."""
    with monkeypatch.context() as cut:
        cut.setattr(office.record, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            office.offer(*office.run())
    assert office.record.decisions.newest(METER) is None
    office.reopen()
    assert office.record.catch_up(office.now_s) == [METER]
    assert statuses(office) == [VALID]


def test_a_power_cut_between_decision_and_certificate_is_made_good(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Station 12: issued again; a certificate and its place in the status list are one transaction."""
    with monkeypatch.context() as cut:
        cut.setattr(office.record.certificates, "make", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            office.offer(*office.run())
    assert outcome(office) == kinds.GRANTED
    assert statuses(office) == []
    office.reopen()
    assert office.record.catch_up(office.now_s) == [METER]
    assert statuses(office) == [VALID]


def test_a_store_that_fails_enters_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing half-written: neither log nor file knows the statement."""
    size = office.record.log.size

    def full(*_: object) -> None:
        raise StoreFailed("database or disk is full")

    event = office.fixture.event("case_opened", "1")
    with monkeypatch.context() as broken:
        broken.setattr(office.record.entries.store, "append", full)
        with pytest.raises(StoreFailed):
            office.offer(event)
    assert office.record.log.size == size
    assert isinstance(office.offer(event)[0], bytes)


def test_beacons_are_numbered_logged_and_made_anew_only_when_old(office: Office) -> None:
    """Design section 1 item 4: not before: the registry's beacon that an attempt cites."""
    first = verify(office.record.beacon(office.now_s), office.ring).statement
    assert office.record.beacon(office.tick(59)) == first.raw
    second = verify(office.record.beacon(office.tick(1)), office.ring).statement
    assert second.payload[L.NUMBER] == first.payload[L.NUMBER] + 1
    assert second.identity in office.record.log.by_identity


def test_a_checkpoint_signs_size_and_root(office: Office) -> None:
    """C2SP checkpoint's content: origin, size, root."""
    raw = office.record.log.checkpoint(office.record.author, office.now_s)
    payload = verify(raw, office.ring).statement.payload
    assert payload[L.LOG_SIZE] == office.record.log.size
    assert payload[L.LOG_ROOT] == office.root()
