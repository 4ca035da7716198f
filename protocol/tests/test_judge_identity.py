"""meter.*, evidence.*: one meter, of a known type, whose own telegrams say what was signed (EN 13757-3)."""

from dataclasses import replace

import pytest

from meterseal_protocol.judge import decide
from meterseal_protocol.testing.runs import Seat, telegram
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.telegram.cjt188 import address_bytes, read_current
from meterseal_wire.telegram.cjt188_slave import Meter as CjtMeter
from meterseal_wire.telegram.cjt188_slave import answer as cjt_answer
from meterseal_wire.telegram.mbus import long_frame
from meterseal_wire.tree import tree_hash

OTHER_IDENTITY = bytes.fromhex("2d480316")  # the type's manufacturer and version, another medium


def test_a_type_that_nobody_approved_is_unknown() -> None:
    """The attempt names a type number without a grant."""
    trial = Trial().begin()
    assert trial.run(trial.seat(extra={L.TYPE: "NONE-33"})).codes() == {"meter.unknown_type"}


def test_a_type_of_another_maker_does_not_count() -> None:
    """The maker is the meter id's; its type grants are its own."""
    trial = Trial()
    trial.regrant("type water", MAKER="OTHER")
    assert trial.begin().run().codes() == {"meter.unknown_type"}


@pytest.mark.parametrize(
    "changes", [{"FLOWS_ML_PER_H": [2_500_000, 0]}, {"METER_PULSE_UL": [0, 1]}, {"MEDIUM": 7}]
)
def test_a_type_grant_without_usable_numbers_is_no_type(changes: dict[str, object]) -> None:
    """A ratio of 0, a pulse of nothing, a medium that is none."""
    trial = Trial()
    trial.regrant("type water", **changes)
    assert "meter.unknown_type" in trial.begin().run().codes()


def test_the_electronic_address_is_of_the_approved_type() -> None:
    """Bytes 4 to 7 are manufacturer, version and medium: 16 for cold water where the grant says 07."""
    trial = Trial()
    trial.regrant("type water", BUS_IDENTITY=OTHER_IDENTITY)
    assert trial.begin().run().codes() == {"meter.identity_mismatch"}


def test_a_silent_meter_leaves_no_evidence_and_none_is_missed() -> None:
    """No address, no register, no telegram: refused because it ended, and for nothing else."""
    trial = Trial().begin()
    decision = trial.run(trial.seat(points=[], silent=True, ended=kinds.SILENT)).decide()
    assert decision.outcome == kinds.REFUSED
    assert {code for code, _ in decision.reasons} == {"position.ended"}


def test_a_meter_that_ended_early_for_another_reason_must_have_its_telegrams() -> None:
    """The other side: nothing was read, and yet it did not fall silent."""
    trial = Trial().begin()
    decision = trial.run(trial.seat(points=[], silent=True, ended=kinds.NO_FLOW)).decide()
    assert {code for code, _ in decision.reasons} == {"evidence.missing", "position.ended"}


def test_what_a_silent_meter_did_say_must_agree() -> None:
    """It answered at the start with 100 L, and the leaf shows 101."""
    trial = Trial().begin()
    seat = trial.seat(points=[], ended=kinds.SILENT, start_litres=101)
    trial.attempt(trial.seat(points=[], ended=kinds.SILENT))
    trial.enter(trial.fixture.result([seat]))
    assert trial.codes() == {"evidence.mismatch", "position.ended"}


GOOD_SUM, OTHER_SUM = b"\x01\x02", b"\x01\x03"


@pytest.mark.parametrize(
    "said, codes",
    [
        ({L.PARAMETERS: GOOD_SUM}, set()),
        ({L.PARAMETERS: OTHER_SUM}, {"meter.parameters_changed"}),
        ({L.PARAMETERS: b""}, {"meter.parameters_changed"}),
        ({}, {"evidence.missing"}),
    ],
)
def test_the_parameters_are_those_of_the_type(said: dict[int, bytes], codes: set[str]) -> None:
    """The type allows one checksum; another refuses, and none at all leaves it undecided."""
    trial = Trial()
    trial.regrant("type water", PARAMETER_CHECKSUMS=[GOOD_SUM, b"\xff"])
    trial.begin()
    assert trial.run(trial.seat(extra=said)).codes() == codes


@pytest.mark.parametrize("second, codes", [(GOOD_SUM, set()), (OTHER_SUM, {"meter.parameters_changed"})])
def test_parameters_do_not_change_from_one_test_to_the_next(second: bytes, codes: set[str]) -> None:
    """The type names none, so any will do, but one that changes is a meter adjusted in between."""
    trial = Trial().begin()
    trial.run(trial.seat(extra={L.PARAMETERS: GOOD_SUM}))
    assert trial.run(trial.seat(extra={L.PARAMETERS: second})).codes() == codes


