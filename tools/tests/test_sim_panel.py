"""The operator's side of the panel, without a line."""

import json

import pytest

from meterseal_tools.sim.errors import FixtureDied, NoAnswer
from meterseal_tools.sim.panel import Panel


class Wakes:
    """Counts how often the rig's thread was woken."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1


@pytest.fixture
def wakes():
    """Nobody woken yet."""
    return Wakes()


@pytest.fixture
def panel(wakes):
    """A panel on a fixture that lives."""
    return Panel(wakes, lambda: "")


def test_what_is_sent_is_one_json_object_a_line(panel, wakes):
    """Three orders are three lines, and the rig's thread is woken for each."""
    panel.stop()
    panel.send({"do": "status"})
    panel.run(b"\xa1", [{"position": 1}])
    orders = [json.loads(raw) for raw in panel.poll().splitlines()]
    assert [order["do"] for order in orders] == ["stop", "status", "run"]
    assert orders[2] == {
        "do": "run",
        "plan": "a1",
        "mode": 1,
        "operator": "",
        "tenant": "",
        "positions": [{"position": 1}],
    }
    assert wakes.count == 3
    assert panel.poll() == b""


def test_lines_arrive_whole_whatever_the_pieces(panel):
    """A line in two pieces, then two in one."""
    panel.feed(b'{"event":"bo')
    panel.feed(b'ot"}\n')
    panel.feed(b'{"event":"attempt_signed","seq":1}\n{"event":"result_signed","seq":2}\n')
    assert panel.wait_event("boot", 0) == {"event": "boot"}
    assert panel.wait_event("result_signed", 0)["seq"] == 2


def test_a_wait_begins_where_the_last_one_ended(panel):
    """An event that came before the wait is found; the same one is not found twice."""
    panel.feed(b'{"event":"boot"}\n{"now":"idle"}\n')
    panel.wait_event("boot", 0)
    assert panel.wait_now("idle", 0) == {"now": "idle"}
    with pytest.raises(NoAnswer, match="idle"):
        panel.wait_now("idle", 0)


def test_what_is_no_json_object_is_kept_apart(panel):
    """A traceback or a number on the line is no message, and is not lost either."""
    panel.feed(b"Traceback\n17\n\xff\n\n" + b'{"event":"boot"}\n')
    assert panel.unreadable == [b"Traceback", b"17", b"\xff"]
    assert panel.last() == [{"event": "boot"}]


def test_a_wait_on_a_dead_fixture_ends_at_once_but_not_before_its_last_words_are_read(wakes):
    """What it said before it died counts; then the reason of its death."""
    panel = Panel(wakes, lambda: "The fixture ended with -9")
    panel.feed(b'{"event":"boot"}\n')
    assert panel.wait_event("boot", 600) == {"event": "boot"}
    with pytest.raises(FixtureDied, match="-9"):
        panel.wait_event("boot", 600)


def test_a_power_cut_forgets_lines_half_said(panel):
    """Half a line from the fixture and an order not yet sent are gone; the transcript stays."""
    panel.feed(b'{"event":"bo')
    panel.stop()
    panel.reset()
    assert panel.poll() == b""
    panel.feed(b'{"event":"boot"}\n')
    assert panel.transcript == [("to", {"do": "stop"}), ("from", {"event": "boot"})]
