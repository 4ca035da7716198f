"""Not after: the registry's entry or the witnesses of an edge's log, whichever is earlier (design section 1.4).

The trial's beacon is of second 60 after the start. Its result is entered at 300, unless the registry was away.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_protocol.evidence import Entry
from meterseal_protocol.judge import decide
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import leaf_hash
from meterseal_protocol.note import NoteSignature
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.people import says
from meterseal_protocol.testing.runs import Seat, point
from meterseal_protocol.testing.trial import TO_ATTEMPT_S, TO_BEACON_S, TO_RESULT_S, Trial
from meterseal_protocol.testing.watched import Watched
from meterseal_protocol.testing.world import START_S
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.suites import ED25519

BEACON_S = START_S + TO_BEACON_S
ENTERED_S = BEACON_S + TO_ATTEMPT_S + TO_RESULT_S
A_S, B_S, C_S = BEACON_S + 100, BEACON_S + 120, BEACON_S + 140
DAY_S = 86_400


class Seen(Watched):
    """A trial whose edge has a log that is watched. Grants are not entered yet."""

    def __init__(self, quorum: int | None = 2, **rules: int) -> None:
        self.trial = Trial(rules=rules)
        super().__init__(self.trial.world, self.trial.fixture, quorum)

    def see(self, times: Mapping[str, int], index: int = -1) -> None:
        """A sighting of the fixture's last statement, or of another, entered now."""
        self.trial.enter(self.seen(times, index))


def ran(log: Seen) -> Seen:
    """A good run, entered at ENTERED_S."""
    log.trial.begin().run()
    return log


def start_s(log: Seen) -> int:
    """The first second for installation: the end of the test's interval, and nothing speaks against the meter."""
    decision = log.trial.decide(ENTERED_S)
    assert decision.reasons == () and decision.window is not None
    return decision.window[0]


def test_the_second_of_two_witnesses_is_the_end_of_the_interval() -> None:
    """checkpoint.md 9: a quorum of two is reached at the second smallest time, whoever came third."""
    log = ran(Seen())
    log.see({"a": A_S, "b": B_S, "c": C_S})
    assert start_s(log) == B_S


def test_without_a_sighting_it_is_the_registrys_entry() -> None:
    """time.md 2."""
    assert start_s(ran(Seen())) == ENTERED_S


@pytest.mark.parametrize("late_s, expected_s", [(-1, ENTERED_S - 1), (0, ENTERED_S), (1, ENTERED_S)])
def test_witnesses_that_came_later_than_the_registry_move_nothing(late_s: int, expected_s: int) -> None:
    """Whichever is earlier."""
    log = ran(Seen())
    log.see({"a": A_S, "b": ENTERED_S + late_s})
    assert start_s(log) == expected_s


@pytest.mark.parametrize("early_s, expected_s", [(0, BEACON_S), (1, ENTERED_S)])
def test_nobody_saw_it_before_its_beacon_was_there(early_s: int, expected_s: int) -> None:
    """The chain cites the beacon by its hash: a second before it is a wrong clock, and is passed over."""
    log = ran(Seen())
    log.see({"a": BEACON_S - early_s, "b": BEACON_S - early_s})
    assert start_s(log) == expected_s


def test_the_earliest_of_several_sightings_counts() -> None:
    """Each checkpoint covers what was there before."""
    log = ran(Seen())
    log.see({"a": C_S, "b": C_S})
    log.see({"a": A_S, "b": B_S})
    log.see({"a": C_S, "c": C_S})
    assert start_s(log) == B_S


# --- planted: each of these must leave the registry's entry where it is


def below_the_quorum(log: Seen) -> None:
    """One of two."""
    log.see({"a": A_S})


def by_one_twice(log: Seen) -> None:
    """One witness's key under two lines."""
    note = log.note({"a": A_S})
    twice = replace(note, signatures=(*note.signatures, log.signers["a"].sign(note.text, B_S)))
    log.trial.enter(log.sighting(log.trial.fixture.signed[-1].identity, twice))


