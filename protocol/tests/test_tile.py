"""Tiles: Go's and C2SP's paths, and roots and proofs from tiles against the whole tree, around every boundary."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadNote, BadProof
from meterseal_protocol.merkle import Tree, leaf_hash, verify_consistency, verify_inclusion
from meterseal_protocol.tile import (
    ENTRIES,
    Tile,
    TileTree,
    above,
    bundle,
    hashes_of,
    level_size,
    tile_at,
    tiles,
    unbundle,
)

LARGEST_TREE = 65_536 + 300
NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@cache
def leaves() -> list[bytes]:
    """Leaf hashes of a tree just over three levels of tiles."""
    return [sha256(b"\x00" + index.to_bytes(4, "big")).digest() for index in range(LARGEST_TREE)]


@cache
def level(number: int) -> list[bytes]:
    """Roots over whole runs of 256^number leaves, by pairwise hashing: no tile and no recursion of ours."""
    if number == 0:
        return leaves()
    row, found = level(number - 1), []
    for start in range(0, len(row) - 255, 256):
        nodes = row[start : start + 256]
        while len(nodes) > 1:
            nodes = [sha256(b"\x01" + nodes[at] + nodes[at + 1]).digest() for at in range(0, len(nodes), 2)]
        found += nodes
    return found


def served(asked: list[Tile] | None = None) -> Callable[[Tile], bytes]:
    """A server of tiles, cut from the levels above; it notes what it was asked for."""

    def read(tile: Tile) -> bytes:
        if asked is not None:
            asked.append(tile)
        start = tile.index * 256
        return b"".join(level(tile.level)[start : start + tile.width])

    return read


@cache
def roots() -> dict[int, bytes]:
    """Root of the sizes that are asked for below."""
    tree, found = Frontier(), {}
    for size, leaf in enumerate(leaves(), 1):
        tree.add(leaf)
        if size < 1100 or size > 65_200:
            found[size] = tree.root()
    return found


class Frontier:
    """Roots of full subtrees, largest first: RFC 9162 section 2.1.1 read from the left."""

    def __init__(self) -> None:
        self.full: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf hash."""
        count, node = 1, leaf
        while self.full and self.full[-1][0] == count:
            node = sha256(b"\x01" + self.full.pop()[1] + node).digest()
            count *= 2
        self.full.append((count, node))

    def root(self) -> bytes:
        """Over all."""
        found = self.full[-1][1]
        for _, node in reversed(self.full[:-1]):
            found = sha256(b"\x01" + node + found).digest()
        return found


# --- paths


@pytest.mark.parametrize(
    "path, tile",
    [
        # C2SP tlog-tiles: index 1234067; golang.org/x/mod sumdb/tlog tile_test.go: the others, without its height.
        ("tile/0/x001/x234/067", Tile(0, 1_234_067)),
        ("tile/0/001", Tile(0, 1)),
        ("tile/0/001.p/5", Tile(0, 1, 5)),
        ("tile/5/x123/x456/078", Tile(5, 123_456_078)),
        ("tile/5/x123/x456/078.p/2", Tile(5, 123_456_078, 2)),
        ("tile/0/x003/x057/500", Tile(0, 3_057_500)),
        ("tile/entries/x003/x057/500", Tile(ENTRIES, 3_057_500)),
        ("tile/0/000", Tile(0, 0)),
        ("tile/63/999", Tile(63, 999)),
        ("tile/0/x001/000.p/255", Tile(0, 1000, 255)),
        ("tile/0/x009/x223/x372/x036/x854/x775/807", Tile(0, 2**63 - 1)),
    ],
)
def test_a_path_names_its_tile_and_the_tile_its_path(path: str, tile: Tile) -> None:
    """Both ways, for every published example."""
    assert Tile.parse(path) == tile
    assert tile.path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/1",
        "tile/0/01",
        "tile/0/0001",
        "tile/00/001",
        "tile/05/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/3/123/456/078",  # Go: without the x before all but the last
        "tile/0/x123/x456/x078",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/X001/001",
        "tile/0/001.p/0",
        "tile/0/001.p/00",
        "tile/0/001.p/05",
        "tile/0/001.p/256",
        "tile/0/001.p/",
        "tile/0/001.p",
        "tile/0/001.p/5/",
        "tile/0/001/",
        "tile/0/001\n",
        "/tile/0/001",
        "tile/data/001",
        "tile/0/٠٠١",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/0/x001/x000/x000/x000/x000/x000/x000/000",
        "tile/0/../001",
    ],
)
def test_another_spelling_is_no_path(path: str) -> None:
    """tlog-tiles: no additional leading zeroes, three digits a group, a level to 63, a partial width of 1 to 255."""
    with pytest.raises(BadNote):
        Tile.parse(path)


