"""What people said as it stands: corrections are added and never overwrite, and the newest that holds decides."""

import pytest

from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.signoff import Row
from meterseal_protocol.testing.people import correction, mark, sign_off
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L

WRONG = Row(bytes(32), 1, "DEMO.12345678", kinds.FAILED, 0)


class Office:
    """A measured meter, and people who say things about it."""

    def __init__(self) -> None:
        self.trial = Trial(people=False).begin().run()
        trial = self.trial
        self.row = sheet([trial.record.evidence(trial.meter)], trial.record.grants(), trial.packs)[0]
        self.wrong = Row(self.row.result, 1, trial.meter, kinds.FAILED, 0)

    def sign(self, row: Row, person: str = "checker", role: int = kinds.CHECKER) -> bytes:
        """One sign-off entered; its identity."""
        item = sign_off(self.trial.world, [row], self.trial.record.now_s, {person: role})[0]
        self.trial.enter(item)
        return item.identity

    def correct(self, person: str, replaced: bytes, instead: bytes | None = None) -> None:
        """A correction entered."""
        self.trial.enter(correction(self.trial.world, person, replaced, self.trial.record.now_s, instead))

    def others(self) -> None:
        """Everything but the checker's sign-off."""
        self.sign(self.row, "verifier", kinds.VERIFIER)
        self.sign(self.row, "approver", kinds.APPROVER)
        self.trial.enter(mark(self.trial.world, self.row, self.trial.record.now_s))

    def codes(self) -> set[str]:
        """Reasons now."""
        return self.trial.codes()


@pytest.fixture
def office() -> Office:
    """The checker signed the wrong row; all others signed the right one."""
    found = Office()
    found.others()
    return found


def test_a_mismatch_stands_until_it_is_corrected(office: Office) -> None:
    """First refused, then replaced by the checker, then granted."""
    wrong = office.sign(office.wrong)
    assert office.codes() == {"signoff.mismatch"}
    right = office.sign(office.row)
    assert office.codes() == {"signoff.mismatch"}
    office.correct("checker", wrong, right)
    assert office.trial.decide().granted


def test_both_statements_stay_in_the_evidence(office: Office) -> None:
    """Added, never overwritten."""
    wrong, right = office.sign(office.wrong), office.sign(office.row)
    office.correct("checker", wrong, right)
    held = {entry.statement.identity for entry in office.trial.record.evidence(office.trial.meter).entries}
    assert {wrong, right} <= held
    assert len(office.trial.record.evidence(office.trial.meter).of_kind(L.KIND_CORRECTION)) == 1


def test_a_statement_that_is_taken_back_counts_for_nothing(office: Office) -> None:
    """No replacement: the role is open again."""
    office.correct("checker", office.sign(office.wrong))
    assert office.codes() == {"signoff.missing"}


@pytest.mark.parametrize("person, corrected", [("checker", True), ("approver", True), ("verifier", False)])
def test_only_the_same_role_or_the_approver_corrects(office: Office, person: str, corrected: bool) -> None:
    """The checker's row, by each of the three."""
    wrong, right = office.sign(office.wrong), office.sign(office.row)
    office.correct(person, wrong, right)
    assert office.codes() == (set() if corrected else {"signoff.mismatch"})


def test_a_key_that_is_no_persons_corrects_nothing(office: Office) -> None:
    """The edge's."""
    wrong, right = office.sign(office.wrong), office.sign(office.row)
    office.correct("edge", wrong, right)
    assert office.codes() == {"signoff.mismatch"}


def test_the_newest_correction_decides(office: Office) -> None:
    """First replaced by another wrong row, then by the right one: the other wrong one falls too."""
    first, second, right = office.sign(office.wrong), office.sign(office.wrong), office.sign(office.row)
    office.correct("checker", first, second)
    assert office.codes() == {"signoff.mismatch"}
    office.correct("approver", first, right)
    assert office.trial.decide().granted


def test_a_correction_can_itself_be_followed_by_one(office: Office) -> None:
    """Wrong, replaced by wrong, which is replaced by right."""
    first, second = office.sign(office.wrong), office.sign(Row(office.row.result, 1, office.row.meter, 2, 7))
    office.correct("checker", first, second)
    office.correct("checker", second, office.sign(office.row))
    assert office.trial.decide().granted


def test_a_replacement_of_another_kind_corrects_nothing(office: Office) -> None:
    """A sign-off is not replaced by marks."""
    marks = mark(office.trial.world, office.row, office.trial.record.now_s, ["SEAL-2"])
    office.trial.enter(marks)
    office.correct("checker", office.sign(office.wrong), marks.identity)
    assert office.codes() == {"signoff.mismatch"}


def test_a_replacement_that_has_not_come_leaves_the_role_open(office: Office) -> None:
    """Undecided until it does."""
    office.correct("checker", office.sign(office.wrong), bytes(32))
    assert office.codes() == {"signoff.missing"}


def test_a_correction_of_something_else_changes_nothing(office: Office) -> None:
    """It names nothing that is here about the meter."""
    office.sign(office.row)
    office.correct("approver", bytes(32))
    assert office.trial.decide().granted


@pytest.mark.parametrize("person, corrected", [("verifier", True), ("approver", True), ("checker", False)])
def test_marks_are_corrected_by_who_has_the_role_of_their_signer(person: str, corrected: bool) -> None:
    """The verifier entered them; taken back, they are missing."""
    office = Office()
    office.sign(office.row)
    office.sign(office.row, "verifier", kinds.VERIFIER)
    office.sign(office.row, "approver", kinds.APPROVER)
    marks = mark(office.trial.world, office.row, office.trial.record.now_s)
    office.trial.enter(marks)
    office.correct(person, marks.identity)
    assert office.codes() == ({"marks.missing"} if corrected else set())


def test_marks_of_nobody_are_taken_back_by_an_approver() -> None:
    """Their signer has no role, so only the approver's is left."""
    office = Office()
    office.others()
    office.sign(office.row)
    marks = mark(office.trial.world, office.row, office.trial.record.now_s, person="edge")
    office.trial.enter(marks)
    office.correct("approver", marks.identity)
    assert office.trial.decide().granted