def by_a_stranger(log: Seen) -> None:
    """A key that no grant names, beside one witness."""
    log.signers["x"] = NoteSigner("witness.example/x", PrivateKey.generate(ED25519), TIMED)
    log.see({"a": A_S, "x": A_S})


def by_a_stranger_under_a_known_name(log: Seen) -> None:
    """The name of a witness, another key."""
    log.signers["b"] = NoteSigner("witness.example/b", PrivateKey.generate(ED25519), TIMED)
    log.see({"a": A_S, "b": A_S})


def of_another_root(log: Seen) -> None:
    """Both cosigned, but a tree without the statement."""
    other = [*log.leaves[:-1], leaf_hash(bytes(32))]
    note = log.note({"a": A_S, "b": A_S}, other)
    log.trial.enter(log.sighting(log.trial.fixture.signed[-1].identity, note))


def of_another_statement(log: Seen) -> None:
    """The path is of the attempt, which stood there earlier, and the sighting names the result."""
    attempt, result = log.trial.fixture.signed[-2:]
    log.trial.enter(log.sighting(attempt.identity, log.note({"a": A_S, "b": A_S}), result.identity))


def of_the_attempt(log: Seen) -> None:
    """What cites nothing later bounds nothing later."""
    log.see({"a": A_S, "b": A_S}, -2)


def by_another_log(log: Seen) -> None:
    """The note is not signed by the key that the edge's grant names."""
    log.key = PrivateKey.generate(ED25519)
    log.see({"a": A_S, "b": A_S})


def of_an_unknown_edge(log: Seen) -> None:
    """An origin that begins like the edge's."""
    log.origin += "0"
    log.see({"a": A_S, "b": A_S})


def of_a_name_below_the_edges(log: Seen) -> None:
    """What follows the edge's name is the number of a log, and nothing else."""
    log.origin += "/x"
    log.see({"a": A_S, "b": A_S})


def with_a_forged_line(log: Seen) -> None:
    """It spoils the note, whoever else signed."""
    note, c = log.note({"a": A_S, "b": A_S}), log.signers["c"].key
    forged = note.signed(NoteSignature(c.name, c.key_id, bytes(72)))
    log.trial.enter(log.sighting(log.trial.fixture.signed[-1].identity, forged))


def that_is_no_note(log: Seen) -> None:
    """Any bytes have the shape."""
    said = {L.STATEMENT: log.trial.fixture.signed[-1].identity, L.NOTE: b"no note", L.INCLUSION: [0, 7, []]}
    log.trial.enter(says(log.trial.world, "edge", L.KIND_SIGHTING, said))


@pytest.mark.parametrize(
    "wrong",
    [
        below_the_quorum,
        by_one_twice,
        by_a_stranger,
        by_a_stranger_under_a_known_name,
        of_another_root,
        of_another_statement,
        of_the_attempt,
        by_another_log,
        of_an_unknown_edge,
        of_a_name_below_the_edges,
        with_a_forged_line,
        that_is_no_note,
    ],
)
def test_what_does_not_hold_moves_nothing(wrong: Callable[[Seen], None]) -> None:
    """checkpoint.md 10. The same run with a good sighting beside it moves, so the test can fail."""
    log = ran(Seen())
    wrong(log)
    assert start_s(log) == ENTERED_S
    good = ran(Seen())
    good.see({"a": A_S, "b": B_S})
    assert start_s(good) == B_S


# --- whom to believe


@pytest.mark.parametrize(
    "quorum, expected_s", [(None, ENTERED_S), (0, ENTERED_S), (1, A_S), (3, C_S), (4, ENTERED_S)]
)
def test_how_many_are_enough_says_the_edges_grant(quorum: int | None, expected_s: int) -> None:
    """None, none at all, one, all, and more than there are."""
    log = ran(Seen(quorum))
    log.see({"a": A_S, "b": B_S, "c": C_S})
    assert start_s(log) == expected_s


