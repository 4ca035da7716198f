"""Who holds a key: grants are believed under anchors and delegations, and under nobody else."""

from meterseal_protocol.holders import Holders
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.world import World
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.statement import Author, build


def holders(world: World) -> Holders:
    """Holders of a whole world."""
    found = Holders(world.anchors)
    assert found.learn(world.grants.values()) == []
    return found


def registry_grant(signer: PrivateKey, subject: PrivateKey, parent: bytes | None = None) -> bytes:
    """A grant that makes `subject` a registry, signed by `signer`."""
    payload = {
        L.GRANT: kinds.REGISTRY,
        L.NUMBER: 99,
        L.WINDOW: [0, 1 << 40],
        L.SUBJECT_KEY: cose_key(subject.public_xy),
        L.REGISTRY: "MINE",
    }
    if parent is not None:
        payload[L.PARENT] = parent
    return build(Author("X", "registry", signer), L.KIND_GRANT, payload)


def test_every_key_is_held_by_whom_its_grant_names() -> None:
    """testing/world.py: fixtures W1 and G1 at YUHANG1, edge EDGE1, registry REG-CN."""
    world = World()
    found = holders(world)
    fixture = found.of(world.keys["W1"].thumbprint, kinds.FIXTURE)
    assert fixture is not None and (fixture.name, fixture.site) == ("W1", "YUHANG1")
    assert found.of(world.keys["W1"].thumbprint, kinds.REGISTRY) is None
    assert found.kinds_of(world.keys["registry"].thumbprint) == {kinds.REGISTRY}
    assert [key.thumbprint for key in found.of_kind(kinds.REGISTRY)] == [world.keys["registry"].thumbprint]


def test_the_order_in_which_grants_come_does_not_matter() -> None:
    """A child that comes before its parent waits for it (design section 7: a chain from the root)."""
    world = World()
    found = Holders(world.anchors)
    assert found.learn(reversed(list(world.grants.values()))) == []
    assert len(found) == len(holders(world))


def test_a_fixture_cannot_grant_anything() -> None:
    """Design section 7: authority comes from the root and its delegations; a fixture's key mints no registry."""
    world = World()
    found = holders(world)
    mine = PrivateKey.generate()
    minted = [registry_grant(world.keys[role], mine) for role in ("W1", "edge", "registry")]
    assert found.learn(minted) == minted
    assert found.kinds_of(mine.thumbprint) == set()
    assert found.ring.by_thumbprint(mine.thumbprint) is None


def test_a_stranger_s_grant_and_what_is_no_grant_are_given_back() -> None:
    """Nothing is believed that no believed key signed, and only grants name keys."""
    world = World()
    found = Holders(world.anchors)
    stranger = registry_grant(PrivateKey.generate(), PrivateKey.generate())
    assert found.learn([stranger, b"nonsense"]) == [stranger, b"nonsense"]
    assert len(found) == 0
