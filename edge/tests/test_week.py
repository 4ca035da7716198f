"""A registry that was away for a week: what waited arrives, once, whatever happens while it is sent.

The registry is its own process on SQLite; its log is read back over HTTP and compared with the edge's store.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from bench.backlog import Backlog
from edge.tests.site import on_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterseal_edge.errors import RegistryAbsent
from meterseal_edge.outbox import BUNDLE, MOST_AFTER_S, MOST_WAIT_S, Outbox, asked_for
from meterseal_protocol.receipt import check
from meterseal_tools.services import free_port
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

METERS = 90  # with the boot 181 statements: three bundles and some
DATE_S = 1_796_000_000  # 2026-11-30 00:53:20 UTC


@pytest.fixture
def backlog(tmp_path: Path) -> Iterator[Backlog]:
    """A store that waits, a registry that is away."""
    with Backlog(tmp_path, METERS) as found:
        yield found


def leaves(backlog: Backlog) -> list[bytes]:
    """Identities in the registry's log."""
    found: list[bytes] = scan(httpx.get(f"{backlog.url}/log/leaves").content, 1 << 22)["leaves"]
    return found


def assert_all_there_once(backlog: Backlog, but: int = 0) -> None:
    """Every statement of the store has a receipt that holds, and stands in the registry's log exactly once."""
    durable, entered, _ = backlog.store.counts()
    assert (durable, entered) == (durable, durable - but)
    rows = backlog.store._db.execute("SELECT identity, receipt FROM statement").fetchall()
    held = [(name, receipt) for name, receipt in rows if receipt is not None]
    for name, receipt in held:
        check(receipt, name, backlog.keys.registries)
    counted = Counter(leaves(backlog))
    assert len(held) == durable - but
    assert all(counted[name] == 1 for name, _ in held)
    assert set(counted.values()) == {1}


