"""How long the oldest statement waits at a fixture, reckoned from counts alone."""

import pytest
from edge.tests.conftest import Box
from hypothesis import given
from hypothesis import strategies as st

from meterseal_edge import state as state_module
from meterseal_edge import waiting
from meterseal_edge.waiting import Waiting

COUNTS = st.lists(st.integers(0, 12), max_size=30)


def test_the_oldest_waits_since_it_was_first_counted_and_leaves_first() -> None:
    """Custody covers a chain from its oldest on (design section 6): what is left is what came later."""
    queue = Waiting()
    assert queue.told(0, 100) is None
    assert queue.told(2, 110) == 110
    assert queue.told(3, 120) == 110
    assert queue.told(1, 130) == 120
    assert queue.told(0, 140) is None
    assert queue.told(1, 150) == 150


@given(COUNTS)
def test_it_is_a_queue_of_single_statements_however_the_counts_jump(counts: list[int]) -> None:
    """Against the plainest model: a list of arrival times, new ones at its end, taken from its front."""
    queue, plain = Waiting(), list[int]()
    for moment, pending in enumerate(counts):
        plain = plain[len(plain) - pending :] if pending <= len(plain) else plain
        plain += [moment] * (pending - len(plain))
        assert queue.told(pending, moment) == (plain[0] if plain else None)


def test_a_count_without_end_takes_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The count comes from whoever may publish on the live topic; of too many runs the newest join."""
    monkeypatch.setattr(waiting, "MOST", 3)
    queue = Waiting()
    for moment in range(1, 9):
        assert queue.told(moment, moment) == 1
    assert len(queue._runs) == 3
    assert queue.told(1 << 53, 9) == 1
    assert queue.told(1, 10) == 3


def test_the_page_is_told_since_when_and_nothing_where_the_fixture_says_no_count(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 6, point 7: queue ages. The clock is the edge's; a line without a count changes nothing."""
    clock = iter([1000, 1007, 1009])
    monkeypatch.setattr(state_module.time, "time", lambda: next(clock))
    seen = []
    for line in ({"pending": 2}, {"now": "idle"}, {"pending": 1}, {"pending": 0}):
        box.state.live("W1", line)
        [view] = box.state.snapshot()["fixtures"]
        seen.append(view["waits_since_s"])
    assert seen == [1000, 1000, 1000, None]


def test_fixtures_beyond_the_bound_keep_no_queue(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from topics: what is never listed must not be remembered either."""
    monkeypatch.setattr(state_module, "FIXTURES", 1)
    for name in ("W1", "W2", "W3"):
        box.state.live(name, {"pending": 1})
    assert list(box.state._waiting) == ["W1"]
