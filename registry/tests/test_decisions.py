"""When a meter is decided, what is owed to it, and that anybody decides the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from registry.tests.conftest import BAD_PPM, METER, SERIAL, Office

from meterseal_protocol.statement import Statement
from meterseal_protocol.status import INVALID, SUSPENDED, VALID
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.looked import Looked
from meterseal_protocol.testing.watched import Watched
from meterseal_registry import entries
from meterseal_registry.record import open_record
from meterseal_tools.audit import audit
from meterseal_tools.evidence_folder import export, load
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import BadShape
from meterseal_wire.sign1 import identity

OTHER = "87654321"
DAY_S = 86_400


def newest(office: Office, serial: str = SERIAL) -> Statement:
    """The newest decision about a meter."""
    found = office.record.decisions.newest(f"DEMO.{serial}")
    assert found is not None
    return found


def codes(office: Office, serial: str = SERIAL) -> list[str]:
    """Codes of the newest decision's reasons."""
    return [code for code, _ in newest(office, serial).payload[L.REASONS]]


def statuses(office: Office) -> list[int]:
    """Status of every certificate, in the order of issue."""
    return office.record.certificates.store.statuses()


def test_whoever_has_the_exported_folder_decides_the_same_bytes(
    office: Office, served: str, tmp_path: Path
) -> None:
    """Design section 1 item 7: the same bytes on an inspector's laptop. Fetched over HTTP, audited from the anchors."""
    office.offer(*office.run())
    office.offer(*office.run(BAD_PPM, OTHER))
    office.offer(*office.run(serial=OTHER))
    office.offer(*office.run(BAD_PPM))
    size = export(served, office.world.anchors_file, tmp_path / "folder")
    assert size == office.record.log.size
    state = audit(load(tmp_path / "folder"), office.world.anchors_file)
    assert [str(finding) for finding in state.findings] == []
    assert (state.decisions, state.certificates) == (4, 2)


def test_a_single_statement_that_closes_a_run_decides_too(office: Office) -> None:
    """CONTRACT: when a result is entered, whichever address it came to."""
    attempt, result = office.run()
    office.offer(attempt)
    office.record.submit(result.raw, office.now_s)
    assert codes(office) == ["evidence.missing"]
    office.offer(result)
    assert codes(office) == []


def test_an_abandoned_run_decides_every_meter_of_its_attempt(office: Office) -> None:
    """CONTRACT: result or abandoned; the operator's stop after counting is a try, and no result is there."""
    seats = [office.seat(), office.seat(serial=OTHER)]
    seats[1].position = 2
    office.tick(60)
    attempt = office.fixture.attempt(seats, office.plan, office.beacon)
    place = (office.fixture.epoch, office.fixture.seq)
    office.offer(attempt, office.fixture.abandoned(kinds.OPERATOR, place, [(1, 10, 100), (2, 10, 100)]))
    for serial in (SERIAL, OTHER):
        assert codes(office, serial) == ["attempt.missing"] and newest(office, serial).payload[L.TRIES] == 1


def test_a_boot_after_a_break_decides_what_stood_open(office: Office) -> None:
    """Design section 6: attempts open at a break count as failed tries; the certificate from before is withdrawn."""
    office.offer(*office.run())
    assert statuses(office) == [VALID]
    office.tick(60)
    office.offer(office.attempt(office.seat()))
    assert statuses(office) == [VALID]
    office.offer(office.fixture.boot())
    assert codes(office) == ["attempt.later_failed"] and statuses(office) == [INVALID]


def test_a_boot_with_nothing_open_decides_nothing(office: Office) -> None:
    """Scope and decision are made for meters that something happened to."""
    office.offer(*office.run())
    size = office.record.log.size
    office.offer(office.fixture.boot())
    assert office.record.log.size == size + 1


def test_an_attempt_that_comes_after_its_result_is_decided_then(office: Office) -> None:
    """Bundles may be passed over and come later; the meter is known only with the attempt."""
    attempt, result = office.run()
    office.offer(result)
    assert office.record.log.catalogue.owed == {}
    office.offer(attempt)
    assert codes(office) == []
    assert office.record.log.catalogue.entries_of(METER) == [result.identity, attempt.identity]


