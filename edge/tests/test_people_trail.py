"""The trail: what people did stays, in order, signed, and without a name."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meterseal_edge.errors import StoreFailed
from meterseal_edge.people import trail as trails
from meterseal_edge.people.roll import FILE, NewAccount, Roll
from meterseal_edge.people.trail import START, Trail, broken_at
from meterseal_protocol.keys import PrivateKey
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode

KEY = PrivateKey.generate()
AT_S = 1_790_000_000


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    """Three acts, by a clock that stands still."""
    with closing(Roll(tmp_path / FILE, lambda: AT_S)) as roll:
        found = Trail(roll, KEY)
        for number in range(3):
            found.write(number, "login", {"n": number})
        yield found


def edited(trail: Trail, path: Path, query: str, *values: object) -> int | None:
    """What the check says after somebody edits the file with a tool of their own, triggers taken off."""
    with closing(sqlite3.connect(path / FILE)) as db:
        for name in ("act_stays", "act_kept"):
            db.execute(f"DROP TRIGGER IF EXISTS {name}")
        db.execute(query, values)
        db.commit()
    return broken_at(trail.roll, [KEY.public])


def test_the_hash_is_over_what_the_docstring_says(trail: Trail) -> None:
    """trail.py: SHA-256 over the deterministic CBOR of [hash before, number, seconds, who, what, about]."""
    first = trail.page()[-1]
    assert first.hash == sha256(encode([START, 1, AT_S, 0, "login", '{"n": 0}']))
    assert trail.newest() == (3, trail.page()[0].hash)


def test_a_whole_trail_holds_and_an_empty_one_too(trail: Trail, tmp_path: Path) -> None:
    """None stands for: nothing is broken."""
    assert broken_at(trail.roll, [KEY.public]) is None
    with closing(Roll(tmp_path / "other.sqlite")) as empty:
        assert broken_at(empty, [KEY.public]) is None
        assert Trail(empty, KEY).newest() == (0, START)


@pytest.mark.parametrize(
    "change",
    ["at_s = 1", "who = 9", "what = 'log out'", "about = '{}'", "hash = x'00'", "signature = zeroblob(64)"],
)
def test_an_act_that_was_changed_is_found_and_named(trail: Trail, tmp_path: Path, change: str) -> None:
    """Each column of the row is covered by hash and signature."""
    assert edited(trail, tmp_path, f"UPDATE act SET {change} WHERE number = 2") == 2


def test_an_act_that_was_taken_out_or_put_in_is_found(trail: Trail, tmp_path: Path) -> None:
    """The chain goes on from the hash before, and the numbers without a gap."""
    copied = "INSERT INTO act SELECT 4, at_s, who, what, about, hash, signature FROM act WHERE number = 1"
    assert edited(trail, tmp_path, copied) == 4
    assert edited(trail, tmp_path, "DELETE FROM act WHERE number = 4") is None
    assert edited(trail, tmp_path, "DELETE FROM act WHERE number = 1") == 1


def test_a_chain_that_was_made_anew_is_found_by_its_signature(tmp_path: Path) -> None:
    """Whoever can write the file but has not the edge's key can make hashes, and no signatures."""
    with closing(Roll(tmp_path / FILE)) as roll:
        Trail(roll, PrivateKey.generate()).write(1, "login", {})
        assert broken_at(roll, [KEY.public]) == 1
        assert broken_at(roll, []) == 1


def test_an_older_key_of_the_edge_still_vouches_for_its_time(trail: Trail) -> None:
    """decisions/0011: a restored edge goes on under a new key; both are its own."""
    newer = PrivateKey.generate()
    Trail(trail.roll, newer).write(1, "login", {})
    assert broken_at(trail.roll, [newer.public, KEY.public]) is None
    assert broken_at(trail.roll, [newer.public]) == 1


def test_an_honest_program_cannot_change_or_delete_an_act(trail: Trail) -> None:
    """The table's triggers."""
    for query in ("UPDATE act SET what = 'x'", "DELETE FROM act"):
        with pytest.raises(StoreFailed, match="the trail only grows"):
            trail.roll.change(query)


def test_a_person_can_be_erased_and_the_trail_stays_whole(trail: Trail, tmp_path: Path) -> None:
    """Names live in an erasable table: in the trail a person is a number."""
    li = trail.roll.add(NewAccount("Li Unusual", ("verifier",), "", "hash", "SECRET"))
    trail.write(li.id, "login", {})
    assert trail.page()[0].name == "Li Unusual"
    trail.roll.remove(li)
    assert trail.page()[0].name is None
    assert broken_at(trail.roll, [KEY.public]) is None
    rows = trail.roll.all("SELECT * FROM act")
    assert "Unusual" not in repr(rows)


def test_pages_go_back_from_the_newest(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """At most PAGE acts; here two. The check reads in the same steps."""
    monkeypatch.setattr(trails, "PAGE", 2)
    assert [act.number for act in trail.page()] == [3, 2]
    assert [act.number for act in trail.page(2)] == [1]
    assert trail.page(0) == trail.page(1) == []
    assert broken_at(trail.roll, [KEY.public]) is None
