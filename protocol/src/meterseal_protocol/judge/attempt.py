"""attempt: was there a verification, brought to its end, not one of too many, and the last one?"""

from collections.abc import Iterator

from meterseal_protocol.evidence import closes
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
    yield from _limits(case)
    yield from _foreign(case)
    yield from _withheld(case)


def _later(found: list[Stand], newest: Stand) -> Iterator[Reason]:
    for stand in found:
        if stand.attempt.leaf > newest.attempt.leaf and stand.tried and stand.result is None:
            yield "attempt.later_failed", stand.attempt.place[1:]


def _limits(case: Case) -> Iterator[Reason]:
    """Tries that count, and verifications that were broken off whether they count or not."""
    if case.pack is None:
        return
    most_tries, most_abandons = case.pack.number("most_tries"), case.pack.number("most_abandons")
    if case.tries > most_tries:
        yield "attempt.retest_limit", (case.tries, most_tries)
    abandons = sum(stand.verifies and not stand.open and stand.result is None for stand in case.stands)
    if abandons > most_abandons:
        yield "attempt.abandon_limit", (abandons, most_abandons)


def _foreign(case: Case) -> Iterator[Reason]:
    """Whoever closes a test must have begun it: the same key, the same place."""
    own = {entry.place for entry in case.evidence.of_kind(L.KIND_ATTEMPT)}
    meant = {entry.place[1:] for entry in case.evidence.attempts}
    for kind in (L.KIND_RESULT, L.KIND_ABANDONED):
        for entry in case.evidence.of_kind(kind):
            place = closes(entry)
            if place not in own and place[1:] in meant:
                yield "attempt.foreign", place[1:]


def _withheld(case: Case) -> Iterator[Reason]:
    """A boot says how many attempts there were; from there each attempt counts one on."""
    counters: dict[tuple[bytes, int], int] = {}
    links = sorted(case.evidence.links, key=lambda entry: (entry.place, entry.leaf))
    for entry in links:
        own = entry.place[:2]
        if entry.statement.typ == L.KIND_BOOT:
            counters[own] = entry.statement.payload[L.COUNTER]
        elif entry.statement.typ == L.KIND_ATTEMPT:
            counter = entry.statement.payload[L.COUNTER]
            due = counters.get(own, counter - 1) + 1
            if counter != due:
                yield "attempt.withheld", (due, counter)
            counters[own] = counter