def test_an_edge_whose_grant_names_no_log_is_believed_no_log() -> None:
    """A number of witnesses alone says nothing."""
    log = Seen()
    log.trial.regrant("edge", LOG_KEY=None)
    ran(log).see({"a": A_S, "b": B_S})
    assert start_s(log) == ENTERED_S


def test_who_brings_it_does_not_matter() -> None:
    """The bench's own key signs the sighting; the note and the path prove themselves."""
    log = ran(Seen())
    item = log.trial.fixture.signed[-1]
    log.trial.enter(log.sighting(item.identity, log.note({"a": A_S, "b": B_S}), role="W1"))
    assert start_s(log) == B_S


def test_a_log_that_a_declared_restore_began_is_the_edges_too() -> None:
    """edge/EDGE1/2."""
    log = Seen()
    log.origin += "/2"
    ran(log).see({"a": A_S, "b": B_S})
    assert start_s(log) == B_S


def test_a_province_makes_no_witness() -> None:
    """Witnesses are the anchors' own business (measures.py)."""
    log = Seen()
    fields = {L.SUBJECT_KEY: log.signers["b"].key.public.cose, L.WITNESS: log.signers["b"].key.name}
    delegation = log.trial.record.enter(log.trial.world.grants["delegation"]).statement.identity
    log.trial.world.grants["witness b"] = log.trial.world.grant(
        "province", kinds.WITNESS, {L.PARENT: delegation, **fields}
    )
    ran(log).see({"a": A_S, "b": B_S})
    assert start_s(log) == ENTERED_S


def test_a_witness_granted_after_the_beacon_comes_too_late() -> None:
    """time.md 4: nobody is authorised after the fact."""
    log = Seen()
    late = log.trial.world.grants.pop("witness b")
    log.trial.begin()
    log.trial.enter(replace(log.trial.fixture.signed[-1], raw=late, evidence=()))
    log.trial.run()
    log.see({"a": A_S, "b": B_S})
    assert start_s(log) == ENTERED_S


@pytest.mark.parametrize("after_s, expected_s", [(0, ENTERED_S), (1, B_S)])
def test_a_witness_that_was_withdrawn_by_then_dates_nothing_back(after_s: int, expected_s: int) -> None:
    """Tainted from the second at which the registry logged the sighting, or from the next one on."""
    log = ran(Seen())
    log.see({"a": A_S, "b": B_S})
    grant = next(
        e for e in log.trial.record.pool if e.statement.payload.get(L.WITNESS) == "witness.example/b"
    )
    said = {
        L.STATEMENT: grant.statement.identity,
        L.TAINTED_FROM_S: ENTERED_S + after_s,
        L.TIME_S: ENTERED_S,
        L.DETAIL: "its key was lost",
    }
    log.trial.enter(says(log.trial.world, "root", L.KIND_WITHDRAWAL, said))
    assert start_s(log) == expected_s


@pytest.mark.parametrize("ends_s, expected_s", [(ENTERED_S, B_S), (ENTERED_S - 1, ENTERED_S)])
def test_the_edges_grant_holds_until_the_sighting_is_logged(ends_s: int, expected_s: int) -> None:
    """From the beacon on, both ends included."""
    log = Seen()
    log.trial.regrant("edge", WINDOW=[START_S, ends_s])
    ran(log).see({"a": A_S, "b": B_S})
    assert start_s(log) == expected_s


def test_a_log_is_no_witness_of_its_own() -> None:
    """The edge's log key, granted as a witness, does not make the second of two."""
    log = Seen()
    log.hire("b", log.key)
    ran(log).see({"a": A_S, "b": B_S})
    assert start_s(log) == ENTERED_S


