"""Merkle tree of RFC 9162 section 2.1: root, inclusion and consistency, made and checked.

`Tree` keeps only the roots of its full subtrees, so appending costs O(log n) and a log of any length fits.
Proofs are made from stored leaf hashes by the caller who has them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from meterseal_protocol.errors import BadProof
from meterseal_wire.tree import path_root

EMPTY = sha256(b"").digest()
Subtree = Callable[[int, int], bytes]  # (start, end) -> root over the leaves from start up to end


def leaf_hash(data: bytes) -> bytes:
    """SHA-256 of 00 and the leaf's data."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 01, left and right."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """An append-only tree that knows its size and root."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[tuple[int, bytes]] = []

    def append(self, data: bytes) -> None:
        """Add a leaf with this data."""
        self.append_hash(leaf_hash(data))

    def append_hash(self, right: bytes) -> None:
        """Add a leaf whose hash is known, or a whole subtree in a tree of subtrees of one size."""
        height = 0
        while self._full and self._full[-1][0] == height:
            right = node_hash(self._full.pop()[1], right)
            height += 1
        self._full.append((height, right))
        self.size += 1

    @property
    def peaks(self) -> list[bytes]:
        """Roots of the full subtrees that the tree is made of, the largest first."""
        return [root for _, root in self._full]

    def root(self) -> bytes:
        """Root over all leaves; SHA-256 of nothing for none."""
        return over_peaks(self.peaks)

    def copy(self) -> "Tree":
        """A tree that grows for itself."""
        other = Tree()
        other.size, other._full = self.size, self._full.copy()
        return other


def over_peaks(peaks: Sequence[bytes]) -> bytes:
    """Root over full subtrees that stand side by side, the largest first (RFC 9162 section 2.1.1)."""
    if not peaks:
        return EMPTY
    root = peaks[-1]
    for left in reversed(peaks[:-1]):
        root = node_hash(left, root)
    return root


def subtree(hashes: Sequence[bytes], start: int, end: int) -> bytes:
    """Root over the leaf hashes from `start` up to `end`."""
    if end - start == 1:
        return hashes[start]
    middle = start + split(end - start)
    return node_hash(subtree(hashes, start, middle), subtree(hashes, middle, end))


def split(count: int) -> int:
    """The largest power of two below a number of leaves, 2 or more: where RFC 9162 cuts a tree."""
    return 1 << (count - 1).bit_length() - 1


def inclusion_proof(hashes: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Path of leaf `index` in the tree of the first `size` leaf hashes (RFC 9162 section 2.1.3.1)."""
    if size > len(hashes):
        raise BadProof(f"no tree of {size}: {len(hashes)} leaves are here")
    return inclusion_path(partial(subtree, hashes), index, size)


def inclusion_path(root_of: Subtree, index: int, size: int) -> list[bytes]:
    """The same, the roots of subtrees coming from wherever the caller keeps them; BadProof for no such leaf."""
    if not 0 <= index < size:
        raise BadProof(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(root_of(middle, end))
            end = middle
        else:
            path.append(root_of(start, middle))
            start = middle
    return path[::-1]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """Where a leaf stands: index, size of the tree, path."""

    index: int
    size: int
    path: list[bytes]


def include(hashes: Sequence[bytes], index: int, size: int) -> Inclusion:
    """The inclusion of leaf `index` in the tree of the first `size` leaf hashes."""
    return Inclusion(index, size, inclusion_proof(hashes, index, size))


@dataclass(frozen=True, slots=True)
class Growth:
    """That the tree of `first` leaves is the beginning of that of `second`: both sizes and the proof."""

    first: int
    second: int
    path: list[bytes]


def grow(hashes: Sequence[bytes], first: int, second: int) -> Growth:
    """The growth from `first` to `second` of these leaf hashes."""
    return Growth(first, second, consistency_proof(hashes, first, second))


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Root that a leaf hash and its path lead to (RFC 9162 section 2.1.3.2); BadProof when the path can't be one."""
    if not 0 <= index < size:
        raise BadProof(f"no leaf {index} in a tree of {size}")
    _all_digests([leaf, *path])
    root: bytes | None = path_root(leaf, index, size, list(path))
    if root is None:
        raise BadProof("the path is too long or too short")
    return root


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """BadProof unless the path leads from the leaf hash to `root`."""
    if root_from_path(leaf, index, size, path) != root:
        raise BadProof("the path does not lead to the root")


def consistency_proof(hashes: Sequence[bytes], first: int, second: int) -> list[bytes]:
    """Proof that the tree of `first` leaves is a prefix of that of `second` (RFC 9162 section 2.1.4.1)."""
    if second > len(hashes):
        raise BadProof(f"no tree of {second}: {len(hashes)} leaves are here")
    return consistency_path(partial(subtree, hashes), first, second)


def consistency_path(root_of: Subtree, first: int, second: int) -> list[bytes]:
    """The same, the roots of subtrees coming from wherever the caller keeps them; BadProof for no growth."""
    if not 0 < first <= second:
        raise BadProof(f"no consistency proof from {first} to {second}")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + split(end - start)
        if first <= middle:
            path.append(root_of(middle, end))
            end = middle
        else:
            path.append(root_of(start, middle))
            start, whole = middle, False
    return [*([] if whole else [root_of(start, end)]), *path[::-1]]


def verify_consistency(first: int, second: int, proof: Sequence[bytes], old: bytes, new: bytes) -> None:
    """BadProof unless the tree (first, old) is a prefix of (second, new) (RFC 9162 section 2.1.4.2).

    A first size of 0 is undefined there and refused here.
    """
    if first == second > 0:
        if proof or old != new:
            raise BadProof("equal sizes have equal roots and an empty proof")
        return
    if grown_root(first, second, proof, old) != new:
        raise BadProof("the proof does not lead from the old root to the new one")


def grown_root(first: int, second: int, proof: Sequence[bytes], old: bytes) -> bytes:
    """Root of the tree of `second` leaves to which (first, old) and a proof lead; BadProof where they lead nowhere.

    0 < first < second: RFC 9162 section 2.1.4.2 without its last comparison.
    """
    if not 0 < first < second:
        raise BadProof(f"sizes {first} and {second} are no growth")
    if not proof:
        raise BadProof("the proof is empty")
    path = list(proof) if first & (first - 1) else [old, *proof]
    _all_digests(path)
    older, newer = _replay(path, first - 1, second - 1)
    if older != old:
        raise BadProof("the proof does not lead from the old root")
    return newer


def _all_digests(hashes: Sequence[bytes]) -> None:
    # Two inputs of other lengths could join to the bytes of a right pair, and an empty leaf would be its own root.
    if any(len(node) != sha256().digest_size for node in hashes):
        raise BadProof("a hash of the proof has not 32 bytes")


def _replay(path: list[bytes], place: int, last: int) -> tuple[bytes, bytes]:
    while place & 1:
        place, last = place >> 1, last >> 1
    older = newer = path[0]
    for node in path[1:]:
        if last == 0:
            raise BadProof("the proof is too long")
        if place & 1 or place == last:
            older, newer = node_hash(node, older), node_hash(node, newer)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            newer = node_hash(newer, node)
        place, last = place >> 1, last >> 1
    if last:
        raise BadProof("the proof is too short")
    return older, newer