def test_a_registry_that_comes_late_gets_everything_once_and_in_order(backlog: Backlog) -> None:
    """Design section 6: a registry that was down for a week gets everything, once."""
    outbox = backlog.outbox()
    with httpx.Client(base_url=backlog.url) as client:
        assert [outbox.round(client) for _ in range(3)] == [False] * 3
    assert outbox.failures == 3
    backlog.registry.start()
    before = len(leaves(backlog))
    assert backlog.drain(outbox) == -(-(2 * METERS + 1) // BUNDLE)
    assert_all_there_once(backlog)
    sent = leaves(backlog)[before:]
    own = [row[0] for row in backlog.store._db.execute("SELECT identity FROM statement ORDER BY leaf")]
    assert [name for name in sent if name in own] == own


@pytest.mark.parametrize("bundles", [0, 1, 2])
def test_a_registry_that_dies_in_the_middle_gets_the_rest_and_nothing_twice(
    backlog: Backlog, bundles: int
) -> None:
    """SIGKILL after the registry has taken a bundle and before the edge has kept its receipts: the worst moment."""
    backlog.registry.start()
    outbox = backlog.outbox()
    honest = outbox.ask
    left = [bundles]

    def dies(client: httpx.Client, waiting: list[object]) -> bytes:
        body = honest(client, waiting)  # type: ignore[arg-type]
        if left[0] == 0:
            backlog.registry.kill()
            raise RegistryAbsent("the answer was lost")
        left[0] -= 1
        return body

    outbox.ask = dies  # type: ignore[method-assign,assignment]
    with httpx.Client(base_url=backlog.url, timeout=30) as client:
        while outbox.round(client):
            continue
    assert backlog.store.counts()[1] == bundles * BUNDLE
    backlog.registry.start()
    backlog.drain(backlog.outbox())
    assert_all_there_once(backlog)


class Gate:
    """Stands before the registry; `answer(number of the request)` gives another answer, or None to pass it on."""

    def __init__(self, backlog: Backlog, answer: Callable[[int, bytes], Response | None]) -> None:
        self.backlog, self.answer, self.asked = backlog, answer, 0
        self.slow_above = BUNDLE
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    async def bundles(self, request: Request) -> Response:
        """POST /bundles."""
        self.asked += 1
        body = await request.body()
        answer = self.answer(self.asked, body)
        if answer is not None:
            return answer
        if len(scan(body, 1 << 22)) > self.slow_above:
            await asyncio.sleep(3)
        async with httpx.AsyncClient(timeout=30) as client:
            found = await client.post(f"{self.backlog.url}/bundles", content=body)
        return Response(found.content, found.status_code)

    @property
    def app(self) -> Starlette:
        """One route."""
        return Starlette(routes=[Route("/bundles", self.bundles, methods=["POST"])])


class Waits(threading.Event):
    """An event that writes down how long it was waited for, and does not wait; after `most` it is set."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.asked: list[float] = []
        self.most = most

    def wait(self, timeout: float | None = None) -> bool:
        """Remember, and go on at once."""
        self.asked.append(timeout or 0)
        if len(self.asked) >= self.most:
            self.set()
        return self.is_set()


def test_a_registry_that_asks_to_be_left_alone_is(backlog: Backlog) -> None:
    """RFC 9110 section 10.2.3: 503 with Retry-After: 120; the back-off after one failure would be a second."""
    backlog.registry.start()
    gate = Gate(
        backlog, lambda number, _: Response("busy", 503, {"retry-after": "120"}) if number == 1 else None
    )
    outbox, stop = backlog.outbox(gate.url), Waits(2)
    outbox.wake = stop
    with on_port(gate.app, gate.port):
        outbox.run(stop)
    assert stop.asked[0] == 120
    assert_all_there_once(backlog)


@pytest.mark.parametrize(
    "after, seconds",
    [
        ("0", 0),
        ("120", 120),
        ("999999999999999999999", MOST_AFTER_S),
        ("Mon, 30 Nov 2026 00:54:20 GMT", 60),
        ("Mon, 30 Nov 2026 00:50:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_AFTER_S),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("Mon, 99 Nov 2026", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_an_hour(after: str, seconds: int) -> None:
    """RFC 9110 section 10.2.3; an hour, so that a slip of the registry's does not silence an edge for years."""
    assert asked_for(after, DATE_S) == seconds


def test_one_statement_that_the_registry_refuses_blocks_nothing_and_enters_once_it_may(
    tmp_path: Path,
) -> None:
    """Its fixture's grant is missing at the registry: [code, why] for that one, receipts for all others."""
    with Backlog(tmp_path, METERS, withheld=("fixture G1",)) as backlog:
        backlog.fill("G1", 0)
        backlog.registry.start()
        outbox = backlog.outbox()
        backlog.drain(outbox)
        assert_all_there_once(backlog, but=1)
        assert [alarm["code"] for alarm in outbox.state.snapshot()["alarms"]] == ["edge.refused"]
        backlog.enter_grants("fixture G1")
        backlog.drain(outbox, now_s=MOST_WAIT_S + 1)
        assert_all_there_once(backlog)


def test_a_bundle_that_is_refused_whole_is_halved_down_to_the_item_that_cannot_be_taken(
    backlog: Backlog,
) -> None:
    """A gate that answers 400 to whatever holds one certain statement: 180 others enter, that one waits."""
    rotten = backlog.store.unentered(70, 1)[0].raw
    gate = Gate(backlog, lambda _, body: Response("cannot read this", 400) if rotten in body else None)
    backlog.registry.start()
    outbox = backlog.outbox(gate.url)
    with on_port(gate.app, gate.port):
        backlog.drain(outbox)
    assert_all_there_once(backlog, but=1)
    [left] = backlog.store.unentered(-1, BUNDLE)
    assert left.raw == rotten
    assert gate.asked <= 4 + 2 * 6 + 8  # four bundles, six halvings with what they leave, and the way back up


def test_a_registry_that_is_too_slow_for_a_bundle_is_sent_smaller_ones(backlog: Backlog) -> None:
    """It took what it did not answer in time; offered again, halved, each is an entry that it has already."""
    backlog.registry.start()
    gate = Gate(backlog, lambda _number, _body: None)
    gate.slow_above = 13
    outbox = backlog.outbox(gate.url)
    with on_port(gate.app, gate.port), httpx.Client(base_url=gate.url, timeout=20) as client:
        client.timeout = httpx.Timeout(20, read=2)
        assert [outbox.round(client) for _ in range(2)] == [False, False]
        assert outbox.bundle == BUNDLE // 4
        gate.slow_above = BUNDLE
        while outbox.round(client) or outbox.failures:
            continue
    assert_all_there_once(backlog)


def test_an_answer_without_end_is_cut_off(backlog: Backlog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded memory: 4 MiB of receipts are more than a bundle can have."""
    monkeypatch.setattr("meterseal_edge.outbox.ANSWER_BYTES", 1000)
    gate = Gate(backlog, lambda _number, _body: Response(encode([bytes(2000)])))
    outbox: Outbox = backlog.outbox(gate.url)
    with on_port(gate.app, gate.port), httpx.Client(base_url=gate.url) as client:
        assert outbox.round(client) is False
    assert "more than 1000 bytes" in outbox.state.snapshot()["alarms"][0]["why"]
    assert backlog.store.counts()[1] == 0
