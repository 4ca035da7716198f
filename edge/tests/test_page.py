"""The live page in a real Chromium: it follows what happens, in both languages, on a desk and on a phone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from edge.tests.conftest import Box
from edge.tests.screen import DESK, PHONE, STATES, Screen, Visit
from edge.tests.site import wait_until
from playwright.sync_api import Browser, expect

from meterseal_edge.errors import StoreFailed
from meterseal_edge.pages import app
from meterseal_edge.pages.statics import HEADERS


@pytest.fixture
def screen(box: Box) -> Iterator[Screen]:
    """A page that is served."""
    found = Screen(box)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """An English visitor at a desk."""
    found = Visit(browser, DESK)
    yield found
    found.context.close()


def test_counts_and_fixtures_appear_as_they_happen(screen: Screen, visit: Visit) -> None:
    """Design section 11: the live page; nothing is reloaded, each change comes as an event."""
    visit.page.goto(screen.url)
    expect(visit.tile("durable")).to_have_text("0")
    expect(visit.page.get_by_text("No fixture has reported yet.")).to_be_visible()
    screen.busy()
    expect(visit.tile("durable")).to_have_text("3")
    expect(visit.tile("waiting")).to_have_text("3")
    expect(visit.tile("quarantined")).to_have_text("1")
    water, gas = visit.bench("W1"), visit.bench("G1")
    expect(water.locator("h2")).to_contain_text("online")
    expect(water.locator("h2")).to_contain_text("running")
    expect(water.locator(".progress")).to_have_text("flow – · flow point 2/3")  # the plan has one flow
    expect(gas.locator("h2")).to_contain_text("offline")
    screen.box.store.enter([(0, b"receipt"), (1, b"receipt")])
    screen.box.state.registry(True)
    expect(visit.tile("entered")).to_have_text("2")
    expect(visit.tile("waiting")).to_have_text("1")
    expect(visit.page.locator("#links")).to_contain_text("Registry up")
    assert visit.said == []


def test_each_position_shows_its_state_and_the_meter_that_hangs_there(screen: Screen, visit: Visit) -> None:
    """CONTRACT, panel: positions and states; the meter is the attempt's."""
    screen.busy()
    visit.page.goto(screen.url)
    places = visit.bench("W1").locator(".positions li")
    expect(places).to_have_count(8)
    for number, state in enumerate(STATES):
        expect(places.nth(number)).to_contain_text(state)
        expect(places.nth(number).locator(".meter")).to_have_text(f"DEMO.{12345671 + number}")
        expect(places.nth(number)).to_have_class(state)


def test_a_word_that_the_page_does_not_know_is_shown_as_it_is_and_marked(
    screen: Screen, visit: Visit
) -> None:
    """A newer fixture may say more than an older page knows; nobody may overlook it."""
    screen.box.state.presence("W1", True)
    screen.box.state.live("W1", {"positions": [{"position": 1, "state": "<b>odd</b>"}]})
    visit.page.goto(screen.url)
    place = visit.bench("W1").locator(".positions li")
    expect(place).to_contain_text("<b>odd</b>")
    expect(place).to_have_class("bad")


