"""sampling.*, supervision.missing, status.tainted: who is drawn for a second measurement, and what it said.

A draw is SHA-256(seed || meter id) < share * 2^256. The tests reckon it with hashlib, and pick seeds by it.
"""

from dataclasses import replace
from hashlib import sha256
from itertools import count

import pytest

from meterseal_protocol.judge.policy import drawn
from meterseal_protocol.signoff import Row, read_row
from meterseal_protocol.testing.people import says, sign_off
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import MAKER, START_S
from meterseal_wire import kinds
from meterseal_wire import labels as L

HALF = (1, 2)
METER, OTHER = "DEMO.12345678", "DEMO.87654321"
RESULT_S = START_S + 60 + 60 + 180  # when Trial.run enters the result


def is_drawn(seed: bytes, meter: str) -> bool:
    """The rule for a half, with hashlib alone: the first bit of the hash is 0."""
    return sha256(seed + meter.encode()).digest()[0] < 128


def seed_for(mine: bool, other: bool) -> bytes:
    """The first seed that draws the two meters as wanted."""
    seeds = (number.to_bytes(32, "big") for number in count())
    return next(seed for seed in seeds if (is_drawn(seed, METER), is_drawn(seed, OTHER)) == (mine, other))


class Lottery:
    """A trial in whose window a sampling runs. The window ends with the second of the result."""

    def __init__(self, mine: bool = True, other: bool = False, window: tuple[int, int] | None = None) -> None:
        self.trial = Trial()
        self.seed = seed_for(mine, other)
        self.window = window or (START_S, RESULT_S)
        self.head = {L.NUMBER: 7, L.MAKER: MAKER, L.WINDOW: self.window}

    def say(self, fields: dict[int, object], signer: str = "province") -> None:
        """A sampling statement, entered now."""
        self.trial.enter(says(self.trial.world, signer, L.KIND_SAMPLING, {**self.head, **fields}))

    def commit(self, signer: str = "province") -> None:
        """Half of the batch will be drawn by a seed of which this is the hash."""
        self.say({L.COMMITMENT: sha256(self.seed).digest(), L.SHARE: HALF}, signer)

    def committed(self, signer: str = "province") -> "Lottery":
        """Commitment first, then the run."""
        self.trial.begin()
        self.commit(signer)
        self.trial.run()
        return self

    def reveal(self, later_s: int = 1, seed: bytes | None = None, **head: object) -> "Lottery":
        """The seed, so many seconds after the window's end."""
        self.trial.record.now_s = self.window[1] + later_s
        fields = {getattr(L, label): value for label, value in head.items()}
        self.say({L.SEED: seed or self.seed, **fields})
        return self

    def measure(
        self, outcome: int, meter: str = METER, signer: str = "registry", **fields: object
    ) -> "Lottery":
        """A second measurement of the governing result's meter, or of another one."""
        result = self.trial.record.of_kind(L.KIND_RESULT)[-1].statement.identity
        said: dict[int, object] = {
            L.METER: meter,
            L.RESULT: result if meter == METER else bytes(32),
            L.POSITION: 1,
            L.OUTCOME: outcome,
            L.TIME_S: self.trial.record.now_s,
            L.INSTITUTION: "provincial institute",
            L.NUMBER: 7,
        }
        said.update({getattr(L, label): value for label, value in fields.items()})
        kept = {label: value for label, value in said.items() if value is not None}
        self.trial.enter(says(self.trial.world, signer, L.KIND_REMEASUREMENT, kept))
        return self

    def codes(self) -> set[str]:
        """Reasons now."""
        return self.trial.codes()


def test_until_the_seed_is_known_everybody_waits() -> None:
    """Undecided, with the sampling's number and the end of its window, drawn or not."""
    for mine in (True, False):
        decision = Lottery(mine).committed().trial.decide()
        assert decision.outcome == kinds.UNDECIDED
        assert decision.reasons == (("sampling.pending", (7, RESULT_S)),)


def test_who_is_not_drawn_goes_on() -> None:
    """The other side of the next one."""
    assert Lottery(mine=False).committed().reveal().trial.decide().granted


def test_who_is_drawn_waits_for_the_second_measurement() -> None:
    """Still undecided after the reveal; granted when it passed; refused when it failed."""
    lottery = Lottery().committed().reveal()
    assert lottery.codes() == {"sampling.pending"}
    assert lottery.measure(kinds.PASSED).trial.decide().granted
    assert lottery.measure(kinds.FAILED).trial.decide().reasons == (("sampling.failed", (7,)),)


def test_a_failed_measurement_is_not_cured_by_a_second_one() -> None:
    """Measured again until it passes is the trap that a bench has, too."""
    lottery = Lottery().committed().reveal().measure(kinds.FAILED)
    assert lottery.measure(kinds.PASSED).codes() == {"sampling.failed"}


def test_any_outcome_but_passed_is_a_failure() -> None:
    """Outcome 3 has no meaning, so it is none that permits."""
    assert Lottery(mine=False).committed().reveal().measure(3).codes() == {"sampling.failed"}


