"""The judge as a whole: total, deterministic, and its answer fits the statement that carries it."""

from dataclasses import replace
from functools import cache
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterseal_protocol.evidence import Entry, Evidence
from meterseal_protocol.grant import Grants
from meterseal_protocol.judge import Decision, decide
from meterseal_protocol.judge.decide import _bounded
from meterseal_protocol.statement import read
from meterseal_protocol.testing.people import SEAL
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import LARGEST, encode
from meterseal_wire.errors import WireError
from meterseal_wire.kinds import check_payload
from meterseal_wire.tree import tree_hash


@cache
def world(medium: int) -> tuple[Trial, Evidence, Grants]:
    """A meter with a failed try, one cut short and a pass, its evidence and its grants."""
    trial = Trial(medium).begin()
    trial.cut_short(kinds.POWER, ())
    trial.run()
    trial.record.scope(trial.meter)
    return trial, trial.record.evidence(trial.meter), trial.record.grants()


def judged(medium: int, evidence: Evidence, grants: Grants | None = None) -> Decision:
    """The decision, now."""
    trial, _, own = world(medium)
    return decide(evidence, grants or own, trial.packs, trial.record.now_s)


@pytest.mark.parametrize("medium", [kinds.WATER, kinds.GAS])
def test_the_same_inputs_give_the_same_bytes_in_any_order(medium: int) -> None:
    """Evidence, grants and packs backwards: nothing of a decision hangs on their order."""
    trial, evidence, _ = world(medium)
    backwards = replace(
        evidence,
        entries=evidence.entries[::-1],
        blobs=dict(reversed(list(evidence.blobs.items()))),
    )
    grants = Grants(trial.record.of_kind(L.KIND_GRANT)[::-1], trial.world.anchors)
    again = decide(backwards, grants, trial.packs[::-1], trial.record.now_s)
    assert encode(again.payload()) == encode(judged(medium, evidence).payload())


@pytest.mark.parametrize("medium", [kinds.WATER, kinds.GAS])
def test_a_granted_decision_has_all_that_a_certificate_needs(medium: int) -> None:
    """Window, territory, rules, result, position and end register; register unit and address beside the payload."""
    trial, evidence, _ = world(medium)
    decision = judged(medium, evidence)
    payload = decision.payload()
    check_payload(L.KIND_DECISION, payload)
    assert decision.granted
    assert payload[L.TERRITORY] == ["33"] and payload[L.RULES] == trial.pack.digest
    assert payload[L.RESULT] == trial.record.of_kind(L.KIND_RESULT)[0].statement.identity
    assert (payload[L.POSITION], payload[L.TRIES]) == (1, 2)
    # 100 L at the start, and three points of a thousand pulses: 10 mL of water, or 0.1 L of gas, each.
    assert payload[L.END_REGISTER] == {kinds.WATER: 130, kinds.GAS: 400}[medium]
    assert (decision.register_exponent, decision.electronic_address) == (-3, trial.seat().address)
    assert payload[L.WINDOW][0] < payload[L.WINDOW][1] and payload[L.DEMO] == 1
    assert decision.seals == (SEAL,)


def test_what_is_not_known_is_left_out_of_the_payload() -> None:
    """A meter that nobody ever tested."""
    payload = Trial().begin().decide().payload()
    check_payload(L.KIND_DECISION, payload)
    unknown = (L.RESULT, L.POSITION, L.WINDOW, L.TERRITORY, L.RULES, L.END_REGISTER, L.BUDGET)
    assert not any(label in payload for label in unknown)


def test_the_inputs_digest_is_over_everything_in_one_order() -> None:
    """The contract's formula: entries, evidence roots, grants, packs, log size, instant."""
    trial, evidence, _ = world(kinds.WATER)
    value = [
        sorted([e.statement.identity, e.leaf, e.entered_s] for e in evidence.entries),
        sorted([name, tree_hash(list(items))] for name, items in evidence.blobs.items()),
        sorted(entry.statement.identity for entry in trial.record.of_kind(L.KIND_GRANT)),
        sorted(pack.digest for pack in trial.packs),
        evidence.log_size,
        trial.record.now_s,
    ]
    assert judged(kinds.WATER, evidence).inputs_digest == sha256(encode(value)).digest()


def test_a_reason_that_refuses_outweighs_one_that_leaves_it_open() -> None:
    """No scope (undecided) and an error past the limit (refused): refused, and both are said."""
    trial = Trial().begin()
    decision = trial.run(trial.seat((30_000, 1, -1))).judge()
    assert decision.outcome == kinds.REFUSED
    assert [code for code, _ in decision.reasons] == ["error.limit", "scope.missing"]


def test_a_decision_is_about_one_log_size() -> None:
    """Entries that came later change nothing when the log is cut where it was."""
    trial = Trial().begin().run()
    before = trial.decide()
    trial.run(trial.seat((30_000, 1, -1)))
    size = before.log_size
    evidence = trial.record.evidence(trial.meter)
    assert evidence.log_size > size
    assert before.granted and trial.codes() == {"error.limit"}


NUMBERS = st.one_of(
    st.integers(-3, 3), st.sampled_from([LARGEST, -LARGEST, 1 << 32, 10**6]), st.integers(-LARGEST, LARGEST)
)


