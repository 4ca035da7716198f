"""The model of chain, epochs and custody: every state within its bounds, and every planted bug found.

What must hold is design section 6; that the checker sees a violation at all is shown on a model of two lines.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from model.custody import INVARIANTS, PROTOCOL, Bounds, Edge, Rules, World, delivered, settled, steps
from model.explore import explore
from model.run import WALKS


def test_the_checker_finds_the_shortest_way_to_what_must_not_be() -> None:
    """Counting by one or by two from nothing, 4 is two steps away; without a violation every number is seen."""

    def up(number: int) -> list[tuple[str, int]]:
        return [(f"by {step}", number + step) for step in (1, 2) if number + step <= 6]

    found = explore(0, up, {"never 4": lambda number: number != 4}, 100)
    assert found.violation is not None
    assert found.violation.trace == ("by 2", "by 2")
    assert "never 4 does not hold after 2 steps" in str(found.violation)
    walk = explore(0, up, {"small": lambda number: number < 9}, 100)
    assert (walk.states, walk.depth, walk.complete, walk.violation) == (7, 3, True, None)
    assert not explore(0, up, {}, 3).complete


@pytest.mark.parametrize("name", WALKS)
def test_every_invariant_holds_in_every_state(name: str) -> None:
    """All interleavings within the stated bounds, to the end; thousands of states, so the walk is no empty one."""
    walk = explore(World(), steps(WALKS[name]), INVARIANTS, 1_000_000)
    assert walk.violation is None, str(walk.violation)
    assert walk.complete
    assert walk.states > 2_000 and walk.depth > 20


SMALL = Bounds(epochs=2, statements=2, cuts=1, kills=1, breaks=1, on_the_way=1)
CLONED = Bounds(epochs=2, statements=2, cuts=0, kills=0, clones=1, breaks=0, on_the_way=1)
PLANTED: tuple[tuple[str, Rules, Bounds, set[str]], ...] = (
    (
        "publish before reading back",
        Rules(publish_before_read_back=True),
        SMALL,
        {"honest fixtures never fork"},
    ),
    (
        "a counter that goes back",
        Rules(counter_goes_back=True),
        SMALL,
        {"honest fixtures never fork", "nothing acknowledged is lost"},
    ),
    ("custody before commit", Rules(custody_before_commit=True), SMALL, {"custody is true"}),
    ("PUBACK before commit", Rules(ack_before_commit=True), SMALL, {"acknowledged after commit"}),
    (
        "custody over a gap",
        Rules(custody_over_gap=True, offers_in_any_order=True),
        SMALL,
        {"one statement a place", "nothing acknowledged is lost"},
    ),
    ("duplicates forgotten", Rules(forget_duplicates=True), SMALL, {"honest fixtures never fork"}),
    ("deleted on custody", Rules(delete_on_custody=True), SMALL, {"deleted only on receipt"}),
    ("custody without its head", Rules(custody_without_head=True), CLONED, {"nothing acknowledged is lost"}),
    (
        "offered in any order",
        Rules(offers_in_any_order=True),
        SMALL,
        {"nothing acknowledged is lost", "honest fixtures never fork"},
    ),
    (
        "any first boot links",
        Rules(links_anything_first=True, offers_in_any_order=True),
        SMALL,
        {"nothing acknowledged is lost"},
    ),
)


@pytest.mark.parametrize(
    "name, rules, bounds, broken", PLANTED, ids=lambda item: item if isinstance(item, str) else ""
)
def test_a_planted_bug_is_found_with_a_short_trace(
    name: str, rules: Rules, bounds: Bounds, broken: set[str]
) -> None:
    """Each switch breaks the invariant that it is about, and the trace can be read by a person."""
    walk = explore(World(), steps(bounds, rules), INVARIANTS, 400_000)
    assert walk.violation is not None, name
    assert walk.violation.invariant in broken, str(walk.violation)
    assert len(walk.violation.trace) <= 25


def test_every_bug_that_can_be_planted_is_planted() -> None:
    """A switch that no test turns on would be a bug that nobody looks for."""
    turned = {field for _, rules, _, _ in PLANTED for field, on in vars(rules).items() if on}
    assert turned == set(vars(PROTOCOL))


def test_whatever_happened_the_rest_is_delivered_once_all_is_mended() -> None:
    """From a sample of the states of a walk with power cuts and crashes: mend, carry on, and the edge has it all."""
    bounds = Bounds(epochs=2, statements=2, cuts=1, kills=1, breaks=1, on_the_way=1)
    walk = explore(World(), steps(bounds), {}, 30_000)
    sample = walk.reached[::97]
    assert len(sample) > 300
    for world in sample:
        assert delivered(settled(world)), world


def test_delivered_can_tell_when_it_is_not() -> None:
    """A statement in the flash and not in the log."""
    walk = explore(World(), steps(replace(SMALL, kills=0)), {}, 200)
    holding = next(world for world in walk.reached if world.fixture.flash and not world.edges[-1].stored)
    assert not delivered(holding)
    assert delivered(holding._replace(edges=(Edge(stored=holding.fixture.flash),)))
