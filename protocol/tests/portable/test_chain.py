"""Where a statement stands, on both interpreters. Expected verdicts: design section 6, case by case."""

from meterseal_wire.chain import DUPLICATE, FORK, GAP, GENESIS, LINKED, Head, check_chain, link
from meterseal_wire.errors import BadShape

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
HELD = Head(3, 7, A)


def refused(value):
    """True if `value` is no chain header."""
    try:
        check_chain(value)
    except BadShape:
        return True
    return False


def test_the_first_statement_ever_is_a_boot():
    """Nothing is held: a boot (seq 0) links whatever its epoch, anything else waits for what came before."""
    assert link(None, (1, 0, GENESIS), A, None) == LINKED
    assert link(None, (9, 0, B), A, None) == LINKED
    assert link(None, (1, 1, B), A, None) == GAP


def test_the_next_of_the_same_epoch_cites_the_head():
    """Epoch and seq + 1, prev is the head's identity."""
    assert link(HELD, (3, 8, A), B, None) == LINKED


def test_the_next_with_another_prev_is_a_fork():
    """Two histories at one place: a cloned key or a restored image."""
    assert link(HELD, (3, 8, C), B, None) == FORK


def test_a_boot_of_a_later_epoch_cites_the_head():
    """An epoch is opened by a boot that cites the last head held; epoch numbers may skip, they only rise."""
    assert link(HELD, (4, 0, A), B, None) == LINKED
    assert link(HELD, (9, 0, A), B, None) == LINKED
    assert link(HELD, (4, 0, C), B, None) == FORK


def test_a_hole_is_a_gap():
    """A missing sequence number, or an epoch whose boot has not come."""
    assert link(HELD, (3, 9, A), B, None) == GAP
    assert link(HELD, (4, 1, A), B, None) == GAP


def test_the_same_statement_again_is_a_duplicate():
    """It is acknowledged again and stored once; also when it lies far back."""
    assert link(HELD, (3, 7, C), A, A) == DUPLICATE
    assert link(HELD, (1, 2, C), B, B) == DUPLICATE


def test_another_statement_at_a_known_place_is_a_fork():
    """Two statements at one (key, epoch, seq): exportable as a proof."""
    assert link(HELD, (3, 7, C), B, A) == FORK


def test_a_place_that_was_passed_over_is_a_fork():
    """What was not there when the chain went on can't come afterwards."""
    assert link(HELD, (3, 7, C), B, None) == FORK
    assert link(HELD, (2, 100, C), B, None) == FORK


def test_a_chain_header_has_three_items_in_range():
    """Epoch from 1, seq from 0, prev of 32 bytes; true is no 1, on either interpreter."""
    assert check_chain([1, 0, GENESIS]) == (1, 0, GENESIS)
    wrong = (
        None,
        [],
        [1, 0],
        [0, 0, GENESIS],
        [1, -1, GENESIS],
        [1, 0, b"short"],
        ["1", 0, GENESIS],
        [1, 0, GENESIS, 0],
        [True, 0, GENESIS],
        [1, False, GENESIS],
    )
    for value in wrong:
        assert refused(value), value
