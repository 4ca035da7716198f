"""The log's public face: tiles and checkpoint over real HTTP, and a witness that sees each step or says why not."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from edge.tests.conftest import Box
from edge.tests.site import on_port
from edge.tests.test_ingest import root_by_hand
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from meterseal_edge.errors import WitnessAbsent
from meterseal_edge.log import EdgeLog
from meterseal_edge.pages.log_pages import log_routes
from meterseal_edge.published import Cosigning, Published
from meterseal_protocol.checkpoint_text import open_checkpoint
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.merkle import leaf_hash, verify_consistency, verify_inclusion
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_protocol.tile import ENTRIES, Tile, TileTree, unbundle
from meterseal_protocol.witness import Seen, Witness, read_request
from meterseal_tools.services import free_port
from meterseal_wire.suites import ED25519

ORIGIN, NOW_S = "edge/EDGE1", 1_795_000_000


class Shown:
    """A box whose log is served, with a log key and a client."""

    def __init__(self, box: Box, folder: Path, port: int) -> None:
        self.box = box
        self.fixture = box.fixture()
        self.published = Published(box.log, NoteSigner(ORIGIN, PrivateKey.generate(ED25519)), folder)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)

    def grow(self, count: int) -> None:
        """So many statements more, the boot among the first."""
        before = len(self.fixture.signed)
        while len(self.fixture.signed) < self.box.log.tip()[0] + count:
            self.fixture.event("tick", str(len(self.fixture.signed)))
        start = 0 if self.box.log.tip()[0] == 0 else before
        for at in range(start, len(self.fixture.signed), 100):
            self.box.ingest.keep([self.box.parcel(*self.fixture.signed[at : at + 100])])

    @property
    def identities(self) -> list[bytes]:
        """Of everything signed, in order."""
        return [item.identity for item in self.fixture.signed]

    def get(self, tile: Tile) -> bytes:
        """A tile's bytes as anybody gets them."""
        return self.client.get(f"/log/{tile.path}").raise_for_status().content


@pytest.fixture
def shown(box: Box, tmp_path: Path) -> Iterator[Shown]:
    """A served log of nothing."""
    port = free_port()
    found = Shown(box, tmp_path, port)
    with on_port(Starlette(routes=log_routes(box.log, found.published)), port):
        yield found
        found.client.close()


def test_who_reads_tiles_alone_comes_to_the_signed_root(shown: Shown) -> None:
    """C2SP tlog-tiles: from the tiles anyone computes root and proofs. 600 leaves are two full tiles and a partial one;
    the root is RFC 9162's, reckoned by hand in test_ingest.py.
    """
    shown.grow(600)
    head, _ = open_checkpoint(shown.client.get("/log/checkpoint").content, [shown.published.key])
    assert (head.origin, head.size) == (ORIGIN, 600)
    assert head.root == root_by_hand(shown.identities)
    tree = TileTree(600, shown.get)
    assert tree.root() == head.root
    name = shown.identities[300]
    verify_inclusion(leaf_hash(name), 300, 600, tree.inclusion(300), head.root)
    verify_consistency(256, 600, tree.consistency(256), root_by_hand(shown.identities[:256]), head.root)
    entries = Tile(ENTRIES, 1)
    assert unbundle(entries, shown.get(entries)) == shown.identities[256:512]


def test_the_logs_own_proofs_are_those_of_its_tiles(shown: Shown) -> None:
    """RFC 9162 sections 2.1.3.2 and 2.1.4.2, at sizes beside the tiles' edges."""
    shown.grow(520)
    names = shown.identities
    for leaf, size in ((0, 1), (255, 256), (255, 257), (256, 257), (519, 520), (3, 520)):
        found = shown.box.log.include(leaf, size)
        verify_inclusion(leaf_hash(names[leaf]), leaf, size, found.path, root_by_hand(names[:size]))
    for first, second in ((1, 2), (255, 256), (256, 512), (300, 520)):
        proof = shown.box.log.consistency(first, second)
        verify_consistency(first, second, proof, root_by_hand(names[:first]), root_by_hand(names[:second]))


