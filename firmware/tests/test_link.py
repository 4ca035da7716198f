"""The link's table and its refusals without a network; tests/cpython/test_link.py has the real broker."""

import asyncio
from array import array

from meterseal_fixture.link import DOWN, JOINING, NEXT, UP, Link, NotSent

STATES = (DOWN, JOINING, UP)
EVENTS = ("tried", "joined", "lost")
# The contract of the panel's `link` field, and design section 11: up only after the broker has accepted everything.
ALLOWED = {
    "down": {"tried": "joining"},
    "joining": {"joined": "up", "lost": "down"},
    "up": {"lost": "down"},
}


class Settings:
    host, port, site, fixture = "127.0.0.1", 1, "YUHANG1", "W1"

    def topic(self, end):
        return "ms/1/YUHANG1/W1/" + end


def test_every_pair_of_state_and_event_leads_where_the_design_says_or_nowhere():
    """Style rule 5: the expected table is written out above, all nine pairs."""
    walked = 0
    for state in STATES:
        for event in EVENTS:
            walked += 1
            assert NEXT.get((state, event)) == ALLOWED[state].get(event), (state, event)
    assert walked == 9 and len(NEXT) == 4


def test_a_link_begins_down_and_sends_nothing():
    """Design section 11: what cannot be sent is offered again, so the caller is told at once."""
    link = Link(Settings(), None, None)
    assert link.state == "down"
    try:
        asyncio.run(link.publish("ms/1/YUHANG1/W1/up", b"x"))
    except NotSent as why:
        assert why.code == "link.not_sent"
    else:
        raise AssertionError("it was sent")


def test_nobody_listening_is_logged_and_leaves_the_link_down():
    """Port 1 of loopback has no listener (connection refused, errno 111): down again, the reason in the log, and a
    cancelled link is down with nothing open.
    """
    heard = []
    link = Link(Settings(), None, lambda word, text: heard.append((word, text)))

    async def try_for_a_while():
        running = asyncio.create_task(link.run())
        while len(heard) < 2:
            await asyncio.sleep_ms(5)
        running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            return link.state

    assert asyncio.run(try_for_a_while()) == "down"
    for word, text in heard:
        assert word == "link" and "joining" in text and "111" in text


def test_identifiers_run_from_1_to_65535_and_begin_again():
    """MQTT 3.1.1 section 2.3.1: two bytes, never zero."""
    link = Link(Settings(), None, None)
    found = array("H", (link._next_identifier() for _ in range(65536)))
    assert found[0] == 1 and found[65534] == 65535 and found[65535] == 1
    assert min(found) == 1
