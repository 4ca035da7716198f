"""Pictures of the pages on which people log in and sign: `python -m edge.tests.people_screenshots FOLDER`.

As screenshots.py: a real run, two real people, one of whom has signed; nothing is painted.
"""

import sys
import tempfile
from contextlib import closing
from pathlib import Path

from edge.tests.batch import BAD_PPM, GOOD_PPM
from edge.tests.conftest import Box
from edge.tests.office import ALL_ROLES, Office
from edge.tests.test_people_browser import DESK, PHONE, Seat
from playwright.sync_api import Browser, expect, sync_playwright

NAMES = {"zh desk": ("李伟", "王芳"), "zh phone": ("张敏", "刘洋")}
NAMES |= {"en desk": ("Li Wei", "Wang Fang"), "en phone": ("Zhang Min", "Liu Yang")}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
SIZES = {"desk": DESK, "phone": PHONE}


def take(browser: Browser, office: Office, folder: Path, locale: str, size: str) -> None:
    """Account page and panel of one checker, in one language and size."""
    attempt, _ = office.bench.run(GOOD_PPM, GOOD_PPM, BAD_PPM)
    sheet = office.sheet(attempt.identity)
    verifier, checker = NAMES[f"{locale} {size}"]
    first = office.equip(verifier, "verifier")
    office.desk.sayings.take_signoff(first.account, sheet, first.signs(sheet.rows, 1))
    seat = Seat(browser, office, LOCALES[locale], SIZES[size])
    person = office.hire(checker, "checker", "engineer")
    seat.log_in(person)
    office.grant(seat.make_key(person).cose, ALL_ROLES)
    seat.page.reload()
    expect(seat.page.locator("#me")).to_be_visible()
    seat.page.screenshot(path=folder / f"edge-people-{size}-{locale}.png")
    seat.open_run(attempt.identity)
    seat.page.locator("#sign").scroll_into_view_if_needed()
    seat.page.evaluate("document.querySelector('#sign').scrollIntoView()")
    seat.page.screenshot(path=folder / f"edge-sign-{size}-{locale}.png")
    seat.context.close()


def main() -> None:
    """Into the folder that is the only argument."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        with closing(Office(Box(Path(place)))) as office, office.served():
            for locale in LOCALES:
                for size in SIZES:
                    take(browser, office, folder, locale, size)
        browser.close()


if __name__ == "__main__":
    main()
