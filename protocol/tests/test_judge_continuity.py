"""chain.*, scope.*: epochs whole from their boot, nothing forked, nothing left out. Rules of design section 6."""

from dataclasses import replace

import pytest

from meterseal_protocol.evidence import Evidence
from meterseal_protocol.judge import decide
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.statement import build


def without(trial: Trial, typ: int) -> set[str]:
    """Codes when every entry of a kind is left out of the evidence."""
    trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    left = tuple(entry for entry in evidence.entries if entry.statement.typ != typ)
    decision = decide(replace(evidence, entries=left), trial.record.grants(), trial.packs, trial.record.now_s)
    return {code for code, _ in decision.reasons}


def test_a_missing_boot_is_a_gap() -> None:
    """Sequence 0 is where an epoch begins."""
    assert without(Trial().begin().run(), L.KIND_BOOT) == {"chain.gap"}


def test_a_gap_is_undecided_since_the_missing_statement_may_come() -> None:
    """An event between attempt and result never reached the log."""
    trial = Trial().begin()
    trial.attempt()
    place = (trial.fixture.epoch, trial.fixture.seq)
    trial.fixture.event("case_opened", "not entered")
    trial.enter(trial.fixture.result([trial.seat()], place))
    decision = trial.decide()
    assert decision.outcome == kinds.UNDECIDED and decision.reasons == (("chain.gap", (1, 2)),)


def test_an_event_that_is_there_fills_its_place() -> None:
    """The other side: with the event in the log the same run is granted."""
    trial = Trial().begin()
    trial.attempt()
    place = (trial.fixture.epoch, trial.fixture.seq)
    trial.enter(trial.fixture.event("note", "entered"))
    trial.enter(trial.fixture.result([trial.seat()], place))
    assert trial.decide().granted


def test_two_statements_at_one_place_are_a_fork() -> None:
    """A cloned key signs another attempt at (1, 1)."""
    trial = Trial().begin()
    clone = ModelFixture(trial.fixture.author, trial.fixture.epoch, trial.fixture.seq, trial.fixture.head)
    trial.run()
    trial.enter(clone.attempt([trial.seat()], trial.plan, trial.beacon, operator=b"another"))
    decision = trial.decide()
    assert decision.outcome == kinds.REFUSED and ("chain.fork", (1, 1)) in decision.reasons


def test_a_statement_that_cites_another_predecessor_is_a_fork() -> None:
    """The result's prev is not the attempt before it."""
    trial = Trial().begin()
    trial.attempt()
    trial.fixture.head = bytes(32)
    trial.enter(trial.fixture.result([trial.seat()]))
    assert trial.codes() == {"chain.fork"}


def test_an_epoch_that_does_not_begin_with_a_boot_is_undeclared() -> None:
    """Sequence 0 of epoch 2 is an event."""
    trial = Trial().begin().run()
    trial.fixture.epoch, trial.fixture.seq = 2, -1
    trial.enter(trial.fixture.event("note", "no boot"))
    assert "chain.epoch_undeclared" in trial.run().codes()


def test_a_later_epoch_must_name_the_head_that_it_follows() -> None:
    """A boot with a prev and without a last head: as if the state had been put together by hand."""
    trial = Trial().begin().run()
    boot = trial.fixture.boot()
    payload = dict(trial.record.enter(boot.raw).statement.payload)
    del payload[L.LAST_HEAD]
    forged = build(trial.fixture.author, L.KIND_BOOT, payload, (3, 0, boot.identity))
    entry = trial.record.enter(forged)
    trial.fixture.epoch, trial.fixture.seq, trial.fixture.head = 3, 0, entry.statement.identity
    assert ("chain.epoch_undeclared", (3,)) in trial.run().decide().reasons


def test_a_statement_beyond_the_head_that_the_next_epoch_cites_is_a_fork() -> None:
    """Epoch 2 follows (1, 0): the attempt at (1, 1) was signed on a restored image's other branch."""
    trial = Trial().begin()
    restored = ModelFixture(trial.fixture.author, 1, 0, trial.fixture.head, counter=0)
    trial.run()
    restored.boot()
    trial.enter(restored.signed[-1])
    trial.fixture = restored
    assert ("chain.fork", (1, 1)) in trial.run().decide().reasons


