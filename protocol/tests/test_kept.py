"""What is computed once is computed once for each object, and never for another's."""

from meterseal_protocol.kept import kept, once


class Pair:
    """Counts how often its sum and product are computed."""

    def __init__(self, one: int, other: int) -> None:
        self.one, self.other, self.looks = one, other, 0

    @kept
    def sum(self) -> int:
        """The sum."""
        self.looks += 1
        return self.one + self.other


@once
def product(pair: Pair) -> int:
    """The product."""
    pair.looks += 1
    return pair.one * pair.other


def test_a_kept_property_is_computed_at_the_first_look_alone() -> None:
    """Docstring of kept.py: 2 + 3 = 5, looked at three times, computed once."""
    pair = Pair(2, 3)
    assert [pair.sum, pair.sum, pair.sum, pair.looks] == [5, 5, 5, 1]


def test_a_function_of_one_object_is_computed_once_for_each() -> None:
    """2 * 3 = 6 and 4 * 5 = 20: each object has its own answer, and each was asked once."""
    pairs = [Pair(2, 3), Pair(4, 5)]
    assert [product(pair) for pair in pairs * 3] == [6, 20] * 3
    assert [pair.looks for pair in pairs] == [1, 1]
    assert product.__doc__ == "The product."