@given(st.integers(-1, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_every_tile_has_one_path(number: int, index: int, width: int) -> None:
    """There and back, for any level, index and width."""
    tile = Tile(number, index, width)
    assert Tile.parse(tile.path) == tile


@given(st.text(st.sampled_from("tile/0123456789x.p-entries"), max_size=24))
def test_any_text_is_a_path_in_one_spelling_or_refused(tail: str) -> None:
    """No other error, no second spelling."""
    for text in (tail, "tile/" + tail, "tile/0/" + tail, "tile/0/001" + tail):
        try:
            assert Tile.parse(text).path == text
        except BadNote:
            continue


# --- which tiles


def test_a_tree_of_seventy_thousand_has_the_tiles_that_c2sp_lists() -> None:
    """tlog-tiles: 273 full ones at level 0 and one of 112; one full at level 1 and one of 17; one of 1 at level 2."""
    found = list(tiles(70_000))
    assert [tile for tile in found if tile.level == 0] == [Tile(0, n) for n in range(273)] + [
        Tile(0, 273, 112)
    ]
    assert [tile for tile in found if tile.level == 1] == [Tile(1, 0), Tile(1, 1, 17)]
    assert [tile for tile in found if tile.level == 2] == [Tile(2, 0, 1)]
    assert len(found) == 277
    assert list(tiles(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles(0)) == []


@pytest.mark.parametrize(
    "since, size, expected",
    [
        (0, 1, ["tile/0/000.p/1"]),
        (1, 1, []),
        (5, 4, []),
        (100, 101, ["tile/0/000.p/101"]),
        (255, 256, ["tile/0/000", "tile/1/000.p/1"]),
        (256, 257, ["tile/0/001.p/1"]),
        (250, 520, ["tile/0/000", "tile/0/001", "tile/0/002.p/8", "tile/1/000.p/2"]),
        (65_535, 65_536, ["tile/0/255", "tile/1/000", "tile/2/000.p/1"]),
    ],
)
def test_growing_writes_the_tiles_that_changed(since: int, size: int, expected: list[str]) -> None:
    """Counted by hand: the partial tile that grew, those that became full, and one hash a level above."""
    assert [tile.path for tile in tiles(size, since)] == expected


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_old_tiles_and_those_of_growing_are_all(since: int, size: int) -> None:
    """By (level, index): what was there and what growing writes is what the larger tree has; full ones never again."""
    since, size = sorted((since, size))
    before, added, after = list(tiles(since)), list(tiles(size, since)), list(tiles(size))
    places = {(tile.level, tile.index) for tile in after}
    assert {(tile.level, tile.index) for tile in (*before, *added)} == places
    assert not {tile for tile in before if tile.width == 256} & set(added)
    assert set(added) <= set(after)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537])
def test_every_hash_lies_in_exactly_one_tile(size: int) -> None:
    """C2SP: the partial tile of level l has floor(s / 256^l) mod 256 entries."""
    held: dict[int, int] = {}
    for tile in tiles(size):
        held[tile.level] = held.get(tile.level, 0) + tile.width
        last = tile.index * 256 + tile.width - 1
        assert tile_at(tile.level, last, size) == tile_at(tile.level, tile.index * 256, size) == tile
        if tile.width < 256:
            assert tile.width == (size // 256**tile.level) % 256
    assert held == {number: size // 256**number for number in range(3) if size // 256**number}


@pytest.mark.parametrize(
    "number, place, size", [(0, 7, 7), (0, -1, 7), (0, 0, 0), (1, 1, 511), (1, 0, 255), (63, 0, 9)]
)
def test_a_hash_that_a_tree_does_not_have_is_in_no_tile(number: int, place: int, size: int) -> None:
    """Beyond the last one of its level, or before the first."""
    with pytest.raises(BadProof):
        tile_at(number, place, size)


def test_entries_are_cut_like_leaves() -> None:
    """An entry bundle holds the entries of the leaf tile of the same index and width."""
    assert tile_at(ENTRIES, 300, 301) == Tile(ENTRIES, 1, 45)
    assert level_size(ENTRIES, 301) == 301


# --- roots and proofs

SIZES = [
    *range(1, 66),
    127,
    128,
    *range(254, 259),
    *range(510, 515),
    768,
    1023,
    1025,
    *range(65_534, 65_540),
    65_792,
]


def test_the_levels_of_these_tests_are_roots_of_the_definition() -> None:
    """The two references agree with each other at 256 and 65 536 leaves, and with merkle.Tree fed the same data."""
    tree = Tree()
    for index in range(256):
        tree.append(index.to_bytes(4, "big"))
    assert leaves()[255] == leaf_hash((255).to_bytes(4, "big"))
    assert tree.root() == level(1)[0] == roots()[256]
    assert level(2)[0] == roots()[65_536]


@pytest.mark.parametrize("size", SIZES)
def test_the_root_from_tiles_is_the_trees(size: int) -> None:
    """Every size to 65, and around 256, 512, 1024, 65 536 and 65 792, against the frontier."""
    assert TileTree(size, served()).root() == roots()[size]


@pytest.mark.parametrize("size", SIZES)
def test_proofs_from_tiles_hold(size: int) -> None:
    """Leaves and older trees at the boundaries, checked against roots that no tile made."""
    tree = TileTree(size, served())
    chosen = {0, 1, size // 2, size - 2, size - 1, 254, 255, 256, 257, 511, 512, 65_535, 65_536} & set(
        range(size)
    )
    for index in sorted(chosen):
        assert tree.leaf(index) == leaves()[index]
        verify_inclusion(leaves()[index], index, size, tree.inclusion(index), roots()[size])
    for first in sorted(chosen & set(roots())):
        verify_consistency(first, size, tree.consistency(first), roots()[first], roots()[size])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 65, 255, 256, 257, 300])
def test_every_leaf_and_every_older_tree_of_small_trees_is_proved(size: int) -> None:
    """Exhaustively, across the first boundary."""
    tree = TileTree(size, served())
    for index in range(size):
        verify_inclusion(leaves()[index], index, size, tree.inclusion(index), roots()[size])
    for first in range(1, size + 1):
        verify_consistency(first, size, tree.consistency(first), roots()[first], roots()[size])


def test_a_proof_reads_few_tiles_and_only_those_of_its_size() -> None:
    """At most two a level, each once, each with the width that the checkpoint's size gives it."""
    for size, index in ((65_536 + 300, 3), (65_536, 65_535), (65_700, 40_000)):
        asked: list[Tile] = []
        TileTree(size, served(asked)).inclusion(index)
        assert len(asked) == len(set(asked)) <= 2 * 3
        assert set(asked) <= set(tiles(size))


def test_the_empty_tree_has_no_tiles_and_a_root() -> None:
    """SHA-256 of nothing, and no leaf to prove."""
    tree = TileTree(0, served())
    assert tree.root().hex() == NOTHING
    with pytest.raises(BadProof):
        tree.inclusion(0)
    with pytest.raises(BadProof):
        tree.consistency(1)


def test_a_tile_that_was_tampered_with_changes_the_root() -> None:
    """Go's zeroIndex, for every tile of a tree of 600: one hash set to zero and the root is another."""
    good = TileTree(600, served()).root()
    for bad in tiles(600):

        def read(tile: Tile, bad: Tile = bad) -> bytes:
            raw = bytearray(served()(tile))
            if tile == bad:
                raw[:32] = bytes(32)
            return bytes(raw)

        tree = TileTree(600, read)
        if bad.level == 1 or bad.index == 2:
            assert tree.root() != good
        else:  # a full leaf tile: the root is taken from the level above, the leaf's own proof is not
            assert tree.root() == good
            path = tree.inclusion(bad.index * 256 + 1)
            with pytest.raises(BadProof):
                verify_inclusion(leaves()[bad.index * 256 + 1], bad.index * 256 + 1, 600, path, good)


@pytest.mark.parametrize("length", [0, 31, 32 * 43, 32 * 45, 32 * 44 + 1, 8192])
def test_a_tile_of_another_width_is_refused(length: int) -> None:
    """300 leaves: the second tile has 44 hashes, 1 408 bytes."""
    with pytest.raises(BadProof, match="1408"):
        hashes_of(Tile(0, 1, 44), bytes(length))
    with pytest.raises(BadProof):
        TileTree(300, lambda _: bytes(length)).leaf(299)
    assert hashes_of(Tile(0, 1, 44), bytes(1408)) == [bytes(32)] * 44


def test_a_tile_is_made_from_the_full_ones_below() -> None:
    """What a server writes: level 1 from level 0, level 2 from level 1, against pairwise hashing."""
    assert above(Tile(1, 0, 2), served()) == b"".join(level(1)[:2])
    assert above(Tile(1, 0), served()) == b"".join(level(1)[:256])
    assert above(Tile(2, 0, 1), served()) == level(2)[0]


# --- entries


def test_a_bundle_holds_entries_behind_their_lengths() -> None:
    """tlog-tiles: big-endian uint16, then the entry; ours are 32 bytes, so 0020 stands before each."""
    raw = bundle([bytes(32), b"\x01" * 32])
    assert raw == b"\x00\x20" + bytes(32) + b"\x00\x20" + b"\x01" * 32
    assert unbundle(Tile(ENTRIES, 0, 2), raw) == [bytes(32), b"\x01" * 32]
    assert unbundle(Tile(ENTRIES, 0, 2), b"\x00\x00\x00\x01a") == [b"", b"a"]


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"\x00\x02a", b"\x00\x01a\x00", b"\x00\x01a\x00\x01", b"\x00\x00" * 3]
)
def test_a_bundle_that_does_not_come_out_is_refused(raw: bytes) -> None:
    """Cut short, bytes left over, or another number of entries than the width says (2)."""
    with pytest.raises(BadProof, match="2 entries"):
        unbundle(Tile(ENTRIES, 0, 2), raw)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20))
def test_any_entries_come_out_of_a_bundle(entries: list[bytes]) -> None:
    """There and back."""
    assert unbundle(Tile(ENTRIES, 0, len(entries)), bundle(entries)) == entries