def test_two_epochs_that_follow_one_head_are_two_successors() -> None:
    """An epoch is closed by exactly one successor."""
    trial = Trial().begin().run()
    first = trial.fixture
    second = ModelFixture(first.author, first.epoch, first.seq, first.head, first.counter)
    trial.enter(first.boot())
    trial.run()
    second.epoch += 1
    boot = dict(trial.record.of_kind(L.KIND_BOOT)[-1].statement.payload)
    entry = trial.record.enter(build(second.author, L.KIND_BOOT, boot, (3, 0, second.head)))
    second.epoch, second.seq, second.head = 3, 0, entry.statement.identity
    trial.fixture = second
    trial.run()
    reasons = trial.decide().reasons
    assert ("chain.two_successors", (3, 2)) in reasons and "chain.fork" not in dict(reasons)


def test_a_boot_cannot_follow_its_own_or_a_later_epoch() -> None:
    """LAST_HEAD names epoch 2, and the boot opens epoch 2."""
    trial = Trial().begin().run()
    payload = dict(trial.record.of_kind(L.KIND_BOOT)[0].statement.payload)
    payload[L.LAST_HEAD] = [2, 0]
    entry = trial.record.enter(build(trial.fixture.author, L.KIND_BOOT, payload, (2, 0, trial.fixture.head)))
    trial.fixture.epoch, trial.fixture.seq, trial.fixture.head = 2, 0, entry.statement.identity
    assert ("chain.epoch_undeclared", (2,)) in trial.run().decide().reasons


def test_two_epochs_in_order_are_whole() -> None:
    """The other side of the forks: boot, run, boot, run."""
    trial = Trial().begin().run()
    trial.enter(trial.fixture.boot())
    assert trial.run().decide().granted


def test_without_a_scope_absence_is_not_proved() -> None:
    """Design, idea 6: no scope, undecided."""
    decision = Trial().begin().run().judge()
    assert decision.outcome == kinds.UNDECIDED and decision.reasons == (("scope.missing", ()),)


def test_a_try_that_the_scope_lists_and_the_evidence_lacks_is_noticed() -> None:
    """Two attempts and two results are listed; the first pair was left out of the evidence, with its boot."""
    trial = Trial().begin().run(Trial().seat((30_000, 1, -1)))
    trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    left = tuple(e for e in evidence.entries if e.statement.typ != L.KIND_RESULT)
    decision = decide(replace(evidence, entries=left), trial.record.grants(), trial.packs, trial.record.now_s)
    assert ("scope.incomplete", (2, 1)) in decision.reasons


def test_a_scope_from_before_the_test_proves_nothing_about_it() -> None:
    """Its log size ends below the attempt's leaf."""
    trial = Trial().begin()
    trial.record.scope(trial.meter)
    decision = trial.run().judge()
    assert decision.reasons == (("scope.incomplete", (0, 2)),)


@pytest.mark.parametrize("beyond,codes", [(1, set()), (0, {"scope.incomplete"})])
def test_a_scope_reaches_past_the_last_entry_about_the_meter(beyond: int, codes: set[str]) -> None:
    """A log of size n has leaves 0 to n - 1: size = leaf of the marks leaves them out, one more takes them in."""
    trial = Trial().begin().run()
    trial.record.scope(trial.meter)
    last = trial.record.of_kind(L.KIND_MARKS)[0]
    evidence = trial.record.evidence(trial.meter)
    scope = trial.record.of_kind(L.KIND_SCOPE)[0]
    payload = {**scope.statement.payload, L.LOG_SIZE: last.leaf + beyond}
    moved = replace(scope, statement=replace(scope.statement, payload=payload))
    entries = tuple(moved if entry == scope else entry for entry in evidence.entries)
    changed = replace(evidence, entries=entries)
    decision = decide(changed, trial.record.grants(), trial.packs, trial.record.now_s)
    assert {code for code, _ in decision.reasons} == codes


@pytest.mark.parametrize("more,codes", [(0, set()), (1, {"scope.incomplete"})])
def test_a_scope_speaks_of_the_log_before_itself(more: int, codes: set[str]) -> None:
    """It stands at leaf n, so it can have looked at leaves 0 to n - 1: a size of n, and not one more."""
    trial = Trial().begin().run()
    scope = trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    payload = {**scope.statement.payload, L.LOG_SIZE: scope.leaf + more}
    moved = replace(scope, statement=replace(scope.statement, payload=payload))
    entries = tuple(moved if entry == scope else entry for entry in evidence.entries)
    assert judged(trial, replace(evidence, entries=entries)) == codes


def judged(trial: Trial, evidence: Evidence) -> set[str]:
    """Codes of a decision over changed evidence."""
    decision = decide(evidence, trial.record.grants(), trial.packs, trial.record.now_s)
    return {code for code, _ in decision.reasons}


