"""attempt.*: what counts as a try, and what a try that is missing, open, withheld or too many does."""

import pytest

from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.trial import GOOD_PPM, Trial
from meterseal_wire import kinds

BAD_PPM = (30_000, 4_000, -8_000)


def test_a_meter_without_any_attempt_is_undecided() -> None:
    """Nothing was announced, nothing counted."""
    decision = Trial().begin().decide()
    assert decision.outcome == kinds.UNDECIDED
    assert decision.reasons == (("attempt.missing", (0, 0)),)


def test_an_open_attempt_leaves_the_meter_undecided() -> None:
    """Intent is on record, its end is not."""
    trial = Trial().begin()
    trial.attempt()
    decision = trial.decide()
    assert decision.outcome == kinds.UNDECIDED
    assert dict(decision.reasons) == {"attempt.missing": (1, 0), "attempt.open": (1, 1)}


@pytest.mark.parametrize(
    "reason, counts, tries",
    [
        (kinds.OPERATOR, ((1, 10, 100),), 1),
        (kinds.OPERATOR, ((1, 0, 0),), 0),
        (kinds.OPERATOR, (), 0),
        (kinds.OPERATOR, ((1, 0, 1),), 1),
        (kinds.FAULT, ((1, 10, 100),), 1),
        (kinds.FAULT, (), 0),
        (kinds.POWER, (), 1),
        (kinds.IDENTITY, ((1, 10, 100),), 1),
        (kinds.SILENT, ((1, 10, 100),), 0),
        (kinds.NO_FLOW, ((1, 0, 100),), 0),
        (kinds.TEMPERATURE, ((1, 10, 100),), 0),
    ],
)
def test_an_abandoned_run_counts_once_something_was_counted(
    reason: int, counts: tuple[tuple[int, int, int], ...], tries: int
) -> None:
    """Design, idea 2: a try begins with the first counted pulse; power always counts, the short list never does."""
    assert Trial().begin().cut_short(reason, counts).decide().tries == tries


@pytest.mark.parametrize("reason", [kinds.SILENT, kinds.NO_FLOW, kinds.TEMPERATURE])
def test_a_position_that_ended_before_any_point_is_no_try(reason: int) -> None:
    """The short list: raw evidence shows that nothing was counted at the meter."""
    trial = Trial().begin()
    assert trial.run(trial.seat(points=[], ended=reason)).decide().tries == 0


def test_a_dry_position_with_reference_counts_alone_is_no_try() -> None:
    """A row without meter counts is what a fixture leaves of a position without flow."""
    trial = Trial().begin()
    seat = trial.seat(ended=kinds.NO_FLOW)
    seat.points = [[0, 0, 1, 0, 0, *seat.points[0][5:]]]
    assert trial.run(seat).decide().tries == 0


def test_a_position_that_ended_after_counting_is_a_try() -> None:
    """One point was counted, then the flow went."""
    trial = Trial().begin()
    seat = trial.seat(ended=kinds.NO_FLOW)
    seat.points = seat.points[:1]
    assert trial.run(seat).decide().tries == 1


def test_a_second_try_may_pass_and_a_third_may_not() -> None:
    """most_tries is 2 in the packs (to be confirmed): the retest passes, one more is refused whatever it says."""
    trial = Trial().begin()
    trial.run(trial.seat(BAD_PPM)).run(trial.seat(GOOD_PPM))
    second = trial.decide()
    assert second.granted and second.tries == 2
    third = trial.run().decide()
    assert third.reasons == (("attempt.retest_limit", (3, 2)),)


def test_a_result_that_leaves_the_meter_out_is_a_failed_try() -> None:
    """Announced at position 1, and the result speaks of position 2 alone."""
    trial = Trial().begin()
    trial.attempt()
    trial.enter(trial.fixture.result([trial.seat(position=2)]))
    decision = trial.decide()
    assert decision.tries == 1
    assert {"plan.point_missing", "evidence.missing"} <= {code for code, _ in decision.reasons}


@pytest.mark.parametrize("most,codes", [(3, set()), (1, {"attempt.retest_limit"})])
def test_how_many_tries_there_are_is_the_rules_affair(most: int, codes: set[str]) -> None:
    """Two tries where three or one are allowed."""
    trial = Trial(rules={"most_tries": most}).begin()
    trial.run(trial.seat(BAD_PPM)).run(trial.seat(GOOD_PPM))
    assert trial.codes() == codes


def test_the_newest_result_governs() -> None:
    """A pass that is followed by a failure is a failure."""
    trial = Trial().begin()
    trial.run(trial.seat(GOOD_PPM)).run(trial.seat(BAD_PPM))
    assert trial.codes() == {"error.limit"}


def test_a_pass_does_not_outlive_a_later_try_that_was_cut_short() -> None:
    """Otherwise a bad retest could be got rid of by stopping it."""
    trial = Trial().begin().run()
    assert trial.decide().granted
    assert trial.cut_short(kinds.OPERATOR).decide().reasons == (("attempt.later_failed", (1, 3)),)


def test_a_pass_outlives_a_later_run_in_which_nothing_was_counted() -> None:
    """Stopped before the first pulse: no try."""
    assert Trial().begin().run().cut_short(kinds.OPERATOR, ()).decide().granted


@pytest.mark.parametrize("mode", [kinds.TRAINING, kinds.CHECK])
def test_a_run_that_is_no_verification_is_never_admitted(mode: int) -> None:
    """Design section 5: whatever is signed later."""
    decision = Trial().begin().run(mode=mode).decide()
    assert decision.reasons == (("attempt.training", (mode,)),) and decision.tries == 0


def test_training_after_a_verification_changes_nothing() -> None:
    """It neither governs nor counts."""
    trial = Trial().begin().run()
    trial.run(trial.seat(BAD_PPM), mode=kinds.TRAINING)
    decision = trial.decide()
    assert decision.granted and decision.tries == 1


