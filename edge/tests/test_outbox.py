"""Station 10, the edge's side, against a real HTTP server that signs real receipts and misbehaves on purpose."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from edge.tests.conftest import Box
from edge.tests.site import SmallRegistry, served, wait_until

from meterseal_edge.errors import StoreFailed
from meterseal_edge.outbox import BUNDLE, LEAST_WAIT_S, MOST_WAIT_S, Outbox, jittered, longest_wait
from meterseal_edge.settings import Settings
from meterseal_edge.state import State
from meterseal_protocol.merkle import include, leaf_hash
from meterseal_protocol.receipt import check, issue
from meterseal_tools.services import free_port
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity

Mood = Callable[[list[Any], bytes], Any]


class MoodyRegistry(SmallRegistry):
    """Answers each item as `mood(honest answer, raw)` says; None for an honest one."""

    mood: Mood | None = None

    def answer(self, raw: bytes) -> Any:
        """An honest answer, changed by the mood."""
        honest = super().answer(raw)
        return self.mood(honest, raw) if self.mood else honest


class Passed:
    """Stands where MQTT is: what was passed down, by fixture."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.receipts: list[tuple[str, bytes]] = []

    def send_receipts(self, fixture: str, receipts: list[bytes]) -> None:
        """Take a note."""
        self.receipts += [(fixture, receipt) for receipt in receipts]


class Bench:
    """An outbox over a box's store, a registry on a real port, and a clock that the test moves."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.registry = MoodyRegistry(box.world)
        self.port = free_port()
        url = f"http://127.0.0.1:{self.port}"
        here = box.folder
        settings = Settings(here, 1, "YUHANG1", "EDGE1", here, here, url, 1, registry_poll_s=1)
        self.inbox = Passed(box.state)
        self.outbox = Outbox(settings, box.store, box.keys, self.inbox)  # type: ignore[arg-type]
        self.client = httpx.Client(base_url=url)
        self.now_s = 1000.0

    def fill(self, count: int) -> list[bytes]:
        """So many statements into the store; their identities."""
        fixture = self.box.fixture()
        for number in range(count - 1):
            fixture.event("tick", str(number))
        self.box.offer(*fixture.signed)
        return [item.identity for item in fixture.signed]

    def send(self) -> bool:
        """One bundle at the test's clock."""
        return self.outbox.send(self.client, self.now_s)

    def drain(self) -> None:
        """Bundles until a pass is at its end."""
        while self.send():
            pass

    def alarms(self) -> set[str]:
        """Codes on the page."""
        return {alarm["code"] for alarm in self.box.state.snapshot()["alarms"]}


@pytest.fixture
def bench(box: Box) -> Iterator[Bench]:
    """An outbox whose registry runs."""
    found = Bench(box)
    with served(found.registry, found.port):
        yield found
    found.client.close()


def test_everything_is_entered_once_oldest_first_with_receipts_that_hold(bench: Bench) -> None:
    """Design section 6: the outbox works with receipts as the fixture with custody."""
    names = bench.fill(BUNDLE + 7)
    bench.drain()
    assert bench.registry.entered == names
    assert set(bench.registry.times_sent.values()) == {1}
    assert bench.box.store.counts() == (57, 57, 0)
    rows = bench.box.store._db.execute("SELECT identity, receipt FROM statement").fetchall()
    for name, receipt in rows:
        check(receipt, name, bench.box.world.ring("registry"))


def test_each_fixture_gets_the_receipts_of_its_own_statements(bench: Bench) -> None:
    """What is entered may be deleted: every receipt goes to whoever signed, and to nobody else."""
    first = bench.fill(3)
    other = bench.box.fixture("G1")
    bench.box.offer(*other.signed, fixture="G1")
    bench.drain()
    ring = bench.box.world.ring("registry")
    for (name, receipt), signed in zip(bench.inbox.receipts, [*first, other.head], strict=True):
        check(receipt, signed, ring)
        assert name == ("G1" if signed == other.head else "W1")


def test_a_fixture_that_was_away_gets_the_receipts_it_missed(bench: Bench) -> None:
    """From the place up to which it has them, in order, and none beyond one that is still missing."""
    names = bench.fill(6)
    bench.registry.mood = lambda honest, raw: "later" if identity(raw) == names[4] else honest
    bench.drain()
    bench.inbox.receipts.clear()
    bench.outbox.catch_up("W1", (1, 1))
    ring = bench.box.world.ring("registry")
    assert len(bench.inbox.receipts) == 2
    for (_, receipt), name in zip(bench.inbox.receipts, names[2:4], strict=True):
        check(receipt, name, ring)
    bench.inbox.receipts.clear()
    bench.outbox.catch_up("G1", (0, -1))
    bench.outbox.catch_up("nobody", (0, -1))
    assert bench.inbox.receipts == []


