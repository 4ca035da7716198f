"""Bugs planted in the way to the registry. Each check is what the outbox's tests assert, in its shortest form; it
passes over the honest edge and finds each bug.
"""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from edge.tests.conftest import Box
from edge.tests.site import served
from edge.tests.test_outbox import Bench, MoodyRegistry, Waits, wrong_receipts
from starlette.requests import Request
from starlette.responses import Response

from meterseal_edge import outbox
from meterseal_edge.errors import RegistryAbsent
from meterseal_edge.outbox import BUNDLE, LEAST_WAIT_S, MOST_WAIT_S, Outbox
from meterseal_edge.store import sqlite
from meterseal_edge.store.contract import Stored
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_wire.scan import scan


class Registry(MoodyRegistry):
    """Takes `most` items at once, or is busy for `busy_s` seconds."""

    most, busy_s = BUNDLE, 0

    async def bundle(self, request: Request) -> Response:
        """As the small one, or not."""
        if self.busy_s:
            return Response("busy", 503, headers={"retry-after": str(self.busy_s)})
        if len(scan(await request.body(), 1 << 22)) > self.most:
            return Response("too much", 413)
        return await super().bundle(request)


class Line(Bench):
    """An outbox before such a registry."""

    def __init__(self, box: Box) -> None:
        super().__init__(box)
        self.registry: Registry = Registry(box.world)


Check = Callable[[Line], bool]
COUNT = BUNDLE + 5
ROUNDS = 12


def enters_everything_once(bench: Line) -> bool:
    """Every statement sent once, a receipt kept of each."""
    names = bench.fill(COUNT)
    bench.drain()
    sent = [bench.registry.times_sent.get(name, 0) for name in names]
    return bench.box.store.counts() == (COUNT, COUNT, 0) and sent == [1] * COUNT


def counts_a_resend_once(bench: Line) -> bool:
    """The answer is lost after the registry took it; both answers come home in the end, and each item counts once."""
    bench.fill(3)
    waiting = bench.box.store.unentered(-1, 9)
    answer = bench.outbox.ask(bench.client, waiting)
    bench.drain()
    bench.box.store.enter(bench.outbox.accept(waiting, answer))
    return bench.box.store.counts() == (3, 3, 0) and len(bench.registry.entered) == 3


def keeps_what_was_not_taken(bench: Line, status: int) -> bool:
    """After an answer of that status everything goes again at the next question, in order."""
    names = bench.fill(3)
    bench.registry.status = status
    refused = bench.outbox.round(bench.client)
    bench.registry.status = 200
    bench.drain()
    return not refused and bench.registry.entered == names and bench.box.store.counts() == (3, 3, 0)


def keeps_a_bundle_on_503(bench: Line) -> bool:
    """A registry that starts."""
    return keeps_what_was_not_taken(bench, 503)


def keeps_a_bundle_on_403(bench: Line) -> bool:
    """A proxy whose rules are wrong today."""
    return keeps_what_was_not_taken(bench, 403)


def halves_what_is_too_much(bench: Line) -> bool:
    """A registry, or a proxy before it, that takes four items at once: everything is entered."""
    names = bench.fill(COUNT)
    bench.registry.most = 4
    while bench.outbox.round(bench.client):
        continue
    return bench.registry.entered == names and bench.box.store.counts() == (COUNT, COUNT, 0)


def believes_no_wrong_receipt(bench: Line) -> bool:
    """Of another statement, of a stranger's log, damaged: none of them ends the waiting."""
    bench.fill(2)
    for mood in wrong_receipts(bench.registry).values():
        bench.registry.mood = mood
        bench.now_s += MOST_WAIT_S
        bench.send()
    return bench.box.store.counts() == (2, 0, 0)


def waits_ever_longer(bench: Line) -> bool:
    """The waits of a loop whose registry is away: each at most twice the one before, five minutes at the very most;
    spread, so that a country's edges don't come back together.
    """
    bench.fill(1)
    bench.registry.status = 503
    waits: list[float] = []
    for _ in range(ROUNDS):
        stop = Waits()
        bench.outbox.wake = Waits(stop)
        bench.outbox.run(stop)
        waits += [wait or 0 for wait in stop.asked]
    most = [min(MOST_WAIT_S, 2**failures) for failures in range(1, ROUNDS + 1)]
    bounded = [LEAST_WAIT_S <= wait <= longest for wait, longest in zip(waits, most, strict=True)]
    return all(bounded) and max(waits) > 2 * LEAST_WAIT_S and len(set(waits)) > ROUNDS // 2