def test_a_gap_of_the_attempt_counter_is_an_attempt_withheld() -> None:
    """The boot says 0 attempts so far; the first has to be number 1, here it is 2."""
    trial = Trial().begin()
    trial.fixture.counter += 1
    assert trial.run().decide().reasons == (("attempt.withheld", (1, 2)),)


def test_counters_that_count_on_are_whole() -> None:
    """Two attempts of one epoch, numbers 1 and 2."""
    assert Trial().begin().run().run().decide().granted


def test_an_attempt_left_open_at_a_break_is_a_failed_try() -> None:
    """Pulling the plug is no way out, even where no abandonment was signed afterwards."""
    trial = Trial().begin()
    trial.attempt()
    trial.enter(trial.fixture.boot())
    decision = trial.run().decide()
    assert decision.granted and decision.tries == 2


def test_a_power_cut_counts_once_although_boot_and_abandonment_both_tell_of_it() -> None:
    """The abandonment of the next epoch closes the attempt of the one before."""
    trial = Trial().begin()
    trial.attempt()
    place = (trial.fixture.epoch, trial.fixture.seq)
    trial.enter(trial.fixture.boot())
    trial.enter(trial.fixture.abandoned(kinds.POWER, place))
    decision = trial.run().decide()
    assert decision.granted and decision.tries == 2


def test_a_result_from_after_the_break_closes_nothing() -> None:
    """Counts don't survive a power cut, so such a result measured nothing."""
    trial = Trial().begin()
    trial.attempt()
    place = (trial.fixture.epoch, trial.fixture.seq)
    trial.enter(trial.fixture.boot())
    trial.enter(trial.fixture.result([trial.seat()], place))
    decision = trial.decide()
    assert not decision.granted and decision.result is None
    assert "attempt.missing" in dict(decision.reasons)


def test_a_second_closing_statement_is_refused() -> None:
    """An attempt ends once; the first end stands."""
    trial = Trial().begin().run(Trial().seat(BAD_PPM))
    trial.enter(trial.fixture.result([trial.seat()], (1, 1)))
    assert trial.codes() == {"attempt.after_result", "error.limit"}


@pytest.mark.parametrize("abandons, codes", [(2, set()), (3, {"attempt.abandon_limit"})])
def test_a_test_may_not_be_broken_off_again_and_again(abandons: int, codes: set[str]) -> None:
    """The pack allows two, whether they count as tries (no flow does not) or not."""
    trial = Trial(rules={"most_abandons": 2}).begin()
    for _ in range(abandons):
        trial.cut_short(kinds.NO_FLOW)
    decision = trial.run().decide()
    assert dict(decision.reasons) == dict.fromkeys(codes, (abandons, 2))


def test_attempts_that_a_break_ended_count_as_broken_off() -> None:
    """Two boots, each in the middle of an attempt: two abandoned, one allowed."""
    trial = Trial(rules={"most_abandons": 1, "most_tries": 3}).begin()
    for _ in range(2):
        trial.attempt()
        trial.enter(trial.fixture.boot())
    assert trial.run().decide().reasons == (("attempt.abandon_limit", (2, 1)),)


def test_a_result_of_another_fixture_closes_nothing() -> None:
    """Issue 4, bad input: the gas bench signs a result that cites the water bench's attempt at (1, 1)."""
    trial = Trial().begin()
    trial.attempt()
    gas = ModelFixture(trial.world.author("G1"))
    trial.enter(gas.boot())
    trial.enter(gas.result([trial.seat()], (1, 1)))
    decision = trial.decide()
    assert decision.outcome == kinds.REFUSED
    assert dict(decision.reasons) == {
        "attempt.foreign": (1, 1),
        "attempt.missing": (1, 0),
        "attempt.open": (1, 1),
    }


def test_another_fixtures_own_attempt_at_the_same_place_is_its_own_business() -> None:
    """The other side: the gas bench has an attempt at (1, 1) too, about another meter."""
    trial, other = Trial().begin(), Trial(kinds.GAS, serial="87654321")
    gas = ModelFixture(trial.world.author("G1"))
    trial.enter(gas.boot())
    trial.enter(gas.attempt([other.seat()], other.plan, trial.beacon))
    trial.enter(gas.result([other.seat()]))
    assert trial.run().decide().granted


def test_what_a_fixture_hides_behind_a_check_is_not_counted_against_the_meter() -> None:
    """A later check run is evidence beyond the reach of the meter's chain: its counter is not looked at here."""
    trial = Trial().begin().run()
    trial.fixture.attempt([trial.seat(points=[])], trial.plan, trial.beacon)
    check = Trial(serial="87654321").seat()
    trial.enter(trial.fixture.attempt([check], trial.plan, trial.beacon, mode=kinds.CHECK))
    assert trial.decide().granted


@pytest.mark.parametrize("mode", [kinds.TRAINING, kinds.CHECK, 4])
def test_only_a_verification_admits_a_meter(mode: int) -> None:
    """Signed off and marked by everybody, and still not admitted."""
    decision = Trial().begin().run(mode=mode).decide()
    assert decision.outcome == kinds.REFUSED and dict(decision.reasons)["attempt.training"] == (mode,)


def test_what_stands_before_an_attempt_does_not_close_it() -> None:
    """A result at (1, 1) cites (1, 2), where the attempt then comes: nothing is measured before its intent."""
    trial = Trial().begin()
    trial.enter(trial.fixture.result([trial.seat()], (1, 2)))
    trial.attempt()
    decision = trial.decide()
    assert not decision.granted and decision.result is None
    assert {"attempt.missing", "attempt.open"} <= set(dict(decision.reasons))
