"""person.*, signoff.*, marks.*: three roles, two people at least, and they sign what was measured.

The shipped JJG 162 draft asks for roles 1, 2 and 3, two people, and marks. Each test leaves out or changes one thing.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations

import pytest

from meterseal_protocol.judge.people import most_people
from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.signoff import Row
from meterseal_protocol.testing.people import correction, mark, says, sign_off
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import PEOPLE
from meterseal_wire import kinds
from meterseal_wire import labels as L

ALL = dict(PEOPLE)


def measured(
    rules: dict[str, object] | None = None, errors: Sequence[int] = (-3_000, 4_000, -8_000)
) -> Trial:
    """A trial with a result about which nobody has said anything."""
    trial = Trial(people=False, rules=rules).begin()
    return trial.run(trial.seat(errors))


def row(trial: Trial) -> Row:
    """What the judge computes."""
    return sheet([trial.record.evidence(trial.meter)], trial.record.grants(), trial.packs)[0]


def signed(trial: Trial, roles: dict[str, int] | None = None, **changes: object) -> list[bytes]:
    """Sign-offs entered, each person in a role; identities."""
    found = sign_off(trial.world, [replace(row(trial), **changes)], trial.record.now_s, roles)  # type: ignore[arg-type]
    for item in found:
        trial.enter(item)
    return [item.identity for item in found]


def marked(trial: Trial, **changes: object) -> bytes:
    """Marks entered; their identity."""
    found = mark(trial.world, row(trial), trial.record.now_s, **changes)  # type: ignore[arg-type]
    trial.enter(found)
    return found.identity


def give(trial: Trial, person: str, **fields: object) -> None:
    """Another key and person grant before the trial begins; fields of the grant may differ."""
    trial.regrant(f"person {person}", **fields)


def test_a_good_result_waits_for_its_people() -> None:
    """Undecided: one reason a role, and the marks."""
    decision = measured().decide()
    assert decision.outcome == kinds.UNDECIDED
    assert decision.reasons == (
        ("marks.missing", ()),
        ("signoff.missing", (1,)),
        ("signoff.missing", (2,)),
        ("signoff.missing", (3,)),
    )


def test_with_all_three_and_the_marks_it_is_granted() -> None:
    """The other side of everything below."""
    trial = measured()
    signed(trial)
    marked(trial)
    assert trial.decide().granted


@pytest.mark.parametrize("person", ALL)
def test_each_role_is_needed(person: str) -> None:
    """Whoever is left out is named by number."""
    trial = measured()
    signed(trial, {name: role for name, role in ALL.items() if name != person})
    marked(trial)
    assert trial.decide().reasons == (("signoff.missing", (ALL[person],)),)


def test_a_pack_that_asks_for_nobody_gets_nobody() -> None:
    """No roles, no marks: the counts are enough."""
    rules = {"signoff_roles": [], "marks_needed": 0}
    assert measured(rules).decide().granted


def test_one_person_in_all_roles_is_not_enough() -> None:
    """Design section 2: three roles, at least two people. The verifier holds all roles and signs all."""
    trial = Trial(people=False)
    give(trial, "verifier", ROLES=[1, 2, 3])
    trial.begin().run()
    for role in (1, 2, 3):
        signed(trial, {"verifier": role})
    marked(trial)
    assert trial.decide().reasons == (("person.same", (1, 2)),)
    signed(trial, {"approver": 3})
    assert trial.decide().granted


@pytest.mark.parametrize("least, codes", [(2, set()), (3, {"person.same"})])
def test_two_people_are_two(least: int, codes: set[str]) -> None:
    """The checker also verifies: enough where two are asked for, not where three are."""
    trial = Trial(people=False, rules={"least_people": least})
    give(trial, "checker", ROLES=[1, 2])
    trial.begin().run()
    for roles in ({"checker": 1}, {"checker": 2}, {"approver": 3}):
        signed(trial, roles)
    marked(trial)
    assert trial.codes() == codes


def test_more_people_than_roles_are_not_asked_for() -> None:
    """Two people cannot sign one role: a pack with one role and two people means one."""
    trial = measured({"signoff_roles": [1], "least_people": 2})
    signed(trial, {"verifier": 1})
    marked(trial)
    assert trial.decide().granted


def test_a_role_that_one_does_not_hold_is_refused() -> None:
    """The verifier signs as approver; numbers are role and grant."""
    trial = measured()
    signed(trial, {"verifier": 1, "checker": 2})
    signed(trial, {"verifier": 3})
    marked(trial)
    decision = trial.decide()
    assert decision.outcome == kinds.REFUSED and [code for code, _ in decision.reasons] == ["person.role"]
    assert decision.reasons[0][1][0] == kinds.APPROVER


def test_a_wrong_signature_does_no_harm_beside_a_right_one() -> None:
    """The same, and then the approver signs."""
    trial = measured()
    signed(trial)
    signed(trial, {"verifier": 3})
    marked(trial)
    assert trial.decide().granted


def test_a_person_qualified_for_gas_does_not_sign_for_water() -> None:
    """Qualification is by medium."""
    trial = Trial(people=False)
    give(trial, "checker", QUALIFICATION=[kinds.GAS])
    trial.begin().run()
    signed(trial)
    marked(trial)
    assert trial.codes() == {"person.unqualified"}


def test_a_key_without_a_person_grant_is_nobody() -> None:
    """The edge's key signs as checker: number 0."""
    trial = measured()
    signed(trial, {"verifier": 1, "edge": 2, "approver": 3})
    marked(trial)
    assert trial.decide().reasons == (("person.unqualified", (2, 0)),)


