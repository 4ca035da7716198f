"""Subject judge (decision.md): a whole log, and what the judge says of one meter in it.

Outcome and reason codes are written here by hand; the numbers of a reason and the bytes of the decision are ours.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from maker.case import FixedKey, accept
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.vectors import judged
from meterseal_protocol.testing.world import ROLES
from meterseal_wire import kinds

RULE = "decision.md, "
GRANTED, REFUSED, UNDECIDED = "granted", "refused", "undecided"


def trial(medium: int = kinds.WATER, **rules: Any) -> Trial:
    """A trial with keys that never change."""
    return Trial(medium, rules=rules, keys={role: FixedKey(role) for role in ROLES})


def good() -> Trial:
    """A water meter within its limits."""
    return trial().begin().run()


def good_gas() -> Trial:
    """A gas meter within its limits."""
    return trial(kinds.GAS).begin().run()


def over_limit() -> Trial:
    """2.0001 % at Q3, where a class 2 meter has 2 %."""
    found = trial().begin()
    return found.run(found.seat((20_001, 4_000, -8_000)))


def at_limit() -> Trial:
    """Exactly 2 % at Q3."""
    found = trial().begin()
    return found.run(found.seat((20_000, 4_000, -8_000)))


def one_sign() -> Trial:
    """All errors positive, and none within half of its limit."""
    found = trial().begin()
    return found.run(found.seat((12_000, 13_000, 30_000)))


def training() -> Trial:
    """The same good run, in training mode."""
    return trial().begin().run(mode=kinds.TRAINING)


def abandoned() -> Trial:
    """Good, then begun again and broken off."""
    return trial().begin().run().cut_short(kinds.OPERATOR)


def leaking() -> Trial:
    """The closed bench lost more pressure than the pack allows."""
    return trial().begin().run(checks=(15_000, 14_000, 60, 0))


def late_grant() -> Trial:
    """The standard was granted after the beacon that the attempt cites."""
    found = trial()
    late = found.world.grants.pop("standard W1")
    found.begin()
    found.record.enter(late)
    return found.run()


def other_place() -> Trial:
    """The manufacturer's grant reaches beyond the delegation."""
    found = trial()
    found.regrant("manufacturer", TERRITORY=["11"])
    return found.begin().run()


CASES: tuple[tuple[str, str, str, Callable[[], Trial], str, set[str]], ...] = (
    ("good water", "outcome", "every rule is kept", good, GRANTED, set()),
    ("good gas", "outcome", "every rule is kept", good_gas, GRANTED, set()),
    ("exactly at the limit", "error.limit", "the limit belongs to what is allowed", at_limit, GRANTED, set()),
    ("one ppm beyond", "error.limit", "exact fractions are compared", over_limit, REFUSED, {"error.limit"}),
    ("one sign", "error.same_sign", "one at least within half", one_sign, REFUSED, {"error.same_sign"}),
    ("training", "attempt.training", "it can never count", training, REFUSED, {"attempt.training"}),
    (
        "broken off later",
        "attempt.later_failed",
        "the last try counts",
        abandoned,
        REFUSED,
        {"attempt.later_failed"},
    ),
    ("leaking bench", "bench.leak", "raw pressures are judged", leaking, REFUSED, {"bench.leak"}),
    (
        "granted too late",
        "grant.late",
        "nobody is authorised after the fact",
        late_grant,
        REFUSED,
        {"grant.late"},
    ),
    (
        "wider than its parent",
        "grant.widened",
        "narrowed, never widened",
        other_place,
        REFUSED,
        {"grant.widened"},
    ),
)


def given(found: Trial) -> dict[str, Any]:
    """The log of a trial as a case's input."""
    record = found.record
    rows = [
        {
            "message": entry.statement.raw.hex(),
            "entered_s": entry.entered_s,
            "items": [item.hex() for item in record.blobs.get(entry.statement.identity, ())],
        }
        for entry in record.pool
    ]
    keys = [FixedKey(role).cose_hex for role in ROLES]
    return {
        "meter": found.meter,
        "at_s": record.now_s,
        "log_size": record.tree.size,
        "anchors": [FixedKey("root").cose_hex],
        "keys": keys,
        "packs": [pack.raw.hex() for pack in found.packs],
        "log": rows,
    }


def stale_scope() -> Trial:
    """Two tests, and a scope from between them."""
    found = good()
    found.decide()
    return found.run()


UNSCOPED: tuple[tuple[str, str, str, Callable[[], Trial], str, set[str]], ...] = (
    ("no scope", "scope.missing", "what is missing can't be seen", good, UNDECIDED, {"scope.missing"}),
    (
        "a scope that lacks two leaves",
        "scope.incomplete",
        "attempt and result came after it",
        stale_scope,
        UNDECIDED,
        {"scope.incomplete"},
    ),
)


def cases() -> Iterator[dict[str, Any]]:
    """Every case of the subject; those of CASES with a scope as the last entry of the log."""
    for name, rule, why, make, outcome, codes in CASES:
        yield closed_case(name, (rule, why), make(), (outcome, codes))
    for name, rule, why, make, outcome, codes in UNSCOPED:
        yield _case(name, (rule, why), given(make()), (outcome, codes))


def closed_case(
    name: str, words: tuple[str, str], found: Trial, wanted: tuple[str, set[str]]
) -> dict[str, Any]:
    """A case whose log ends with a fresh scope."""
    found.decide()
    return _case(name, words, given(found), wanted)


def judged_case(
    name: str, words: tuple[str, str], log: dict[str, Any], wanted: tuple[str, list[list[Any]]]
) -> dict[str, Any]:
    """A case whose reasons are written with their numbers; stops where the judge gives others."""
    outcome, reasons = wanted
    found = [[code, *numbers] for code, numbers in judged(log)["reasons"]]
    if sorted(found) != sorted(reasons):
        raise SystemExit(f"judge/{name}: {found}, where the maker says {reasons}")
    return _case(name, words, log, (outcome, {code for code, *_ in reasons}))


def _case(
    name: str, words: tuple[str, str], log: dict[str, Any], wanted: tuple[str, set[str]]
) -> dict[str, Any]:
    result, (outcome, codes), (rule, why) = judged(log), wanted, words
    if (result["outcome"], {code for code, _ in result["reasons"]}) != (outcome, codes):
        raise SystemExit(
            f"judge/{name}: {result['outcome']} {result['reasons']}, where the maker says {outcome} {codes}"
        )
    return accept(name, rule if ".md" in rule else RULE + rule, why, log, **result)


def shared(cases: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Cases after the first, which they are like: what is the same there is not written again (README, Vectors)."""
    base: dict[str, Any] = {}
    for case in cases:
        log, base = case["input"], base or case
        if case is not base:
            there = base["input"]
            rows = [there["log"].index(row) if row in there["log"] else row for row in log["log"]]
            other = {name: value for name, value in log.items() if value != there[name]}
            case["input"] = {"like": base["name"], **other, "log": rows}
        yield case