def test_a_registry_that_fails_at_random_still_gets_everything_once(bench: Bench) -> None:
    """Design section 6: a registry that was down gets everything, once: it answers a known one with its entry."""
    names = bench.fill(120)
    chance = random.Random(11)
    rounds = 0
    while bench.box.store.counts()[1] < len(names):
        bench.registry.status = chance.choice([200, 500, 503])
        bench.outbox.round(bench.client)
        rounds += 1
        assert rounds < 200
    assert bench.registry.entered == names
    assert len(set(bench.registry.entered)) == 120


def test_an_answer_that_is_lost_leads_to_the_same_entry_not_to_a_second(bench: Bench) -> None:
    """CONTRACT, registry: the same statement again gives the same entry."""
    names = bench.fill(3)
    bench.registry.mood = lambda _honest, _raw: b""
    bench.send()
    assert bench.box.store.counts()[1] == 0
    bench.registry.mood = None
    bench.now_s += MOST_WAIT_S
    bench.drain()
    assert bench.registry.entered == names
    assert bench.box.store.counts()[1] == 3


def wrong_receipts(registry: SmallRegistry) -> dict[str, Mood]:
    """Receipts that prove something else than that this statement is in this registry's log."""
    stranger = registry.world.author("edge")
    other = bytes(32)
    place = include([leaf_hash(other)], 0, 1)

    def by_stranger(_honest: Any, raw: bytes) -> bytes:
        name = identity(raw)
        return issue(stranger, name, include([leaf_hash(name)], 0, 1), 1)

    return {
        "another statement": lambda _honest, _raw: issue(registry.author, other, place, 1),
        "an unknown log's key": by_stranger,
        "a damaged receipt": lambda honest, _raw: honest[:-1] + bytes([honest[-1] ^ 1]),
        "no receipt at all": lambda _honest, raw: raw,
        "a number": lambda _honest, _raw: 7,
        "nothing": lambda _honest, _raw: None,
    }


def test_a_receipt_that_does_not_prove_this_statement_is_not_accepted(bench: Bench) -> None:
    """RFC 9942: a receipt proves one leaf under one log's key."""
    bench.fill(2)
    for mood in wrong_receipts(bench.registry).values():
        bench.registry.mood = mood
        bench.now_s += MOST_WAIT_S
        before = bench.box.state.version
        bench.send()
        assert bench.box.store.counts() == (2, 0, 0)
        assert bench.box.state.version > before
    assert bench.alarms() == {"edge.receipt", "edge.refused"}


def test_swapped_receipts_are_found(bench: Bench) -> None:
    """A true receipt at another statement's place is a receipt for another statement."""
    names = bench.fill(2)
    kept: dict[bytes, Any] = {}

    def swap(honest: Any, raw: bytes) -> Any:
        kept[identity(raw)] = honest
        return honest if len(kept) < 2 else kept[names[0]]

    bench.registry.mood = swap
    bench.send()
    assert [item.identity for item in bench.box.store.unentered(-1, 9)] == [names[1]]


def test_items_that_are_refused_for_good_block_nothing_behind_them(bench: Bench) -> None:
    """Brief of station 10: the oldest bundle refused whole, and another in the middle; all others are entered."""
    names = bench.fill(3 * BUNDLE)
    bad = {*names[:BUNDLE], names[2 * BUNDLE]}
    bench.registry.refuse = bad
    bench.drain()
    assert set(bench.registry.entered) == set(names) - bad
    assert bench.box.store.counts()[1] == 3 * BUNDLE - len(bad)
    assert "edge.refused" in bench.alarms()


def test_refused_items_are_offered_again_ever_more_seldom_and_enter_when_they_may(bench: Bench) -> None:
    """A grant may be missing at the registry and come later; until then a refused item is no load."""
    names = bench.fill(2)
    bench.registry.refuse = {names[0]}
    bench.drain()
    asked = bench.registry.times_sent
    assert (asked[names[0]], asked[names[1]]) == (1, 1)
    for _ in range(600):
        bench.now_s += 1
        bench.drain()
    # 1 s, then 2, 4, ... 256, 300: the times at which it is asked within 600 s are 1, 3, 7, ... 511 and no other.
    assert asked[names[0]] == 1 + 9
    assert asked[names[1]] == 1
    bench.registry.refuse = set()
    bench.now_s += MOST_WAIT_S
    bench.drain()
    assert bench.box.store.counts() == (2, 2, 0)