def leaves_alone_for_as_long_as_it_asks(bench: Line) -> bool:
    """Retry-After: 1000."""
    bench.fill(1)
    bench.registry.busy_s = 1000
    stop = Waits()
    bench.outbox.run(stop)
    return stop.asked == [1000]


def blocks_nothing_behind_a_refusal(bench: Line) -> bool:
    """The oldest is refused; what comes after is entered, and the refused one not asked again at once."""
    names = bench.fill(BUNDLE + 2)
    bench.registry.refuse = {names[0]}
    for _ in range(4):
        bench.send()
    return bench.registry.entered == names[1:] and bench.registry.times_sent[names[0]] == 1


def passes_receipts_down(bench: Line) -> bool:
    """A fixture may delete what is entered: it hears of each of its statements."""
    bench.fill(3)
    bench.drain()
    return [name for name, _ in bench.inbox.receipts] == ["W1"] * 3


honest_enter, honest_taken, honest_send = SqliteStore.enter, Outbox.taken, Outbox.send
AGAIN = "UPDATE statement SET receipt = ? WHERE leaf = ?"


def all_but_the_last(self: SqliteStore, receipts: list[tuple[int, bytes]]) -> None:
    """A receipt is forgotten."""
    honest_enter(self, receipts[:-1])


def whatever_it_said(
    self: Outbox, client: httpx.Client, waiting: list[Stored]
) -> list[tuple[int, bytes]] | None:
    """A bundle that got no receipts is done with."""
    try:
        return honest_taken(self, client, waiting)
    except RegistryAbsent:
        return []


def the_first_half(
    self: Outbox, client: httpx.Client, waiting: list[Stored]
) -> list[tuple[int, bytes]] | None:
    """Of a bundle that is too much only a half is ever sent."""
    found = honest_taken(self, client, waiting)
    if found is None:
        self._after = waiting[len(waiting) // 2].leaf
    return found


def from_the_start(self: Outbox, client: httpx.Client, now_s: float) -> bool:
    """The cursor is not moved."""
    self._after = outbox.FROM_THE_START
    return honest_send(self, client, now_s)


PLANTED: dict[str, tuple[Check, Any, str, Any]] = {
    "a receipt is forgotten": (enters_everything_once, SqliteStore, "enter", all_but_the_last),
    "a resend counts twice": (counts_a_resend_once, sqlite, "ENTER", AGAIN),
    "a bundle is dropped on 5xx": (keeps_a_bundle_on_503, Outbox, "taken", whatever_it_said),
    "a bundle is dropped on 4xx": (keeps_a_bundle_on_403, Outbox, "taken", whatever_it_said),
    "half of what is too much is lost": (halves_what_is_too_much, Outbox, "taken", the_first_half),
    "what is too much is never halved": (halves_what_is_too_much, outbox, "TOO_MUCH", set()),
    "any receipt will do": (believes_no_wrong_receipt, Outbox, "holds", lambda *_: True),
    "the wait never grows": (waits_ever_longer, outbox, "longest_wait", lambda _: LEAST_WAIT_S),
    "the wait grows without end": (waits_ever_longer, outbox, "longest_wait", lambda n: 4**n),
    "everybody waits alike": (waits_ever_longer, outbox, "jittered", lambda _: 2),
    "there is no wait": (waits_ever_longer, outbox, "jittered", lambda _: 0),
    "Retry-After is not read": (leaves_alone_for_as_long_as_it_asks, outbox, "asked_for", lambda *_: 0),
    "a refusal blocks the rest": (blocks_nothing_behind_a_refusal, Outbox, "send", from_the_start),
    "fixtures hear of no receipt": (passes_receipts_down, Outbox, "pass_down", lambda *_: None),
}


@pytest.fixture
def bench(box: Box) -> Iterator[Line]:
    """An outbox whose registry runs."""
    found = Line(box)
    with served(found.registry, found.port):
        yield found
    found.client.close()


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(bench: Line, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design section 1, idea 11: every guarantee has an experiment, and each a planted bug that it finds."""
    check, place, what, bug = PLANTED[name]
    monkeypatch.setattr(place, what, bug)
    assert not check(bench)


@pytest.mark.parametrize("check", sorted({row[0] for row in PLANTED.values()}, key=lambda f: f.__name__))
def test_the_honest_edge_passes_every_check(bench: Line, check: Check) -> None:
    """Without this the bugs would prove nothing."""
    assert check(bench)
