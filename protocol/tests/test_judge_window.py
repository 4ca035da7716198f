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


def test_a_beacon_that_entered_after_its_attempt_bounds_nothing() -> None:
    """The log shows the attempt first."""
    trial = Trial().begin().run()
    trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    entries = tuple(
        replace(entry, leaf=40) if entry.statement.typ == L.KIND_BEACON else entry
        for entry in evidence.entries
    )
    decision = decide(
        replace(evidence, entries=entries), trial.record.grants(), trial.packs, trial.record.now_s
    )
    assert decision.reasons == (("time.unbounded", ()),)


def test_an_interval_that_ends_before_it_begins_is_none() -> None:
    """A registry's clock that went back between beacon and result."""
    trial = Trial().begin()
    trial.attempt()
    trial.record.now_s = START_S
    trial.enter(trial.fixture.result([trial.seat()]))
    assert "time.unbounded" in trial.codes()
