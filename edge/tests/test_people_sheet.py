"""Who is whom, and how many people are still needed."""

import itertools
from types import SimpleNamespace
from typing import Any, cast

import pytest

from meterseal_edge.people.sheet import Sheet, same, signers

K1, K2, K3 = b"1" * 32, b"2" * 32, b"3" * 32


def test_who_shares_an_account_or_a_key_is_one_person_in_whatever_order_they_come() -> None:
    """Account 1 used keys 1 and 2; account 2 used key 2 as well: all of it is one person. Account 3 is another."""
    pairs = [(1, K1), (1, K2), (2, K2), (3, K3)]
    for order in itertools.permutations(pairs):
        names = same(order)
        assert names[(1, K1)] == names[(1, K2)] == names[(2, K2)]
        assert names[(3, K3)] != names[(1, K1)]


def test_signers_are_counted_by_role() -> None:
    """One person with two keys in a role counts once there."""
    found = signers([(1, (1, K1)), (1, (1, K2)), (2, (3, K3))])
    assert {role: len(people) for role, people in found.items()} == {1: 1, 2: 1}
    assert signers([]) == {}


class Rules(Sheet):
    """A sheet whose rules are said by the test."""

    roles = property(lambda self: self.figures.roles)  # type: ignore[assignment]
    least_people = property(lambda self: self.figures.least)  # type: ignore[assignment]


@pytest.mark.parametrize(
    "roles, least, by_role, missing",
    [
        ([1, 2, 3], 2, {}, 0),
        ([1, 2, 3], 2, {1: {K1}}, 0),
        ([1, 2, 3], 2, {1: {K1}, 2: {K1}}, 0),
        ([1, 2, 3], 2, {1: {K1}, 2: {K1}, 3: {K1}}, 1),
        ([1, 2, 3], 2, {1: {K1}, 2: {K1}, 3: {K1, K2}}, 0),
        ([1, 2, 3], 3, {1: {K1}, 2: {K1}}, 1),
        ([1, 2], 2, {1: {K1}, 2: {K1}}, 1),
        ([1, 2], 2, {1: {K1}, 2: {K2}, 4: {K1}}, 0),
    ],
)
def test_people_that_would_lack_in_the_end(
    roles: list[int], least: int, by_role: dict[int, set[bytes]], missing: int
) -> None:
    """By hand: each open role brings somebody new at best; judge/people.py counts a matching of roles and people."""
    said = cast("Any", SimpleNamespace(roles=roles, least=least))
    assert Rules(cast("Any", None), said).people_missing(by_role) == missing
