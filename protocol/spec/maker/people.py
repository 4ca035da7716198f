"""Subject judge (decision.md, evidence.md): what people, samplings and forks make of a log whose counts are good."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from maker.judges import GRANTED, REFUSED, UNDECIDED, closed_case, trial
from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.signoff import Row
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.people import correction, mark, says, sign_off
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256

SEED = bytes(range(32))


def unsigned() -> Trial:
    """A good run about which nobody has said anything."""
    found = trial()
    found.people = False
    return found.begin().run()


def row_of(found: Trial) -> Row:
    """What the judge computes of the meter."""
    return sheet([found.record.evidence(found.meter)], found.record.grants(), found.packs)[0]


def one_person() -> Trial:
    """The verifier holds all three roles, and signs in all three."""
    found = trial()
    found.people = False
    found.regrant("person verifier", ROLES=[1, 2, 3])
    found.begin().run()
    return signed(found, {"verifier": 1}, {"verifier": 2}, {"verifier": 3})


def signed(found: Trial, *roles: dict[str, int]) -> Trial:
    """Sign-offs in these roles, and marks."""
    row = row_of(found)
    for role in roles:
        found.enter(sign_off(found.world, [row], found.record.now_s, role)[0])
    found.enter(mark(found.world, row, found.record.now_s))
    return found


def wrong_role() -> Trial:
    """The verifier signs in the approver's role."""
    return signed(unsigned(), {"verifier": 1}, {"checker": 2}, {"verifier": 3})


def contradicted() -> Trial:
    """The checker signs that the meter failed, beside three right rows."""
    found = trial().begin().run()
    row = row_of(found)
    found.enter(
        sign_off(found.world, [replace(row, outcome=kinds.FAILED)], found.record.now_s, {"checker": 2})[0]
    )
    return found


def corrected() -> Trial:
    """And the approver takes it back."""
    found = contradicted()
    wrong = found.record.of_kind(L.KIND_SIGNOFF)[-1].statement.identity
    found.enter(correction(found.world, "approver", wrong, found.record.now_s))
    return found


def sampling() -> Trial:
    """A seed is committed to before the run, and not revealed."""
    found = trial().begin()
    window = [found.record.now_s, found.record.now_s + 600]
    said = {L.NUMBER: 7, L.MAKER: "DEMO", L.WINDOW: window, L.COMMITMENT: sha256(SEED), L.SHARE: [1, 1]}
    found.enter(says(found.world, "province", L.KIND_SAMPLING, said))
    return found.run()


def measured_again(outcome: int) -> Trial:
    """Revealed: everybody is drawn, and the meter was measured again."""
    found = sampling()
    sampled = found.record.of_kind(L.KIND_SAMPLING)[0].statement.payload
    found.record.now_s = sampled[L.WINDOW][1] + 1
    head = {label: sampled[label] for label in (L.NUMBER, L.MAKER, L.WINDOW)}
    found.enter(says(found.world, "province", L.KIND_SAMPLING, {**head, L.SEED: SEED}))
    result = found.record.of_kind(L.KIND_RESULT)[0].statement.identity
    said = {L.METER: found.meter, L.RESULT: result, L.POSITION: 1, L.OUTCOME: outcome, L.NUMBER: 7}
    more = {L.TIME_S: found.record.now_s, L.INSTITUTION: "ZJ-DEMO"}
    found.enter(says(found.world, "registry", L.KIND_REMEASUREMENT, {**said, **more}))
    return found


def foreign() -> Trial:
    """The gas bench signs the result of the water bench's attempt."""
    found = trial().begin()
    found.attempt()
    gas = ModelFixture(found.world.author("G1"))
    found.enter(gas.boot())
    found.enter(gas.result([found.seat()], (1, 1)))
    return found


def forked(after: bool) -> Trial:
    """Two events at (1, 3): logged after the run, or with a further run behind them."""
    found = trial().begin().run()
    clone = ModelFixture(found.fixture.author, 1, 2, found.fixture.head)
    found.enter(found.fixture.event("note", "one history"))
    found.enter(clone.event("note", "another history"))
    return found.run() if after else found


Make = Callable[[], Trial]
CASES: tuple[tuple[str, str, str, Make, str, set[str]], ...] = (
    (
        "nobody signed",
        "people, 1",
        "counts alone are no verification",
        unsigned,
        UNDECIDED,
        {"signoff.missing", "marks.missing"},
    ),
    ("one person", "people, 3", "three roles, two people", one_person, REFUSED, {"person.same"}),
    ("a role not held", "people, 2", "the grant lists roles", wrong_role, REFUSED, {"person.role"}),
    ("a row that is wrong", "people, 4", "it contradicts", contradicted, REFUSED, {"signoff.mismatch"}),
    ("a row that was corrected", "people, 5", "taken back by an approver", corrected, GRANTED, set()),
    (
        "a seed not revealed",
        "sampling, 2",
        "nobody knows who is drawn",
        sampling,
        UNDECIDED,
        {"sampling.pending"},
    ),
    ("drawn and good", "sampling, 3", "the second one passed", lambda: measured_again(1), GRANTED, set()),
    (
        "drawn and bad",
        "sampling, 4",
        "the second one failed",
        lambda: measured_again(2),
        REFUSED,
        {"sampling.failed"},
    ),
    (
        "another fixtures result",
        "attempt.foreign",
        "whoever closes a test has begun it",
        foreign,
        REFUSED,
        {"attempt.foreign", "attempt.missing", "attempt.open"},
    ),
    (
        "before a fork",
        "forks",
        "what was logged before keeps its answer",
        lambda: forked(False),
        GRANTED,
        set(),
    ),
    ("after a fork", "forks", "the key is suspended", lambda: forked(True), REFUSED, {"chain.fork"}),
)


def cases() -> Iterator[dict[str, Any]]:
    """Every case, with a scope as the last entry of the log."""
    for name, rule, why, make, outcome, codes in CASES:
        yield closed_case(name, (rule, why), make(), (outcome, codes))