def test_the_language_is_the_visitors_and_can_be_switched_and_stays(screen: Screen, browser: Browser) -> None:
    """House rule: Chinese and English for what operators read."""
    screen.busy()
    visit = Visit(browser, DESK, "zh-CN")
    visit.page.goto(screen.url)
    expect(visit.page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(visit.page.locator("#alarms-title")).to_have_text("告警")
    expect(visit.bench("W1")).to_contain_text("检定中")
    visit.page.locator("#language").click()
    expect(visit.page.locator("#alarms-title")).to_have_text("Alarms")
    expect(visit.bench("W1")).to_contain_text("running")
    visit.page.reload()
    expect(visit.page.locator("html")).to_have_attribute("lang", "en")
    assert visit.said == []
    visit.context.close()


def test_both_languages_have_the_same_words(screen: Screen, visit: Visit) -> None:
    """A word that one language lacks would read `undefined`."""
    visit.page.goto(screen.url)
    keys = visit.page.evaluate(
        "Object.entries(WORDS).map(([name, words]) => [name, Object.keys(words).sort()])"
    )
    [(_, chinese), (_, english)] = keys
    assert chinese == english
    assert len(chinese) > 30
    empty = visit.page.evaluate(
        "Object.values(WORDS).flatMap((w) => Object.values(w)).filter((text) => !text.trim())"
    )
    assert empty == []


def test_every_code_that_the_edge_can_raise_is_explained_in_both_languages(
    screen: Screen, visit: Visit
) -> None:
    """House rule: Chinese and English for what operators read. The codes are those written in the edge's source."""
    visit.page.goto(screen.url)
    known = visit.page.evaluate("CODES")
    assert all(len(texts) == 2 and all(text.strip() for text in texts) for texts in known.values())
    source = "".join(path.read_text("utf-8") for path in Path(app.__file__).parent.parent.glob("*.py"))
    raised = set(re.findall(r'"(edge\.[a-z]+)"', source)) - {"edge.settings", "edge.sqlite"}
    assert len(raised) > 8
    assert raised | {"chain.gap", "chain.fork", "verify", "wire"} <= set(known)
    screen.box.state.alarm("W1", "wire.truncated", "at byte 7")
    expect(visit.page.locator("#alarms tbody tr")).to_contain_text("Damaged bytes; quarantined.")


def test_alarms_are_newest_first_counted_and_told_once(screen: Screen, visit: Visit) -> None:
    """Design section 13: the operator sees it. A screen reader says a live region again only when it changed."""
    screen.busy()
    visit.page.goto(screen.url)
    rows = visit.page.locator("#alarms tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("chain.fork")
    expect(rows.nth(1)).to_contain_text("edge.registry")
    expect(rows.nth(1).locator(".times")).to_have_text("3")
    visit.page.evaluate("document.querySelector('#alarms tbody tr').id = 'same'")
    screen.box.state.beacon(18, 1_790_000_001)
    expect(visit.page.locator("#links")).to_contain_text("Beacon 18")
    expect(visit.page.locator("#same")).to_have_count(1)


def test_when_the_server_goes_the_page_says_so_and_when_it_comes_back_it_goes_on(
    screen: Screen, visit: Visit
) -> None:
    """An operator must never take an old picture for the present one; fixtures keep what was not acknowledged."""
    screen.busy()
    visit.page.goto(screen.url)
    banner = visit.page.locator("#lost")
    expect(visit.tile("durable")).to_have_text("3")
    expect(banner).to_be_hidden()
    screen.stop()
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("connection to the edge is lost")
    visit.page.locator("#language").click()
    expect(banner).to_contain_text("连接已断开")
    screen.box.state.beacon(99, 1_790_000_099)
    screen.start()
    expect(banner).to_be_hidden(timeout=15_000)
    expect(visit.page.locator("#links")).to_contain_text("99")


def test_a_store_that_fails_is_said_in_the_banner_and_by_dashes(
    screen: Screen, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design section 13: store damaged: says so on its page. A count that cannot be read is not shown as a number."""

    def damaged() -> tuple[int, int, int]:
        raise StoreFailed("the store cannot be read")

    visit.page.goto(screen.url)
    expect(visit.tile("durable")).to_have_text("0")
    monkeypatch.setattr(screen.box.store, "counts", damaged)
    screen.box.state.accepting(False)
    expect(visit.page.locator("#lost")).to_contain_text("acknowledging has stopped")
    expect(visit.tile("durable")).to_have_text("–")
    assert httpx.get(f"{screen.url}/api/summary").json()["durable"] is None
    assert httpx.get(f"{screen.url}/readyz").status_code == 503


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_nothing_is_wider_than_the_screen(
    screen: Screen, browser: Browser, size: Any, language: str, tmp_path: Path
) -> None:
    """WCAG 2.2, 1.4.10: content reflows without scrolling in two dimensions. The picture lies in pytest's folder."""
    screen.busy()
    long = "a" * 120
    screen.box.state.alarm("W1", "wire.trailing", f"an alarm with a word that nobody can break: {long}")
    visit = Visit(browser, size, language)
    visit.page.goto(screen.url)
    expect(visit.bench("W1").locator(".positions li")).to_have_count(8)
    wide = visit.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    visit.page.screenshot(path=tmp_path / f"edge-{language}-{size['width']}.png", full_page=True)
    assert wide[0] == wide[1] == size["width"]
    cut = visit.page.evaluate(
        "[...document.querySelectorAll('.tile, .positions li, .chip')]"
        ".filter((e) => e.scrollWidth > e.clientWidth + 1).length"
    )
    assert cut == 0
    assert visit.said == []
    visit.context.close()


def test_the_policy_allows_nothing_from_elsewhere_and_nothing_inline(screen: Screen, visit: Visit) -> None:
    """CSP 3: default-src 'self' without 'unsafe-inline'. The page works under it, and an injected script does not."""
    visit.page.goto(screen.url)
    expect(visit.tile("durable")).to_have_text("0")
    assert visit.said == []
    visit.page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.evil = 1'; document.body.append(s)"
    )
    assert visit.page.evaluate("window.evil") is None
    wait_until(lambda: any("Content Security Policy" in text for text in visit.said), "the refusal")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/live.css",
        "/live.js",
        "/words.js",
        "/icon.svg",
        "/api/summary",
        "/checkpoint",
        "/runs",
        "/api/runs",
    ],
)
def test_every_answer_carries_the_headers(screen: Screen, path: str) -> None:
    """OWASP secure headers: CSP, nosniff; and no-store, since the page is the present."""
    answer = httpx.get(screen.url + path)
    assert answer.status_code == 200
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


