"""The pages of runs in a real Chromium: what is drawn, in both languages, on a wall and on a phone, and for everybody
(axe-core on every page).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from edge.tests.batch import BAD_PPM, GOOD_PPM, Bench, seat
from edge.tests.conftest import Box
from edge.tests.screen import DESK, ERRORS, LANGUAGES, PHONE, Screen, Visit, second_water_bench
from playwright.sync_api import Browser, expect

from meterseal_edge.runs.views import not_known
from meterseal_protocol.testing.runs import Seat
from meterseal_wire import kinds

LONG = "9" * 43  # with the maker 48 characters, the longest meter id (kinds.METER_ID)


@dataclass
class Scene:
    """Pages with a run of every kind; paths by name."""

    screen: Screen
    paths: dict[str, str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One edge for all looks: signed, running, abandoned, in training, and one with a silent meter."""
    screen = Screen(Box(tmp_path_factory.mktemp("edge")))
    box = screen.box
    for name in ("W2", "W3", "W4"):
        second_water_bench(box, name)
    screen.present()
    signed = screen.signed_run("W1", ERRORS, tenant="TENANT-ONE-LONG1")
    box.state.alarm("W2", "chain.fork", "1/2 contradicts the chain that is held up to 1/4: stop this fixture")
    opened = screen.open_run("W2")
    lesson = screen.signed_run("W4", [BAD_PPM, GOOD_PPM], mode=kinds.TRAINING)
    bench = Bench(box, "W3")
    seats = [seat(1), Seat(2, LONG, silent=True, ended=kinds.SILENT)]
    mixed = bench.attempt(seats, tenant="T2")
    bench.offer(bench.fixture.result(seats))
    cut = bench.attempt([seat(3)])
    bench.offer(bench.fixture.abandoned(kinds.NO_FLOW, (1, 3)))
    ids = {"signed": signed, "open": opened, "training": lesson, "mixed": mixed.identity.hex()}
    paths = {name: f"/run/{identity}" for name, identity in ids.items()}
    paths |= {"abandoned": f"/run/{cut.identity.hex()}", "missing": f"/run/{'0' * 64}"}
    screen.start()
    yield Scene(screen, {"live": "/", "runs": "/runs", **paths})
    screen.stop()


PAGES = ("live", "runs", "signed", "open", "training", "mixed", "abandoned", "missing")


def opened(browser: Browser, scene: Scene, name: str, size: Any = None, language: str = "en-GB") -> Visit:
    """A page with everything on it."""
    visit = Visit(browser, size or DESK, language)
    visit.page.goto(scene.screen.url + scene.paths[name])
    shown = {"live": ".positions", "runs": "table.runs", "missing": "#lost:not([hidden])"}
    expect(visit.page.locator(shown.get(name, "table.meters")).first).to_be_visible()
    if name in {"signed", "training"}:
        expect(visit.page.locator("canvas").first).to_be_visible()
    if name == "live":
        expect(visit.page.locator(".spark")).not_to_have_count(0)
    return visit


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_fits_the_wall_and_the_phone_and_axe_finds_nothing(
    browser: Browser, scene: Scene, name: str, language: str
) -> None:
    """WCAG 2.2, 1.4.10: nothing is wider than the screen. axe-core's rules (A, AA, best practice): names, contrast,
    order, roles, language. And the browser has nothing to complain of, its policy included.
    """
    visit = opened(browser, scene, name, DESK, language)
    assert visit.wide() == [1280, 1280]
    visit.page.set_viewport_size(PHONE)
    assert visit.wide() == [390, 390]
    found = Axe().run(visit.page).response["violations"]
    assert [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found] == []
    assert [text for text in visit.said if "404" not in text] == []
    assert "undefined" not in visit.page.inner_text("body")
    visit.context.close()


@pytest.mark.parametrize("name", ["live", "runs", "signed", "training"])
def test_axe_finds_nothing_in_the_dark_on_a_wall(browser: Browser, scene: Scene, name: str) -> None:
    """The other set of colours; a screen in a hall is often dark."""
    visit = Visit(browser, DESK, "zh-CN", "dark")
    visit.page.goto(scene.screen.url + scene.paths[name])
    expect(visit.page.locator(".spark, table.runs, canvas").first).to_be_visible()
    found = Axe().run(visit.page).response["violations"]
    assert [(one["id"], [node["html"][:160] for node in one["nodes"]]) for one in found] == []
    visit.context.close()