@pytest.mark.parametrize("count", [1, 255, 256, 257, 511, 512, 600])
def test_a_log_opened_again_goes_on_from_its_right_edge(box: Box, count: int) -> None:
    """log.py: only the last tiles are read; the next leaf gives the root over all."""
    fixture = box.fixture()
    for number in range(count):
        fixture.event("tick", str(number))
    first = fixture.signed[:count]
    box.ingest.keep([box.parcel(*first[at : at + 100]) for at in range(0, count, 100)])
    before = box.log.tip()
    box.store.close()
    box.reopen()
    assert box.log.tip() == before
    assert before[0] == count
    box.ingest.keep([box.parcel(fixture.signed[-1])])
    assert box.log.tip() == (count + 1, root_by_hand([item.identity for item in fixture.signed]))


def test_a_start_reads_a_few_rows_of_a_long_log(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """log.py: a few hundred rows however long the log is. 600 leaves: 88 in the partial tile, and 2 roots."""
    fixture = box.fixture()
    for number in range(599):
        fixture.event("tick", str(number))
    box.ingest.keep([box.parcel(*fixture.signed[at : at + 100]) for at in range(0, 600, 100)])
    read: list[tuple[str, int]] = []
    identities, roots = box.store.identities, box.store.roots

    def leaves(start: int, end: int) -> list[bytes]:
        read.append(("leaves", end - start))
        return identities(start, end)

    def nodes(level: int, start: int, end: int) -> list[bytes]:
        read.append((f"level {level}", end - start))
        return roots(level, start, end)

    monkeypatch.setattr(box.store, "identities", leaves)
    monkeypatch.setattr(box.store, "roots", nodes)
    assert EdgeLog(box.store).tip() == box.log.tip()
    assert read == [("leaves", 600 - 2 * 256), ("level 1", 2)]


@pytest.mark.parametrize(
    "path",
    ["tile/0/000", "tile/0/001.p/9", "tile/1/000", "tile/0/x", "tile/9/../../edge.key", "tile/0/000.p/256"],
)
def test_what_is_no_tile_of_this_log_is_not_found(shown: Shown, path: str) -> None:
    """Design section 13: one sentence, never a trace. The log has 200 leaves: one partial tile."""
    shown.grow(200)
    answer = shown.client.get(f"/log/{path}")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_a_full_tile_may_be_kept_for_ever_and_a_partial_one_not(shown: Shown) -> None:
    """C2SP tlog-tiles: a full tile never changes."""
    shown.grow(300)
    full, partial = (shown.client.get(f"/log/{tile.path}") for tile in (Tile(0, 0), Tile(0, 1, 44)))
    assert "immutable" in full.headers["cache-control"]
    assert partial.headers["cache-control"] == "no-store"
    assert hashlib.sha256(full.content).digest() != hashlib.sha256(partial.content).digest()


class RealWitness:
    """A witness of its own behind HTTP, that remembers what it signed."""

    def __init__(self, shown: Shown, name: str = "witness.example/w") -> None:
        self.signer = NoteSigner(name, PrivateKey.generate(ED25519), TIMED)
        self.witness = Witness(self.signer, {ORIGIN: [shown.published.key]})
        self.seen: Seen | None = None
        self.port = free_port()

    def app(self) -> Starlette:
        """One address (C2SP tlog-witness)."""
        return Starlette(routes=[Route("/add-checkpoint", self.add, methods=["POST"])])

    async def add(self, request: HttpRequest) -> Response:
        """Its answer."""
        answer = self.witness.add_checkpoint(read_request(await request.body()), self.seen, NOW_S)
        self.seen = answer.seen or self.seen
        return Response(answer.body, answer.status)


@pytest.fixture
def witness(shown: Shown) -> Iterator[RealWitness]:
    """A witness on a port."""
    found = RealWitness(shown)
    with on_port(found.app(), found.port):
        yield found


def cosigning(shown: Shown, witness: RealWitness) -> Cosigning:
    """The edge's side."""
    return Cosigning(shown.published, f"http://127.0.0.1:{witness.port}", witness.signer.key, shown.box.state)


def test_a_witness_cosigns_each_step_and_what_it_cosigned_is_served(
    shown: Shown, witness: RealWitness
) -> None:
    """C2SP tlog-witness: a proof from what it saw last. Served is what it cosigned, not what came after."""
    ours = cosigning(shown, witness)
    keys = [shown.published.key, witness.signer.key]
    with httpx.Client(base_url=f"http://127.0.0.1:{witness.port}") as client:
        for count in (3, 300, 1):
            shown.grow(count)
            ours.ask(client)
            head, opened = open_checkpoint(shown.client.get("/log/checkpoint").content, keys)
            assert head.size == shown.box.log.tip()[0]
            assert opened.signers[witness.signer.key] == (NOW_S,)
    shown.grow(5)
    head, _ = open_checkpoint(shown.client.get("/log/checkpoint").content, keys)
    assert head.size == 304
    again = Published(shown.box.log, NoteSigner(ORIGIN, PrivateKey.generate(ED25519)), shown.box.folder)
    assert again.checkpoint() == shown.published.checkpoint()


def test_an_edge_that_forgot_what_the_witness_saw_asks_it_and_goes_on(
    shown: Shown, witness: RealWitness
) -> None:
    """C2SP tlog-witness: 409 with the size that it remembers."""
    shown.grow(10)
    with httpx.Client(base_url=f"http://127.0.0.1:{witness.port}") as client:
        cosigning(shown, witness).ask(client)
        shown.grow(7)
        after = cosigning(shown, witness)
        after.ask(client)
    assert after.seen == 17


def test_a_log_that_went_back_is_said_and_not_hidden(shown: Shown, witness: RealWitness) -> None:
    """published.py: the witness has seen more leaves than there are. 409 says 500, the log has 10."""
    shown.grow(10)
    witness.seen = Seen(500, bytes(32))
    with httpx.Client(base_url=f"http://127.0.0.1:{witness.port}") as client:
        ours = cosigning(shown, witness)
        with pytest.raises(WitnessAbsent, match="has seen 500 leaves of this log, and it has 10"):
            ours.ask(client)


def test_a_witness_that_is_away_or_signs_as_another_is_an_error_of_its_own(
    shown: Shown, witness: RealWitness
) -> None:
    """Design section 13: the log goes on; the head that is served stays."""
    shown.grow(2)
    before = shown.client.get("/log/checkpoint").content
    nobody = Cosigning(shown.published, "http://127.0.0.1:9", witness.signer.key, shown.box.state)
    with httpx.Client(base_url="http://127.0.0.1:9") as client, pytest.raises(WitnessAbsent, match="is away"):
        nobody.ask(client)
    stranger = NoteSigner("witness.example/w", PrivateKey.generate(ED25519), TIMED).key
    url = f"http://127.0.0.1:{witness.port}"
    other = Cosigning(shown.published, url, stranger, shown.box.state)
    with httpx.Client(base_url=url) as client, pytest.raises(WitnessAbsent, match="compare its key"):
        other.ask(client)
    assert shown.client.get("/log/checkpoint").content == before


def test_a_head_counts_once_a_quorum_has_cosigned_that_same_head(
    shown: Shown, witness: RealWitness, tmp_path: Path
) -> None:
    """Two of three. The log grows between the two, yet both sign the head of 3; the third is away and holds up nobody;
    it adds itself when it comes.
    """
    second, third = (RealWitness(shown, f"witness.example/{name}") for name in "xy")
    shown.published = Published(
        shown.box.log, NoteSigner(ORIGIN, PrivateKey.generate(ED25519)), tmp_path, quorum=2
    )
    keys = [shown.published.key, *(one.signer.key for one in (witness, second, third))]
    for one in (witness, second, third):
        one.witness = Witness(one.signer, {ORIGIN: [shown.published.key]})
    first_ask, second_ask, third_ask = (cosigning(shown, one) for one in (witness, second, third))
    with on_port(second.app(), second.port):
        shown.grow(3)
        ask(first_ask, witness)
        assert shown.published.cosigned is None
        with pytest.raises(WitnessAbsent, match="is away"):
            ask(third_ask, third)
        shown.grow(4)
        ask(first_ask, witness)
        assert shown.published.cosigned is None
        ask(second_ask, second)
        head, opened = open_checkpoint(shown.published.checkpoint(), keys)
        assert (head.size, set(opened.signers)) == (3, {*keys[:3]})
        ask(first_ask, witness)
        ask(second_ask, second)
    head, opened = open_checkpoint(shown.published.checkpoint(), keys)
    assert (head.size, set(opened.signers)) == (7, {*keys[:3]})
    with on_port(third.app(), third.port):
        ask(third_ask, third)
    head, opened = open_checkpoint(shown.published.checkpoint(), keys)
    assert (head.size, set(opened.signers)) == (7, {*keys})


def ask(ours: Cosigning, witness: RealWitness) -> None:
    """One round at its address."""
    with httpx.Client(base_url=f"http://127.0.0.1:{witness.port}") as client:
        ours.ask(client)