def test_a_meter_whose_decision_no_statement_can_carry_keeps_no_other_waiting(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fixture must not be able to stop everybody's decisions."""
    settle = office.record.settle

    def choosy(meter: str, now_s: int) -> None:
        if meter == METER:
            raise BadShape(0, "too many reasons")
        settle(meter, now_s)

    with monkeypatch.context() as broken:
        broken.setattr(office.record, "settle", choosy)
        answers = office.offer(*office.run(), *office.run(serial=OTHER))
    assert all(isinstance(answer, bytes) for answer in answers)
    assert office.record.decisions.meters() == [f"DEMO.{OTHER}"]
    office.reopen()
    assert office.record.catch_up(office.now_s) == [METER]


def test_a_refusal_that_lost_power_before_the_withdrawal_is_made_good(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Station 12: the decision is logged, the older certificate still stands; the next start withdraws it."""
    office.offer(*office.run())
    with monkeypatch.context() as cut:
        cut.setattr(office.record.certificates, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            office.offer(*office.run(BAD_PPM))
    assert codes(office) == ["error.limit"] and statuses(office) == [VALID]
    office.reopen()
    assert office.record.catch_up(office.now_s) == [METER]
    assert statuses(office) == [INVALID]
    office.reopen()
    assert office.record.catch_up(office.now_s) == []


def test_a_certificate_that_was_withdrawn_is_not_issued_again_by_a_restart(office: Office) -> None:
    """Design section 1 item 9: invalid is final for a certificate; a restart is no new evidence."""
    office.offer(*office.run())
    office.record.certificates.store.set_status(0, INVALID)
    office.reopen()
    assert office.record.catch_up(office.now_s) == []
    assert statuses(office) == [INVALID]


def test_a_suspended_certificate_stays_so_until_a_later_failure_ends_it(office: Office) -> None:
    """Suspended is no yes and no new certificate; a refusal on a later result is final."""
    office.offer(*office.run())
    office.record.certificates.store.set_status(0, SUSPENDED)
    office.reopen()
    assert office.record.catch_up(office.now_s) == [] and statuses(office) == [SUSPENDED]
    office.offer(*office.run(BAD_PPM))
    assert statuses(office) == [INVALID]


def test_a_third_try_is_one_too_many(office: Office) -> None:
    """JJG 162 draft pack: most_tries 2; the certificate of the second is withdrawn with it."""
    office.offer(*office.run(BAD_PPM))
    office.offer(*office.run())
    office.offer(*office.run())
    assert codes(office) == ["attempt.retest_limit"] and newest(office).payload[L.TRIES] == 3
    assert statuses(office) == [INVALID]


def test_the_scope_lists_every_entry_that_names_the_meter_and_no_other(office: Office) -> None:
    """Design section 1 item 6: attempts naming it and what closed them, up to the log's size."""
    mine, others = office.run(), office.run(serial=OTHER)
    office.offer(*mine, *others)
    again = office.run()
    office.offer(*again)
    scope = office.record.log.catalogue.newest[L.KIND_SCOPE, METER]
    payload = scope.statement.payload
    assert payload[L.ENTRIES] == [item.identity for item in (*mine, *again)]
    assert payload[L.LOG_SIZE] == scope.leaf == newest(office).payload[L.LOG_SIZE] - 1


def test_a_registry_that_nobody_granted_enters_and_waits(office: Office, tmp_path: Path) -> None:
    """Its decisions would be believed by nobody; once its grant is here, the next bundle decides what is owed."""
    young = open_record(replace(office.settings, folder=tmp_path / "young"))
    for raw in (raw for name, raw in office.world.grants.items() if name != "registry"):
        young.submit(raw, office.now_s)
    items = [office.fixture.signed[0], *office.run()]
    answers = young.bundle([(item.raw, item.evidence) for item in items], office.now_s)
    assert all(isinstance(answer, bytes) for answer in answers)
    assert young.decisions.newest(METER) is None and not young.granted
    young.submit(office.world.grants["registry"], office.now_s)
    assert young.granted and young.decisions.newest(METER) is not None
    young.entries.store.close()


def test_what_witnesses_saw_while_the_registry_was_away_decides_again(office: Office) -> None:
    """Design section 1 item 4. Attempt and result come 15 days late, and their beacon would be stale at 14. The edge's
    sighting, two of its witnesses' seconds, cures it; another one of what is granted makes no decision.
    """
    log = Watched(office.world, office.fixture)
    for name in ("edge", "witness a", "witness b", "witness c"):
        office.record.submit(office.world.grants[name], office.now_s)
    office.tick(DAY_S)
    office.beacon = identity(office.record.beacon(office.now_s))
    seconds = {"a": office.tick(100), "b": office.tick(10)}
    run = office.run()
    office.tick(15 * DAY_S)
    office.offer(*run)
    assert codes(office) == ["time.beacon_stale"] and statuses(office) == []
    office.offer(log.seen({"a": seconds["a"]}))
    assert codes(office) == ["time.beacon_stale"]
    office.offer(log.seen(seconds))
    assert codes(office) == [] and statuses(office) == [VALID]
    assert newest(office).payload[L.WINDOW][0] == seconds["b"]
    size = office.record.log.size
    office.offer(log.seen({"b": seconds["a"], "c": seconds["b"]}))
    assert office.record.log.size == size + 1
    office.reopen()
    assert office.record.catch_up(office.now_s) == []


def test_a_decision_looks_at_its_own_meters_entries_and_no_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: a dozen meters on a bench of their own are entered, and the same entries are looked at as
    before. A registry that walks its pool looks at every one.
    """
    monkeypatch.setattr(entries, "Entry", Looked)
    office.reopen()
    office.offer(*office.run())
    size, before = office.record.log.size, looked_at(office)
    assert before < set(range(size))
    office.fixture = ModelFixture(office.world.author("G1"))
    office.offer(office.fixture.boot())
    for serial in range(12):
        office.offer(*office.run(serial=f"{serial:08}"))
    assert office.record.log.size > 3 * size
    assert looked_at(office) == before


def looked_at(office: Office) -> set[int]:
    """Leaves of the entries that METER's evidence is picked from."""
    Looked.at.clear()
    office.record.decisions.evidence(METER)
    return set(Looked.at)
