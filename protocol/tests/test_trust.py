"""Trust files: what an anchor's grants make of keys and lists, and what is left out."""

from dataclasses import replace
from typing import Any

import cbor2
import pytest

from meterseal_protocol.errors import BadKey
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.status import Validity, publish
from meterseal_protocol.testing.world import DAY_S, REGISTRY, START_S, World
from meterseal_protocol.trust import Registry, Trust, key_ring
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.errors import BadShape, OverLimit, WireError
from meterseal_wire.sign1 import identity

URI = "https://registry.example/status/1"
WORLD = World()


def listed(role: str = "registry", issued_s: int = START_S, uri: str = URI) -> bytes:
    """A status list of one valid entry, a week long."""
    return publish(WORLD.author(role, "status"), uri, [0], Validity(issued_s, issued_s + 7 * DAY_S, 60))


def trust(grants: list[bytes] | None = None, status: list[bytes] | None = None) -> Trust:
    """A trust file of the world with its own grant and list unless others are given."""
    own = [WORLD.grants["registry"]] if grants is None else grants
    return Trust(WORLD.anchors, own, [listed()] if status is None else status, START_S)


def test_a_trust_file_comes_back_from_its_bytes() -> None:
    """Load and dump are inverses."""
    made = trust()
    assert Trust.load(made.dump()) == made
    assert Trust.load(made.dump()).dump() == made.dump()


def test_its_form_is_the_contracts() -> None:
    """Read by cbor2: four text keys, COSE_Keys, statements and lists as byte strings."""
    value = cbor2.loads(trust().dump())
    assert set(value) == {"anchors", "grants", "status", "made_s"}
    assert value["anchors"] == [WORLD.keys["root"].public.cose]
    assert value["grants"] == [WORLD.grants["registry"]]
    assert value["made_s"] == START_S


@pytest.mark.parametrize(
    "change",
    [
        {"made_s": -1},
        {"made_s": True},
        {"made_s": "1"},
        {"anchors": 5},
        {"grants": [5]},
        {"status": ["x"]},
        {"more": 1},
    ],
)
def test_a_file_out_of_shape_is_refused(change: dict[str, Any]) -> None:
    """Four fields, each of its type."""
    value = cbor2.loads(trust().dump())
    with pytest.raises(BadShape):
        Trust.load(encode({**value, **change}))


def test_other_bytes_are_no_trust_file() -> None:
    """A list, garbage, nothing, a key that is none, a file beyond the bound."""
    for raw in (encode([]), b"\xff", b""):
        with pytest.raises(WireError):
            Trust.load(raw)
    value = cbor2.loads(trust().dump())
    with pytest.raises(BadKey):
        Trust.load(encode({**value, "anchors": [{1: 2}]}))
    with pytest.raises(OverLimit):
        Trust.load(bytes((1 << 23) + 1))


def test_a_registry_is_known_by_its_grant() -> None:
    """Key, name and window come from what the anchor signed."""
    key = WORLD.keys["registry"].public
    assert trust().registries() == {key.thumbprint: Registry(key, REGISTRY, (WORLD.window,))}
    assert key_ring(trust().registries()).by_thumbprint(key.thumbprint) == key


def test_a_second_grant_for_the_same_key_adds_its_window() -> None:
    """A renewal; the gap between the two stays a gap."""
    later = (START_S + 2000 * DAY_S, START_S + 3000 * DAY_S)
    fields = {L.SUBJECT_KEY: WORLD.cose("registry"), L.REGISTRY: REGISTRY, L.WINDOW: later}
    found = trust([WORLD.grants["registry"], WORLD.grant("root", kinds.REGISTRY, fields)]).registries()
    (registry,) = found.values()
    assert registry.windows == (WORLD.window, later)
    assert registry.held_at(START_S)
    assert registry.held_at(later[1])
    assert not registry.held_at(START_S + 1500 * DAY_S)


def test_one_key_has_one_name() -> None:
    """A second grant under another name adds nothing."""
    fields = {L.SUBJECT_KEY: WORLD.cose("registry"), L.REGISTRY: "REG-OTHER"}
    found = trust([WORLD.grants["registry"], WORLD.grant("root", kinds.REGISTRY, fields)]).registries()
    assert [(registry.name, len(registry.windows)) for registry in found.values()] == [(REGISTRY, 1)]


def bad_grants() -> dict[str, bytes]:
    """Grants that must not make a registry."""
    fields = {L.SUBJECT_KEY: WORLD.cose("edge"), L.REGISTRY: "REG-X"}
    no_point = {L.SUBJECT_KEY: {1: 2, -1: 1, -2: bytes(32), -3: bytes(32)}, L.REGISTRY: "REG-X"}
    parent = {L.PARENT: identity(WORLD.grants["delegation"])}
    good = WORLD.grants["registry"]
    return {
        "signed by a province": WORLD.grant("province", kinds.REGISTRY, fields),
        "signed by itself": WORLD.grant("edge", kinds.REGISTRY, fields),
        "of another kind": WORLD.grants["edge"],
        "a delegation": WORLD.grants["delegation"],
        "below a delegation": WORLD.grant("root", kinds.REGISTRY, {**fields, **parent}),
        "no point of the curve": WORLD.grant("root", kinds.REGISTRY, no_point),
        "changed": good[:-1] + bytes([good[-1] ^ 1]),
        "garbage": b"garbage",
    }


@pytest.mark.parametrize("name", bad_grants())
def test_a_grant_that_does_not_hold_makes_no_registry(name: str) -> None:
    """Left out, never an error: the others in the file still count."""
    found = trust([bad_grants()[name], WORLD.grants["registry"]]).registries()
    assert [registry.name for registry in found.values()] == [REGISTRY]


def test_the_newest_list_of_each_number_counts() -> None:
    """Design section 10: an older one is never installed, whatever the order in the file."""
    old, new = listed(issued_s=START_S), listed(issued_s=START_S + DAY_S)
    other = listed(uri="https://registry.example/status/2")
    for order in ([old, new, other], [other, new, old]):
        believed = trust(status=order)
        found = believed.status_lists(believed.registries())
        assert {place: item.issued_s for place, item in found.items()} == {
            (REGISTRY, 1): START_S + DAY_S,
            (REGISTRY, 2): START_S,
        }


def test_a_list_that_does_not_hold_is_left_out() -> None:
    """Signed by an edge, issued before the registry was authorised, or garbage."""
    believed = trust(status=[listed("edge"), listed(issued_s=START_S - 31 * DAY_S), b"garbage"])
    assert believed.status_lists(believed.registries()) == {}


def test_a_list_speaks_for_the_registry_that_signed_it_and_no_other() -> None:
    """Two registries both number their lists from 1."""
    WORLD.keys["second"] = PrivateKey.generate()
    fields = {L.SUBJECT_KEY: WORLD.cose("second"), L.REGISTRY: "REG-2"}
    grants = [WORLD.grants["registry"], WORLD.grant("root", kinds.REGISTRY, fields)]
    believed = replace(trust(grants), status=[listed(), listed("second", START_S + DAY_S)])
    found = believed.status_lists(believed.registries())
    assert {place: item.issued_s for place, item in found.items()} == {
        (REGISTRY, 1): START_S,
        ("REG-2", 1): START_S + DAY_S,
    }
