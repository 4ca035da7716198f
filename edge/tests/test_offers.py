"""The folder `down`: what is put is found, what is damaged is named, what is replaced is gone."""

from pathlib import Path

import pytest
from edge.tests.test_granting import BOARD, FILES, PLAN, firmware, manifest, rules, tenant

from meterseal_edge.errors import BadOffer
from meterseal_edge.granting import firmware_of, plan_of, tenant_of
from meterseal_edge.offers import MOST, Offers, drop, name_of, put
from meterseal_protocol.testing.world import World
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode


@pytest.fixture
def world() -> World:
    """Keys and grants."""
    return World()


def looked(folder: Path) -> Offers:
    """The folder as it is read now."""
    found = Offers(folder)
    found.look()
    return found


def test_what_is_put_is_found_under_the_name_that_a_fixture_gives_it(tmp_path: Path, world: World) -> None:
    """shelf.name_of: the first 8 bytes of the SHA-256 of the item's CBOR, in hex."""
    items = [
        plan_of(world.ring("root"), rules(world), PLAN),
        tenant_of(world.ring("root"), tenant(world), world.grants.values()),
    ]
    for item in items:
        put(tmp_path / "down", item, 1)
    found = looked(tmp_path / "down")
    assert [(one.kind, one.item) for one in found.granted] == [(item[0], item) for item in items]
    assert [one.name for one in found.granted] == [sha256(encode(item)).hex()[:16] for item in items]
    assert [name_of(item) for item in items] == [one.name for one in found.granted]


def test_one_firmware_a_board_and_the_newest_put_counts(tmp_path: Path, world: World) -> None:
    """offers.py: a firmware for the same board takes the older one's place."""
    for second in (5, 6):
        item = firmware_of(world.ring("root"), firmware(world), manifest(), FILES)
        put(tmp_path, item, second)
    [found] = looked(tmp_path).firmware.values()
    assert (found.board, found.version, found.digest, found.put) == (BOARD, "0.2.0", bytes(31) + b"\1", 6)
    assert (found.files, found.manifest) == (FILES, manifest())
    assert [path.name for path in tmp_path.iterdir()] == ["unix-sim-1.firmware"]


def test_a_new_grant_for_the_same_plan_takes_the_older_ones_place(tmp_path: Path, world: World) -> None:
    """The fixture keeps one item a plan's digest (its granted.py), so two would be sent in turn for ever."""
    first, second = (plan_of(world.ring("root"), rules(world), PLAN) for _ in range(2))
    assert first != second
    put(tmp_path, first, 1)
    put(tmp_path, second, 1)
    assert [one.item for one in looked(tmp_path).granted] == [second]


def test_of_too_many_the_newest_are_wanted(tmp_path: Path, world: World) -> None:
    """A fixture's shelf drops the oldest: what it would drop is not sent."""
    for number in range(MOST["tenant"] + 2):
        item = tenant_of(world.ring("root"), tenant(world, TENANT=f"T{number}"), world.grants.values())
        put(tmp_path, item, 1)
    found = looked(tmp_path)
    assert len(found.granted) == MOST["tenant"] + 2
    assert found.wanted("tenant") == found.granted[2:]
    assert found.wanted("plan") == []


def test_damaged_files_are_named_and_hide_nothing_else(tmp_path: Path, world: World) -> None:
    """Cut short, of another kind than the name says, too large, no CBOR; half-written ones are not looked at."""
    whole = put(tmp_path, plan_of(world.ring("root"), rules(world), PLAN), 1)
    (tmp_path / "cut.plan").write_bytes(whole.read_bytes()[:-1])
    (tmp_path / "other.tenant").write_bytes(whole.read_bytes())
    (tmp_path / "large.plan").write_bytes(encode(["plan", b"", bytes(9000)]))
    (tmp_path / "none.firmware").write_bytes(b"")
    (tmp_path / "wrong.firmware").write_bytes(encode(["firmware", b"", b"", [], 1]))
    (tmp_path / "x.part").write_bytes(b"half")
    found = looked(tmp_path)
    assert len(found.granted) == 1 and not found.firmware
    assert sorted(found.damaged) == [
        "cut.plan",
        "large.plan",
        "none.firmware",
        "other.tenant",
        "wrong.firmware",
    ]


def test_looking_again_costs_nothing_until_something_changed(tmp_path: Path, world: World) -> None:
    """`look` is called each few seconds for ever."""
    path = put(tmp_path, plan_of(world.ring("root"), rules(world), PLAN), 1)
    found = Offers(tmp_path)
    assert [found.look(), found.look()] == [True, False]
    drop(tmp_path, path.stem, "plan")
    assert found.look() and found.granted == []


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    """Nobody has put anything yet."""
    found = Offers(tmp_path / "none")
    assert found.look() is False and found.granted == []


def test_dropping_names_what_is_missing_and_leaves_other_folders_alone(tmp_path: Path) -> None:
    """A name is a name, not a path."""
    (tmp_path / "outside.plan").write_bytes(b"")
    with pytest.raises(BadOffer, match=r"there is no outside\.plan"):
        drop(tmp_path / "down", "../outside", "plan")
    assert (tmp_path / "outside.plan").exists()