def test_new_statements_go_at_once_while_refused_ones_wait(bench: Bench) -> None:
    """The cursor stands behind what was passed over."""
    names = bench.fill(2)
    bench.registry.refuse = set(names)
    bench.drain()
    fixture = bench.box.fixture("G1")
    bench.box.offer(*fixture.signed, fixture="G1")
    bench.drain()
    assert bench.registry.entered == [fixture.signed[0].identity]
    assert bench.registry.times_sent[names[0]] == 1


@pytest.mark.parametrize("body", [b"", b"\xff", encode([]), encode([b"", b"", b""]), encode({}), encode(7)])
def test_an_answer_that_does_not_fit_the_bundle_moves_nothing(
    box: Box, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONTRACT, POST /bundles: an array with one answer an item."""
    bench = Bench(box)
    bench.fill(2)
    monkeypatch.setattr(bench.outbox, "ask", lambda *_: body)
    assert bench.outbox.round(bench.client) is False
    assert bench.outbox.failures == 1
    assert bench.alarms() == {"edge.registry"}
    assert bench.box.state.snapshot()["registry"] is False
    bench.client.close()


def test_a_registry_that_is_away_is_said_to_be_and_waited_for(box: Box) -> None:
    """Errors: RegistryAbsent: statements wait in the outbox, nothing is lost."""
    bench = Bench(box)
    bench.fill(1)
    for count in (1, 2, 3):
        assert bench.outbox.round(bench.client) is False
        assert bench.outbox.failures == count
    assert box.state.snapshot()["registry"] is False
    with served(bench.registry, bench.port):
        bench.outbox.round(bench.client)
    assert bench.outbox.failures == 0
    assert box.state.snapshot()["registry"] is True
    assert box.store.counts() == (1, 1, 0)
    bench.client.close()


def test_a_store_that_fails_under_the_outbox_ends_no_thread(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design section 13: disk full. Receipts that could not be kept are asked for again."""
    names = bench.fill(2)

    def full(_receipts: object) -> None:
        raise StoreFailed("receipts were not stored: disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(bench.box.store, "enter", full)
        assert bench.outbox.round(bench.client) is False
    assert bench.alarms() == {"edge.store"}
    bench.outbox.round(bench.client)
    assert bench.box.store.counts() == (2, 2, 0)
    assert bench.registry.entered == names


def test_the_wait_doubles_and_is_capped_at_five_minutes() -> None:
    """outbox.py: doubled with each failure: 2^n seconds up to 300."""
    waits = [longest_wait(failures) for failures in range(12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    for failures in (1, 5, 40):
        drawn = [jittered(failures) for _ in range(200)]
        assert min(drawn) >= LEAST_WAIT_S
        assert max(drawn) <= longest_wait(failures)
        assert len(set(drawn)) > 50


class Waits(threading.Event):
    """An event that writes down how it was waited for, and tells the loop to end."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        super().__init__()
        self.stop, self.asked = stop or self, list[float | None]()

    def wait(self, timeout: float | None = None) -> bool:
        """Remember, and end the loop instead of waiting."""
        self.asked.append(timeout)
        self.stop.set()
        return True


def test_after_a_failure_new_statements_do_not_cut_the_wait_short(box: Box) -> None:
    """A busy line wakes the outbox several times a second; a registry that is down must not be hammered for it."""
    bench = Bench(box)
    bench.fill(1)
    stop = Waits()
    bench.outbox.wake = wake = Waits(stop)
    bench.outbox.run(stop)
    assert wake.asked == []
    assert len(stop.asked) == 1
    assert LEAST_WAIT_S <= (stop.asked[0] or 0) <= longest_wait(1)
    bench.client.close()


def test_when_all_is_sent_the_loop_waits_to_be_woken(bench: Bench) -> None:
    """settings.py: registry_poll_s is the longest it sleeps when all is well."""
    bench.fill(1)
    stop = Waits()
    bench.outbox.wake = wake = Waits(stop)
    bench.outbox.run(stop)
    assert (stop.asked, wake.asked) == ([], [1])
    assert bench.box.store.counts() == (1, 1, 0)


def test_the_loop_sends_what_comes_when_it_is_woken_and_ends_when_told(bench: Bench) -> None:
    """main.py: the ingest sets `wake` after each batch."""
    stop = threading.Event()
    thread = threading.Thread(target=bench.outbox.run, args=(stop,), daemon=True)
    thread.start()
    bench.fill(3)
    bench.outbox.wake.set()
    wait_until(lambda: bench.box.store.counts()[1] == 3, "three entered")
    stop.set()
    bench.outbox.wake.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_bundle_of_the_largest_parcels_fits_what_a_registry_takes(tmp_path: Path) -> None:
    """CONTRACT: a parcel has 65536 bytes at most; the registry's body limit is 4 MiB (its entries.py)."""
    assert BUNDLE * (65536 + 16) < 1 << 22
