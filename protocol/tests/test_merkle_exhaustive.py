"""RFC 9162 section 2.1 over every tree of up to 65 leaves, against its recursive definitions written out here.

Nothing of merkle.py makes an expected value: roots, paths and proofs come from sections 2.1.1, 2.1.3.1 and 2.1.4.1
as functions over lists of leaves. Then every pair of sizes and every leaf, and proofs that were tampered with.
"""

from functools import cache
from hashlib import sha256

import pytest

from meterseal_protocol.errors import BadProof
from meterseal_protocol.merkle import (
    EMPTY,
    Growth,
    Tree,
    consistency_proof,
    grow,
    grown_root,
    inclusion_proof,
    leaf_hash,
    root_from_path,
    verify_consistency,
    verify_inclusion,
)

MOST = 65
LEAVES = [bytes([number]) * (number % 5) for number in range(MOST)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def k(n: int) -> int:
    """The largest power of two smaller than n (section 2.1.1)."""
    found = 1
    while found * 2 < n:
        found *= 2
    return found


@cache
def mth(start: int, end: int) -> bytes:
    """MTH(D[start:end]), section 2.1.1."""
    if end - start == 0:
        return sha256(b"").digest()
    if end - start == 1:
        return sha256(b"\x00" + LEAVES[start]).digest()
    middle = start + k(end - start)
    return sha256(b"\x01" + mth(start, middle) + mth(middle, end)).digest()


def path(m: int, start: int, end: int) -> list[bytes]:
    """PATH(m, D[start:end]), section 2.1.3.1."""
    if end - start == 1:
        return []
    middle = start + k(end - start)
    if m < middle - start:
        return [*path(m, start, middle), mth(middle, end)]
    return [*path(m - (middle - start), middle, end), mth(start, middle)]


def subproof(m: int, start: int, end: int, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[start:end], whole), section 2.1.4.1."""
    if m == end - start:
        return [] if whole else [mth(start, end)]
    middle = start + k(end - start)
    if m <= middle - start:
        return [*subproof(m, start, middle, whole), mth(middle, end)]
    return [*subproof(m - (middle - start), middle, end, False), mth(start, middle)]


def test_every_root_is_that_of_the_definition() -> None:
    """Sizes 0 to 65, appended one by one."""
    tree = Tree()
    assert tree.root() == mth(0, 0) == EMPTY
    for size, leaf in enumerate(LEAVES, 1):
        tree.append(leaf)
        assert tree.root() == mth(0, size)


@pytest.mark.parametrize("size", range(1, MOST + 1))
def test_every_path_is_that_of_the_definition_and_leads_to_the_root(size: int) -> None:
    """Every leaf of every size; and to no other place of the tree."""
    for index in range(size):
        proof = path(index, 0, size)
        assert inclusion_proof(HASHES, index, size) == proof
        verify_inclusion(HASHES[index], index, size, proof, mth(0, size))
        for other in range(size):
            if other != index:
                with pytest.raises(BadProof):
                    verify_inclusion(HASHES[index], other, size, proof, mth(0, size))


@pytest.mark.parametrize("second", range(1, MOST + 1))
def test_every_consistency_proof_is_that_of_the_definition_and_holds(second: int) -> None:
    """Every pair of sizes; the new root follows from the old one."""
    for first in range(1, second):
        proof = subproof(first, 0, second, True)
        assert consistency_proof(HASHES, first, second) == proof
        assert grow(HASHES, first, second) == Growth(first, second, proof)
        verify_consistency(first, second, proof, mth(0, first), mth(0, second))
        assert grown_root(first, second, proof, mth(0, first)) == mth(0, second)
    verify_consistency(second, second, [], mth(0, second), mth(0, second))


@pytest.mark.parametrize("size", range(1, 18))
def test_a_path_with_one_hash_more_less_or_changed_does_not_hold(size: int) -> None:
    """Too long at either end, too short at either end, each hash changed in one bit, two hashes swapped."""
    for index in range(size):
        proof = path(index, 0, size)
        broken = [[bytes(32), *proof], [*proof, bytes(32)], *([proof[1:], proof[:-1]] if proof else [])]
        for at, node in enumerate(proof):
            broken.append([*proof[:at], bytes([node[0] ^ 1]) + node[1:], *proof[at + 1 :]])
            if at:
                broken.append([*proof[: at - 1], node, proof[at - 1], *proof[at + 1 :]])
        for bad in broken:
            with pytest.raises(BadProof):
                verify_inclusion(HASHES[index], index, size, bad, mth(0, size))


def leads_to(first: int, second: int, proof: list[bytes], old: bytes) -> bytes | None:
    """The new root, or None where there is none: from a power of two any old root leads somewhere else."""
    try:
        return grown_root(first, second, proof, old)
    except BadProof:
        return None


@pytest.mark.parametrize("second", range(2, 18))
def test_a_consistency_proof_with_one_hash_more_less_or_changed_does_not_hold(second: int) -> None:
    """The same, and with either root exchanged for another size's."""
    for first in range(1, second):
        proof, old, new = subproof(first, 0, second, True), mth(0, first), mth(0, second)
        broken = [[bytes(32), *proof], [*proof, bytes(32)], proof[1:], proof[:-1], []]
        for at, node in enumerate(proof):
            broken.append([*proof[:at], bytes([node[0] ^ 1]) + node[1:], *proof[at + 1 :]])
        for bad in broken:
            with pytest.raises(BadProof):
                verify_consistency(first, second, bad, old, new)
        for wrong in (mth(0, second), mth(0, first - 1), bytes(32)):
            with pytest.raises(BadProof):
                verify_consistency(first, second, proof, wrong, new)
            assert leads_to(first, second, proof, wrong) != new
        with pytest.raises(BadProof):
            verify_consistency(first, second, proof, old, old)


@pytest.mark.parametrize("first, second", [(0, 0), (0, 5), (5, 4), (-1, 5), (5, 0), (5, -1), (5, 5)])
def test_sizes_that_are_no_growth_lead_nowhere(first: int, second: int) -> None:
    """0 < first < second; also with proofs that fit other sizes."""
    for proof in ([], [bytes(32)], subproof(3, 0, 5, True)):
        with pytest.raises(BadProof):
            grown_root(first, second, proof, EMPTY)
        if first != second or proof:
            with pytest.raises(BadProof):
                verify_consistency(first, second, proof, EMPTY, EMPTY)
    with pytest.raises(BadProof):
        verify_consistency(0, 0, [], EMPTY, EMPTY)


@pytest.mark.parametrize(
    "index, size", [(0, 0), (1, 1), (2, 2), (5, 5), (6, 5), (-1, 5), (0, -1), (2**63, 5)]
)
def test_a_leaf_outside_its_tree_leads_nowhere(index: int, size: int) -> None:
    """Size 0, index at and beyond the size, and negative ones."""
    for proof in ([], [bytes(32)], path(4, 0, 5)):
        with pytest.raises(BadProof):
            root_from_path(HASHES[4], index, size, proof)


def test_a_tree_too_large_to_exist_takes_a_path_of_its_length_and_no_other() -> None:
    """2^63 - 1 leaves: the first leaf has 63 siblings; one more is too long, one less too short."""
    size = 2**63 - 1
    root_from_path(HASHES[0], 0, size, [bytes(32)] * 63)
    for length in (0, 62, 64, 1000):
        with pytest.raises(BadProof):
            root_from_path(HASHES[0], 0, size, [bytes(32)] * length)


def test_proofs_of_trees_that_are_not_here_are_not_made() -> None:
    """Sixty-five leaves are stored."""
    with pytest.raises(BadProof, match="65 leaves are here"):
        inclusion_proof(HASHES, 0, 66)
    with pytest.raises(BadProof, match="65 leaves are here"):
        consistency_proof(HASHES, 3, 66)
