"""attempt: was there a verification, brought to its end, not one of too many, and the last one?"""

from collections.abc import Iterator

from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.history import Stand
from meterseal_wire import labels as L


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    if case.stand is None:
        yield "attempt.missing", (len(case.stands), case.tries)
    elif not case.stand.verifies:
        yield "attempt.training", (case.stand.attempt.statement.payload[L.MODE],)
    for stand in case.stands:
        if stand.open and stand.verifies:
            yield "attempt.open", stand.attempt.place[1:]
        if len(stand.closers) > 1:
            yield "attempt.after_result", stand.closers[1].place[1:]
    if case.stand is not None:
        yield from _later(case.stands, case.stand)
    if case.pack is not None and case.tries > case.pack.number("most_tries"):
        yield "attempt.retest_limit", (case.tries, case.pack.number("most_tries"))
    yield from _withheld(case)


def _later(found: list[Stand], newest: Stand) -> Iterator[Reason]:
    for stand in found:
        if stand.attempt.leaf > newest.attempt.leaf and stand.tried and stand.result is None:
            yield "attempt.later_failed", stand.attempt.place[1:]


def _withheld(case: Case) -> Iterator[Reason]:
    """A boot says how many attempts there were; from there each attempt counts one on."""
    counters: dict[tuple[bytes, int], int] = {}
    for boot in case.evidence.of_kind(L.KIND_BOOT):
        counters[boot.place[:2]] = boot.statement.payload[L.COUNTER]
    for entry in sorted(case.evidence.of_kind(L.KIND_ATTEMPT), key=lambda entry: entry.place):
        counter, own = entry.statement.payload[L.COUNTER], entry.place[:2]
        due = counters.get(own, counter - 1) + 1
        if counter != due:
            yield "attempt.withheld", (due, counter)
        counters[own] = counter
