"""What the page shows: counted, bounded, and never more than was told."""

from pathlib import Path

from edge.tests.conftest import Box

from meterseal_edge.events import Covered
from meterseal_edge.state import ALARMS, FIXTURES, FixtureView, State
from meterseal_protocol.testing.runs import Seat, plan_document, point


def fresh() -> State:
    """A state of which nothing is known."""
    return State("EDGE1", "YUHANG1")


def test_a_fresh_edge_accepts_and_is_connected_to_nothing() -> None:
    """Design section 11: broker and registry are shown as away until they were heard."""
    assert fresh().snapshot() == {
        "edge": "EDGE1",
        "site": "YUHANG1",
        "broker": False,
        "registry": False,
        "beacon": None,
        "accepting": True,
        "version": 0,
        "fixtures": [],
        "alarms": [],
    }


def test_each_fact_that_changes_moves_the_version_and_one_that_does_not_leaves_it() -> None:
    """The page is sent an event for each version; a poll that finds the same must not wake every browser."""
    state = fresh()
    for change in (state.broker, state.registry):
        change(True)
        change(True)
    state.accepting(False)
    state.beacon(7, 1_790_000_000)
    facts = state.snapshot()
    assert facts["version"] == state.version == 4
    assert (facts["broker"], facts["registry"], facts["accepting"]) == (True, True, False)
    assert facts["beacon"] == {"number": 7, "time_s": 1_790_000_000}


def test_presence_and_live_lines_are_kept_by_fixture() -> None:
    """CONTRACT, down topic: `state` says online or offline; `live` is the panel's line, for eyes only."""
    state = fresh()
    assert state.presence("W1", True)
    assert not state.presence("G1", False)
    state.live("W1", {"now": "idle", "pending": 0, "secret": "x"})
    assert state.fixtures_online() == ["W1"]
    g1, w1 = state.snapshot()["fixtures"]
    assert (g1["fixture"], g1["online"], w1["online"]) == ("G1", False, True)
    assert w1["live"] == {"now": "idle", "pending": 0}


def test_custody_moves_a_fixtures_place() -> None:
    """Design section 6: custody names epoch and highest contiguous seq."""
    state = fresh()
    state.covered(Covered(bytes(32), "W1", 2, 5, b""))
    [view] = state.snapshot()["fixtures"]
    assert (view["epoch"], view["seq"]) == (2, 5)
    assert view["last_s"] > 1_700_000_000


def test_the_same_alarm_is_counted_and_shown_last_with_its_newest_reason() -> None:
    """A fork must not be pushed off the page by four hundred gaps that differ in a number."""
    state = fresh()
    state.alarm("W1", "chain.fork", "one")
    for number in range(400):
        state.alarm("W1", "chain.gap", f"seq {number}")
    state.alarm("W1", "chain.fork", "two")
    alarms = state.snapshot()["alarms"]
    assert [(a["code"], a["count"], a["why"]) for a in alarms] == [
        ("chain.gap", 400, "seq 399"),
        ("chain.fork", 2, "two"),
    ]


def test_alarms_and_fixtures_have_a_bound() -> None:
    """Names come from topics, and whoever may publish chooses them."""
    state = fresh()
    for number in range(FIXTURES + 10):
        state.alarm(f"F{number}", "edge.topic", "")
        state.presence(f"F{number}", True)
    found = state.snapshot()
    assert len(found["alarms"]) == ALARMS
    assert found["alarms"][-1]["fixture"] == f"F{FIXTURES + 9}"
    assert len(found["fixtures"]) == FIXTURES


def test_what_the_store_holds_is_shown_from_the_start() -> None:
    """After a restart the page must not say that nothing was ever stored."""
    state = fresh()
    state.known(FixtureView("W1", False, 3, 9, 120, 1_790_000_000))
    [view] = state.snapshot()["fixtures"]
    assert (view["epoch"], view["seq"], view["stored"], view["online"]) == (3, 9, 120, False)


def test_the_meters_of_the_newest_attempt_are_shown_by_position(box: Box, tmp_path: Path) -> None:
    """CONTRACT, panel: live lines carry position and state only; which meter hangs there stands in the attempt."""
    fixture = box.fixture()
    seats = [Seat(1, "12345678", points=[point(0, 2_375_000, 0)]), Seat(3, "00000007", silent=True)]
    fixture.attempt(seats, plan_document(bytes(32), [[2_375_000, 100, 1_000_000, 1000, 1]]), bytes(32))
    box.offer(*fixture.signed)
    [view] = box.state.snapshot()["fixtures"]
    assert view["meters"] == {1: "DEMO.12345678", 3: "DEMO.00000007"}
    assert view["stored"] == 2


def test_a_snapshot_does_not_change_when_the_state_goes_on() -> None:
    """The page's thread turns it into JSON while others go on writing."""
    state = fresh()
    state.alarm("W1", "chain.gap", "one")
    before = state.snapshot()
    state.alarm("W1", "chain.gap", "two")
    state.presence("W1", True)
    assert before["alarms"][0]["why"] == "one"
    assert before["fixtures"] == []