def test_two_grants_make_one_person_with_both_roles() -> None:
    """The newest of a key is not the one that fits: the one that fits counts."""
    trial = Trial(people=False)
    world = trial.world
    for name, roles in (("first", [2]), ("second", [1])):
        fields = {**world.person_fields("checker"), L.ROLES: roles}
        world.grants[f"person {name}"] = world.grant("root", kinds.PERSON, fields)
    trial.begin().run()
    signed(trial)
    marked(trial)
    assert trial.decide().granted


@pytest.mark.parametrize("late_s, codes", [(0, set()), (1, {"time.straddles"})])
def test_a_person_signs_while_the_grant_holds(late_s: int, codes: set[str]) -> None:
    """The window ends at the second in which the sign-off is logged, or one second earlier: undecided."""
    trial = Trial(people=False)
    end_s = trial.record.now_s + 60 + 60 + 180
    give(trial, "approver", WINDOW=[trial.world.window[0], end_s])
    trial.begin().run()
    trial.record.now_s += late_s
    signed(trial)
    marked(trial)
    assert trial.codes() == codes


def test_a_person_granted_after_the_beacon_is_late() -> None:
    """Nobody is authorised after the fact."""
    trial = Trial(people=False)
    raw = trial.world.grants.pop("person checker")
    trial.begin().run()
    trial.record.enter(raw)
    signed(trial)
    marked(trial)
    assert trial.codes() == {"grant.late"}


@pytest.mark.parametrize("change", [{"outcome": kinds.FAILED}, {"largest_ppm": -7_999}, {"position": 2}])
def test_a_row_that_says_something_else_is_refused(change: dict[str, int]) -> None:
    """The counts say passed, -8000 ppm, position 1."""
    trial = measured()
    signed(trial)
    signed(trial, {"checker": 2}, **change)
    marked(trial)
    decision = trial.decide()
    wrong = (2, change.get("outcome", 1), change.get("largest_ppm", -8_000))
    assert decision.outcome == kinds.REFUSED and decision.reasons == (("signoff.mismatch", wrong),)


def test_a_stranger_contradicts_nobody() -> None:
    """The gas bench's key signs a wrong row in role 2, beside three right ones."""
    trial = measured()
    signed(trial)
    signed(trial, {"G1": 2}, outcome=kinds.FAILED)
    marked(trial)
    assert trial.decide().granted


def test_rows_of_another_meter_or_result_say_nothing_of_this_one() -> None:
    """The checker signed somebody else's row."""
    trial = measured()
    signed(trial, {"verifier": 1, "approver": 3})
    signed(trial, {"checker": 2}, meter="DEMO.87654321")
    signed(trial, {"checker": 2}, result=bytes(32))
    marked(trial)
    assert trial.decide().reasons == (("signoff.missing", (2,)),)


def test_rows_that_are_not_under_the_signed_root_say_nothing() -> None:
    """The items beside the checker's statement were exchanged."""
    trial = measured()
    checker = signed(trial)[1]
    marked(trial)
    assert trial.decide().granted
    trial.record.blobs[checker] = (*trial.record.blobs[checker], b"\x00")
    assert trial.decide().reasons == (("signoff.missing", (2,)),)