@pytest.mark.parametrize(
    "window, codes",
    [
        ((RESULT_S, RESULT_S), {"sampling.pending"}),
        ((START_S, RESULT_S - 1), set()),
        ((RESULT_S + 1, RESULT_S + 2), set()),
    ],
)
def test_a_batch_is_what_was_logged_in_the_window(window: tuple[int, int], codes: set[str]) -> None:
    """Both ends included; a second outside and it is another batch."""
    assert Lottery(window=window).committed().codes() == codes


@pytest.mark.parametrize("later_s, codes", [(0, {"sampling.pending"}), (1, set())])
def test_a_seed_that_is_told_before_the_window_is_over_draws_nothing(later_s: int, codes: set[str]) -> None:
    """At its last second results may still come, made to fit."""
    assert Lottery(mine=False).committed().reveal(later_s).codes() == codes


def test_a_seed_must_be_told_after_the_result() -> None:
    """A registry whose clock jumped: the reveal stands before the result in the log."""
    lottery = Lottery(mine=False, window=(RESULT_S - 240, RESULT_S - 240))
    trial = lottery.trial.begin()
    lottery.commit()
    lottery.reveal()
    trial.attempt()
    trial.record.now_s = lottery.window[1]
    trial.enter(trial.fixture.result([trial.seat()]))
    assert "sampling.pending" in lottery.codes()


@pytest.mark.parametrize(
    "changes", [{"seed": bytes(31) + b"\x07"}, {"NUMBER": 8}, {"WINDOW": [START_S, RESULT_S + 1]}]
)
def test_a_seed_that_is_not_the_one_committed_to_draws_nothing(changes: dict[str, object]) -> None:
    """Another seed, another number, another window."""
    assert Lottery(mine=False).committed().reveal(**changes).codes() == {"sampling.pending"}  # type: ignore[arg-type]


def test_a_commitment_made_after_the_result_draws_nothing() -> None:
    """Otherwise a seed could be looked for that spares or hits somebody."""
    lottery = Lottery()
    lottery.trial.begin().run()
    lottery.commit()
    assert lottery.trial.decide().granted


def test_another_makers_sampling_is_none_of_ours() -> None:
    """A meter id begins with its maker's code."""
    lottery = Lottery()
    lottery.head[L.MAKER] = "OTHER"
    assert lottery.committed().trial.decide().granted


@pytest.mark.parametrize("signer, codes", [("root", {"sampling.pending"}), ("verifier", {"grant.level"})])
def test_only_an_authority_draws(signer: str, codes: set[str]) -> None:
    """The root may; a person may not, and is told so."""
    assert Lottery().committed(signer).codes() == codes


def test_a_commitment_without_a_share_draws_nobody() -> None:
    """Nothing was asked for."""
    lottery = Lottery()
    lottery.trial.begin()
    lottery.say({L.COMMITMENT: sha256(lottery.seed).digest()})
    lottery.trial.run()
    assert lottery.reveal().trial.decide().granted


@pytest.mark.parametrize(
    "signer, codes",
    [
        ("registry", set()),
        ("province", set()),
        ("root", set()),
        ("edge", {"sampling.pending"}),
        ("verifier", {"sampling.pending"}),
    ],
)
def test_a_second_measurement_comes_from_outside_the_factory(signer: str, codes: set[str]) -> None:
    """The maker's own edge or verifier cannot pass it."""
    lottery = Lottery().committed().reveal()
    assert lottery.measure(kinds.PASSED, signer=signer).codes() == codes


@pytest.mark.parametrize("number", [8, None])
def test_a_measurement_for_another_sampling_does_not_serve_this_one(number: int | None) -> None:
    """It names number 8, or none."""
    lottery = Lottery().committed().reveal()
    assert lottery.measure(kinds.PASSED, NUMBER=number).codes() == {"sampling.pending"}


def test_a_failed_measurement_counts_under_no_number_too() -> None:
    """Number 0 stands for none."""
    lottery = Lottery(mine=False).committed().reveal()
    assert lottery.measure(kinds.FAILED, NUMBER=None).trial.decide().reasons == (("sampling.failed", (0,)),)


def test_a_measurement_of_an_earlier_result_does_not_count_for_this_one() -> None:
    """The meter was tested again; what was measured was the meter before that."""
    lottery = Lottery(mine=False).committed().reveal()
    assert lottery.measure(kinds.FAILED, RESULT=bytes(32)).trial.decide().granted


@pytest.mark.parametrize(
    "other, outcome, number, codes",
    [
        (True, kinds.FAILED, 7, {"status.tainted"}),
        (True, kinds.PASSED, 7, set()),
        (False, kinds.FAILED, 7, set()),
        (True, kinds.FAILED, 8, set()),
    ],
)
def test_a_drawn_meter_that_fails_taints_its_batch(
    other: bool, outcome: int, number: int, codes: set[str]
) -> None:
    """Another meter of the maker under the same sampling: drawn and failed. Not drawn, passed or elsewhere: nothing."""
    lottery = Lottery(mine=False, other=other).committed().reveal()
    assert lottery.measure(outcome, OTHER, NUMBER=number).codes() == codes


