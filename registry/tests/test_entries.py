"""The door of the log: one transaction a bundle, evidence only where it is covered, and what comes late."""

from collections.abc import Iterator

import pytest
from registry.tests.conftest import METER, Office

from meterseal_protocol import receipt
from meterseal_protocol.evidence import select
from meterseal_protocol.judge import decide
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_registry.entries import BUNDLE_ITEMS, covered, unpack
from meterseal_registry.errors import BadEntry, StoreFailed, TooLarge
from meterseal_registry.store.contract import Row
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode


@pytest.fixture
def commits(office: Office) -> Iterator[list[int]]:
    """Rows of each transaction that the store was asked for."""
    store = office.record.entries.store
    sizes: list[int] = []
    append = store.append

    def counted(rows: list[Row], *rest: object) -> None:
        sizes.append(len(rows))
        append(rows, *rest)  # type: ignore[arg-type]

    store.append = counted  # type: ignore[method-assign]
    yield sizes
    store.append = append  # type: ignore[method-assign]


def codes(office: Office) -> list[str]:
    """Codes of the newest decision's reasons."""
    decision = office.record.decisions.newest(METER)
    assert decision is not None
    return [code for code, _ in decision.payload[L.REASONS]]


def bare(item: Signed) -> Signed:
    """The statement without its evidence."""
    return Signed(item.raw)


def test_a_bundle_is_one_transaction(office: Office, commits: list[int]) -> None:
    """One fsync for all statements; then scope, decision and certificate, each its own."""
    office.offer(*[office.fixture.event("case_opened", str(n)) for n in range(5)], *office.run())
    assert commits == [7, 1, 1, 1]


def test_a_grant_is_durable_before_its_key_is_used(office: Office, commits: list[int]) -> None:
    """A new fixture's grant and its boot in one bundle: the boot verifies under the key that the grant names."""
    key = office.world.keys["W1"].generate()
    office.world.keys["W9"] = key
    fields = {**office.world.fixture_fields("W9"), L.STANDARDS: ["REF-W1"]}
    raw = office.world.grants["fixture W1"]
    parent = office.record.log.catalogue.grants[-1].statement.payload[L.PARENT]
    grant = office.world.grant("province", kinds.FIXTURE, {L.PARENT: parent, **fields})
    boot = ModelFixture(office.world.author("W9")).boot()
    answers = office.offer(Signed(raw), Signed(grant), boot)
    assert all(isinstance(answer, bytes) for answer in answers)
    assert commits == [1, 1]


def test_one_statement_twice_in_a_bundle_is_one_entry(office: Office) -> None:
    """Both items get the same leaf."""
    event = office.fixture.event("case_opened", "1")
    size = office.record.log.size
    found = [receipt.check(raw, event.identity, office.ring).leaf for raw in office.offer(event, event)]
    assert found == [size, size] and office.record.log.size == size + 1


