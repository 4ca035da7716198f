"""time.*: an interval, not an instant; the pack's drafts are 14 days for a beacon, 365 for the installation."""

from dataclasses import replace

import pytest

from meterseal_protocol.judge import decide
from meterseal_protocol.testing.trial import TO_ATTEMPT_S, TO_BEACON_S, TO_RESULT_S, Trial
from meterseal_protocol.testing.world import START_S
from meterseal_wire import kinds
from meterseal_wire import labels as L

DAY_S = 86_400
ENTERED_S = START_S + TO_BEACON_S + TO_ATTEMPT_S + TO_RESULT_S


@pytest.mark.parametrize(
    "at_s, codes",
    [
        (ENTERED_S, set()),
        (ENTERED_S - 1, {"time.outside_window"}),
        (ENTERED_S + 365 * DAY_S, set()),
        (ENTERED_S + 365 * DAY_S + 1, {"time.outside_window"}),
    ],
)
def test_installation_may_be_asked_for_from_the_entry_for_a_year(at_s: int, codes: set[str]) -> None:
    """Both ends included."""
    assert Trial().begin().run().codes(at_s) == codes


def test_a_granted_decision_carries_the_window() -> None:
    """From the result's entry, for 365 days."""
    assert Trial().begin().run().decide().window == (ENTERED_S, ENTERED_S + 365 * DAY_S)


@pytest.mark.parametrize("age_s, codes", [(14 * DAY_S, set()), (14 * DAY_S + 1, {"time.beacon_stale"})])
def test_a_beacon_is_young_when_it_is_cited(age_s: int, codes: set[str]) -> None:
    """Age at the attempt's own entry."""
    trial = Trial().begin()
    trial.record.now_s += age_s - TO_ATTEMPT_S
    assert trial.run().codes() == codes


def test_an_attempt_that_cites_no_beacon_on_record_has_no_beginning() -> None:
    """32 bytes that name nothing: undecided, and nothing is said about grants, whose time is not known."""
    trial = Trial().begin()
    trial.beacon = bytes(32)
    decision = trial.run().decide()
    assert decision.outcome == kinds.UNDECIDED and decision.reasons == (("time.unbounded", ()),)


@pytest.mark.parametrize("later, codes", [(-1, set()), (0, {"time.future"})])
def test_a_beacon_that_entered_after_its_attempt_is_from_the_future(later: int, codes: set[str]) -> None:
    """The log shows the attempt first, or at the same leaf, which is as impossible."""
    trial = Trial().begin().run()
    trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    leaf = trial.record.of_kind(L.KIND_ATTEMPT)[0].leaf + later
    entries = tuple(
        replace(entry, leaf=leaf) if entry.statement.typ == L.KIND_BEACON else entry
        for entry in evidence.entries
    )
    decision = decide(
        replace(evidence, entries=entries), trial.record.grants(), trial.packs, trial.record.now_s
    )
    assert {code for code, _ in decision.reasons} == codes


@pytest.mark.parametrize("early_s, codes", [(0, set()), (1, {"time.future"})])
@pytest.mark.parametrize("kind", [L.KIND_BEACON, L.KIND_SCOPE, L.KIND_SIGNOFF, L.KIND_MARKS])
def test_nobody_names_a_second_that_has_not_come(kind: int, early_s: int, codes: set[str]) -> None:
    """The statement's own time is that of its entry, or one second later."""
    trial = Trial().begin().run()
    trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    entries = tuple(
        replace(entry, entered_s=entry.statement.payload[L.TIME_S] - early_s)
        if entry.statement.typ == kind
        else entry
        for entry in evidence.entries
    )
    decision = decide(
        replace(evidence, entries=entries), trial.record.grants(), trial.packs, trial.record.now_s
    )
    assert {code for code, _ in decision.reasons} == codes


def test_an_interval_that_ends_before_it_begins_is_none() -> None:
    """A registry's clock that went back between beacon and result."""
    trial = Trial().begin()
    trial.attempt()
    trial.record.now_s = START_S
    trial.enter(trial.fixture.result([trial.seat()]))
    assert "time.unbounded" in trial.codes()
