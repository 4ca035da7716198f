"""What a state message says: known words in their right shape, everything else as if it were not said."""

from typing import Any

import pytest

from meterseal_edge.presence import Presence, read_presence

WHOLE = {
    "state": "online",
    "fixture": "W1",
    "entered": [3, 7],
    "key": "ab" * 32,
    "nonce": "cd" * 16,
    "plans": ["0123456789abcdef"],
    "tenants": [],
    "board": "unix/sim-1",
    "firmware": "ef" * 32,
    "slot": "old",
    "staged": "00" * 32,
}


def test_a_whole_message_is_read_as_the_fixtures_table_says() -> None:
    """firmware/src/meterseal_fixture/presence.py: the five rows of its table."""
    found = read_presence("W1", WHOLE)
    assert found == Presence(
        "W1",
        (3, 7),
        bytes.fromhex("ab" * 32),
        bytes.fromhex("cd" * 16),
        frozenset({"0123456789abcdef"}),
        frozenset(),
        "unix/sim-1",
        bytes.fromhex("ef" * 32),
        "old",
        bytes(32),
    )


def test_what_is_not_told_is_empty_and_a_fixture_without_an_authority_holds_nothing_to_compare() -> None:
    """granted.py: without an authority's key neither plans nor tenants are told; None, not an empty set."""
    found = read_presence("W1", {"state": "online"})
    assert found == Presence("W1")
    assert found.plans is None and found.tenants is None


@pytest.mark.parametrize(
    "name, value",
    [
        ("entered", [1, 2, 3]),
        ("entered", "1,2"),
        ("entered", [True, 1]),
        ("key", "ab" * 33),
        ("key", "xy" * 32),
        ("key", 7),
        ("nonce", "cd" * 33),
        ("plans", {"a": 1}),
        ("plans", ["0123456789abcdef"] * 65),
        ("tenants", "0123456789abcdef"),
        ("board", "x" * 33),
        ("board", "a\nb"),
        ("board", "板"),
        ("firmware", None),
        ("slot", ["old"]),
        ("staged", "0"),
    ],
)
def test_a_value_out_of_shape_counts_as_not_told(name: str, value: Any) -> None:
    """Whoever may publish on the state topic must not fill the memory or break what reads it."""
    assert getattr(read_presence("W1", {**WHOLE, name: value}), name) == getattr(Presence("W1"), name)


def test_names_that_no_item_has_are_left_out() -> None:
    """shelf.name_of gives sixteen hexadecimal digits."""
    assert read_presence("W1", {"plans": ["0123456789abcdef", "short", 7, None]}).plans == frozenset(
        {"0123456789abcdef"}
    )