def test_runs_without_all_signatures_are_listed_by_a_tick(browser: Browser, scene: Scene) -> None:
    """Issue 6, point 7; an edge that knows nobody's signatures finds none, and the address can be kept."""
    views = scene.screen.views
    visit = opened(browser, scene, "runs")
    rows = visit.page.locator("table.runs tbody tr")
    expect(rows).to_have_count(5)
    visit.page.get_by_label("sign-offs missing").check()
    expect(visit.page.locator("#list")).to_have_text("No such run.")
    views.signed = lambda _result: [kinds.VERIFIER]
    visit.page.goto(f"{scene.screen.url}/runs?lacks=signoff")
    expect(rows).to_have_count(2)
    expect(rows.first.locator(".missing")).to_contain_text("checker, approver")
    views.signed = not_known
    visit.context.close()


def test_axe_would_find_a_name_that_is_missing(browser: Browser, scene: Scene) -> None:
    """A checker that finds nothing must be able to find something: a button without a name, ink like paper."""
    visit = opened(browser, scene, "runs")
    visit.page.evaluate("document.querySelector('#find').textContent = ''")
    visit.page.evaluate("document.querySelector('#list-title').style.color = '#eee'")
    found = {one["id"] for one in Axe().run(visit.page).response["violations"]}
    assert {"button-name", "color-contrast"} <= found
    visit.context.close()


def test_all_benches_are_seen_at_a_glance_and_a_tile_leads_to_its_card(
    browser: Browser, scene: Scene
) -> None:
    """Issue 6: forty benches, people who walk by: what needs somebody stands on the tile, no more."""
    visit = opened(browser, scene, "live")
    tiles = visit.page.locator("#overview .bench-tile")
    expect(tiles.locator("b")).to_have_text(["W1", "W2", "W3", "W4"])
    expect(tiles.nth(0)).to_contain_text("1 failed")
    expect(tiles.nth(1)).to_contain_text("running 2/3")
    expect(tiles.nth(3)).to_contain_text("培训 TRAINING")
    expect(tiles.nth(3)).not_to_contain_text("failed")
    tiles.nth(3).click()
    assert visit.page.evaluate("document.activeElement.id") == "bench-W4"
    visit.context.close()


def test_the_list_leads_to_a_run_and_finds_a_meter(browser: Browser, scene: Scene) -> None:
    """Issue 6, point 7: batch list, batch page."""
    visit = opened(browser, scene, "runs")
    rows = visit.page.locator("table.runs tbody tr")
    expect(rows).to_have_count(5)
    visit.page.get_by_label("meter", exact=True).fill(f"DEMO.{LONG}")
    visit.page.get_by_role("button", name="Find").click()
    expect(rows).to_have_count(1)
    visit.page.get_by_label("tenant").select_option("TENANT-ONE-LONG1")
    expect(visit.page.locator("#list")).to_contain_text("No such run.")
    visit.page.get_by_label("meter", exact=True).fill("")
    visit.page.get_by_role("button", name="Find").click()
    expect(rows).to_have_count(1)
    rows.locator("a").click()
    expect(visit.page.locator("#facts")).to_contain_text("TENANT-ONE-LONG1")
    visit.context.close()


def test_a_meter_is_chosen_and_all_its_evidence_drawn(browser: Browser, scene: Scene) -> None:
    """The failed meter comes first; another is a click away, by keyboard too, and the focus goes where it is shown."""
    visit = opened(browser, scene, "signed")
    page = visit.page
    expect(page.locator("#evidence-title")).to_contain_text("DEMO.12345673")
    expect(page.locator("#evidence tr.outside")).to_have_count(1)
    page.get_by_role("button", name="DEMO.12345675").press("Enter")
    expect(page.locator("#evidence-title")).to_contain_text("DEMO.12345675")
    expect(page.locator("#evidence td.error")).to_have_text(["+1.5400 %", "+1.1000 %", "−4.1000 %"])
    expect(page.locator("#evidence td.limit")).to_have_text(["± 2.0000 %", "± 2.0000 %", "± 5.0000 %"])
    expect(page.locator("#evidence .strip li b")).to_have_text(["1", "2", "3"])
    expect(page.locator("#evidence code.hex")).to_have_count(2)
    expect(page.locator("#chain .link")).to_have_count(2)
    expect(page.locator("#chain")).to_contain_text("joins the one before")
    assert page.evaluate("document.activeElement.id") == "evidence"
    visit.context.close()


