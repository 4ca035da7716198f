"""A log's tree cut into tiles (C2SP tlog-tiles): files of 256 hashes that never change once they are full.

A tile of level l holds, one after the other, the roots over 256^l leaves each, `index` * 256 of them being before it.
Level 0 holds leaf hashes; a full tile of one level is one hash of the next. The last tile of each level is partial,
1 to 255 hashes wide, and has its own path. From them anyone computes the root and every proof, the tree being as large
as it may: a proof reads at most two tiles a level.

Whoever reads tiles has them from somebody that nobody trusts. `TileTree.root` compared with a checkpoint's, or a proof
checked against it, is what makes them count; a tile of the wrong width is refused at once.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from meterseal_protocol.errors import BadNote, BadProof
from meterseal_protocol.merkle import EMPTY, consistency_path, inclusion_path, node_hash, split, subtree
from meterseal_wire.encode import LARGEST

WIDTH, HASH, HEIGHT = 256, 32, 8
ENTRIES = -1
HIGHEST_LEVEL = 63
PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile: level 0 to 63 or ENTRIES (a bundle of entries), index within the level, width 1 to 256 in hashes."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """`tile/<L>/<N>[.p/<W>]`, the index in groups of three digits, all but the last with an x before them."""
        digits = f"{self.index:03}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        level = "entries" if self.level == ENTRIES else str(self.level)
        place = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        return f"tile/{level}/{place}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """The tile of a path; BadNote unless it is the path's one spelling."""
        found = PATH.fullmatch(path)
        if not found:
            raise BadNote("a tile's path is tile/<level>/<index>, with .p/<width> where it is partial")
        level = ENTRIES if found.group(1) == "entries" else int(found.group(1))
        index = int(found.group(2).replace("x", "").replace("/", ""))
        tile = cls(level, index, int(found.group(3) or WIDTH))
        if level > HIGHEST_LEVEL or index > LARGEST or not 1 <= tile.width <= WIDTH or tile.path != path:
            raise BadNote(
                "a tile's path has no leading zeroes, a level up to 63 and a partial width of 1 to 255"
            )
        return tile


def level_size(level: int, size: int) -> int:
    """How many hashes a level has in a tree of `size` leaves; entries are as many as leaves."""
    return size >> HEIGHT * max(level, 0)


def tile_at(level: int, place: int, size: int) -> Tile:
    """The tile that holds hash `place` of a level in a tree of `size` leaves; BadProof where there is no such hash."""
    count = level_size(level, size)
    if not 0 <= place < count:
        raise BadProof(f"a tree of {size} has no hash {place} at level {level}")
    index = place // WIDTH
    return Tile(level, index, min(WIDTH, count - index * WIDTH))


def tiles(size: int, since: int = 0) -> Iterator[Tile]:
    """Tiles of a tree of `size` leaves that a tree of `since` leaves did not have yet: what growing has to write."""
    level = 0
    while level_size(level, size):
        count, before = level_size(level, size), level_size(level, since)
        if count > before:
            for index in range(before // WIDTH, -(-count // WIDTH)):
                yield tile_at(level, index * WIDTH, size)
        level += 1


def hashes_of(tile: Tile, raw: bytes) -> list[bytes]:
    """The hashes in a tile's bytes; BadProof unless it has as many as its width says."""
    if len(raw) != tile.width * HASH:
        raise BadProof(f"{tile.path} has {len(raw)} bytes instead of {tile.width * HASH}")
    return [raw[at : at + HASH] for at in range(0, len(raw), HASH)]


def above(tile: Tile, read: Callable[[Tile], bytes]) -> bytes:
    """Contents of a tile of level 1 or higher, from the full tiles below it that `read` gives."""
    first = tile.index * WIDTH
    below = (Tile(tile.level - 1, place) for place in range(first, first + tile.width))
    return b"".join(subtree(hashes_of(lower, read(lower)), 0, WIDTH) for lower in below)


class TileTree:
    """A tree of `size` leaves, read through its tiles; `read` gives a tile's bytes.

    Each method raises BadProof where a tile has not the width that the tree's size gives it.
    """

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self.size, self._read = size, read
        self._held: dict[Tile, list[bytes]] = {}

    def leaf(self, index: int) -> bytes:
        """Leaf hash `index`."""
        return self._hash(0, index)

    def root(self) -> bytes:
        """Root over all leaves."""
        return self.root_of(0, self.size) if self.size else EMPTY

    def inclusion(self, index: int) -> list[bytes]:
        """Path of leaf `index` to the root."""
        return inclusion_path(self.root_of, index, self.size)

    def consistency(self, first: int) -> list[bytes]:
        """Proof that the tree of `first` leaves is this one's beginning."""
        return consistency_path(self.root_of, first, self.size)

    def root_of(self, start: int, end: int) -> bytes:
        """Root over the leaves from `start` up to `end`, a subtree as RFC 9162 cuts them."""
        count = end - start
        if count & (count - 1):
            middle = start + split(count)
            return node_hash(self.root_of(start, middle), self.root_of(middle, end))
        # A whole subtree begins at a multiple of its own size, so its hashes stand side by side in one tile.
        level, inner = divmod(count.bit_length() - 1, HEIGHT)
        first = start >> HEIGHT * level
        return subtree(
            [self._hash(level, place) for place in range(first, first + (1 << inner))], 0, 1 << inner
        )

    def _hash(self, level: int, place: int) -> bytes:
        tile = tile_at(level, place, self.size)
        if tile not in self._held:
            self._held[tile] = hashes_of(tile, self._read(tile))
        return self._held[tile][place % WIDTH]


def bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in two bytes. Our entries are identities of 32 bytes."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(tile: Tile, raw: bytes) -> list[bytes]:
    """The entries of a bundle; BadProof unless it ends with an entry and has as many as its width says."""
    found, at = [], 0
    while at < len(raw):
        end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
        found.append(raw[at + 2 : end])
        at = end
    if at != len(raw) or len(found) != tile.width:
        raise BadProof(f"{tile.path} is no bundle of {tile.width} entries")
    return found
