"""A ratio does what a fraction does: `fractions.Fraction` of the standard library is the other side of every test."""

import copy
import operator
import pickle
from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.ratio import parts, ratio

PARTS = st.tuples(st.integers(-(10**24), 10**24), st.integers(-(10**12), 10**12).filter(bool))
BOTH = [operator.add, operator.sub, operator.mul, operator.truediv]
ORDER = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


def grown(above: int, below: int) -> Fraction:
    """A ratio that is surely not in lowest terms."""
    return ratio(above * 6, below * 6)


@given(PARTS, PARTS, st.sampled_from(BOTH + ORDER))
def test_every_operation_gives_what_a_fraction_gives(
    first: tuple[int, int], second: tuple[int, int], operation: Callable[[Any, Any], Any]
) -> None:
    """With ratios, fractions and integers on either side; division by 0 is the error that it is there."""
    left, right = Fraction(*first), Fraction(*second)
    if operation is operator.truediv and 0 in (right, second[0]):
        return
    expected = operation(left, right)
    assert operation(grown(*first), grown(*second)) == expected
    assert operation(grown(*first), right) == expected
    assert operation(left, grown(*second)) == expected
    assert operation(grown(*first), second[0]) == operation(left, second[0])
    assert operation(second[0], grown(*first)) == operation(second[0], left) if left else True


@given(PARTS, st.integers(-4, 4))
def test_so_does_whatever_is_done_to_one(pair: tuple[int, int], power: int) -> None:
    """Sign, power, rounding, text, hash, lowest terms, truth, copies."""
    value, expected = grown(*pair), Fraction(*pair)
    for one in (abs, operator.neg, operator.pos, int, floor, ceil, round, bool, hash, str):
        assert one(value) == one(expected)  # type: ignore[operator]
    if expected or power >= 0:
        assert value**power == expected**power
    assert (value.numerator, value.denominator) == (expected.numerator, expected.denominator)
    assert value.as_integer_ratio() == expected.as_integer_ratio()
    for other in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert other == expected


@given(st.lists(PARTS, max_size=6))
def test_a_sum_and_the_greatest_are_those_of_fractions(pairs: list[tuple[int, int]]) -> None:
    """The two functions that a budget is made with, from an integer 0 or from a fraction."""
    mine, theirs = [grown(*pair) for pair in pairs], [Fraction(*pair) for pair in pairs]
    assert sum(mine) == sum(theirs) == sum(mine, Fraction())
    assert max(mine, default=None) == max(theirs, default=None)


def test_a_ratio_is_made_from_fractions_too() -> None:
    """3/4 over 5/6 is 18/20 = 9/10; without a denominator it is the number itself."""
    assert ratio(Fraction(3, 4), Fraction(5, 6)) == Fraction(9, 10)
    assert ratio(ratio(6, 8), 3) == Fraction(1, 4)
    assert ratio(7) == 7
    assert ratio() == 0


def test_a_denominator_is_above_zero() -> None:
    """1/-2 is -1/2, so that comparing by cross-multiplication keeps its direction."""
    assert parts(ratio(1, -2)) == (-1, 2)
    assert ratio(1, -2) < ratio(1, 3)
    assert ratio(1, 3) / ratio(-1, 2) == Fraction(-2, 3)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ratio(1, 0),
        lambda: ratio(1) / 0,
        lambda: ratio(1) / ratio(0),
        lambda: 1 / ratio(0),
        lambda: Fraction(1) / ratio(0),
        lambda: ratio(0) ** -1,
    ],
)
def test_division_by_zero_is_an_error(wrong: Callable[[], object]) -> None:
    """As with fractions."""
    with pytest.raises(ZeroDivisionError):
        wrong()


@pytest.mark.parametrize("operation", [*BOTH, *ORDER[:4], operator.pow])
def test_there_are_no_floats(operation: Callable[[Any, Any], Any]) -> None:
    """Neither in nor out: a float among exact numbers is a fault of the code."""
    for left, right in ((ratio(1, 2), 0.5), (0.5, ratio(1, 2))):
        with pytest.raises(TypeError):
            operation(left, right)
    assert ratio(1, 2) != 0.5
    with pytest.raises(TypeError):
        ratio(0.5)  # type: ignore[arg-type]


def test_it_is_a_number_like_an_equal_one() -> None:
    """One half as a key is found by every spelling of it."""
    assert {ratio(2, 4): "half"}[Fraction(1, 2)] == "half"
    assert {2} == {ratio(4, 2)}
    assert not ratio(0, 5)
