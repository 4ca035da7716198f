"""Merkle tree hash of a short list (RFC 9162 section 2.1.1): the evidence root a fixture signs."""

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