def twin_event(trial: Trial, seq: int) -> None:
    """A clone signs an event of its own at (1, seq), and it is logged now."""
    clone = ModelFixture(trial.fixture.author, 1, seq - 1, trial.fixture.head)
    trial.enter(clone.event("note", f"another history at {seq}"))


def test_what_was_logged_before_a_fork_keeps_its_answer() -> None:
    """The run ends at (1, 2). An event stands at (1, 3), and then another one at the same place."""
    trial = Trial().begin().run()
    trial.enter(trial.fixture.event("note", "one history"))
    twin_event(trial, 3)
    assert trial.decide().granted


def test_what_was_logged_after_a_fork_is_refused_even_in_a_later_epoch() -> None:
    """The other side: the same fork at (1, 3), then a boot and a run in epoch 2. The key is suspended."""
    trial = Trial().begin()
    trial.attempt()
    trial.enter(trial.fixture.abandoned(kinds.SILENT, (1, 1)))
    trial.enter(trial.fixture.event("note", "one history"))
    twin_event(trial, 3)
    trial.enter(trial.fixture.boot())
    decision = trial.run().decide()
    assert decision.reasons == (("chain.fork", (1, 3)),)


def test_a_fork_of_another_fixture_is_none_of_ours() -> None:
    """The gas bench forks; the water meter never stood on it."""
    trial = Trial().begin()
    for note in ("one", "another"):
        gas = ModelFixture(trial.world.author("G1"))
        trial.enter(gas.boot())
        trial.enter(gas.event("note", note))
    assert trial.run().decide().granted


def test_a_result_that_a_boot_disowns_is_refused() -> None:
    """The run ends at (1, 4), and epoch 2 cites (1, 3): the result is beyond the head that it held."""
    trial = Trial().begin()
    for note in ("one", "two"):
        trial.enter(trial.fixture.event("note", note))
    trial.attempt()
    restored = ModelFixture(trial.fixture.author, 1, 3, trial.fixture.head, counter=1)
    trial.record.now_s += 180
    trial.enter(trial.fixture.result([trial.seat()]))
    trial.enter(restored.boot())
    assert ("chain.fork", (1, 4)) in trial.decide().reasons


def test_a_fixture_that_forgets_everything_forks_from_there() -> None:
    """Its boot of epoch 2 follows nothing, as if it were the first: what it signs from there on is refused."""
    trial = Trial().begin().run()
    assert trial.decide().granted
    boot = dict(trial.record.of_kind(L.KIND_BOOT)[0].statement.payload)
    entry = trial.record.enter(build(trial.fixture.author, L.KIND_BOOT, boot, (2, 0, bytes(32))))
    assert trial.decide().granted
    trial.fixture.epoch, trial.fixture.seq, trial.fixture.head = 2, 0, entry.statement.identity
    trial.fixture.counter = 0
    assert ("chain.fork", (2, 0)) in trial.run().decide().reasons


def test_nothing_follows_the_statement_that_hands_over_to_a_new_key() -> None:
    """Design section 5: key rotated. A run of the old key after it is a fork; one before it stands."""
    trial = Trial().begin().run()
    trial.fixture.hand_over(PrivateKey.generate())
    trial.enter(trial.fixture.signed[-1])
    assert trial.decide().granted
    assert trial.run().decide().reasons == (("chain.fork", (1, 4)), ("chain.fork", (1, 5)))


@pytest.mark.parametrize("boots, codes", [(3, set()), (4, {"chain.break_limit"})])
def test_breaks_of_a_month_are_limited(boots: int, codes: set[str]) -> None:
    """The pack allows three; each boot opens an epoch, the one that runs the test included."""
    trial = Trial(rules={"most_breaks_per_month": 3}).begin()
    for _ in range(boots - 1):
        trial.enter(trial.fixture.boot())
    decision = trial.run().decide()
    assert dict(decision.reasons) == dict.fromkeys(codes, (boots, 3))


@pytest.mark.parametrize("later_s, codes", [(0, {"chain.break_limit"}), (1, set())])
def test_a_break_counts_for_thirty_days_before_the_beacon(later_s: int, codes: set[str]) -> None:
    """Not before the beacon's second is the test: a boot logged 30 * 86 400 s before it counts, one second more not."""
    trial = Trial(rules={"most_breaks_per_month": 1, "most_beacon_age_s": 86_400 * 60})
    trial.record.enter_grants()
    trial.enter(trial.fixture.boot())
    trial.record.now_s += 30 * 86_400 + later_s
    trial.beacon = trial.record.beacon().statement.identity
    trial.enter(trial.fixture.boot())
    assert trial.run().codes() == codes
