"""The log's tree with the roots of all its full subtrees kept: paths for receipts cost O(log n), not O(n).

RFC 9162 section 2.1.1 splits at the largest power of two, so every part it ever asks for begins at a multiple of its
width; a part of full width is therefore a kept root, and only the ragged right edge is hashed again.
"""

from meterseal_protocol.merkle import EMPTY, Inclusion, leaf_hash, node_hash


class Subtrees:
    """`levels[h][i]` is the root over leaves i * 2^h up to (i + 1) * 2^h."""

    def __init__(self) -> None:
        self.levels: list[list[bytes]] = [[]]

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self.levels[0])

    def append(self, data: bytes) -> None:
        """Add a leaf with this data."""
        node, height = leaf_hash(data), 0
        self.levels[0].append(node)
        while len(self.levels[height]) % 2 == 0:
            node = node_hash(*self.levels[height][-2:])
            height += 1
            if height == len(self.levels):
                self.levels.append([])
            self.levels[height].append(node)

    def root(self) -> bytes:
        """Root over all leaves; SHA-256 of nothing for none."""
        return self.over(0, self.size) if self.size else EMPTY

    def over(self, start: int, end: int) -> bytes:
        """Root over the leaves from `start`, a multiple of the part's width, up to `end`."""
        width = largest_power(end - start)
        if width == end - start:
            height = width.bit_length() - 1
            return self.levels[height][start >> height]
        return node_hash(self.over(start, start + width), self.over(start + width, end))

    def include(self, index: int, size: int) -> Inclusion:
        """Where leaf `index` stands in the tree of the first `size` leaves (RFC 9162 section 2.1.3.1)."""
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + largest_power(end - start - 1)
            if index < middle:
                path.append(self.over(middle, end))
                end = middle
            else:
                path.append(self.over(start, middle))
                start = middle
        return Inclusion(index, size, path[::-1])


def largest_power(count: int) -> int:
    """The largest power of two that is not above `count`."""
    return 1 << count.bit_length() - 1