def _mutated(value: Any, path: list[int], number: int) -> Any:
    """A payload with one integer, found by walking `path`, replaced."""
    if isinstance(value, (bool, str | bytes)):
        return value
    if isinstance(value, int):
        return number
    keys = sorted(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return value
    key = keys[path[0] % len(keys)]
    changed = _mutated(value[key], [*path[1:], path[0]], number)
    if isinstance(value, dict):
        return {**value, key: changed}
    return [*value[:key], changed, *value[key + 1 :]]


def _resigned(entry: Entry, path: list[int], number: int) -> Entry:
    """The entry with a changed payload in shape, as if its signer had said so; itself where that has no shape."""
    payload = _mutated(entry.statement.payload, path, number)
    try:
        check_payload(entry.statement.typ, payload)
    except WireError:
        return entry
    return replace(entry, statement=replace(entry.statement, payload=payload))


def _fits(decision: Decision) -> None:
    """It can be signed, its outcome follows from its reasons, and granted means without any reason."""
    check_payload(L.KIND_DECISION, decision.payload())
    encode(decision.payload())
    assert decision.granted == (decision.reasons == ())
    assert list(decision.reasons) == sorted(set(decision.reasons))
    if decision.granted:
        needed = {L.WINDOW, L.TERRITORY, L.RULES, L.RESULT, L.POSITION, L.END_REGISTER}
        assert needed <= set(decision.payload())


@settings(max_examples=400, deadline=None)
@given(
    medium=st.sampled_from([kinds.WATER, kinds.GAS]),
    which=st.integers(0, 100),
    path=st.lists(st.integers(0, 14), min_size=5, max_size=5),
    number=NUMBERS,
)
def test_whatever_number_a_statement_says_there_is_an_answer(
    medium: int, which: int, path: list[int], number: int
) -> None:
    """One integer of one statement of the evidence is anything that the shape allows."""
    _, evidence, _ = world(medium)
    entries = list(evidence.entries)
    at = which % len(entries)
    entries[at] = _resigned(entries[at], path, number)
    _fits(judged(medium, replace(evidence, entries=tuple(entries))))


@settings(max_examples=300, deadline=None)
@given(
    medium=st.sampled_from([kinds.WATER, kinds.GAS]),
    which=st.integers(0, 100),
    path=st.lists(st.integers(0, 14), min_size=5, max_size=5),
    number=NUMBERS,
)
def test_whatever_number_a_grant_says_there_is_an_answer(
    medium: int, which: int, path: list[int], number: int
) -> None:
    """One integer of one grant is anything that the shape allows."""
    trial, evidence, _ = world(medium)
    entries = trial.record.of_kind(L.KIND_GRANT)
    at = which % len(entries)
    entries[at] = _resigned(entries[at], path, number)
    _fits(judged(medium, evidence, Grants(entries, trial.world.anchors)))


@settings(max_examples=200, deadline=None)
@given(
    medium=st.sampled_from([kinds.WATER, kinds.GAS]),
    moved=st.lists(
        st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 1 << 40)), min_size=8, max_size=8
    ),
    blob=st.binary(max_size=40),
    drop=st.booleans(),
)
def test_whatever_is_left_out_or_moved_there_is_an_answer(
    medium: int, moved: list[tuple[bool, int, int]], blob: bytes, drop: bool
) -> None:
    """Any part of the evidence, at any leaf and time, with damaged or missing blobs."""
    _, evidence, _ = world(medium)
    entries = tuple(
        replace(entry, leaf=leaf, entered_s=time_s)
        for entry, (keep, leaf, time_s) in zip(evidence.entries, moved, strict=False)
        if keep
    )
    blobs = {} if drop else {name: (blob, *items[1:]) for name, items in evidence.blobs.items()}
    _fits(judged(medium, replace(evidence, entries=entries, blobs=blobs)))


def test_the_walk_reaches_the_numbers_that_it_is_to_change() -> None:
    """Otherwise the three properties above would say nothing: counts of a point, and a bench check."""
    _, evidence, _ = world(kinds.WATER)
    result = next(e for e in evidence.entries if e.statement.typ == L.KIND_RESULT)
    reached = {
        encode(_resigned(result, [a, b, c, d, 0], 7).statement.payload)
        for a in range(4)
        for b in range(4)
        for c in range(4)
        for d in range(4)
    }
    assert len(reached) > 8
    assert read(result.statement.raw).payload == result.statement.payload


def test_what_only_lacks_data_is_undecided() -> None:
    """No scope yet: more data may cure it. With a reason that refuses beside it, it is refused."""
    found = Trial().begin().run().judge()
    assert {code for code, _ in found.reasons} == {"scope.missing"}
    assert found.outcome == kinds.UNDECIDED
    worse = Trial().begin().run(mode=kinds.TRAINING).judge()
    assert {"scope.missing", "attempt.training"} <= {code for code, _ in worse.reasons}
    assert worse.outcome == kinds.REFUSED


def test_what_a_certificate_would_need_is_empty_where_it_is_not_known() -> None:
    """No type: units of 10^0. No address on the bus, and no attempt at all: no bytes. No marks: no seals."""
    trial = Trial()
    del trial.world.grants["type water"]
    assert trial.begin().run().decide().register_exponent == 0
    silent = Trial().begin()
    assert silent.run(silent.seat(silent=True)).decide().electronic_address == b""
    nothing = Trial().begin().decide()
    assert (nothing.electronic_address, nothing.seals) == (b"", ())


def test_numbers_of_a_reason_are_what_a_statement_can_carry() -> None:
    """Plus and minus 2^63 - 1; in between a number stays what it is."""
    most = 2**63 - 1
    assert _bounded(("x", (-(2**70), -most, -5, 0, most, 2**63))) == ("x", (-most, -most, -5, 0, most, most))
