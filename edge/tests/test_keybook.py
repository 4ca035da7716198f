"""Whose key is whose: only grants under an anchor count, and only fixtures of this site may speak here."""

import hashlib
from pathlib import Path

import pytest

from meterseal_edge.errors import BadSettings
from meterseal_edge.keybook import Keybook
from meterseal_protocol.errors import BadKey
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.world import World
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.encode import encode
from meterseal_wire.statement import Author, build


def book(world: World, folder: Path, site: str = "YUHANG1") -> Keybook:
    """A keybook with the world's anchors that has learnt nothing."""
    return Keybook(world.anchors_file, folder, site)


def test_a_fixture_is_known_once_its_chain_of_grants_is(tmp_path: Path) -> None:
    """Design section 7: a grant counts under an anchor or under a delegation that counts; order does not matter."""
    world = World()
    keys = book(world, tmp_path)
    thumbprint = world.keys["W1"].thumbprint
    keys.learn([world.grants["fixture W1"]])
    assert keys.fixture(thumbprint) is None
    keys.learn([world.grants["delegation"]])
    holder = keys.fixture(thumbprint)
    assert holder is not None
    assert (holder.name, holder.site, holder.kind) == ("W1", "YUHANG1", kinds.FIXTURE)
    assert [key.thumbprint for key in keys.ring if key.thumbprint == thumbprint] == [thumbprint]


def test_a_fixture_of_another_site_is_none_here(tmp_path: Path) -> None:
    """docs/reference: topic names carry site and fixture; the edge pins both to the fixture's key."""
    world = World()
    keys = book(world, tmp_path, "ELSEWHERE")
    keys.learn(world.grants.values())
    assert keys.fixture(world.keys["W1"].thumbprint) is None


def test_a_key_is_a_fixture_only_by_a_fixtures_grant(tmp_path: Path) -> None:
    """Authority of kinds (CONTRACT): edges and registries say nothing on a fixture's topic."""
    world = World()
    keys = book(world, tmp_path)
    keys.learn(world.grants.values())
    for role in ("root", "province", "edge", "registry"):
        assert keys.fixture(world.keys[role].thumbprint) is None


def test_only_granted_registries_make_receipts_and_beacons(tmp_path: Path) -> None:
    """CONTRACT: registry signs beacon and receipts; a root's key is no registry's."""
    world = World()
    keys = book(world, tmp_path)
    keys.learn(world.grants.values())
    assert [key.thumbprint for key in keys.registries] == [world.keys["registry"].thumbprint]


def test_a_strangers_grant_makes_nobody_known_and_is_not_kept(tmp_path: Path) -> None:
    """A fixture's own key, or anyone's, cannot grant: only anchors and believed delegations can."""
    world, stranger = World(), PrivateKey.generate()
    keys = book(world, tmp_path)
    keys.learn(world.grants.values())
    before = set(tmp_path.iterdir())
    fields = {
        **world.fixture_fields("W1"),
        L.SUBJECT_KEY: cose_key(stranger.public_xy),
        L.GRANT: kinds.FIXTURE,
    }
    payload = {**fields, L.NUMBER: 99, L.WINDOW: list(world.window)}
    for signer in (stranger, world.keys["W1"]):
        keys.learn([build(Author("X", "fixture", signer), L.KIND_GRANT, payload)])
    assert keys.fixture(stranger.thumbprint) is None
    assert set(tmp_path.iterdir()) == before


def test_what_is_no_grant_at_all_is_passed_over(tmp_path: Path) -> None:
    """Design section 13: malformed bytes never end in a crash."""
    world = World()
    keys = book(world, tmp_path)
    found = keys.learn([b"", b"\xff", b"\x80", bytes(100), *world.grants.values()])
    assert found == keys.learn([])
    assert keys.fixture(world.keys["G1"].thumbprint) is not None


def test_believed_grants_are_kept_by_content_and_known_at_the_next_start(tmp_path: Path) -> None:
    """keybook.py: an edge that starts while no registry answers still knows its fixtures."""
    world = World()
    book(world, tmp_path).learn(world.grants.values())
    names = {f"{hashlib.sha256(raw).hexdigest()}.cose" for raw in world.grants.values()}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert book(world, tmp_path).fixture(world.keys["W1"].thumbprint) is not None


def test_a_withdrawal_is_kept_if_somebody_signed_it_who_may_sign_grants(tmp_path: Path) -> None:
    """An edge that starts while the registry is away must not send or count what was taken back before."""
    world = World()
    said = {L.STATEMENT: bytes(32), L.TAINTED_FROM_S: 1, L.TIME_S: 1, L.DETAIL: ""}
    own, others = (build(world.author(role), L.KIND_WITHDRAWAL, said) for role in ("province", "W1"))
    book(world, tmp_path).learn([*world.grants.values(), own, others])
    again = book(world, tmp_path).grants()
    assert own in again and others not in again


def test_a_damaged_file_among_the_kept_grants_spoils_no_other(tmp_path: Path) -> None:
    """Flash and disks lose bytes; the registry gives the grant again."""
    world = World()
    book(world, tmp_path).learn(world.grants.values())
    damaged = tmp_path / f"{hashlib.sha256(world.grants['fixture G1']).hexdigest()}.cose"
    damaged.write_bytes(damaged.read_bytes()[:40])
    again = book(world, tmp_path)
    assert again.fixture(world.keys["W1"].thumbprint) is not None
    assert again.fixture(world.keys["G1"].thumbprint) is None
    again.learn(world.grants.values())
    assert book(world, tmp_path).fixture(world.keys["G1"].thumbprint) is not None


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x80", b"\x00", b"\xa0"])
def test_an_anchors_file_that_is_none_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """CONTRACT: anchors are a CBOR array of COSE_Key; without one nobody could ever be known."""
    with pytest.raises(BadSettings, match="anchors file"):
        Keybook(content, tmp_path, "YUHANG1")


def test_an_anchor_that_is_no_key_is_refused(tmp_path: Path) -> None:
    """RFC 9053 section 7.1: an EC2 key on P-256."""
    with pytest.raises(BadKey, match="COSE_Key"):
        Keybook(encode([{1: 2}]), tmp_path, "YUHANG1")
