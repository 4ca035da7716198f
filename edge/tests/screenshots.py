"""Pictures of the edge's pages for the documentation: `python -m edge.tests.screenshots FOLDER`.

What is on them is signed by model fixtures and goes through a whole edge; nothing is painted. The machine needs
Chromium at /usr/bin/chromium and a font with Chinese characters.
"""

import sys
import tempfile
from pathlib import Path

from edge.tests.batch import Bench, seat
from edge.tests.conftest import Box
from edge.tests.screen import DESK, ERRORS, LANGUAGES, PHONE, Screen, Visit, second_water_bench
from playwright.sync_api import Browser, expect, sync_playwright

from meterseal_wire import kinds

SIZES = {"desk": DESK, "phone": PHONE}


def scene(screen: Screen) -> dict[str, str]:
    """A bench that has signed, one that runs, one in training, an alarm; paths of the pages by name."""
    box = screen.box
    second_water_bench(box)
    second_water_bench(box, "W3")
    second_water_bench(box, "W4")
    screen.present()
    box.state.registry(True)
    cut = Bench(box, "W3")
    cut.attempt([seat(1), seat(2)])
    cut.offer(cut.fixture.boot())
    signed = screen.signed_run("W1")
    box.store.enter([(leaf, b"receipt") for leaf in range(4)])
    screen.open_run("W2")
    lesson = screen.signed_run("W4", ERRORS[:2], mode=kinds.TRAINING)
    box.state.alarm("W3", "chain.gap", "3/4 came, and 3/2 is held: 3/3 is missing")
    run, training = f"/run/{signed}", f"/run/{lesson}"
    return {
        "live": "/",
        "runs": "/runs",
        "run": f"{run}#chain",
        "evidence": f"{run}#evidence",
        "training": training,
    }


def take(browser: Browser, screen: Screen, pages: dict[str, str], folder: Path) -> None:
    """Every page in both languages and both sizes, as much of it as the window shows."""
    for language in LANGUAGES:
        for name, size in SIZES.items():
            visit = Visit(browser, size, language)
            for page, path in pages.items():
                where, _, part = path.partition("#")
                visit.page.goto(screen.url + where)
                expect(visit.page.locator(".spark, .runs, canvas").first).to_be_visible()
                if part:
                    visit.page.evaluate(f"document.querySelector('#{part}').scrollIntoView()")
                visit.page.screenshot(path=folder / f"edge-{page}-{name}-{language[:2]}.png")
            if visit.said:
                print("\n".join(visit.said), file=sys.stderr)
            visit.context.close()


def main() -> None:
    """Into the folder that is the only argument."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        screen = Screen(Box(Path(place)))
        screen.start()
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        take(browser, screen, scene(screen), folder)
        browser.close()
        screen.stop()


if __name__ == "__main__":
    main()
