"""The edge's Merkle log (RFC 9162): the tree over the store's statements, in the store's order.

The leaf data is a statement's identity. Kept in memory is the tree's right edge alone, tile by tile (C2SP tlog-tiles);
the roots over whole tiles are rows of the store, written in the transaction of the statement that filled the tile. So
a start reads a few hundred rows however long the log is, and the tree can never hold a leaf that is not durable.
"""

import threading
from collections.abc import Callable, Iterable

from meterseal_edge.errors import NoSuchTile
from meterseal_edge.events import Candidate, Durable, Refused
from meterseal_edge.store.contract import Root, Store
from meterseal_protocol.merkle import Inclusion, Tree, leaf_hash, over_peaks
from meterseal_protocol.tile import ENTRIES, WIDTH, Tile, TileTree, bundle, level_size
from meterseal_wire.chain import Head


class Frontier:
    """The right edge of a tree of `size` leaves: `levels[l]` is a tree over the hashes of level l's last tile."""

    def __init__(self) -> None:
        self.size = 0
        self.levels: list[Tree] = [Tree()]

    def grown(self, identities: Iterable[bytes]) -> tuple["Frontier", list[Root]]:
        """This edge with more leaves, and the roots over the tiles that they filled."""
        found, roots = Frontier(), []
        found.size, found.levels = self.size, [tree.copy() for tree in self.levels]
        for identity in identities:
            found.levels[0].append(identity)
            found.size += 1
            level = 0
            while found.levels[level].size == WIDTH:
                root = found.levels[level].root()
                found.levels[level] = Tree()
                level += 1
                if level == len(found.levels):
                    found.levels.append(Tree())
                found.levels[level].append_hash(root)
                roots.append(Root(level, level_size(level, found.size) - 1, root))
        return found, roots

    def root(self) -> bytes:
        """Root over all leaves."""
        return over_peaks([peak for tree in reversed(self.levels) for peak in tree.peaks])


def reopened(store: Store) -> Frontier:
    """The right edge of the tree that a store holds."""
    found = Frontier()
    found.size = store.counts()[0]
    level = 0
    while level_size(level, found.size):
        count = level_size(level, found.size)
        first = count // WIDTH * WIDTH
        tree = Tree()
        for node in _hashes(store, level, first, count):
            tree.append_hash(node)
        found.levels[level:] = [tree]
        level += 1
    return found


def _hashes(store: Store, level: int, start: int, end: int) -> list[bytes]:
    if level:
        return store.roots(level, start, end)
    return [leaf_hash(identity) for identity in store.identities(start, end)]


class EdgeLog:
    """Durable statements and the tree over them."""

    def __init__(self, store: Store) -> None:
        self._lock = threading.Lock()
        self.on_growth: Callable[[int, bytes], None] = lambda _size, _root: None
        self.store = store
        self._frontier = reopened(store)
        self._tip = (self._frontier.size, self._frontier.root())

    def append(self, fresh: list[Candidate], refused: list[Refused], received_s: int) -> list[Durable]:
        """Durable first, in the log second; StoreFailed leaves both as they were."""
        if not fresh and not refused:
            return []
        grown, roots = self._frontier.grown(candidate.identity for candidate in fresh)
        first = self.store.append(fresh, refused, received_s, roots)
        tip = (grown.size, grown.root())
        self.on_growth(*tip)  # before anybody can sign over it
        with self._lock:
            self._frontier, self._tip = grown, tip
        return [Durable(candidate, leaf) for leaf, candidate in enumerate(fresh, first)]

    def tip(self) -> tuple[int, bytes]:
        """(size, root) of the tree now."""
        with self._lock:
            return self._tip

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile, or of a bundle of entries; NoSuchTile beyond the tree."""
        start = tile.index * WIDTH
        end = start + tile.width
        if end > level_size(tile.level, self.tip()[0]):
            raise NoSuchTile(f"{tile.path} is beyond the log's {self.tip()[0]} leaves")
        if tile.level == ENTRIES:
            return bundle(self.store.identities(start, end))
        return b"".join(_hashes(self.store, tile.level, start, end))

    def include(self, leaf: int, size: int | None = None) -> Inclusion:
        """Where a leaf stands in the tree of `size` leaves (now, where None); BadProof where it doesn't."""
        size = self.tip()[0] if size is None else size
        return Inclusion(leaf, size, self._tree(size).inclusion(leaf))

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Proof that the tree of `first` leaves is the beginning of that of `second`; BadProof for no growth."""
        return self._tree(second).consistency(first)

    def root_at(self, size: int) -> bytes:
        """Root of the tree when it had so many leaves."""
        return self._tree(size).root()

    def _tree(self, size: int) -> TileTree:
        if size > self.tip()[0]:
            raise NoSuchTile(f"the log has {self.tip()[0]} leaves, not {size}")
        return TileTree(size, self.tile)

    def head(self, key: bytes) -> Head | None:
        """The newest linked statement of a key."""
        return self.store.head(key)

    def begins(self, key: bytes, held: Head) -> tuple[int, int]:
        """Epoch and seq of the oldest statement of a key; those of `held` where nothing is stored yet."""
        return self.store.begins(key) or (held.epoch, held.seq)

    def identity_at(self, key: bytes, epoch: int, seq: int) -> bytes | None:
        """Identity stored at one place of a key's chain."""
        return self.store.identity_at(key, epoch, seq)