def test_a_witness_with_another_role_does_not_count() -> None:
    """A key has one role (grant.md 5): here a person's too."""
    log = Seen()
    key = log.signers["b"].key.public.cose
    parent = log.trial.record.enter(log.trial.world.grants["delegation"]).statement.identity
    fields = {**log.trial.world.person_fields("verifier"), L.SUBJECT_KEY: key, L.PARENT: parent}
    log.trial.world.grants["person b"] = log.trial.world.grant("province", kinds.PERSON, fields)
    ran(log).see({"a": A_S, "b": B_S})
    assert start_s(log) == ENTERED_S


@pytest.mark.parametrize("name", ["with a blank", ""])
def test_a_witness_whose_grant_names_no_key_of_notes_spoils_nothing(name: str) -> None:
    """A name that no verifier key may have, and a key that is not of suite 3: passed over, the others count."""
    log = Seen()
    fields = {L.SUBJECT_KEY: PrivateKey.generate(ED25519).public.cose, L.WITNESS: name}
    log.trial.world.grants["witness x"] = log.trial.world.grant("root", kinds.WITNESS, fields)
    fields = {L.SUBJECT_KEY: PrivateKey.generate().public.cose, L.WITNESS: "witness.example/y"}
    log.trial.world.grants["witness y"] = log.trial.world.grant("root", kinds.WITNESS, fields)
    ran(log).see({"a": A_S, "b": B_S})
    assert start_s(log) == B_S


# --- the chain


def test_a_sighting_of_a_later_link_bounds_the_earlier_ones() -> None:
    """An abandoned second try follows the result and cites it through its attempt: the result was there by then."""
    log = ran(Seen())
    log.trial.cut_short(kinds.SILENT, ())
    log.see({"a": A_S, "b": B_S})
    assert start_s(log) == B_S


def test_a_link_that_cites_something_else_bounds_nothing() -> None:
    """An abandonment disowns what stands before it: it does not follow from the result. A fork behind a result that was
    logged before leaves its answer (chain.md).
    """
    log = ran(Seen())
    log.trial.attempt()
    log.trial.fixture.head = bytes(32)
    log.trial.enter(log.trial.fixture.abandoned(kinds.SILENT, (1, 3), ()))
    log.see({"a": A_S, "b": B_S})
    assert start_s(log) == ENTERED_S


def test_a_statement_of_another_key_bounds_nothing() -> None:
    """Another bench's event that cites the result's hash is not of this chain, whoever puts it into the evidence."""
    log = ran(Seen())
    other = ModelFixture(log.trial.world.author("G1"), 1, 2, log.trial.fixture.head)
    log.trial.fixture.signed.append(other.event("note", "cites a stranger"))
    log.trial.enter(log.trial.fixture.signed[-1])
    log.see({"a": A_S, "b": B_S})
    assert start_s(log) == ENTERED_S
    evidence = log.trial.record.evidence(log.trial.meter)
    whole = replace(evidence, entries=(*evidence.entries, *log.trial.record.pool[-3:-1]))
    assert whole.of_kind(L.KIND_SIGHTING) and not evidence.of_kind(L.KIND_SIGHTING)
    decision = decide(whole, log.trial.record.grants(), log.trial.packs, ENTERED_S)
    assert decision.window is not None and decision.window[0] == ENTERED_S


# --- what an earlier bound is good for


@pytest.mark.parametrize("seen, codes", [(True, set()), (False, {"time.beacon_stale"})])
def test_a_registry_that_was_away_makes_no_beacon_stale(seen: bool, codes: set[str]) -> None:
    """The attempt is logged after 15 days, where the pack allows 14; it had been seen at its own time."""
    log = Seen()
    log.trial.begin()
    log.trial.record.now_s += 15 * DAY_S
    log.trial.run()
    if seen:
        log.see({"a": A_S, "b": B_S})
    assert log.trial.codes() == codes