def test_failed_meters_stand_in_the_notice_and_no_others(browser: Browser, scene: Scene) -> None:
    """检定结果通知书: which meter, why, and what to do."""
    visit = opened(browser, scene, "signed", language="zh-CN")
    notice = visit.page.locator("#notice")
    expect(notice.locator("h3")).to_have_text(["表位 3 · DEMO.12345673"])
    expect(notice).to_contain_text("检定结果通知书")
    expect(notice).to_contain_text("25000 ppm")
    expect(notice).to_contain_text("该表不合格")
    visit.context.close()


def test_a_silent_meter_says_why_it_has_no_points(browser: Browser, scene: Scene) -> None:
    """Design section 13: meter silent: position marked, operator told, others go on."""
    visit = opened(browser, scene, "mixed")
    row = visit.page.locator('#meters tr[data-position="2"]')
    expect(row).to_contain_text("silent")
    expect(visit.page.locator('#meters tr[data-position="1"]')).to_contain_text("passed")
    row.locator("button").click()
    expect(visit.page.locator("#evidence")).to_contain_text("There is no signed point.")
    visit.context.close()


@pytest.mark.parametrize("name", ["live", "training"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_training_cannot_be_taken_for_anything_else(
    browser: Browser, scene: Scene, name: str, language: str
) -> None:
    """Striped, in both languages at once whatever the page speaks, and without a verdict."""
    visit = opened(browser, scene, name, language=language)
    home = visit.bench("W4") if name == "live" else visit.page.locator("body")
    banner = home.locator(".training").first
    expect(banner).to_contain_text("培训 TRAINING")
    assert "repeating-linear-gradient" in banner.evaluate("e => getComputedStyle(e).backgroundImage")
    expect(
        home.locator(".outcome.passed, .outcome.failed, .chip.passed, .chip.failed, .spark")
    ).to_have_count(0)
    expect(home.locator("#notice:not([hidden]), tr.outside")).to_have_count(0)
    visit.context.close()


def test_a_bench_that_is_not_theirs_is_shown_as_busy(browser: Browser, box: Box) -> None:
    """Tenant view: four counts of their own runs, their bench whole, the other one by name alone."""
    second_water_bench(box)

    class OfT1:
        def sees(self, tenant: str) -> bool:
            return tenant == "T1"

    screen = Screen(box, viewer=lambda _request: OfT1())
    screen.signed_run("W1", [GOOD_PPM], tenant="T1")
    screen.open_run("W2", tenant="T2")
    screen.start()
    visit = Visit(browser, DESK)
    visit.page.goto(screen.url)
    expect(visit.tile("runs_signed")).to_have_text("1")
    expect(visit.tile("runs_open")).to_have_text("0")
    expect(visit.tile("durable")).to_have_count(0)
    expect(visit.bench("W2")).to_contain_text("Works for another tenant.")
    expect(visit.bench("W1").locator(".spark")).to_have_count(1)
    assert visit.said == []
    visit.context.close()
    screen.stop()


def test_the_age_of_a_queue_that_stands_still_grows_on_the_screen(browser: Browser, box: Box) -> None:
    """A queue that nothing moves sends no event: it must grow older before the operator's eyes all the same."""
    screen = Screen(box)
    screen.open_run("W1")
    screen.start()
    visit = Visit(browser, DESK)
    visit.page.clock.install()
    visit.page.goto(screen.url)
    expect(visit.bench("W1").locator("dl")).to_contain_text("≤")
    visit.page.clock.fast_forward(20_000)  # less than what makes the page doubt the line
    expect(visit.bench("W1").locator("dl")).to_contain_text(re.compile("≤ [23][0-9] s"))
    visit.context.close()
    screen.stop()


def test_a_percent_is_the_whole_ppm_and_fewer_digits_round_away_from_zero(
    browser: Browser, scene: Scene
) -> None:
    """Design section 5: ppm rounded half away from zero, to be shown; a half at the second digit goes outwards too."""
    visit = opened(browser, scene, "runs")
    shown = visit.page.evaluate(
        "[[12345, 4], [-12345, 4], [0, 4], [-3, 4], [12350, 2], [-12350, 2], [12349, 2], [-49, 2], [null, 4]]"
        ".map(([ppm, digits]) => percent(ppm, digits))"
    )
    assert shown == [
        "+1.2345 %",
        "−1.2345 %",
        "0.0000 %",
        "−0.0003 %",
        "+1.24 %",
        "−1.24 %",
        "+1.23 %",
        "0.00 %",
        "–",
    ]
    assert visit.page.evaluate("[2500000, 26250, 1, 0].map(flow)") == [
        "2500 L/h",
        "26.25 L/h",
        "0.001 L/h",
        "0 L/h",
    ]
    visit.context.close()
