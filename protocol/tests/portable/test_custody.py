"""What custody lets a fixture drop, on both interpreters (design section 6)."""

from meterseal_wire.custody import may_drop

KEY, OTHER = b"k" * 32, b"o" * 32
PROMISE = (KEY, 3, 5)


def test_everything_up_to_the_promised_place_may_go():
    """The highest contiguous sequence is included; earlier epochs are covered too."""
    for epoch, seq in ((3, 5), (3, 0), (2, 900), (1, 0)):
        assert may_drop((KEY, epoch, seq), PROMISE), (epoch, seq)


def test_nothing_beyond_it_may_go():
    """The next statement and every later epoch wait for their own promise."""
    for epoch, seq in ((3, 6), (4, 0)):
        assert not may_drop((KEY, epoch, seq), PROMISE), (epoch, seq)


def test_a_promise_to_another_key_frees_nothing():
    """Custody names the full thumbprint."""
    assert not may_drop((OTHER, 1, 0), PROMISE)