def test_nobody_inside_the_factory_taints_a_batch() -> None:
    """The edge's word about another meter is no measurement."""
    lottery = Lottery(mine=False, other=True).committed().reveal()
    assert lottery.measure(kinds.FAILED, OTHER, signer="edge").trial.decide().granted


@pytest.mark.parametrize("part, share, hit", [(0, (0, 1), False), (0, (1, 1), True), (0, (5, 5), True)])
def test_a_share_of_nothing_draws_nobody_and_a_whole_one_everybody(
    part: int, share: tuple[int, int], hit: bool
) -> None:
    """Numbers are from 0 to 2^256 - 1: all are below 1 * 2^256, none below 0."""
    assert drawn(share, bytes([part])) is hit


def test_a_draw_is_below_and_not_at_its_share() -> None:
    """For a hash h: share h / 2^256 leaves it out, (h + 1) / 2^256 takes it in."""
    number = int.from_bytes(sha256(b"meter").digest(), "big")
    assert not drawn((number, 1 << 256), b"me", b"ter")
    assert drawn((number + 1, 1 << 256), b"me", b"ter")


# Supervision.


def supervised(share: tuple[int, int] = (1, 1), **changes: object) -> Trial:
    """A trial whose maker has a supervisor, who holds the gas bench's key here."""
    trial = Trial()
    fields = {
        L.SUBJECT_KEY: trial.world.cose("G1"),
        L.SUPERVISOR: "INSTITUTE",
        L.MAKER: MAKER,
        L.SHARE: share,
        L.NUMBER: 99,
    }
    fields.update({getattr(L, label): value for label, value in changes.items()})
    del trial.world.grants["fixture G1"]
    trial.world.grants["supervisor"] = trial.world.grant("root", kinds.SUPERVISOR, fields)
    return trial.begin().run()


def test_a_drawn_attempt_waits_for_its_supervisor() -> None:
    """Undecided, with the grant's number."""
    decision = supervised().decide()
    assert decision.outcome == kinds.UNDECIDED and decision.reasons == (("supervision.missing", (99,)),)


@pytest.mark.parametrize(
    "changes", [{"share": (0, 1)}, {"MAKER": "OTHER"}, {"WINDOW": [START_S - 9, START_S - 1]}]
)
def test_who_is_not_drawn_or_not_supervised_goes_on(changes: dict[str, object]) -> None:
    """No share, another maker, a supervisor whose time is over."""
    assert supervised(**changes).decide().granted  # type: ignore[arg-type]


def test_the_draw_is_over_supervisor_and_attempt() -> None:
    """The rule with hashlib: whichever way it falls, the judge says the same."""
    trial = supervised(HALF)
    attempt = trial.record.of_kind(L.KIND_ATTEMPT)[0].statement.identity
    hit = sha256(trial.world.keys["G1"].public.thumbprint + attempt).digest()[0] < 128
    assert trial.codes() == ({"supervision.missing"} if hit else set())


def test_a_supervisor_whose_window_begins_within_the_test_leaves_it_undecided() -> None:
    """The beacon is before its first second, the result after."""
    trial = supervised(WINDOW=[RESULT_S - 1, RESULT_S + 9_999])
    assert trial.codes() == {"supervision.missing", "time.straddles"}


def own_row(trial: Trial) -> Row:
    """The row that the world's people have signed."""
    signoff = trial.record.of_kind(L.KIND_SIGNOFF)[0].statement.identity
    row = read_row(trial.record.blobs[signoff][0])
    assert row is not None
    return row


@pytest.mark.parametrize(
    "role, codes", [(kinds.SUPERVISING, set()), (kinds.CHECKER, {"supervision.missing"})]
)
def test_a_supervisor_signs_in_the_supervising_role(role: int, codes: set[str]) -> None:
    """Role 4 with the meter's row; in another role it is no supervision."""
    trial = supervised()
    trial.enter(sign_off(trial.world, [own_row(trial)], trial.record.now_s, {"G1": role})[0])
    assert trial.codes() == codes


def test_nobody_else_signs_for_the_supervisor() -> None:
    """The approver in role 4."""
    trial = supervised()
    trial.enter(
        sign_off(trial.world, [own_row(trial)], trial.record.now_s, {"approver": kinds.SUPERVISING})[0]
    )
    assert trial.codes() == {"supervision.missing"}


@pytest.mark.parametrize(
    "signer, codes", [("G1", set()), ("registry", set()), ("edge", {"supervision.missing"})]
)
def test_a_second_measurement_that_passed_serves_too(signer: str, codes: set[str]) -> None:
    """By the supervisor, or entered by the registry."""
    trial = supervised()
    lottery = Lottery()
    lottery.trial = trial
    assert lottery.measure(kinds.PASSED, signer=signer, NUMBER=None).codes() == codes


def test_a_supervisor_who_saw_something_else_contradicts() -> None:
    """Role 4, outcome failed."""
    trial = supervised()
    wrong = replace(own_row(trial), outcome=kinds.FAILED)
    trial.enter(sign_off(trial.world, [wrong], trial.record.now_s, {"G1": kinds.SUPERVISING})[0])
    assert trial.codes() == {"signoff.mismatch"}
