"""A client with a valid certificate that means harm: memory bounded, others go on, an operator is told."""

import random
from collections.abc import Iterator

import httpx
import pytest
from edge.tests.factory import NOTHING_WRONG, Factory
from edge.tests.hostile import NAME, Hostile, Memory
from edge.tests.site import wait_until

from meterseal_tools.load.box import Box
from meterseal_tools.load.lines import factory_world

LINES, BOUND, FEW, SEED = 6, 200, 400, 20261125
GROWTH_KIB = 64 * 1024  # RECEIVE_MAXIMUM messages of the largest size are 50 MiB; measured: about 10


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """A box for all attacks, whose quarantine takes BOUND of each fixture; its lines have custody for something."""
    world, folder = factory_world(LINES), tmp_path_factory.mktemp("hostile")
    with Box(folder, world, workers=0, quarantine=BOUND) as box:
        found = Factory(folder, world, box)
        found.send()
        yield found
        found.sender.close()
        box.broker.stop()


@pytest.fixture
def hostile(factory: Factory) -> Hostile:
    """A stranger to the lines with a granted key."""
    return Hostile(factory, random.Random(SEED))


def alarms(factory: Factory) -> set[tuple[str, str]]:
    """(fixture, code) of each line that the operator sees."""
    found = httpx.get(f"{factory.box.page}/api/summary").json()["alarms"]
    return {(alarm["fixture"], alarm["code"]) for alarm in found}


def answers(factory: Factory) -> bool:
    """True if the page lets one in and says that it takes statements."""
    try:
        return httpx.get(f"{factory.box.page}/readyz").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def quarantined(factory: Factory, name: str) -> int:
    """Refusals of one topic as they lie in the file."""
    query = "SELECT fixture, COUNT(*) FROM quarantine GROUP BY fixture"
    return int(dict(factory.rows(query)).get(name, 0))


@pytest.mark.parametrize("attack", ["wrong_topics", "huge", "tiny"])
def test_what_a_hostile_client_sends_takes_bounded_memory_and_the_lines_go_on(
    factory: Factory, hostile: Hostile, attack: str
) -> None:
    """Issue 6, faults: wrong topic, huge packets, tiny ones by the ten thousand; lost 0, counted twice 0."""
    memory = Memory(factory)
    before, statements = memory.look(), factory.statements
    with memory.watched(), factory.load():
        getattr(hostile, attack)()
    assert factory.statements > statements
    factory.check()
    assert memory.most_kib - before < GROWTH_KIB
    assert (NAME, "edge.topic" if attack == "wrong_topics" else "edge.quarantine") in alarms(factory)
    assert quarantined(factory, NAME) <= BOUND


def test_connections_on_which_nothing_is_said_stop_neither_lines_nor_page(
    factory: Factory, hostile: Hostile
) -> None:
    """Issue 6, faults: half-open connections and garbage at the page; no traceback is answered or logged. As many
    as fill the page's door are in test_door.py.
    """
    memory = Memory(factory)
    before = memory.look()
    with memory.watched(), factory.load(), hostile.half_open(FEW):
        hostile.garbage()
        wait_until(lambda: answers(factory), "the page's answer")
    assert factory.count() == NOTHING_WRONG
    assert memory.most_kib - before < GROWTH_KIB
    assert "Traceback" not in factory.box.edge.log.read_text("utf-8")
