"""What people sign is taken only if it is what the edge computes, and by enough different people."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from edge.tests.batch import BAD_PPM, GOOD_PPM, PACK, seat
from edge.tests.conftest import Box
from edge.tests.office import Office, Person

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.sheet import Sheet
from meterseal_edge.runs.figures import RunCase
from meterseal_protocol.entry import Entry
from meterseal_protocol.evidence import select
from meterseal_protocol.judge import people
from meterseal_protocol.keys import KeyRing, PrivateKey
from meterseal_protocol.signoff import Row
from meterseal_protocol.statement import read
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import join, split
from meterseal_wire.suites import P256_ORDER
from meterseal_wire.tree import tree_hash

V, C, A, S = kinds.VERIFIER, kinds.CHECKER, kinds.APPROVER, kinds.SUPERVISING


@pytest.fixture
def office(box: Box) -> Iterator[Office]:
    """A fresh office."""
    with closing(Office(box)) as found:
        yield found


@pytest.fixture
def sheet(office: Office) -> Sheet:
    """A signed run of three meters, the third of which failed."""
    attempt, _ = office.bench.run(GOOD_PPM, GOOD_PPM, BAD_PPM)
    return office.sheet(attempt.identity)


def take(office: Office, person: Person, sheet: Sheet, role: int) -> None:
    """A person signs a sheet in a role, and the office takes it."""
    office.desk.sayings.take_signoff(person.account, sheet, person.signs(sheet.rows, role))


def refusal(office: Office, person: Person, sheet: Sheet, raw: bytes) -> str:
    """The code with which a sign-off is refused."""
    with pytest.raises(NotTaken) as caught:
        office.desk.sayings.take_signoff(person.account, sheet, raw)
    return caught.value.code


def test_the_sheet_has_a_row_for_each_meter_as_the_judge_computes_it(sheet: Sheet) -> None:
    """signoff.py: outcome 1 passed or 2 failed, the largest error in ppm with its sign; batch.py chose them."""
    assert [(row.position, row.meter, row.outcome, row.largest_ppm) for row in sheet.rows] == [
        (1, "DEMO.12345671", 1, -8_000),
        (2, "DEMO.12345672", 1, -8_000),
        (3, "DEMO.12345673", 2, 25_000),
    ]
    assert sheet.roles == [V, C, A]
    assert sheet.least_people == 2
    assert [(row.position, codes) for row, codes in sheet.failed] == [(3, ["error.limit"])]


def test_two_people_sign_in_three_roles_and_what_they_signed_is_kept(office: Office, sheet: Sheet) -> None:
    """Design section 2: verifier, checker, approver: three roles, at least two people."""
    li, wang = office.equip("Li", "verifier", "approver"), office.equip("Wang", "checker")
    take(office, li, sheet, V)
    take(office, wang, sheet, C)
    take(office, li, sheet, A)
    found = office.desk.sayings.of(sheet.run.listed.identity)
    assert [(item.role, item.who, item.entered) for item in found] == [
        (V, "Li", 0),
        (C, "Wang", 0),
        (A, "Li", 0),
    ]
    assert office.desk.sayings.signed(sheet.rows[0].result) == [V, C, A]
    run, bundle = office.desk.sayings.bundle(found[0].identity)
    raw, *items = scan(bundle, 1 << 20)
    ring = KeyRing()
    ring.add(li.key.public)
    assert run == sheet.run.listed.identity
    assert verify(raw, ring).statement.payload[L.ROWS] == tree_hash(items)
    assert [scan(item)[2] for item in items] == ["DEMO.12345671", "DEMO.12345672", "DEMO.12345673"]


def judged(office: Office, sheet: Sheet, meter: str) -> list[str]:
    """The judge's own codes about the people, with everything that was taken here in a log's order."""
    assert sheet.run.attempt and sheet.run.result
    entries, blobs = [sheet.run.attempt, sheet.run.result], {}
    for leaf, item in enumerate(office.desk.sayings.of(sheet.run.listed.identity), sheet.run.result.leaf + 1):
        raw, *items = scan(office.desk.sayings.bundle(item.identity)[1], 1 << 20)
        entries.append(Entry(read(raw), item.key, leaf, item.at_s))
        blobs[item.identity] = tuple(items)
    blobs[sheet.run.attempt.statement.identity] = sheet.run.plan
    judge = office.desk.sayings.judge
    evidence = select(meter, entries, entries[-1].leaf + 1, blobs)
    case = RunCase(evidence, judge.grants, judge.packs, sheet.run.result.entered_s)
    return [code for code, _ in people.against(case) if code != "marks.missing"]


def test_the_judge_counts_what_was_taken_here(office: Office, sheet: Sheet) -> None:
    """What the desk takes must satisfy whoever decides: roles, two people, rows, notice; before, roles are missing."""
    li, wang = office.equip("Li", "verifier", "approver"), office.equip("Wang", "checker")
    assert judged(office, sheet, "DEMO.12345671") == ["signoff.missing"] * 3
    take(office, li, sheet, V)
    take(office, wang, sheet, C)
    assert judged(office, sheet, "DEMO.12345672") == ["signoff.missing"]
    take(office, li, sheet, A)
    row, codes = sheet.failed[0]
    office.desk.sayings.take_notice(wang.account, sheet, wang.notice(row, codes))
    assert [judged(office, sheet, row.meter) for row in sheet.rows] == [[], [], []]


def test_one_person_may_not_be_all_three(office: Office, sheet: Sheet) -> None:
    """least_people of the shipped pack is 2: the last role that is open has to be somebody else's."""
    li, wang = office.equip("Li", "verifier", "checker", "approver"), office.equip("Wang", "approver")
    take(office, li, sheet, V)
    take(office, li, sheet, C)
    assert refusal(office, li, sheet, li.signs(sheet.rows, A)) == "edge.same"
    take(office, wang, sheet, A)