def neighbour(**extra: object) -> Seat:
    """Another meter at position 2."""
    return Trial(serial="87654321").seat(position=2, extra={getattr(L, k): v for k, v in extra.items()})


def test_two_meters_side_by_side_are_fine() -> None:
    """The other side of the refusals below."""
    trial = Trial().begin()
    assert trial.run(trial.seat(), neighbour()).decide().granted


@pytest.mark.parametrize(
    "extra", [{"METER": "DEMO.12345678"}, {"ELECTRONIC_ADDRESS": Trial().seat().address}, {"POSITION": 1}]
)
def test_nothing_that_names_the_meter_stands_twice_in_an_attempt(extra: dict[str, object]) -> None:
    """The same id at two positions, one address under two ids, two meters at one position."""
    trial = Trial().begin()
    assert "meter.duplicate" in trial.run(trial.seat(), neighbour(**extra)).codes()


@pytest.mark.parametrize("end, codes", [(130, set()), (99, {"meter.reading_back"})])
def test_a_register_does_not_go_back_within_a_run(end: int, codes: set[str]) -> None:
    """It started at 100, and 30 L passed in the points."""
    trial = Trial().begin()
    assert trial.run(trial.seat(end_litres=end)).codes() == codes


@pytest.mark.parametrize("start, codes", [(150, set()), (149, {"meter.reading_back"})])
def test_a_register_does_not_go_back_between_runs(start: int, codes: set[str]) -> None:
    """The first run ended at 150; a lower start is another meter under the same name."""
    trial = Trial().begin()
    trial.run(trial.seat(end_litres=150)).run(trial.seat(start_litres=start, end_litres=200))
    assert trial.codes() == codes


def with_leaves(leaves: list[bytes], signed: bool = True) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Reasons for a good run whose result has these evidence leaves, under its root or beside it."""
    trial = Trial().begin()
    trial.attempt()
    result = trial.fixture.result([trial.seat()])
    if signed:
        payload = dict(trial.record.enter(result.raw).statement.payload)
        trial = Trial().begin()
        trial.attempt()
        payload[L.EVIDENCE_ROOT] = tree_hash(leaves)
        trial.enter(trial.fixture.say(L.KIND_RESULT, payload, leaves))
    else:
        trial.enter(replace(result, evidence=tuple(leaves)))
    return trial.decide().reasons


def leaf(when: int, litres: int = 100, address: bytes | None = None) -> bytes:
    """Evidence leaf of position 1."""
    return bytes(encode([1, when, telegram(address or Trial().seat().address, litres)]))


def test_telegrams_that_say_what_was_signed_are_accepted() -> None:
    """The registers are 100 L and 130 L, from the address in the attempt."""
    assert with_leaves([leaf(0), leaf(1, 130)]) == ()


@pytest.mark.parametrize(
    "leaves, expected",
    [
        ([leaf(0), leaf(1, 131)], ("evidence.mismatch", (1, 1))),
        ([leaf(0, 99), leaf(1, 130)], ("evidence.mismatch", (1, 0))),
        ([leaf(0, address=bytes(8)), leaf(1, 130)], ("evidence.mismatch", (1, 0))),
        ([leaf(0)], ("evidence.missing", (1, 1))),
        ([], ("evidence.missing", (1, 0))),
        ([leaf(0), encode([1, 1, b"\x68"])], ("evidence.mismatch", (1, 1))),
        ([leaf(0), b"\xff"], ("evidence.missing", (1, 1))),
        ([leaf(0), encode([1, 1])], ("evidence.missing", (1, 1))),
        ([leaf(0), encode([1, 1, bytes(300)])], ("evidence.missing", (1, 1))),
        ([leaf(0), leaf(1, 130) + b"\x00"], ("evidence.missing", (1, 1))),
    ],
)
def test_telegrams_are_decoded_again(leaves: list[bytes], expected: tuple[str, tuple[int, int]]) -> None:
    """Another register, another address, no leaf, a damaged frame, no CBOR, no leaf's shape, an endless frame,
    a byte after the leaf's end.
    """
    assert expected in with_leaves(leaves)


DIGITS = "12345678901234"
CJT_ADDRESS = b"\x10" + address_bytes(DIGITS)


def cjt(when: int, litres: int, digits: str = DIGITS) -> bytes:
    """Evidence leaf of position 1: a CJ/T 188 meter's answer to 901F, in its steps of 0.01 m3."""
    meter = CjtMeter(0x10, digits, litres * 100)
    raw, _ = cjt_answer(meter, read_current(0x10, address_bytes(digits)))
    return bytes(encode([1, when, raw]))


