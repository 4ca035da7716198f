"""The evidence root, on both interpreters. Expected roots: the reference tree of Certificate Transparency.

Leaves and roots are those of transparency-dev/merkle's testonly package (RFC 6962): eight inputs and nine roots.
"""

from meterseal_wire.tree import leaf_hash, node_hash, tree_hash


def unhex(text):
    """Bytes of hex text."""
    return bytes([int(text[at : at + 2], 16) for at in range(0, len(text), 2)])


LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def test_the_roots_of_the_reference_tree():
    """RFC 9162 section 2.1.1 over none to eight leaves."""
    for size in range(9):
        assert tree_hash([unhex(leaf) for leaf in LEAVES[:size]]) == unhex(ROOTS[size]), size


def test_a_leaf_is_never_a_node():
    """RFC 9162 section 2.1.1: 00 before a leaf, 01 before two hashes, so neither can pass for the other."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != node_hash(left, right)
    assert tree_hash([b"a", b"b"]) == node_hash(left, right)


def test_order_and_number_of_leaves_change_the_root():
    """Evidence is a list: what was read at the start can't pass for what was read at the end."""
    assert tree_hash([b"a", b"b"]) != tree_hash([b"b", b"a"])
    assert tree_hash([b"a", b"b", b"b"]) != tree_hash([b"a", b"b"])
