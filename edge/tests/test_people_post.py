"""What people signed goes on to a real registry's HTTP, until a receipt covers it."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import httpx
import pytest
from edge.tests.batch import GOOD_PPM
from edge.tests.conftest import Box
from edge.tests.office import Office, Person
from edge.tests.site import SmallRegistry, served, wait_until

from meterseal_edge.errors import RegistryAbsent
from meterseal_edge.outbox import Outbox
from meterseal_edge.people import post as posts
from meterseal_edge.people.post import Post
from meterseal_edge.people.sheet import Sheet
from meterseal_protocol.merkle import include, leaf_hash
from meterseal_protocol.receipt import issue
from meterseal_tools.services import free_port
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity


class Registry(SmallRegistry):
    """Remembers what was sent with each statement; `lies` gives receipts for something else."""

    def __init__(self, box: Box) -> None:
        super().__init__(box.world)
        self.port = free_port()
        self.bundles: list[list[list[bytes]]] = []
        self.lies = False

    def answer(self, raw: bytes) -> object:
        """A receipt for another entry, where it lies."""
        if not self.lies:
            return super().answer(raw)
        return issue(self.author, bytes(32), include([leaf_hash(bytes(32))], 0, 1), 1_790_000_000)

    async def bundle(self, request):  # type: ignore[no-untyped-def]
        """As the small one."""
        self.bundles.append(scan(await request.body(), 1 << 22))
        return await super().bundle(request)


@pytest.fixture
def office(box: Box) -> Iterator[Office]:
    """A fresh office."""
    with closing(Office(box)) as found:
        yield found


@pytest.fixture
def registry(box: Box) -> Registry:
    """Not served yet."""
    return Registry(box)


@pytest.fixture
def post(office: Office, registry: Registry) -> Post:
    """The loop's parts, over the office's file."""
    settings = replace(office.settings, registry=f"http://127.0.0.1:{registry.port}", registry_poll_s=1)

    class NoInbox:
        state = office.box.state

    outbox = Outbox(settings, office.box.store, office.box.keys, NoInbox())  # type: ignore[arg-type]
    return Post(office.desk.sayings, outbox)


@pytest.fixture
def li(office: Office) -> Person:
    """A verifier with a grant."""
    return office.equip("Li", "verifier")


def sign(office: Office, li: Person) -> Sheet:
    """One more run, signed by Li."""
    attempt, _ = office.bench.run(GOOD_PPM, GOOD_PPM)
    sheet = office.sheet(attempt.identity)
    office.desk.sayings.take_signoff(li.account, sheet, li.signs(sheet.rows, 1))
    return sheet


def client(post: Post) -> httpx.Client:
    """As the loop has it."""
    return httpx.Client(base_url=post.outbox.settings.registry, timeout=5)


def entered(office: Office) -> list[bool]:
    """Which of the statements a receipt covers."""
    return [bool(row[0]) for row in office.roll.all("SELECT receipt IS NOT NULL FROM said ORDER BY number")]


def test_a_signoff_travels_with_its_rows_and_waits_until_a_receipt_covers_it(
    office: Office, post: Post, registry: Registry, li: Person
) -> None:
    """signoff.py: rows travel beside the statement as its evidence items."""
    sheet = sign(office, li)
    with served(registry, registry.port), client(post) as line:
        assert post.deliver(line) == 0
        assert post.deliver(line) == 0
    [[item]] = registry.bundles
    assert item[1:] == [row.encoded() for row in sheet.rows]
    assert registry.entered == [identity(item[0])]
    assert office.desk.sayings.of(sheet.run.listed.identity)[0].entered == 1


def test_while_the_registry_is_away_nothing_is_lost_and_it_is_asked_ever_more_seldom(
    office: Office, post: Post, registry: Registry, li: Person
) -> None:
    """A week without a registry: what waits is kept on disk; the wait grows to five minutes at most."""
    sign(office, li)
    with client(post) as line:
        for failures in range(1, 12):
            assert 1 <= post.round(line) <= min(300, 1 << failures)
        assert post.failures == 11
        with served(registry, registry.port):
            assert post.round(line) == 1
    assert (post.failures, entered(office)) == (0, [True])
    assert office.box.state.snapshot()["alarms"][0]["code"] == "edge.registry"


def test_what_the_registry_refuses_blocks_nothing_and_is_offered_again(
    office: Office, post: Post, registry: Registry, li: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A grant that the registry has not got yet is a matter of days; others' signatures go on. Bundles of one here."""
    monkeypatch.setattr(posts, "BUNDLE", 1)
    for _ in range(3):
        sign(office, li)
    first = office.roll.one("SELECT identity FROM said ORDER BY number")
    assert first is not None
    registry.refuse = {first[0]}
    with served(registry, registry.port), client(post) as line:
        assert post.deliver(line) == 1
        assert entered(office) == [False, True, True]
        assert post.round(line) > 1
        registry.refuse = set()
        assert post.round(line) == 1
    assert entered(office) == [True, True, True]


def test_a_receipt_for_something_else_is_not_believed(
    office: Office, post: Post, registry: Registry, li: Person
) -> None:
    """Design section 6: only a receipt that verifies, for this very statement."""
    sign(office, li)
    registry.lies = True
    with served(registry, registry.port), client(post) as line:
        assert post.deliver(line) == 1
    assert entered(office) == [False]
    assert "edge.receipt" in [alarm["code"] for alarm in office.box.state.snapshot()["alarms"]]


def test_an_answer_that_is_none_is_an_absent_registry(
    office: Office, post: Post, registry: Registry, li: Person
) -> None:
    """503 of a proxy in between."""
    sign(office, li)
    registry.status = 503
    with served(registry, registry.port), client(post) as line, pytest.raises(RegistryAbsent, match="503"):
        post.deliver(line)
    assert entered(office) == [False]


def test_the_loop_sends_what_is_fresh_at_once_and_stops_when_asked(
    office: Office, post: Post, registry: Registry, li: Person
) -> None:
    """The desk's event wakes it; a stop ends it."""
    stop = threading.Event()
    with served(registry, registry.port):
        thread = threading.Thread(target=post.run, args=(stop,))
        thread.start()
        for count in (1, 2):
            sign(office, li)
            wait_until(lambda count=count: sum(entered(office)) == count, "the receipt")  # type: ignore[misc]
        stop.set()
        office.desk.sayings.fresh.set()
        thread.join(10)
    assert not thread.is_alive()
