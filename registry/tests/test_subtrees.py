"""The kept subtrees give the roots and paths of RFC 9162, as the protocol's own slow reference computes them."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st
from registry.tests.conftest import root_by_hand

from meterseal_protocol.merkle import include, leaf_hash, verify_inclusion
from meterseal_registry.subtrees import Subtrees, largest_power

MOST = 70


def tree_of(leaves: list[bytes]) -> Subtrees:
    """A tree with these leaves."""
    tree = Subtrees()
    for leaf in leaves:
        tree.append(leaf)
    return tree


def leaves_of(count: int) -> list[bytes]:
    """Distinct leaves of 32 bytes."""
    return [hashlib.sha256(bytes([index])).digest() for index in range(count)]


def test_the_empty_tree_hashes_to_nothing() -> None:
    """RFC 9162 section 2.1.1: MTH of the empty list is SHA-256 of nothing."""
    assert tree_of([]).root() == hashlib.sha256(b"").digest()


def test_every_size_has_the_root_computed_by_hand() -> None:
    """RFC 9162 section 2.1.1, written out in conftest with hashlib alone."""
    for count in range(1, MOST):
        assert tree_of(leaves_of(count)).root() == root_by_hand(leaves_of(count))


def test_a_tree_still_knows_the_roots_of_its_past() -> None:
    """An auditor asks for the root at an older size; appending must not have changed it."""
    tree = tree_of(leaves_of(MOST))
    for count in range(1, MOST):
        assert tree.over(0, count) == root_by_hand(leaves_of(count))


@given(st.data())
def test_every_path_is_the_reference_path_and_leads_to_the_root(data: st.DataObject) -> None:
    """RFC 9162 section 2.1.3: PATH(m, D[n]) for any leaf of any older size."""
    count = data.draw(st.integers(1, MOST))
    size = data.draw(st.integers(1, count))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(count)
    place = tree_of(leaves).include(index, size)
    assert place == include([leaf_hash(leaf) for leaf in leaves], index, size)
    verify_inclusion(leaf_hash(leaves[index]), index, size, place.path, root_by_hand(leaves[:size]))


def test_the_largest_power_of_two_that_fits() -> None:
    """By hand."""
    assert [largest_power(count) for count in (1, 2, 3, 4, 5, 7, 8, 9)] == [1, 2, 2, 4, 4, 4, 8, 8]