@pytest.mark.parametrize("seen, codes", [(True, set()), (False, {"bench.check_stale"})])
def test_a_check_run_is_as_old_as_it_was_when_the_attempt_had_been_seen(seen: bool, codes: set[str]) -> None:
    """A good one at the beacon's time, an hour at most before the test, whose attempt is logged a day later."""
    log = Seen(check_within_s=3600, check_limit_ppm=5000)
    trial, world = log.trial, log.trial.world
    rows = [[flow, [10_000, 1], 800] for flow in (20_000, 3_000_000)]
    own = {L.STANDARD: "CHECK-1", L.CALIBRATION: rows, L.MANAGEMENT: 1, L.TRACEABILITY: ["certificate 7"]}
    parent = identity(world.grants["delegation"])
    world.grants["check meter"] = world.grant("province", kinds.STANDARD, {L.PARENT: parent, **own})
    trial.regrant("fixture W1", CHECK_METER="CHECK-1")
    trial.begin()
    check = (Seat(1, "99999999", points=[point(0, 2_375_000, 0)]),)
    trial.enter(trial.fixture.attempt(check, trial.plan, trial.beacon, mode=kinds.CHECK))
    trial.enter(trial.fixture.result(check))
    trial.record.now_s += DAY_S
    trial.run()
    if seen:
        log.see({"a": A_S, "b": B_S})
    assert trial.codes() == codes


@pytest.mark.parametrize("last_s, codes", [(B_S, set()), (B_S - 1, {"time.straddles"})])
def test_a_grant_that_ended_while_the_registry_was_away_held(last_s: int, codes: set[str]) -> None:
    """The fixture's window ends with the second at which the witnesses had seen the result, or one before."""
    log = Seen()
    log.trial.regrant("fixture W1", WINDOW=[START_S, last_s])
    ran(log).see({"a": A_S, "b": B_S})
    assert log.trial.codes() == codes


def test_a_sighting_that_comes_after_the_scope_leaves_it_complete() -> None:
    """It is no try: a scope lists tries."""
    log = ran(Seen())
    log.trial.record.scope(log.trial.meter)
    log.see({"a": A_S, "b": B_S})
    decision = log.trial.judge(ENTERED_S)
    assert decision.granted and decision.window is not None and decision.window[0] == B_S


# --- total

SIZES = st.one_of(st.integers(0, 9), st.just(2**63 - 1))


@settings(max_examples=120, deadline=None)
@given(
    cut=st.integers(0, 700),
    put=st.binary(max_size=3),
    place=st.none() | st.tuples(SIZES, SIZES, st.lists(st.just(bytes(32)), max_size=70)),
)
def test_whatever_a_sighting_says_there_is_an_answer(
    cut: int, put: bytes, place: tuple[int, int, list[bytes]] | None
) -> None:
    """Any bytes put into the note, any place in any tree: the interval ends at one of two seconds, never elsewhere."""
    log = kept()
    evidence = log.trial.record.evidence(log.trial.meter)

    def changed(entry: Entry) -> Entry:
        said = entry.statement.payload
        note = said[L.NOTE]
        new = {**said, L.NOTE: note[:cut] + put + note[cut + len(put) :]}
        new[L.INCLUSION] = list(place) if place else said[L.INCLUSION]
        return replace(entry, statement=replace(entry.statement, payload=new))

    entries = tuple(
        changed(entry) if entry.statement.typ == L.KIND_SIGHTING else entry for entry in evidence.entries
    )
    decision = decide(
        replace(evidence, entries=entries), log.trial.record.grants(), log.trial.packs, ENTERED_S
    )
    assert decision.reasons == () and decision.window is not None
    assert decision.window[0] in (B_S, ENTERED_S)


KEPT: list[Seen] = []


def kept() -> Seen:
    """One good sighting, made once."""
    if not KEPT:
        KEPT.append(ran(Seen()))
        KEPT[0].see({"a": A_S, "b": B_S})
        KEPT[0].trial.decide()
    return KEPT[0]


def test_the_sighting_that_the_property_changes_is_one_that_moves_the_end() -> None:
    """Otherwise it would say nothing."""
    decision = kept().trial.judge(ENTERED_S)
    assert decision.window is not None and decision.window[0] == B_S
