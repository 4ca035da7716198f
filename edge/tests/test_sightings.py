"""Results that wait for a registry that is away get the witness's time; a registry that is back gets the sightings."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from edge.tests.conftest import Box
from edge.tests.site import SmallRegistry, served
from registry.tests.conftest import METER, Office

from meterseal_edge.errors import RegistryAbsent
from meterseal_edge.outbox import Outbox
from meterseal_edge.published import Published
from meterseal_edge.settings import Settings
from meterseal_edge.sightings import ROUND_S, Sightings
from meterseal_edge.state import State
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import Inclusion
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_protocol.quorum import LogTrust, Quorum, Sighting, seen_s
from meterseal_protocol.statement import Statement
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.runs import Seat, plan_document, point
from meterseal_protocol.testing.world import World
from meterseal_protocol.verify import verify
from meterseal_tools.services import free_port
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.sign1 import identity
from meterseal_wire.suites import ED25519

ORIGIN, NOW_S, DAY_S = "edge/EDGE1", 1_795_000_000, 86_400
PLAN = plan_document(bytes(32), [[2_500_000, 1000, 10_000_000, 5000, 1]])
SEAT = Seat(1, "12082058", points=[point(0, 2_500_000, 0)])


class NoInbox:
    """Nothing is passed down here."""

    def __init__(self, state: State) -> None:
        self.state = state


class Watch:
    """A box whose log is published, a witness that cosigns when the test says so, and a registry that may be away."""

    def __init__(self, box: Box, fixture: ModelFixture | None = None) -> None:
        self.box = box
        self.registry, self.port = SmallRegistry(box.world), free_port()
        url = f"http://127.0.0.1:{self.port}"
        here = box.folder
        settings = Settings(here, 1, "YUHANG1", "EDGE1", here, here, url, 1, registry_poll_s=1)
        self.outbox = Outbox(settings, box.store, box.keys, NoInbox(box.state))  # type: ignore[arg-type]
        self.published = Published(box.log, NoteSigner(ORIGIN, PrivateKey.generate(ED25519)), here)
        self.witness = NoteSigner("witness.example/w", PrivateKey.generate(ED25519), TIMED)
        self.client = httpx.Client(base_url=url)
        self.start()
        self.fixture = fixture or box.fixture()
        box.offer(*self.fixture.signed)

    def start(self) -> None:
        """As after a restart: what is not on the disk is gone."""
        author = self.box.world.author("edge")
        self.sightings = Sightings(self.published, author, self.outbox, self.box.folder)

    def run(self) -> bytes:
        """An attempt and its result, durable here; the result's identity."""
        pair = [self.fixture.attempt([SEAT], PLAN, bytes(32)), self.fixture.result([SEAT])]
        self.box.offer(*pair)
        return pair[1].identity

    def cosign(self, time_s: int, *others: NoteSigner) -> None:
        """The witness has seen the log as it stands, and so have others."""
        note = self.published.note()
        seen = [one.sign(note.text, time_s) for one in (self.witness, *others)]
        self.published.cosign(note.signed(*seen))

    @property
    def files(self) -> list[Path]:
        """The sightings that wait."""
        return sorted((self.box.folder / "sightings").glob("*"))

    def said(self) -> list[tuple[bytes, int]]:
        """What each says: the statement, and by when its witness had seen it, checked as the judge does."""
        found = []
        trust = LogTrust(ORIGIN, (self.published.key,), Quorum(1, (self.witness.key,)))
        for path in self.files:
            payload = self._verified(path).payload
            size, index, names = payload[L.INCLUSION]
            shown = Sighting(payload[L.NOTE], Inclusion(index, size, names))
            found.append((payload[L.STATEMENT], seen_s(payload[L.STATEMENT], shown, trust)))
        return found

    def _verified(self, path: Path) -> Statement:
        statement = verify(path.read_bytes(), self.box.world.ring("edge")).statement
        assert statement.typ == L.KIND_SIGHTING
        return statement


@pytest.fixture
def watch(box: Box) -> Iterator[Watch]:
    """The registry is not there yet."""
    found = Watch(box)
    yield found
    found.client.close()


def test_a_result_that_waits_gets_the_first_head_above_it(watch: Watch) -> None:
    """The second run's own head, and never a later one for the first; neither boot nor attempt gets any."""
    first = watch.run()
    watch.cosign(NOW_S)
    watch.sightings.keep()
    assert watch.said() == []
    second = watch.run()
    watch.cosign(NOW_S + 10)
    watch.sightings.keep()
    assert watch.said() == [(first, NOW_S)]
    watch.cosign(NOW_S + 20)
    watch.sightings.keep()
    watch.sightings.keep()
    assert watch.said() == [(first, NOW_S), (second, NOW_S + 10)]


