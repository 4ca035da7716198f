"""Beacons and grants from the registry: believed only under its granted key, passed down only when newer."""

from collections.abc import Iterator

import httpx
import pytest
from edge.tests.conftest import Box
from edge.tests.site import SmallRegistry, served
from starlette.requests import Request
from starlette.responses import Response

from meterseal_edge.beacon import FILE, BeaconKeeper, grants_in
from meterseal_edge.errors import RegistryAbsent
from meterseal_edge.settings import Settings
from meterseal_protocol.errors import UnknownKey
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_tools.services import free_port
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.statement import Author, build


class Greetings:
    """Stands at the inbox's place: what every fixture was given."""

    def __init__(self) -> None:
        self.given: list[list[bytes]] = []

    def greet_with(self, statements: list[bytes]) -> None:
        """Now and for whoever comes online."""
        self.given.append(statements)


class Registry(SmallRegistry):
    """Gives `says` for a beacon and `knows` for its grants where they are set."""

    says: bytes | None = None
    knows: bytes | None = None
    trouble: bool = False

    async def beacon(self, request: Request) -> Response:
        """The beacon, or what the test wants."""
        if self.trouble:
            return Response("", 503)
        return await super().beacon(request) if self.says is None else Response(self.says)

    async def grants(self, request: Request) -> Response:
        """The grants, or what the test wants."""
        return await super().grants(request) if self.knows is None else Response(self.knows)


class Post:
    """A beacon keeper over a box's keybook and a registry on a real port."""

    def __init__(self, box: Box) -> None:
        self.box, self.port = box, free_port()
        self.registry, self.greetings = Registry(box.world), Greetings()
        url, here = f"http://127.0.0.1:{self.port}", box.folder
        settings = Settings(here, 1, "YUHANG1", "EDGE1", here, here, url, 1)
        self.keeper = BeaconKeeper(settings, box.keys, self.greetings, box.state)  # type: ignore[arg-type]
        self.client = httpx.Client(base_url=url)

    def ask(self) -> None:
        """One question."""
        self.keeper.ask(self.client)


@pytest.fixture
def post(box: Box) -> Iterator[Post]:
    """A keeper whose registry runs."""
    found = Post(box)
    with served(found.registry, found.port):
        yield found
    found.client.close()


@pytest.fixture
def alone(box: Box) -> Iterator[Post]:
    """A keeper whose registry does not run: the test hands it the bytes."""
    found = Post(box)
    yield found
    found.client.close()


def beacon(author: Author, number: int) -> bytes:
    """A signed beacon."""
    payload = {L.NUMBER: number, L.TIME_S: 1_790_000_000 + number, L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32)}
    return bytes(build(author, L.KIND_BEACON, payload))


def alarms(box: Box) -> list[str]:
    """Codes on the page."""
    return [alarm["code"] for alarm in box.state.snapshot()["alarms"]]


def test_a_newer_beacon_is_shown_and_passed_on(post: Post) -> None:
    """CONTRACT, down topic: the newest beacon when a fixture comes online and whenever a new one comes."""
    post.ask()
    post.ask()
    assert post.keeper.newest == 2
    assert [len(given) for given in post.greetings.given] == [1, 1]
    assert post.box.state.snapshot()["beacon"] == {"number": 2, "time_s": 1_790_000_000}
    assert post.box.state.snapshot()["registry"] is True


@pytest.mark.parametrize("number", [5, 4, 0])
def test_the_same_or_an_older_beacon_is_passed_on_to_nobody(alone: Post, number: int) -> None:
    """A beacon is *not before*: an old one, played again, would make an attempt look older than it is."""
    alone.keeper.take(beacon(alone.registry.author, 5))
    alone.keeper.take(beacon(alone.registry.author, number))
    assert len(alone.greetings.given) == 1
    assert alone.keeper.newest == 5


@pytest.mark.parametrize("role", ["edge", "province", "W1"])
def test_a_beacon_by_anyone_but_a_registry_is_not_believed(alone: Post, role: str) -> None:
    """CONTRACT, authority of kinds: the registry signs beacons. All these keys are known, and none is a registry's."""
    with pytest.raises(UnknownKey):
        alone.keeper.take(beacon(alone.box.world.author(role), 9))
    assert alone.greetings.given == []


