"""RFC 9162 trees: transparency-dev/merkle's proofs, its reference roots, and what holds for trees of every size."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.errors import BadProof
from meterseal_protocol.merkle import (
    Tree,
    consistency_proof,
    include,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_path,
    verify_consistency,
    verify_inclusion,
)

DATA = Path(__file__).parent / "data" / "merkle"
INCLUSION = [(path, json.loads(path.read_text())) for path in sorted((DATA / "inclusion").rglob("*.json"))]
CONSISTENCY = [
    (path, json.loads(path.read_text())) for path in sorted((DATA / "consistency").rglob("*.json"))
]
# transparency-dev/merkle testonly/reference.go: eight leaf inputs and the roots over the first 0 to 8 of them.
LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes(range(0x60, 0x70)))
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]
sizes = st.integers(1, 70)


def base64s(items: list[str] | None) -> list[bytes]:
    """A vector's proof: base64 or null."""
    return [base64.b64decode(item) for item in items or []]


def root_by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1 word for word: split at the largest power of two below n."""
    if len(leaves) < 2:
        return hashlib.sha256(b"\x00" + leaves[0] if leaves else b"").digest()
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    left, right = root_by_definition(leaves[:split]), root_by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaves_of(size: int) -> list[bytes]:
    """So many different leaves."""
    return [bytes([index]) for index in range(size)]


def test_the_vectors_are_there() -> None:
    """48 and 43 were given; more may be added; both outcomes occur."""
    assert len(INCLUSION) >= 48
    assert len(CONSISTENCY) >= 43
    assert (
        {case["wantErr"] for _, case in INCLUSION}
        == {case["wantErr"] for _, case in CONSISTENCY}
        == {True, False}
    )


@pytest.mark.parametrize(
    "path, case",
    INCLUSION,
    ids=lambda item: f"{item.parent.name}/{item.stem}" if isinstance(item, Path) else "",
)
def test_every_inclusion_vector_ends_as_it_says(path: Path, case: dict[str, Any]) -> None:
    """transparency-dev/merkle: `wantErr` says which must fail."""
    leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
    proof = base64s(case["proof"])
    if not case["wantErr"]:
        verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)
        return
    with pytest.raises(BadProof):
        verify_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)


@pytest.mark.parametrize(
    "path, case",
    CONSISTENCY,
    ids=lambda item: f"{item.parent.name}/{item.stem}" if isinstance(item, Path) else "",
)
def test_every_consistency_vector_ends_as_it_says(path: Path, case: dict[str, Any]) -> None:
    """The same; size 0 is undefined in RFC 9162 and refused, as the source does."""
    old, new = base64.b64decode(case["root1"]), base64.b64decode(case["root2"])
    proof = base64s(case["proof"])
    if not case["wantErr"]:
        verify_consistency(case["size1"], case["size2"], proof, old, new)
        return
    with pytest.raises(BadProof):
        verify_consistency(case["size1"], case["size2"], proof, old, new)


def test_the_tree_has_the_reference_roots_at_every_size() -> None:
    """transparency-dev/merkle testonly: none to eight leaves."""
    tree = Tree()
    assert tree.root().hex() == ROOTS[0]
    for size, leaf in enumerate(LEAVES, 1):
        tree.append(leaf)
        assert tree.size == size
        assert tree.root().hex() == ROOTS[size]


@given(sizes)
def test_the_compact_tree_has_the_root_of_the_definition(size: int) -> None:
    """RFC 9162 section 2.1.1, by recursion over all leaves, against the frontier of full subtrees."""
    tree = Tree()
    for leaf in leaves_of(size):
        tree.append(leaf)
    assert tree.root() == root_by_definition(leaves_of(size))


@given(sizes, st.data())
def test_every_leaf_has_a_path_to_the_root_and_to_no_other(size: int, data: st.DataObject) -> None:
    """Made and checked by different functions: sections 2.1.3.1 and 2.1.3.2; log2 n hashes at most."""
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    path = inclusion_proof(hashes, index, size)
    root = root_by_definition(leaves)
    assert len(path) <= (size - 1).bit_length()
    verify_inclusion(hashes[index], index, size, path, root)
    assert include(hashes, index, size).path == path
    with pytest.raises(BadProof):
        verify_inclusion(leaf_hash(b"other"), index, size, path, root)
    with pytest.raises(BadProof):
        verify_inclusion(hashes[index], index, size, [*path, bytes(32)], root)
    if path:
        with pytest.raises(BadProof):
            verify_inclusion(hashes[index], index, size, path[:-1], root)


@given(sizes, sizes)
def test_a_tree_is_consistent_with_every_tree_it_grew_from(one: int, other: int) -> None:
    """Sections 2.1.4.1 and 2.1.4.2; a rewritten leaf breaks it."""
    first, second = sorted((one, other))
    leaves = leaves_of(second)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    old, new = root_by_definition(leaves[:first]), root_by_definition(leaves)
    proof = consistency_proof(hashes, first, second)
    verify_consistency(first, second, proof, old, new)
    rewritten = root_by_definition([b"rewritten", *leaves[1:first]])
    with pytest.raises(BadProof):
        verify_consistency(first, second, proof, rewritten, new)


def test_a_path_does_not_outgrow_its_tree() -> None:
    """A tree of one leaf has an empty path, whatever the hashes lead to."""
    path = inclusion_proof(HASHES, 6, 7)
    with pytest.raises(BadProof, match="too long"):
        root_from_path(HASHES[6], 0, 1, path)


@pytest.mark.parametrize("index, size", [(-1, 3), (3, 3), (0, 0), (0, 9)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    """Eight leaves are stored; the caller asked for something else."""
    with pytest.raises(BadProof):
        inclusion_proof(HASHES, index, size)
    if not 0 <= index < size:
        with pytest.raises(BadProof):
            root_from_path(HASHES[0], index, size, [])


@pytest.mark.parametrize("first, second", [(0, 3), (4, 3), (1, 9), (-1, 2)])
def test_sizes_that_are_no_growth_have_no_proof(first: int, second: int) -> None:
    """RFC 9162 section 2.1.4: 0 < m < n, and n leaves must be there."""
    with pytest.raises(BadProof):
        consistency_proof(HASHES, first, second)


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    """Nothing grew, so nothing is to be proved."""
    root = bytes.fromhex(ROOTS[3])
    verify_consistency(3, 3, [], root, root)
    with pytest.raises(BadProof):
        verify_consistency(3, 3, [], root, bytes(32))
    with pytest.raises(BadProof):
        verify_consistency(3, 3, [root], root, root)


def test_hashes_of_other_lengths_prove_nothing() -> None:
    """An empty leaf is no tree of one (transparency-dev/merkle, single-entry/empty-root-and-leaf).

    Where the cut between two hashed halves is moved, both join to the same bytes: only the lengths tell.
    """
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    root = node_hash(left, right)
    verify_inclusion(left, 0, 2, [right], root)
    for leaf, index, size, path, claimed in (
        (b"", 0, 1, [], b""),
        (left + right[:1], 0, 2, [right[1:]], root),
        (right[1:], 1, 2, [left + right[:1]], root),
    ):
        with pytest.raises(BadProof):
            verify_inclusion(leaf, index, size, path, claimed)
    with pytest.raises(BadProof):
        verify_consistency(1, 2, [right[1:]], left + right[:1], root)
