"""Design section 1, idea 2: until a point is signed nobody is shown its error. Every address and every page is looked
at while a run goes on, and after it was broken off, for any number from which an error follows.

What could give one away are the fixture's own live line and the counts of an abandoned run: here both are full of
numbers that stand nowhere else.
"""

import re

import pytest
from edge.tests.batch import GOOD_PPM, Bench, seat
from edge.tests.conftest import Box
from edge.tests.planted import tells_before_signed
from edge.tests.screen import DESK, Screen, Visit, answer
from playwright.sync_api import Browser, expect

from meterseal_wire import kinds

COUNTS, TICKS, ERROR_PPM = 73_911, 73_912_345, 73_913
GIVEN_AWAY = re.compile("7391[123]")
CHATTY = {
    "now": "running",
    "point": 2,
    "of": 3,
    "pending": 1,
    "error_ppm": ERROR_PPM,
    "positions": [
        {"position": 1, "state": "counting", "counts": COUNTS, "ticks": TICKS, "error_ppm": ERROR_PPM},
        {"position": 2, "state": "done", "errors": [ERROR_PPM], "passed": True},
    ],
}


def told_early(screen: Screen, identity: str) -> list[str]:
    """Addresses at which something is given away."""
    paths = (
        "/api/summary",
        "/api/runs",
        f"/api/run/{identity}",
        f"/api/run/{identity}/curves",
        f"/run/{identity}",
    )
    return [path for path in paths if GIVEN_AWAY.search(answer(screen, path).text)]


def broken_off(screen: Screen) -> str:
    """A run in the middle of its points, whose fixture tells more than it should, and that is then abandoned."""
    bench = Bench(screen.box)
    attempt = bench.attempt([seat(1), seat(2)])
    screen.box.state.live("W1", CHATTY)
    bench.offer(bench.fixture.abandoned(kinds.OPERATOR, (1, 1), [[1, COUNTS, TICKS], [2, COUNTS, TICKS]]))
    return attempt.identity.hex()


def test_no_address_tells_an_error_before_it_is_signed(box: Box) -> None:
    """The promise, for a run that goes on and for one that was broken off."""
    screen = Screen(box)
    bench = Bench(box, "G1")
    running = bench.attempt([seat(1)]).identity.hex()
    box.state.live("G1", CHATTY)
    assert told_early(screen, running) == []
    assert told_early(screen, broken_off(screen)) == []


@pytest.mark.parametrize("name", tells_before_signed.NAMES)
def test_a_page_that_tells_is_found(box: Box, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted bugs: each must turn the test above red."""
    tells_before_signed.apply(name, monkeypatch)
    screen = Screen(box)
    assert told_early(screen, broken_off(screen)) != []


def test_neither_figures_nor_outcomes_are_in_an_open_runs_answer(box: Box) -> None:
    """Not even an empty shell of them: no point, no curve, no outcome, no reason, no lack."""
    identity = Bench(box).attempt([seat(1), seat(2)]).identity.hex()
    screen = Screen(box)
    run = answer(screen, f"/api/run/{identity}").json()
    assert run["state"] == "open"
    for meter in run["seats"]:
        assert (meter["points"], meter["curve"], meter["reasons"], meter["lacks"]) == ([], [], [], [])
        assert (meter["outcome"], meter["largest_ppm"], meter["end"]) == (None, None, None)
    assert answer(screen, f"/api/run/{identity}/curves").json()["positions"] == []


def test_the_pages_draw_nothing_before_and_everything_after(box: Box, browser: Browser) -> None:
    """In Chromium: no curve, no chart and no verdict while the run goes on; all of them once it is signed, and by
    itself.
    """
    screen = Screen(box)
    bench = Bench(box)
    seats = [seat(1), seat(2)]
    identity = bench.attempt(seats).identity.hex()
    box.state.presence("W1", True)
    box.state.live("W1", CHATTY)
    screen.start()
    live, run = Visit(browser, DESK), Visit(browser, DESK)
    live.page.goto(screen.url)
    run.page.goto(f"{screen.url}/run/{identity}")
    expect(run.page.locator("#chain")).to_contain_text("no error is shown before it is signed")
    expect(live.bench("W1").locator(".progress")).to_contain_text("42 L/h")
    for page in (live.page, run.page):
        assert not GIVEN_AWAY.search(page.content())
        expect(page.locator(".spark, canvas, .outcome.passed, .outcome.failed, .chip.passed")).to_have_count(
            0
        )
    bench.offer(bench.fixture.result(seats))
    expect(live.bench("W1").locator(".spark")).to_have_count(2)
    expect(run.page.locator("canvas")).to_have_count(2)
    expect(run.page.locator(".chip.passed")).to_have_count(2)
    expect(run.page.locator("td.error").first).to_have_text("−0.3000 %")
    assert [visit.said for visit in (live, run)] == [[], []]
    live.context.close()
    run.context.close()
    screen.stop()
    assert GOOD_PPM[0] == -3_000