def test_another_statement_of_the_registry_is_no_beacon(alone: Post) -> None:
    """One kind must not be taken for another: typ is signed."""
    payload = {L.ORIGIN: "registry/REG-CN", L.LOG_SIZE: 0, L.LOG_ROOT: bytes(32), L.TIME_S: 1}
    alone.keeper.take(build(alone.registry.author, L.KIND_CHECKPOINT, payload))
    assert alarms(alone.box) == ["edge.beacon"]
    assert alone.greetings.given == []


def test_nonsense_for_a_beacon_raises_an_alarm_and_stops_nothing(post: Post) -> None:
    """Design section 13: one named error, counted, never a crash."""
    for says in (b"", b"\xff", b"\x80", b"<html>" * 1000):
        post.registry.says = says
        before = post.box.state.version
        post.ask()
        assert post.box.state.version > before
    assert {"wire.truncated", "wire.not_allowed", "wire.shape"} >= set(alarms(post.box)) != set()
    post.registry.says = None
    post.ask()
    assert post.keeper.newest == 1


def test_nonsense_for_grants_raises_an_alarm_and_stops_nothing(post: Post) -> None:
    """CONTRACT: GET /grants is a CBOR array of [statement, receipt]."""
    for knows in (b"\xff", encode(7), encode([7]), encode([[]]), encode([[7, b""]]), encode({})):
        with pytest.raises((RegistryAbsent, WireError)):
            grants_in(knows)
        post.registry.knows = knows
        before = post.box.state.version
        post.ask()
        assert post.box.state.version > before
    assert set(alarms(post.box)) == {"wire.not_allowed", "edge.registry"}
    post.registry.knows = None
    post.ask()
    assert post.keeper.newest == 1


def test_grants_of_the_registry_make_a_new_fixture_known(box: Box) -> None:
    """CONTRACT: the edge learns fixture keys from GET /grants too; what was refused links when it comes again."""
    grant = box.world.grants.pop("fixture G1")
    for path in (box.folder / "grants").iterdir():
        path.unlink()
    box.store.close()
    box.reopen()
    fixture = ModelFixture(box.world.author("G1"))
    fixture.boot()
    box.offer(*fixture.signed, fixture="G1")
    assert box.store.counts() == (0, 0, 1)
    post = Post(box)
    box.world.grants["fixture G1"] = grant
    with served(post.registry, post.port):
        post.ask()
    post.client.close()
    box.offer(*fixture.signed, fixture="G1")
    assert box.store.counts() == (1, 0, 0)


def test_a_registry_that_is_away_is_shown_as_away(box: Box) -> None:
    """Design section 11: the page says which neighbour is missing; the next question asks again."""
    post = Post(box)
    box.state.registry(True)
    post.ask()
    assert box.state.snapshot()["registry"] is False
    with served(post.registry, post.port):
        post.ask()
    post.client.close()
    assert box.state.snapshot()["registry"] is True


def test_a_registry_in_trouble_is_shown_as_away(post: Post) -> None:
    """RFC 9110 section 15.6: 5xx is the server's own failure."""
    post.ask()
    post.registry.trouble = True
    post.ask()
    assert post.box.state.snapshot()["registry"] is False
    assert alarms(post.box) == []


def test_an_edge_that_starts_without_a_registry_still_has_its_newest_beacon(post: Post, alone: Post) -> None:
    """Fixtures that come online during a week without a registry need one to begin an attempt (design section 6)."""
    post.ask()
    newest = post.greetings.given[-1]
    kept = post.box.folder / FILE
    assert kept.read_bytes() == newest[0]
    again = Post(post.box)
    again.keeper.recall()
    assert again.greetings.given == [newest]
    kept.write_bytes(newest[0][:-1] + b"x")
    damaged = Post(post.box)
    damaged.keeper.recall()
    kept.unlink()
    damaged.keeper.recall()
    assert damaged.greetings.given == []


def test_a_beacon_that_is_over_a_day_old_is_an_alarm_once_an_hour(post: Post) -> None:
    """The judge refuses an attempt whose beacon was too old when it was logged: time.beacon_stale."""
    state = post.box.state
    post.keeper.watch(1e12)
    post.ask()
    made = post.keeper.newest_s
    post.keeper.watch(made + 86_400)
    assert state.snapshot()["alarms"] == []
    for second in range(0, 7200, 5):
        post.keeper.watch(made + 90_000 + second)
    [alarm] = state.snapshot()["alarms"]
    assert (alarm["code"], alarm["count"]) == ("edge.beacon_stale", 2)
    assert "is 26 h old" in alarm["why"]
