"""Each planted fault in a store is found, and named with its leaf; a store without one has none."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from edge.tests.plant import Plant, tree_root

from meterseal_edge.errors import StoreFailed
from meterseal_edge.folder import STORE
from meterseal_edge.recount import Recount
from meterseal_edge.restore import recount
from meterseal_protocol.merkle import include, leaf_hash
from meterseal_protocol.receipt import issue
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_wire.encode import encode

COUNT = 300


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """A stopped edge with 301 statements of two fixtures, the first ten with receipts."""
    found = Plant(tmp_path)
    found.open()
    found.work(COUNT - 1)
    second = ModelFixture(found.box.world.author("G1"))
    found.box.offer(second.boot(), fixture="G1")
    names = [item.identity for item in found.fixture.signed]
    hashes = [leaf_hash(name) for name in names]
    author = found.box.world.author("registry", "record")
    found.box.store.enter(
        [
            (leaf, issue(author, names[leaf], include(hashes, leaf, COUNT), 1_790_000_000))
            for leaf in range(10)
        ]
    )
    found.close()
    found.fixture.signed.append(second.signed[0])  # the log's order
    return found


def changed(plant: Plant, query: str, *values: object) -> list[str]:
    """What verify-store says after one statement of SQL, with the keys of the settings."""
    with closing(sqlite3.connect(plant.settings.folder / STORE)) as db, db:
        db.execute(query, values)
    return [str(fault) for fault in recount(plant.settings, plant.settings.folder / STORE)[1]]


def test_a_store_without_a_fault_has_the_size_and_root_of_its_statements(plant: Plant) -> None:
    """RFC 9162 section 2.1: the root, computed here from what the fixtures signed."""
    found = Recount(plant.settings.folder / STORE)
    assert [*found.faults()] == []
    assert (found.size, found.pruned, found.root) == (COUNT + 1, 0, tree_root(plant, COUNT + 1))
    assert recount(plant.settings, plant.settings.folder / STORE)[1] == []


def turned(raw: bytes, at: int = -1) -> bytes:
    """One bit of it turned."""
    place = at % len(raw)
    return raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]


def value(plant: Plant, query: str) -> bytes:
    """One value of the store."""
    with closing(sqlite3.connect(plant.settings.folder / STORE)) as db:
        [found] = db.execute(query).fetchone()
    return bytes(found)


RAW, NAME = "SELECT raw FROM statement WHERE leaf = 5", "SELECT identity FROM statement WHERE leaf = 5"
Change = Callable[[Plant], list[str]]
FAULTS: dict[str, tuple[Change, str]] = {
    "a signature": (
        lambda p: changed(p, "UPDATE statement SET raw = ? WHERE leaf = 5", turned(value(p, RAW))),
        "leaf 5: the signature does not hold",
    ),
    "a statement's form": (
        lambda p: changed(p, "UPDATE statement SET raw = ? WHERE leaf = 5", b"\xd2" + value(p, RAW)),
        "leaf 5: is no statement",
    ),
    "an identity": (
        lambda p: changed(p, "UPDATE statement SET identity = ? WHERE leaf = 5", turned(value(p, NAME))),
        "leaf 5: its bytes are not those that its identity names",
    ),
    "another statement": (
        lambda p: changed(
            p, "UPDATE statement SET raw = (SELECT raw FROM statement WHERE leaf = 6) WHERE leaf = 5"
        ),
        "leaf 5: says another place in its chain",
    ),
    "a place": (
        lambda p: changed(p, "UPDATE statement SET seq = 9999 WHERE leaf = 5"),
        "leaf 5: says another place in its chain than 1/9999",
    ),
    "a missing leaf": (
        lambda p: changed(p, "DELETE FROM statement WHERE leaf = 5"),
        "leaf 5: is missing: the next one stored is leaf 6",
    ),
    "the last leaf": (
        lambda p: changed(p, "DELETE FROM statement WHERE leaf = 299"),
        "leaf 299: is missing",
    ),
    "a key": (
        lambda p: changed(p, "UPDATE statement SET chain = 2, epoch = 7 WHERE leaf = 5"),
        "leaf 5: is filed under another key than it names",
    ),
    "a kind of column": (
        lambda p: changed(p, "UPDATE statement SET identity = 'text' WHERE leaf = 5"),
        "leaf 5: its columns are not of their kinds",
    ),
    "a stored root": (
        lambda p: changed(p, "UPDATE root SET hash = ? WHERE level = 1 AND place = 0", bytes(32)),
        "leaf 255: the root of tile 0 below level 1 is not that of the tree",
    ),
    "no stored root": (
        lambda p: changed(p, "DELETE FROM root"),
        "leaf 255: the root of tile 0 below level 1 is missing",
    ),
    "a root too many": (
        lambda p: changed(p, "INSERT INTO root VALUES (1, 1, ?)", bytes(32)),
        "there is a root for a tile of the log that is not full",
    ),
    "evidence": (
        lambda p: changed(p, "INSERT INTO evidence VALUES (5, ?)", encode([b"not of an event"])),
        "leaf 5: its evidence is not what it covers",
    ),
    "evidence's form": (
        lambda p: changed(p, "INSERT INTO evidence VALUES (5, ?)", b"\xff"),
        "leaf 5: its evidence cannot be read",
    ),
    "evidence of nothing": (
        lambda p: changed(p, "INSERT INTO evidence VALUES (5000, ?)", encode([b"x"])),
        "leaf 5000: there is evidence for a leaf that is not there",
    ),
    "a receipt": (
        lambda p: changed(
            p, "UPDATE statement SET receipt = (SELECT receipt FROM statement WHERE leaf = 6) WHERE leaf = 5"
        ),
        "leaf 5: its receipt does not hold",
    ),
    "bytes without a receipt": (
        lambda p: changed(p, "UPDATE statement SET raw = NULL WHERE leaf = 50"),
        "leaf 50: its bytes are gone and no receipt covers it",
    ),
    "a head": (
        lambda p: changed(p, "UPDATE chain SET head = ? WHERE id = 1", bytes(32)),
        "is not that of its statements",
    ),
    "a count": (
        lambda p: changed(p, "UPDATE chain SET statements = 7 WHERE id = 1"),
        "is not that of its statements",
    ),
    "a chain too many": (
        lambda p: changed(p, "INSERT INTO chain VALUES (9, ?, 1, 0, ?, 1, 0, 1, 0)", b"k" * 32, bytes(32)),
        "has a chain and no statement",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_planted_fault_is_found_and_named(plant: Plant, name: str) -> None:
    """Issue 6 point 2, verify-store: one line naming leaf and what."""
    plant_it, said = FAULTS[name]
    assert any(said in fault for fault in plant_it(plant)), name


def test_bytes_that_a_receipt_covers_may_be_gone(plant: Plant) -> None:
    """Retention: the row keeps leaf, identity, place and receipt, and still counts."""
    assert changed(plant, "UPDATE statement SET raw = NULL WHERE leaf IN (0, 3, 4, 9)") == []


def test_a_pruned_statement_still_holds_its_place_between_its_neighbours(plant: Plant) -> None:
    """The one after a pruned statement must cite it: another identity in the gap is found."""
    changed(plant, "UPDATE statement SET raw = NULL WHERE leaf = 3")
    faults = changed(plant, "UPDATE statement SET identity = ? WHERE leaf = 3", bytes(32))
    assert "leaf 4: does not follow 1/3 of its key" in faults


def test_without_settings_signatures_are_left_out_and_everything_else_is_looked_at(plant: Plant) -> None:
    """The identity covers the signature, so a turned bit shows all the same."""
    path = plant.settings.folder / STORE
    changed(plant, "UPDATE statement SET raw = ? WHERE leaf = 5", turned(value(plant, RAW)))
    assert [str(fault) for fault in Recount(path).faults()] == [
        "leaf 5: its bytes are not those that its identity names"
    ]


def test_a_file_that_is_none_or_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    """One sentence, never a traceback."""
    with pytest.raises(StoreFailed, match="there is no store at"):
        [*Recount(tmp_path / "none").faults()]
    (tmp_path / "rubbish").write_bytes(b"rubbish" * 1000)
    [fault] = Recount(tmp_path / "rubbish").faults()
    assert "not a database" in str(fault)


def test_nothing_is_written_by_looking(plant: Plant) -> None:
    """recount.py: one read transaction, nothing is written."""
    path = plant.settings.folder / STORE
    before = path.read_bytes()
    recount(plant.settings, path)
    assert path.read_bytes() == before