def test_a_failed_meter_is_signed_off_and_gets_no_seal() -> None:
    """2.0001 % at Q3, where 2 % are allowed; the row says failed."""
    trial = measured(errors=(20_001, 4_000, -8_000))
    signed(trial)
    assert (row(trial).outcome, row(trial).largest_ppm) == (kinds.FAILED, 20_001)
    assert trial.codes() == {"error.limit"}


@pytest.mark.parametrize("changes", [{"seals": []}, {"seals": [""]}])
def test_marks_without_a_seal_number_are_none(changes: dict[str, object]) -> None:
    """An empty list, or an empty text."""
    trial = measured()
    signed(trial)
    marked(trial, **changes)
    assert trial.decide().reasons == (("marks.missing", ()),)


@pytest.mark.parametrize("change", [{"position": 2}, {"result": bytes(32)}])
def test_marks_of_another_position_or_result_are_not_these(change: dict[str, object]) -> None:
    """Seals of the meter's earlier test don't count for this one."""
    trial = measured()
    signed(trial)
    other = replace(row(trial), **change)  # type: ignore[arg-type]
    trial.enter(mark(trial.world, other, trial.record.now_s))
    assert trial.decide().reasons == (("marks.missing", ()),)


def test_marks_by_nobody_are_refused_until_a_person_enters_them() -> None:
    """The edge's key is no person's."""
    trial = measured()
    signed(trial)
    marked(trial, person="edge")
    assert trial.decide().reasons == (("person.unqualified", (0, 0)),)
    marked(trial)
    assert trial.decide().granted


def test_a_notice_contradicts_a_pass() -> None:
    """检定结果通知书 for a meter that passes: refused until it is taken back."""
    trial = measured()
    signed(trial)
    marked(trial)
    said = {L.METER: trial.meter, L.RESULT: row(trial).result, L.POSITION: 1, L.CODES: ["error.limit"]}
    notice = says(trial.world, "verifier", L.KIND_NOTICE, {**said, L.TIME_S: trial.record.now_s})
    trial.enter(notice)
    assert trial.decide().reasons == (("signoff.mismatch", (0, kinds.FAILED, -8_000)),)
    trial.enter(correction(trial.world, "approver", notice.identity, trial.record.now_s))
    assert trial.decide().granted


def test_a_notice_agrees_with_a_fail() -> None:
    """The other side."""
    trial = measured(errors=(20_001, 4_000, -8_000))
    signed(trial)
    said = {L.METER: trial.meter, L.RESULT: row(trial).result, L.POSITION: 1, L.CODES: ["error.limit"]}
    trial.enter(says(trial.world, "verifier", L.KIND_NOTICE, {**said, L.TIME_S: trial.record.now_s}))
    assert trial.codes() == {"error.limit"}


def test_nobody_is_asked_to_sign_what_cannot_be_computed() -> None:
    """No type grant, no error: one reason, not five."""
    trial = Trial(people=False).begin()
    assert trial.run(trial.seat(extra={L.TYPE: "NONE-33"})).codes() == {"meter.unknown_type"}


@pytest.mark.parametrize(
    "signers",
    [
        [],
        [{b"a"}],
        [{b"a"}, {b"a"}],
        [{b"a", b"b"}, {b"a"}],
        [{b"a"}, {b"a", b"b"}, {b"b", b"c"}],
        [{b"a", b"b", b"c"}, {b"a"}, {b"a"}],
        [{b"a", b"b"}, {b"a", b"b"}, {b"a", b"b"}],
        [{b"a"}, set(), {b"a"}],
    ],
)
def test_most_people_is_the_most_that_any_assignment_gives(signers: list[set[bytes]]) -> None:
    """By trying every choice of people for the roles."""
    everybody = sorted(set().union(*signers)) + [b""] * len(signers)
    tried = (
        sum(key in role for key, role in zip(choice, signers, strict=True))
        for choice in permutations(everybody, len(signers))
    )
    assert most_people(signers) == max(tried)


def test_the_seals_of_a_decision_are_those_of_the_newest_marks_that_hold() -> None:
    """None before there are any; the edge's key is no person's; a second entry by a person is newer."""
    trial = measured()
    signed(trial)
    assert trial.decide().seals == ()
    marked(trial, seals=["A-1"])
    marked(trial, seals=["X-9"], person="edge")
    assert trial.decide().seals == ("A-1",)
    marked(trial, seals=["A-2", "B-2"])
    assert trial.decide().seals == ("A-2", "B-2")


def test_a_meter_that_nobody_tested_has_no_seals() -> None:
    """No result, nothing to seal."""
    assert Trial().begin().decide().seals == ()
