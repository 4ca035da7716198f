"""Seal numbers, and taking back: what is taken, what is refused, and what stands afterwards."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from edge.tests.batch import BAD_PPM, GOOD_PPM
from edge.tests.conftest import Box
from edge.tests.office import Office, Person

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.corrections import take_correction
from meterseal_edge.people.roll import FILE, Roll
from meterseal_edge.people.seals import newest, take_marks
from meterseal_edge.people.sheet import Sheet
from meterseal_protocol.signoff import Row
from meterseal_wire.sign1 import identity


class Table:
    """An office with a run of a good and a bad meter, and two people with every role."""

    def __init__(self, office: Office) -> None:
        self.office, self.sayings = office, office.desk.sayings
        self.li, self.wang = (
            office.equip(name, "verifier", "checker", "approver") for name in ("Li", "Wang")
        )
        attempt, _ = office.bench.run(GOOD_PPM, BAD_PPM)
        self.run = attempt.identity

    @property
    def sheet(self) -> Sheet:
        """As it is now."""
        return self.office.sheet(self.run)

    @property
    def good(self) -> Row:
        """The row of the meter that passed."""
        return self.sheet.rows[0]

    def signs(self, person: Person, role: int = 1) -> bytes:
        """A sign-off, taken; its identity."""
        raw = person.signs(self.sheet.rows, role)
        self.sayings.take_signoff(person.account, self.sheet, raw)
        return identity(raw)

    def marks(self, person: Person, *seals: str, row: Row | None = None, **changes: object) -> bytes:
        """Marks, taken; their identity."""
        raw = person.marks(row or self.good, *seals, **changes)
        take_marks(self.sayings, person.account, self.sheet, raw)
        return identity(raw)

    def takes_back(self, person: Person, what: bytes, why: str = "a slip", **changes: object) -> None:
        """A correction, taken."""
        take_correction(self.sayings, person.account, self.sheet, person.correction(what, why, **changes))

    def refuses(self, code: str, work: object, *arguments: object, **more: object) -> bool:
        """True if it is refused with that code."""
        with pytest.raises(NotTaken) as found:
            work(*arguments, **more)  # type: ignore[operator]
        return found.value.code == code


@pytest.fixture
def table(box: Box) -> Iterator[Table]:
    """Nobody has signed yet."""
    with closing(Office(box)) as office:
        yield Table(office)


def test_seal_numbers_of_a_meter_that_passed_are_kept_and_the_newest_stand(table: Table) -> None:
    """judge/people.py, seals: the newest marks that hold. A number that was mistyped is entered again; both stay."""
    table.marks(table.li, "S-0001")
    table.office.clock.ahead_s += 1
    table.marks(table.wang, "S-0002", "S-0003")
    assert newest(table.sayings, table.run) == {1: "S-0002, S-0003"}
    assert [(item.text, item.entered) for item in table.sayings.of(table.run)] == [
        ("S-0001", 0),
        ("S-0002, S-0003", 0),
    ]


def test_seals_are_for_a_meter_that_passed_in_this_run_and_are_numbers_that_can_be_read(table: Table) -> None:
    """Design section 5, marks: fitted after the pass. A certificate binds what is entered here."""
    bad, good = table.sheet.rows[1], table.good
    assert table.refuses("edge.seals", table.marks, table.li, "S-1", row=bad)
    assert table.refuses("edge.seals", table.marks, table.li, "S-1", result=bytes(32))
    assert table.refuses("edge.seals", table.marks, table.li, "S-1", meter="DEMO.1")
    for seals in ((), ("",), (" S-1",), ("a\nb",), tuple(f"S{n}" for n in range(9))):
        assert table.refuses("edge.seals", table.marks, table.li, *seals, row=good)
    assert table.sayings.of(table.run) == []


def test_who_has_no_grant_records_no_seals_and_takes_nothing_back(table: Table) -> None:
    """Their signature would count nowhere."""
    chen = table.office.hire("Chen", "verifier")
    table.office.give_key(chen)
    assert table.refuses("edge.grant", table.marks, chen, "S-1")
    assert table.refuses("edge.grant", table.takes_back, chen, bytes(32))


def test_a_signature_that_was_taken_back_stays_and_the_role_is_open_again_to_the_same_person(
    table: Table,
) -> None:
    """judge/said.py: a correction is added and never overwrites; afterwards somebody signs again."""
    first = table.signs(table.li)
    assert table.refuses("edge.twice", table.signs, table.li)
    table.takes_back(table.li, first, "wrong batch")
    result = table.good.result
    assert table.sayings.signed(result) == []
    assert [(item.taken_back, item.text) for item in table.sayings.of(table.run)] == [
        (1, ""),
        (0, "wrong batch"),
    ]
    table.office.clock.ahead_s += 1
    table.signs(table.li)
    assert table.sayings.signed(result) == [1]
    assert [act.what for act in table.office.desk.trail.page()] == ["signoff", "correction", "signoff"]


def test_seals_that_were_taken_back_stand_no_more(table: Table) -> None:
    """A seal that was broken before the meter left."""
    table.takes_back(table.li, table.marks(table.li, "S-1"))
    assert newest(table.sayings, table.run) == {}


def test_only_what_one_signed_oneself_is_taken_back_once_and_with_a_reason(table: Table) -> None:
    """Others', other runs', a correction itself, nothing at all; no silent taking back."""
    own = table.signs(table.li)
    correction = "edge.correction"
    assert table.refuses(correction, table.takes_back, table.wang, own)
    assert table.refuses(correction, table.takes_back, table.li, bytes(32))
    assert table.refuses(correction, table.takes_back, table.li, own, " ")
    assert table.refuses(correction, table.takes_back, table.li, own, replacement=bytes(32))
    table.takes_back(table.li, own)
    [_, taken] = table.sayings.of(table.run)
    assert table.refuses(correction, table.takes_back, table.li, taken.identity)
    table.office.clock.ahead_s += 1
    assert table.refuses("edge.twice", table.takes_back, table.li, own)


def test_what_everybody_sees_has_no_name_and_no_key(table: Table) -> None:
    """The page of a run can be read by whoever walks by."""
    own = table.signs(table.li)
    table.marks(table.li, "S-1")
    table.takes_back(table.li, own)
    shown = table.sayings.shown(table.run)
    assert [(one["kind"], one["role"], one["position"], one["text"], one["taken_back"]) for one in shown] == [
        ("signoff", "verifier", 0, "", True),
        ("marks", "", 1, "S-1", False),
        ("correction", "", 0, "a slip", False),
    ]
    assert "Li" not in repr(shown) and table.li.key.thumbprint.hex() not in repr(shown)


def test_a_file_of_before_corrections_is_taken_over_whole(table: Table, tmp_path: Path) -> None:
    """What was signed there stays signed; its old rule, a role once a key, goes."""
    own = table.signs(table.li)
    old = tmp_path / "old"
    old.mkdir()
    with closing(sqlite3.connect(old / FILE)) as db, db:
        db.execute(f"ATTACH '{table.office.settings.folder / FILE}' AS now")
        columns = (
            "number, identity, run, result, typ, role, position, account, key, raw, items, at_s, receipt"
        )
        db.execute(f"CREATE TABLE said ({columns}, UNIQUE (run, typ, role, position, key))")
        db.execute("CREATE INDEX said_result ON said (result)")
        columns = (
            "number, identity, run, result, typ, role, position, account, key, raw, items, at_s, receipt"
        )
        db.execute(f"INSERT INTO said SELECT {columns} FROM now.said")
    for _ in range(2):
        with closing(Roll(old / FILE)) as roll:
            assert roll.all("SELECT identity, replaces FROM said") == [(own, None)]
            [(sql,)] = roll.all("SELECT sql FROM sqlite_master WHERE name = 'said'")
            assert "UNIQUE (run" not in sql