def test_a_failed_transaction_leaves_neither_statement_nor_key(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing half-written: not in the log, not in the catalogue, and after a restart not either."""
    items = office.run()
    before = (office.record.log.size, office.record.log.tree.root(), len(office.record.log.pool))

    def full(*_: object) -> None:
        raise StoreFailed("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(office.record.entries.store, "append", full)
        with pytest.raises(StoreFailed):
            office.offer(*items)
    assert (office.record.log.size, office.record.log.tree.root(), len(office.record.log.pool)) == before
    office.reopen()
    assert office.record.log.size == before[0]
    assert all(isinstance(answer, bytes) for answer in office.offer(*items))


def test_a_store_that_fails_at_the_decision_is_made_good_by_the_next_bundle(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is durable, its decision is not: sent again, the meter is decided."""
    items = office.run()

    def full(*_: object) -> None:
        raise StoreFailed("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(office.record.decisions.entries, "record", full)
        with pytest.raises(StoreFailed):
            office.offer(*items)
    assert items[1].identity in office.record.log.by_identity
    assert office.record.decisions.newest(METER) is None
    office.offer(*items)
    assert codes(office) == [] and office.record.certificates.newest(METER) is not None


def test_evidence_that_is_not_covered_is_left_out_and_the_statement_entered(office: Office) -> None:
    """A failed test must not hide behind damaged evidence; the judge says evidence.missing instead."""
    attempt, result = office.run()
    damaged = Signed(result.raw, (result.evidence[0], b"other"))
    answers = office.offer(attempt, damaged)
    receipt.check(answers[1], result.identity, office.ring)
    assert office.record.log.find(result.identity).evidence == ()
    assert codes(office) == ["evidence.missing"]


def test_evidence_may_come_later_and_decides_the_meter_again(office: Office) -> None:
    """reasons.toml, evidence.missing: hand in the raw evidence. Undecided first, then granted on the same result."""
    attempt, result = office.run()
    office.offer(attempt, bare(result))
    assert codes(office) == ["evidence.missing"] and office.record.certificates.newest(METER) is None
    office.tick(60)
    office.offer(result)
    assert codes(office) == [] and office.record.certificates.newest(METER) is not None
    assert office.record.log.find(result.identity).evidence == result.evidence


def test_the_plan_may_come_later_too(office: Office) -> None:
    """An attempt's plan is its evidence: position 0 of evidence.missing."""
    attempt, result = office.run()
    office.offer(bare(attempt), result)
    assert codes(office) == ["evidence.missing"]
    office.offer(attempt)
    assert codes(office) == []


def test_a_plan_that_comes_before_the_result_makes_no_decision(office: Office) -> None:
    """Nothing was decided without it, so nothing is decided again."""
    attempt, result = office.run()
    office.offer(bare(attempt))
    office.offer(attempt)
    assert office.record.decisions.newest(METER) is None
    office.offer(result)
    assert codes(office) == []


def test_evidence_that_is_here_is_never_replaced(office: Office) -> None:
    """Sent a third time, nothing changes and nobody is decided again."""
    items = office.run()
    office.offer(*items)
    size = office.record.log.size
    office.offer(*items)
    office.offer(Signed(items[1].raw, (b"other",)))
    assert office.record.log.size == size
    assert office.record.log.find(items[1].identity).evidence == items[1].evidence


def test_the_decision_before_late_evidence_can_still_be_made_again(office: Office) -> None:
    """Its inputs digest names what it read: the same entries without what came later give the same bytes."""
    attempt, result = office.run()
    office.offer(attempt, bare(result))
    first = office.record.decisions.newest(METER)
    assert first is not None
    office.offer(result)
    log, size = office.record.log, first.payload[L.LOG_SIZE]
    early = {row.identity: row.evidence for row in log.rows if row.evidence and row.since < size}
    grants = office.record.entries.authorities.grants(log)
    again = decide(select(METER, log.pool, size, early), grants, office.record.packs, first.payload[L.AT_S])
    assert encode(again.payload()) == first.body


def test_a_power_cut_between_late_evidence_and_its_decision_is_made_good(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store says when evidence came; a decision that is older has not read it."""
    attempt, result = office.run()
    office.offer(attempt, bare(result))
    with monkeypatch.context() as cut:
        cut.setattr(office.record, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            office.offer(result)
    office.reopen()
    assert office.record.catch_up(office.now_s) == [METER]
    assert codes(office) == []
    office.reopen()
    assert office.record.catch_up(office.now_s) == []


def test_what_covers_what(office: Office) -> None:
    """An attempt its one plan by digest, a result all its leaves in order, every other kind nothing."""
    attempt, result = (office.record.entries.verified(item.raw).statement for item in office.run())
    plan, leaves = office.fixture.signed[-2].evidence, office.fixture.signed[-1].evidence
    assert covered(attempt, plan) == plan and covered(result, leaves) == leaves
    assert covered(attempt, (*plan, b"")) == covered(attempt, ()) == covered(attempt, leaves) == ()
    assert covered(result, leaves[::-1]) == covered(result, leaves[:1]) == covered(result, ()) == ()
    boot = office.record.entries.verified(office.fixture.signed[0].raw).statement
    assert covered(boot, (b"anything",)) == ()


@pytest.mark.parametrize(
    "body,why",
    [
        (b"", "byte 0"),
        (b"\x80", "array of"),
        (b"\x81\x80", "array of"),
        (b"\x81\x81\x01", "array of"),
        (b"\xa0", "array of"),
        (b"\x82\x81\x40", "byte 3"),
        (b"\x81\x81\x58\x01\x00", "byte 2"),
    ],
)
def test_a_damaged_bundle_is_refused_with_its_byte(body: bytes, why: str) -> None:
    """Design section 13: one named error with the byte offset. 58 01 is a length that fits in one byte."""
    with pytest.raises(BadEntry, match=why):
        unpack(body)


def test_a_bundle_has_a_limit_of_items() -> None:
    """So that one request does not hold the log for minutes."""
    assert len(unpack(bytes(encode([[b""]] * BUNDLE_ITEMS)))) == BUNDLE_ITEMS
    with pytest.raises(TooLarge, match="1001 items"):
        unpack(bytes(encode([[b""]] * (BUNDLE_ITEMS + 1))))


def test_a_store_that_was_changed_behind_our_back_is_not_opened(office: Office) -> None:
    """Bytes that do not hash to their leaf: a root over them would contradict every receipt."""
    store = office.record.entries.store
    store._db.execute("UPDATE entry SET identity = zeroblob(32) WHERE leaf = 3")  # type: ignore[attr-defined]
    store.close()
    with pytest.raises(StoreFailed, match="damaged at leaf 3"):
        office.open()


def test_a_store_with_a_hole_is_not_opened(office: Office) -> None:
    """Leaves count on without gaps."""
    store = office.record.entries.store
    store._db.execute("DELETE FROM entry WHERE leaf = 2")  # type: ignore[attr-defined]
    store.close()
    with pytest.raises(StoreFailed, match="damaged at leaf 2"):
        office.open()
