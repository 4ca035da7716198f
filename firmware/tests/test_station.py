"""The station's table: every pair of state and event, walked against the table drawn in the design."""

from meterseal_fixture import station
from meterseal_fixture.station import IDLE, NEXT, OPEN, PREPARING, RUNNING, SETTLING, OutOfOrder, step

STATES = (IDLE, PREPARING, OPEN, RUNNING, SETTLING)
EVENTS = (
    "order_accepted",
    "given_up",
    "attempt_signed",
    "flow_started",
    "counted",
    "abandoned",
    "result_signed",
)
# Design section 1 item 2: a signed attempt ends as result or abandoned, and in nothing else.
ALLOWED = {
    "idle": {"order_accepted": "preparing"},
    "preparing": {"given_up": "idle", "attempt_signed": "open"},
    "open": {"flow_started": "running", "abandoned": "idle"},
    "running": {"counted": "settling", "abandoned": "idle"},
    "settling": {"result_signed": "idle"},
}


def test_every_pair_of_state_and_event_leads_where_the_design_says_or_is_out_of_order():
    """Design section 1 item 2 and style rule 5: the expected table is written out above, all 35 pairs."""
    walked = 0
    for state in STATES:
        for event in EVENTS:
            walked += 1
            try:
                found = step(state, event)
            except OutOfOrder:
                found = None
            assert found == ALLOWED[state].get(event), (state, event, found)
    assert walked == 35


def test_after_the_attempt_only_a_result_or_an_abandonment_leads_back_to_idle():
    """Design section 1 item 2: pulling out is no way out. Read from the table: who reaches idle, and by what."""
    back = {(state, event) for (state, event), following in NEXT.items() if following == IDLE}
    expected = {
        (PREPARING, "given_up"),
        (OPEN, "abandoned"),
        (RUNNING, "abandoned"),
        (SETTLING, "result_signed"),
    }
    assert back == expected


def test_the_panel_sees_only_the_four_words_of_its_protocol():
    """The panel's contract: now is idle, open, running or settling."""
    assert sorted(set(station.SHOWN.values())) == ["idle", "open", "running", "settling"]
    assert sorted(station.SHOWN) == sorted(STATES)


def test_out_of_order_names_the_event_and_the_state():
    """Style rule 9: an error says what was wrong."""
    try:
        step(IDLE, "counted")
    except OutOfOrder as wrong:
        assert wrong.code == "station.out_of_order"
        assert "counted in idle" in str(wrong)
    else:
        raise AssertionError("counted in idle went through")