def test_a_result_that_the_registry_has_needs_none(watch: Watch) -> None:
    """Entered within the round in which its head was cosigned."""
    watch.run()
    watch.cosign(NOW_S)
    watch.sightings.keep()
    watch.box.store.enter([(leaf, b"receipt") for leaf in range(watch.box.log.tip()[0])])
    watch.sightings.keep()
    assert watch.files == []


def test_without_a_witness_there_is_nothing_to_say(watch: Watch) -> None:
    """No head was ever cosigned."""
    watch.run()
    assert watch.sightings.round(watch.client) == watch.sightings.round(watch.client) == ROUND_S
    assert watch.files == []


def test_a_registry_that_is_back_takes_each_once(watch: Watch) -> None:
    """Away: the file stays and the edge asks more seldom. Refused: it stays. A receipt that holds ends it."""
    watch.run()
    watch.cosign(NOW_S)
    watch.sightings.keep()
    watch.sightings.keep()
    with pytest.raises(RegistryAbsent):
        watch.sightings.deliver(watch.client)
    assert watch.sightings.round(watch.client) >= ROUND_S
    [path] = watch.files
    kept = path.read_bytes()
    watch.start()
    with served(watch.registry, watch.port):
        name = verify(kept, watch.box.world.ring("edge")).statement.identity
        watch.registry.refuse.add(name)
        assert watch.sightings.deliver(watch.client) == 1
        watch.sightings.keep()
        watch.sightings.keep()
        assert [item.read_bytes() for item in watch.files] == [kept]
        watch.registry.refuse.clear()
        assert watch.sightings.round(watch.client) == ROUND_S
    assert (watch.files, watch.registry.entered, watch.registry.times_sent[name]) == ([], [name], 2)


class Shared(Box):
    """An edge in the world of a registry."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world, self.messages = folder, world, 0
        self.reopen()


@pytest.mark.parametrize("quorum, seen_by, codes", [(1, 1, []), (2, 2, []), (2, 1, ["time.beacon_stale"])])
def test_a_real_registry_grants_by_what_the_edge_hands_in(
    tmp_path: Path, quorum: int, seen_by: int, codes: list[str]
) -> None:
    """Design section 1 item 4, end to end: log key, quorum and witnesses by grants; the registry was away for 15 days.
    Two cosigned where two must have, and one, which moves nothing.
    """
    for name in ("registry", "edge"):
        (tmp_path / name).mkdir()
    office = Office(tmp_path / "registry")
    watch = Watch(Shared(tmp_path / "edge", office.world), office.fixture)
    world = office.world
    parent = identity(world.grants["delegation"])
    edge = {L.PARENT: parent, L.SUBJECT_KEY: world.cose("edge"), L.EDGE: "EDGE1", L.SITE: "YUHANG1"}
    edge |= {L.LOG_KEY: watch.published.key.public.cose, L.QUORUM: quorum}
    office.offer(Signed(world.grant("province", kinds.EDGE, edge)))
    other = NoteSigner("other.example/w", PrivateKey.generate(ED25519), TIMED)
    for witness in (watch.witness, other):
        said = {L.SUBJECT_KEY: witness.key.public.cose, L.WITNESS: witness.key.name}
        office.offer(Signed(world.grant("root", kinds.WITNESS, said)))
    office.tick(DAY_S)
    office.beacon = identity(office.record.beacon(office.now_s))
    run = office.run()
    watch.box.offer(*run)
    seen_at = office.tick(10)
    watch.cosign(seen_at, *[other][: seen_by - 1])
    watch.sightings.keep()
    watch.sightings.keep()
    office.tick(15 * DAY_S)
    office.offer(*run)
    assert reasons(office) == ["time.beacon_stale"]
    office.offer(*(Signed(path.read_bytes()) for path in watch.files))
    assert reasons(office) == codes
    decision = office.record.decisions.newest(METER)
    assert decision is not None
    assert codes or decision.payload[L.WINDOW][0] == seen_at
    for opened in (watch.client, watch.box.store, office.record.entries.store):
        opened.close()


def reasons(office: Office) -> list[str]:
    """Codes of the newest decision."""
    decision = office.record.decisions.newest(METER)
    assert decision is not None
    return [code for code, _ in decision.payload[L.REASONS]]