def test_a_second_key_does_not_make_two_people_of_one(office: Office, sheet: Sheet) -> None:
    """Keys are counted by the judge; here the person behind them is known: a lost browser, a new granted key."""
    li = office.equip("Li", "verifier", "checker", "approver")
    take(office, li, sheet, V)
    li.key = PrivateKey.generate()
    office.give_key(li)
    office.grant(li.key.public.cose, [V, C, A])
    take(office, li, sheet, C)
    assert refusal(office, li, sheet, li.signs(sheet.rows, A)) == "edge.same"
    assert refusal(office, li, sheet, li.signs(sheet.rows, V)) == "edge.twice"


def test_an_account_that_was_made_anew_with_the_old_key_is_the_same_person(
    office: Office, sheet: Sheet
) -> None:
    """Removing and adding an account must not be a way around two people."""
    li = office.equip("Li", "verifier", "checker", "approver")
    take(office, li, sheet, V)
    take(office, li, sheet, C)
    office.roll.remove(li.account)
    again = office.hire("Li Two", "approver")
    again.key = li.key
    office.give_key(again)
    assert refusal(office, again, sheet, again.signs(sheet.rows, A)) == "edge.same"


def test_somebody_who_turns_out_to_be_two_signers_at_once_is_refused(office: Office, sheet: Sheet) -> None:
    """Li signed, then Wang did with another key; who has Wang's key in Li's account joins both, and adds nobody."""
    li, wang = office.equip("Li", "verifier"), office.equip("Wang", "verifier")
    take(office, li, sheet, V)
    take(office, wang, sheet, V)
    office.roll.remove(wang.account)
    li.key = wang.key
    office.give_key(li)
    raw = li.signs(sheet.rows, V, office.roll.now_s() + 1)
    assert refusal(office, li, sheet, raw) == "edge.twice"


def test_twice_in_one_role_is_refused(office: Office, sheet: Sheet) -> None:
    """The second signature would say nothing new."""
    li = office.equip("Li", "verifier")
    take(office, li, sheet, V)
    raw = li.signs(sheet.rows, V, office.roll.now_s() + 1)
    assert refusal(office, li, sheet, raw) == "edge.twice"


