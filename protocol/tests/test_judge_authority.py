"""grant.*, fixture.*: who was allowed to, over the test's interval, to the second. Rules of design section 7."""

import pytest

from meterseal_protocol.testing.trial import TO_ATTEMPT_S, TO_BEACON_S, TO_RESULT_S, Trial
from meterseal_protocol.testing.world import START_S
from meterseal_wire import kinds

BEACON_S = START_S + TO_BEACON_S
ENTERED_S = BEACON_S + TO_ATTEMPT_S + TO_RESULT_S
LONG_AGO_S, FAR_OFF_S = START_S - 1000, START_S + 1_000_000
HOLDERS = ["manufacturer", "type water", "fixture W1", "registry", "rules jjg162"]


@pytest.mark.parametrize("name", HOLDERS)
@pytest.mark.parametrize(
    "window, code",
    [
        ((BEACON_S, ENTERED_S), None),
        ((BEACON_S + 1, FAR_OFF_S), "time.straddles"),
        ((LONG_AGO_S, ENTERED_S - 1), "time.straddles"),
        ((LONG_AGO_S, BEACON_S), "time.straddles"),
        ((LONG_AGO_S, BEACON_S - 1), "grant.window"),
        ((ENTERED_S, FAR_OFF_S), "time.straddles"),
        ((ENTERED_S + 1, FAR_OFF_S), "grant.window"),
    ],
)
def test_a_grant_must_hold_from_beacon_to_entry(name: str, window: tuple[int, int], code: str | None) -> None:
    """The test lies between the beacon and the result's entry; both ends included, one second decides."""
    trial = Trial()
    trial.regrant(name, WINDOW=window)
    decision = trial.begin().run().decide()
    assert {code for code, _ in decision.reasons} == ({code} if code else set())
    expected = {None: kinds.GRANTED, "time.straddles": kinds.UNDECIDED, "grant.window": kinds.REFUSED}
    assert decision.outcome == expected[code]


def test_mere_expiry_later_does_not_hurt() -> None:
    """A year on, the maker's grant has ended; the test was within it."""
    trial = Trial()
    trial.regrant("manufacturer", WINDOW=(LONG_AGO_S, ENTERED_S))
    trial.begin().run()
    assert trial.decide(ENTERED_S + 300 * 86_400).granted


@pytest.mark.parametrize(
    "name, codes",
    [
        ("manufacturer", {"grant.missing"}),
        ("rules jjg162", {"grant.missing"}),
        ("type water", {"meter.unknown_type"}),
        ("fixture W1", {"fixture.unknown"}),
        ("standard W1", {"standard.untraceable"}),
        ("registry", {"grant.missing"}),
    ],
)
def test_a_grant_that_nobody_gave_is_missed(name: str, codes: set[str]) -> None:
    """Each refuses with its own reason, and with that alone."""
    trial = Trial()
    del trial.world.grants[name]
    decision = trial.begin().run().decide()
    assert {code for code, _ in decision.reasons} == codes and decision.outcome == kinds.REFUSED


@pytest.mark.parametrize("name", [*HOLDERS, "standard W1"])
def test_nobody_is_authorised_after_the_fact(name: str) -> None:
    """The grant enters after the beacon that the attempt cites."""
    trial = Trial()
    late = trial.world.grants.pop(name)
    trial.begin()
    trial.record.enter(late)
    assert trial.run().codes() == {"grant.late"}


def test_without_the_delegation_everything_below_it_hangs_in_the_air() -> None:
    """The province's grants name a parent that is not on record."""
    trial = Trial()
    del trial.world.grants["delegation"]
    assert trial.begin().run().codes() == {"grant.missing"}


@pytest.mark.parametrize(
    "changes",
    [
        {"MEDIA": [kinds.GAS]},
        {"NOMINAL_RANGE": [25, 60]},
        {"NOMINAL_RANGE": [15, 19]},
        {"SITES": ["ELSEWHERE"]},
    ],
)
def test_a_maker_is_held_to_media_sizes_and_sites(changes: dict[str, object]) -> None:
    """A DN 20 water meter from site YUHANG1."""
    trial = Trial()
    trial.regrant("manufacturer", **changes)
    assert trial.begin().run().codes() == {"grant.scope"}


@pytest.mark.parametrize("nominal", [[20, 60], [15, 20]])
def test_the_ends_of_the_nominal_range_are_within_it(nominal: list[int]) -> None:
    """DN 20 exactly."""
    trial = Trial()
    trial.regrant("manufacturer", NOMINAL_RANGE=nominal)
    assert trial.begin().run().decide().granted


def test_of_two_grants_of_one_maker_the_one_that_fits_counts() -> None:
    """A newer grant for gas alone doesn't take water away."""
    trial = Trial()
    wide = trial.world.grants["manufacturer"]
    trial.regrant("manufacturer", MEDIA=[kinds.GAS])
    trial.world.grants = {"delegation": trial.world.grants["delegation"], "wide": wide, **trial.world.grants}
    assert trial.begin().run().decide().granted


def test_a_maker_without_a_territory_may_not_skip_anywhere() -> None:
    """Where skipping counts is data of the grant; nowhere is nowhere."""
    trial = Trial()
    trial.regrant("manufacturer", TERRITORY=[])
    assert trial.begin().run().codes() == {"grant.territory"}


@pytest.mark.parametrize(
    "territory, widened", [(["33"], False), (["3301"], False), (["44"], True), (["3"], True)]
)
def test_a_grant_narrows_and_never_widens(territory: list[str], widened: bool) -> None:
    """The delegation is for Zhejiang, 33: a city in it is narrower, another province or a shorter prefix wider."""
    trial = Trial()
    trial.regrant("manufacturer", TERRITORY=territory)
    assert trial.begin().run().codes() == ({"grant.widened"} if widened else set())


def test_a_decision_carries_the_makers_territory() -> None:
    """Passing is not permission everywhere."""
    trial = Trial()
    trial.regrant("manufacturer", TERRITORY=["3301", "3302"])
    assert trial.begin().run().decide().territory == ("3301", "3302")


@pytest.mark.parametrize("count, codes", [(1, set()), (0, {"grant.scope"})])
def test_a_fixture_has_the_positions_that_its_grant_says(count: int, codes: set[str]) -> None:
    """The meter stands at position 1."""
    trial = Trial()
    trial.regrant("fixture W1", POSITION_COUNT=count)
    assert trial.begin().run().codes() == codes


@pytest.mark.parametrize("level,codes", [(1, set()), (0, {"fixture.assurance"})])
def test_a_pack_names_the_least_assurance_that_counts(level: int, codes: set[str]) -> None:
    """How far a board can be believed is stated in its grant; here the rules ask for level 1."""
    trial = Trial(rules={"least_assurance": 1})
    trial.regrant("fixture W1", ASSURANCE=level)
    assert trial.begin().run().codes() == codes


def test_a_delegation_that_is_too_narrow_carries_nothing_below_it() -> None:
    """A delegation for Jiangsu, 32: the maker's grant for Zhejiang goes beyond it."""
    trial = Trial()
    trial.regrant("delegation", TERRITORY=["32"])
    assert trial.begin().run().codes() == {"grant.widened"}


def test_a_beacon_that_no_registry_signed_does_not_count() -> None:
    """The registry's grant is for another key: beacon and scope are then nobody's."""
    trial = Trial()
    trial.regrant("registry", SUBJECT_KEY=trial.world.cose("edge"))
    assert trial.begin().run().codes() == {"grant.missing"}


def test_what_rests_on_a_demo_grant_says_so() -> None:
    """Every grant of the test world is marked."""
    assert Trial().begin().run().decide().demo
