"""Plans and tenants on their way: few at a time, each as often as needed, never for ever."""

from typing import Any

from meterseal_edge.grant_line import AGAIN_S, TRIES, WINDOW, GrantLine
from meterseal_edge.offers import Granted


def lacking(count: int) -> list[Granted]:
    """So many plans."""
    return [
        Granted("plan", f"{number:016x}", ["plan", bytes([number]), b""], "x.plan") for number in range(count)
    ]


def names(items: list[list[Any]]) -> list[int]:
    """Which ones were sent."""
    return [item[1][0] for item in items]


def test_all_go_four_at_a_time_as_the_fixture_deals_with_them() -> None:
    """delivery.py: MOST_WAITING is 4, and the status line's `granted.last` names what was dealt with last."""
    line = GrantLine(lacking(6), 0)
    assert names(line.tick(0)) == [0, 1, 2, 3]
    assert WINDOW == 4
    assert line.hear({"last": f"{2:016x}"}, 0) == [] and not line.dealt
    assert names(line.hear({"last": f"{3:016x}"}, 0)) == [4, 5]
    assert not line.over
    assert line.hear({"last": f"{5:016x}"}, 0) == []
    assert line.over and line.dealt == {f"{number:016x}" for number in range(6)}
    assert line.tick(1e9) == []


def test_what_is_not_answered_goes_again_a_few_times_and_then_no_more() -> None:
    """A status line is lost easily (QoS 0); a fixture that never answers must not be talked to for ever."""
    line = GrantLine(lacking(2), 0)
    sent = 0
    for second in range(10 * int(AGAIN_S) * TRIES):
        items = line.tick(second)
        assert names(items) in ([], [0, 1])
        sent += bool(items)
    assert sent == TRIES and line.over and not line.dealt


def test_where_nothing_is_lacking_nothing_is_sent() -> None:
    """Nearly always."""
    line = GrantLine([], 0)
    assert line.over and line.tick(0) == line.hear({"last": ""}, 0) == []


def test_nonsense_in_the_status_line_is_passed_over() -> None:
    """Whoever may publish on the live topic says what they like."""
    line = GrantLine(lacking(1), 0)
    line.tick(0)
    for told in (None, 7, [], {}, {"last": 7}, {"last": ["x"]}):
        assert line.hear(told, 0) == []
    assert not line.over