def tampered(index: int, **change: Any) -> Callable[[list[Row]], list[Row]]:
    """Rows with one of them changed."""
    return lambda rows: [replace(row, **change) if at == index else row for at, row in enumerate(rows)]


@pytest.mark.parametrize(
    "change",
    [
        tampered(2, outcome=kinds.PASSED),
        tampered(0, largest_ppm=-7_999),
        tampered(1, meter="DEMO.99999999"),
        tampered(1, position=4),
        tampered(0, result=bytes(32)),
        lambda rows: rows[:-1],
        lambda rows: rows[::-1],
        lambda rows: [*rows, rows[0]],
        lambda _: [],
    ],
    ids=["outcome", "error", "meter", "position", "result", "one less", "other order", "one more", "none"],
)
def test_rows_that_are_not_the_edges_own_are_refused(
    office: Office, sheet: Sheet, change: Callable[[list[Row]], list[Row]]
) -> None:
    """The root covers every byte of every row, and their order (RFC 9162)."""
    li = office.equip("Li", "verifier")
    assert refusal(office, li, sheet, li.signs(change(sheet.rows), V)) == "edge.rows"
    assert office.desk.sayings.of(sheet.run.listed.identity) == []


def test_a_role_that_is_not_theirs_here_is_refused_whatever_the_grant_says(
    office: Office, sheet: Sheet
) -> None:
    """The account's roles and the authority's grant both have to allow it."""
    li = office.equip("Li", "verifier")
    for role in (C, A, S, 9):
        assert refusal(office, li, sheet, li.signs(sheet.rows, role)) == "edge.role"


@pytest.mark.parametrize("lack", ["nobody granted it", "another role", "another medium", "another key"])
def test_without_a_grant_that_fits_nothing_is_taken(office: Office, sheet: Sheet, lack: str) -> None:
    """Design section 7, person: key, roles, qualification."""
    li = office.hire("Li", "verifier")
    office.give_key(li)
    cose = PrivateKey.generate().public.cose if lack == "another key" else li.key.public.cose
    media = [kinds.GAS] if lack == "another medium" else [kinds.WATER]
    if lack != "nobody granted it":
        office.grant(cose, [C if lack == "another role" else V], qualification=media)
    assert refusal(office, li, sheet, li.signs(sheet.rows, V)) == "edge.grant"


def test_a_key_that_was_not_enrolled_and_somebody_elses_are_refused(office: Office, sheet: Sheet) -> None:
    """Only the key that is bound to the account signs for it."""
    li, wang = office.hire("Li", "verifier"), office.equip("Wang", "verifier")
    assert refusal(office, li, sheet, wang.signs(sheet.rows, V)) == "edge.key"
    office.give_key(li)
    office.grant(li.key.public.cose, [V])
    assert refusal(office, li, sheet, wang.signs(sheet.rows, V)) == "edge.signature"


def test_the_second_spelling_of_a_signature_is_refused(office: Office, sheet: Sheet) -> None:
    """decisions/0006: (r, n - s) verifies too, and would be a second identity of one sign-off."""
    li = office.equip("Li", "verifier")
    protected, _, said, signature = split(li.signs(sheet.rows, V))
    other = P256_ORDER - int.from_bytes(signature[32:], "big")
    raw = bytes(join(protected, said, signature[:32] + other.to_bytes(32, "big")))
    assert refusal(office, li, sheet, raw) == "edge.signature"


@pytest.mark.parametrize("late_s", [-601, 601])
def test_what_was_signed_long_ago_or_ahead_is_refused(office: Office, sheet: Sheet, late_s: int) -> None:
    """Ten minutes each way: a sign-off that lay about for days must not be handed in by somebody else."""
    li = office.equip("Li", "verifier")
    raw = li.signs(sheet.rows, V, office.roll.now_s() + late_s)
    assert refusal(office, li, sheet, raw) == "edge.signature"