@pytest.mark.parametrize(
    "leaves, wrong",
    [
        ([cjt(0, 100), cjt(1, 130)], set()),
        ([cjt(0, 100), cjt(1, 140)], {(1, 1)}),
        ([cjt(0, 100, "99999999999999"), cjt(1, 130)], {(1, 0)}),
        ([encode([1, 0, scan(cjt(0, 100))[2][:-1]]), cjt(1, 130)], {(1, 0)}),
    ],
)
def test_a_cjt188_telegram_is_decoded_again(leaves: list[bytes], wrong: set[tuple[int, int]]) -> None:
    """100 L and 130 L are 10 and 13 steps of 0.01 m3. Another register, another address, a byte cut off."""
    trial = Trial().begin()
    trial.attempt(trial.seat(extra={L.ELECTRONIC_ADDRESS: CJT_ADDRESS}))
    result = trial.fixture.result([trial.seat()])
    payload = {**trial.record.enter(result.raw).statement.payload, L.EVIDENCE_ROOT: tree_hash(leaves)}
    trial = Trial().begin()
    trial.attempt(trial.seat(extra={L.ELECTRONIC_ADDRESS: CJT_ADDRESS}))
    trial.enter(trial.fixture.say(L.KIND_RESULT, payload, leaves))
    found = {numbers for code, numbers in trial.decide().reasons if code == "evidence.mismatch"}
    assert found == wrong


def test_a_telegram_may_be_as_long_as_a_frame_can_be() -> None:
    """EN 13757-2: L is at most 255, so a frame has 261 bytes; idle fillers (2F) bring this one there."""
    body = telegram(Trial().seat().address, 100)[7:-2]
    longest = long_frame(8, 1, 0x72, body + b"\x2f" * (252 - len(body)))
    assert len(longest) == 261
    assert with_leaves([bytes(encode([1, 0, longest])), leaf(1, 130)]) == ()


def test_leaves_that_do_not_hash_to_the_signed_root_are_a_mismatch() -> None:
    """Exchanged on the way: the fixture signed another root."""
    assert with_leaves([leaf(0), leaf(1, 131)], signed=False) == (("evidence.mismatch", (1, 1)),)


def test_a_register_is_compared_in_the_types_unit() -> None:
    """100 in 10^-3 m3 on the bus; a type that counts in 10^-2 m3 would have made it ten times as much."""
    trial = Trial()
    trial.regrant("type water", REGISTER_EXPONENT=-2)
    assert trial.begin().run().codes() == {"evidence.mismatch"}


def test_missing_leaves_leave_the_meter_undecided() -> None:
    """The bundle came without its evidence: it may still come."""
    trial = Trial().begin().run()
    trial.record.scope(trial.meter)
    evidence = trial.record.evidence(trial.meter)
    result = trial.record.of_kind(L.KIND_RESULT)[0].statement.identity
    kept = {name: items for name, items in evidence.blobs.items() if name != result}
    decision = decide(replace(evidence, blobs=kept), trial.record.grants(), trial.packs, trial.record.now_s)
    assert decision.outcome == kinds.UNDECIDED and decision.reasons == (("evidence.missing", (1, 1)),)


def test_a_variant_inherits_the_checksums_that_it_does_not_name() -> None:
    """JJF 1015: the improved type names what was evaluated again, here the cycle volume, and nothing of parameters."""
    trial = Trial()
    trial.regrant("type water", PARAMETER_CHECKSUMS=[GOOD_SUM])
    varied = {L.MAKER: "DEMO", L.TYPE: "2026F101-33-A", L.CLAUSES: ["7.3"], L.CYCLE_VOLUME_UL: 10_000}
    above = {L.PARENT: identity(trial.world.grants["delegation"])}
    line = {L.VARIANT_OF: identity(trial.world.grants["type water"])}
    trial.world.grants["variant"] = trial.world.grant("province", kinds.TYPE, {**varied, **above, **line})
    trial.begin()
    trial.run(trial.seat(extra={L.TYPE: "2026F101-33-A", L.PARAMETERS: GOOD_SUM}))
    assert trial.decide().granted
    trial.run(trial.seat(extra={L.TYPE: "2026F101-33-A", L.PARAMETERS: OTHER_SUM}))
    assert trial.codes() == {"meter.parameters_changed"}