def test_the_event_stream_begins_with_the_present_and_tells_changes(screen: Screen) -> None:
    """WHATWG HTML section 9.2.6: `data:` lines, ended by an empty one."""
    with httpx.stream("GET", f"{screen.url}/events", timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        first = json.loads(next(lines).removeprefix("data: "))
        screen.box.state.alarm("W1", "chain.gap", "缺号")
        second = json.loads(next(lines).removeprefix("data: "))
    assert (first["alarms"], second["alarms"][0]["why"]) == ([], "缺号")
    assert first["durable"] == second["durable"] == 0


def test_receipts_that_come_without_a_word_are_told_at_the_next_beat(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outbox enters receipts beside the state: who looks must not see an old count for ever; and where nothing
    differs a beat is enough.
    """
    monkeypatch.setattr(app, "HEARTBEAT_TICKS", 2)
    screen.busy()
    with httpx.stream("GET", f"{screen.url}/events", timeout=20) as found:
        lines = (line for line in found.iter_lines() if line.startswith(("data: ", "event: ")))
        assert next(line for line in lines if '"entered": 0' in line)
        assert next(line for line in lines if line == "event: beat")
        screen.box.store.enter([(0, b"receipt")])
        assert next(line for line in lines if '"entered": 1' in line)


def test_the_summary_has_what_machines_ask_for(screen: Screen) -> None:
    """CONTRACT, /api/summary: durable, entered, quarantined, fixtures with epoch, seq and last time."""
    screen.busy()
    found = httpx.get(f"{screen.url}/api/summary").json()
    assert (found["durable"], found["entered"], found["quarantined"]) == (3, 0, 1)
    assert [(f["fixture"], f["epoch"], f["seq"]) for f in found["fixtures"]] == [("G1", 1, 0), ("W1", 1, 1)]
    assert all(f["last_s"] > 1_700_000_000 for f in found["fixtures"])