def test_another_kind_of_statement_and_a_tenant_that_is_none_are_refused(
    office: Office, sheet: Sheet
) -> None:
    """What is taken is a sign-off of this run and of nobody else's."""
    li = office.equip("Li", "verifier")
    row, codes = sheet.failed[0]
    assert refusal(office, li, sheet, li.notice(row, codes)) == "edge.signature"
    assert refusal(office, li, sheet, li.signs(sheet.rows, V, tenant="T1")) == "edge.rows"
    assert refusal(office, li, sheet, b"\x80") == "edge.signature"


def test_a_tenants_run_is_signed_with_the_tenants_name(office: Office) -> None:
    """spec, signoff: TENANT as the attempt has it."""
    li = office.equip("Li", "verifier")
    attempt, _ = office.bench.run(GOOD_PPM, tenant="T1")
    sheet = office.sheet(attempt.identity)
    assert refusal(office, li, sheet, li.signs(sheet.rows, V)) == "edge.rows"
    office.desk.sayings.take_signoff(li.account, sheet, li.signs(sheet.rows, V, tenant="T1"))


@pytest.mark.parametrize("state", ["open", "training", "without rules"])
def test_there_is_nothing_to_sign_before_a_verification_is_signed_and_computed(
    office: Office, state: str
) -> None:
    """Design section 1, idea 2, and section 5: a training attempt can never be admitted, whatever is signed later."""
    li = office.equip("Li", "verifier")
    if state == "open":
        attempt = office.bench.attempt([seat(1)])
    else:
        mode = kinds.TRAINING if state == "training" else kinds.VERIFY
        attempt, _ = office.bench.run(GOOD_PPM, mode=mode)
    if state == "without rules":
        office.desk.sayings.judge.packs.clear()
    sheet = office.sheet(attempt.identity)
    assert not sheet.is_for_signing
    assert refusal(office, li, sheet, li.signs(sheet.rows, V)) == "edge.sheet"
    office.desk.sayings.judge.packs.append(PACK)


def notice_refusal(office: Office, person: Person, sheet: Sheet, raw: bytes) -> str:
    """The code with which a notice is refused."""
    with pytest.raises(NotTaken) as caught:
        office.desk.sayings.take_notice(person.account, sheet, raw)
    return caught.value.code


def test_a_notice_of_a_failed_meter_is_kept_once(office: Office, sheet: Sheet) -> None:
    """检定结果通知书: meter, result, position and the judge's codes."""
    li = office.equip("Li", "verifier")
    row, codes = sheet.failed[0]
    office.desk.sayings.take_notice(li.account, sheet, li.notice(row, codes))
    [found] = office.desk.sayings.of(sheet.run.listed.identity)
    assert (found.typ, found.position, found.role) == (L.KIND_NOTICE, 3, 0)
    later = li.notice(row, codes, time_s=office.roll.now_s() + 1)
    assert notice_refusal(office, li, sheet, later) == "edge.twice"


def test_a_notice_that_says_something_else_is_refused(office: Office, sheet: Sheet) -> None:
    """Of a meter that passed there is none; codes, meter and result are the edge's own."""
    li, wang = office.equip("Li", "verifier"), office.equip("Wang", "operator")
    row, codes = sheet.failed[0]
    good = sheet.rows[0]
    assert notice_refusal(office, li, sheet, li.notice(good, codes)) == "edge.notice"
    assert notice_refusal(office, li, sheet, li.notice(row, ["register.mismatch"])) == "edge.rows"
    assert notice_refusal(office, li, sheet, li.notice(row, codes, meter="DEMO.1")) == "edge.rows"
    assert notice_refusal(office, li, sheet, li.notice(row, codes, result=bytes(32))) == "edge.rows"
    assert notice_refusal(office, wang, sheet, wang.notice(row, codes)) == "edge.grant"


def test_each_thing_that_was_taken_stands_in_the_trail(office: Office, sheet: Sheet) -> None:
    """Issue 6: an audit trail of every human act; the statement itself is named."""
    li = office.equip("Li", "verifier")
    take(office, li, sheet, V)
    [act] = office.desk.trail.page()
    [found] = office.desk.sayings.of(sheet.run.listed.identity)
    assert (act.what, act.name) == ("signoff", "Li")
    assert act.about["statement"] == found.identity.hex()
    assert act.about["role"] == V
