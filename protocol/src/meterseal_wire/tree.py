"""Merkle trees (RFC 9162 section 2.1): the root of a short list, which a fixture signs, and a path's root."""

from meterseal_wire.digest import sha256


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: SHA-256 over 00 and the data."""
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees: SHA-256 over 01, left and right."""
    return sha256(b"\x01" + left + right)


def tree_hash(leaves: list[bytes]) -> bytes:
    """Root over a list of byte strings; the empty list hashes to SHA-256 of nothing."""
    if not leaves:
        return sha256(b"")
    level = [leaf_hash(leaf) for leaf in leaves]
    # Pairing neighbours and carrying an odd last one up gives the tree of RFC 9162: left subtrees are full.
    while len(level) > 1:
        paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + (level[-1:] if len(level) % 2 else [])
    return level[0]


def path_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """Root that a leaf hash and its path lead to (RFC 9162 section 2.1.3.2); None where the path cannot be one."""
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for node in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            root = node_hash(node, root)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, node)
        place, last = place >> 1, last >> 1
    return root if last == 0 else None
