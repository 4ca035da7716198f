"""What may be put into the folder `down`: only what the fixture would believe, by the same grants."""

from typing import Any

import pytest
from edge.tests.bench_line import RULES, plan_document

from meterseal_edge.errors import BadOffer
from meterseal_edge.granting import IMAGE_BYTES, firmware_of, plan_of, tenant_of
from meterseal_protocol.testing.world import World
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity

PLAN = plan_document()
BOARD = "unix/sim-1"


@pytest.fixture
def world() -> World:
    """Keys and grants."""
    return World()


def rules(world: World, role: str = "root", **changes: Any) -> bytes:
    """A rules grant that names PLAN."""
    fields = {L.RULES: RULES, L.RULES_NAME: "test", L.PLANS: [sha256(PLAN)]}
    return world.grant(
        role, kinds.RULES, {**fields, **{getattr(L, name): value for name, value in changes.items()}}
    )


def test_a_plan_that_the_rules_grant_names_may_go_down(world: World) -> None:
    """granted.py of the fixture: ["plan", rules grant, plan document]."""
    grant = rules(world)
    assert plan_of(world.ring("root"), grant, PLAN) == ["plan", grant, PLAN]


def test_a_plan_without_such_a_grant_may_not(world: World) -> None:
    """Each sentence says which of the five is wrong: signer, kind, digest, rules, size."""
    ring = world.ring("root")
    delegation = world.grants["delegation"]
    many = encode({L.MEDIUM: 1, L.RULES: RULES, L.PLAN_POINTS: [[1, 1, 1, 1, 1]] * 1340})
    for grant, plan, why in (
        (rules(world, "province"), PLAN, "under an anchor"),
        (delegation, PLAN, "no rules grant"),
        (rules(world), plan_document(11), "does not name this plan"),
        (rules(world, RULES=bytes(32)), PLAN, "of other rules"),
        (rules(world, PLANS=[sha256(b"\xff")]), b"\xff", "cannot be read"),
        (rules(world, PLANS=[sha256(many)]), many, "a fixture keeps 8192"),
        (b"\x00", PLAN, "under an anchor"),
    ):
        with pytest.raises(BadOffer, match=why):
            plan_of(ring, grant, plan)


def tenant(world: World, role: str = "province", **changes: Any) -> bytes:
    """A tenant grant under the province's delegation."""
    fields = {
        L.PARENT: identity(world.grants["delegation"]),
        L.TENANT: "ALPHA",
        L.MAKER: "DEMO",
        L.BENCHES: ["B1"],
    }
    return world.grant(
        role, kinds.TENANT, {**fields, **{getattr(L, name): value for name, value in changes.items()}}
    )


def test_a_tenant_takes_the_delegations_above_it_along(world: World) -> None:
    """The fixture has no log: it is shown every delegation between the authority's key and the grant, highest first."""
    grant, above = tenant(world), world.grants["delegation"]
    assert tenant_of(world.ring("root"), grant, world.grants.values()) == ["tenant", grant, [above]]


def test_a_tenant_with_a_broken_line_to_the_authority_may_not(world: World) -> None:
    """Unknown parent, a parent that gives other measures, a grant by a key that the parent does not name, damage."""
    ring, known = world.ring("root"), list(world.grants.values())
    fields = {L.SUBJECT_KEY: world.cose("province"), L.MEASURES: [1], L.TERRITORY: ["33"], L.DEPTH: 1}
    weak = world.grant("root", kinds.DELEGATION, fields)
    for grant, more, why in (
        (tenant(world, PARENT=bytes(32)), [], "is not known here"),
        (tenant(world, PARENT=identity(weak)), [weak], "without shared platforms"),
        (tenant(world, "edge"), [], "under an anchor"),
        (world.grants["manufacturer"], [], "no tenant grant"),
        (b"\xa0", [], "cannot be read"),
    ):
        with pytest.raises(BadOffer, match=why):
            tenant_of(ring, grant, [*known, *more])


FILES = {"meterseal_fixture/a.mpy": b"one", "start.mpy": b"start"}


def manifest(**changes: Any) -> bytes:
    """The slot's manifest over FILES, as `meterseal firmware build` writes it."""
    rows = [[path, len(data), sha256(data)] for path, data in sorted(FILES.items())]
    fields = {
        "version": "0.2.0",
        "board": "unix",
        "counter": 3,
        "files": rows,
        "digest": bytes(31) + b"\1",
        **changes,
    }
    return bytes(encode(dict(zip(range(1, 6), (fields[name] for name in fields), strict=True))))


def firmware(world: World, role: str = "root", **changes: Any) -> bytes:
    """A firmware grant for it."""
    fields = {
        L.FIRMWARE_DIGEST: bytes(31) + b"\1",
        L.FIRMWARE_VERSION: "0.2.0",
        L.BOARD: BOARD,
        L.FIRMWARE_FLOOR: 3,
    }
    return world.grant(
        role, kinds.FIRMWARE, {**fields, **{getattr(L, name): value for name, value in changes.items()}}
    )


def test_a_granted_image_may_go_down_with_its_files_in_order(world: World) -> None:
    """update.py of the fixture: manifest, grant, and every file."""
    grant = firmware(world)
    item = firmware_of(world.ring("root"), grant, manifest(), FILES)
    assert item == ["firmware", manifest(), grant, [[path, FILES[path]] for path in sorted(FILES)]]


def test_an_image_that_its_grant_does_not_cover_may_not(world: World) -> None:
    """docs/how-to/update-fixtures.md: digest, version, board, floor; and every file's size and hash."""
    ring, big = world.ring("root"), {"a.mpy": bytes(IMAGE_BYTES + 1)}
    rows = [["a.mpy", IMAGE_BYTES + 1, sha256(big["a.mpy"])]]
    for grant, about, files, why in (
        (firmware(world, "province"), manifest(), FILES, "under an anchor"),
        (rules(world), manifest(), FILES, "no firmware grant"),
        (firmware(world, FIRMWARE_VERSION="0.3.0"), manifest(), FILES, "differ in version"),
        (firmware(world, FIRMWARE_DIGEST=bytes(32)), manifest(), FILES, "differ in version, digest"),
        (firmware(world, BOARD="esp32s3/front-1"), manifest(), FILES, "digest or board"),
        (firmware(world, FIRMWARE_FLOOR=4), manifest(), FILES, "below the grant's floor"),
        (firmware(world), manifest(), {**FILES, "start.mpy": b"other"}, "not those of its manifest"),
        (firmware(world), manifest(), {"start.mpy": b"start"}, "not those of its manifest"),
        (firmware(world), encode({1: 2}), FILES, "out of shape"),
        (firmware(world), b"\xff", FILES, "cannot be read"),
        (firmware(world), manifest(files=rows), big, "of a slot"),
    ):
        with pytest.raises(BadOffer, match=why):
            firmware_of(ring, grant, about, files)
