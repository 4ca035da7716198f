"""The pages in a real Chromium: the same three answers as `meterseal_protocol.check`, in the installer's hand."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from registry.tests.conftest import BAD_PPM, METER, Office

from meterseal_protocol import qr
from meterseal_protocol.check import check
from meterseal_protocol.status import INVALID, SUSPENDED
from meterseal_protocol.trust import Trust

CHROMIUM = "/usr/bin/chromium"
SEED, FLIPS = 11, 30
PHONE, WALL = {"width": 390, "height": 844}, {"width": 1280, "height": 800}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; root needs --no-sandbox."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone with an English browser; errors on its console fail the test."""
    context = browser.new_context(viewport=PHONE, locale="en-GB")
    found = context.new_page()
    complaints: list[str] = []
    found.on("pageerror", lambda error: complaints.append(str(error)))
    found.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    yield found
    context.close()
    assert [line for line in complaints if "404" not in line] == []


def answer(page: Page, url: str) -> tuple[str, list[str]]:
    """(outcome, codes) that the page shows for an address."""
    page.goto("about:blank")
    page.goto(url)
    page.wait_for_selector("#answer[data-outcome]")
    codes = [str(one.get_attribute("data-code")) for one in page.query_selector_all(".reason")]
    return str(page.get_attribute("#answer", "data-outcome")), codes


def certificate(office: Office) -> bytes:
    """A granted meter's certificate."""
    office.offer(*office.run())
    raw = office.record.certificates.newest(METER)
    assert raw is not None
    return raw


def test_a_good_code_is_valid_on_a_phone_in_both_languages(
    office: Office, served: str, page: Page, tmp_path: Path
) -> None:
    """Design section 10: which of the three, and what to compare; Chinese and English."""
    url = qr.url(served, certificate(office), METER)
    assert answer(page, url) == ("valid", [])
    text = page.inner_text("main")
    assert "Valid" in text and METER in text and "DEMO keys" in text
    page.click("#language")
    assert "有效" in page.inner_text("#answer") and "演示" in page.inner_text("#answer")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.screenshot(path=tmp_path / "phone.png")
    page.set_viewport_size(WALL)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_another_territory_is_not_valid_with_the_reason(office: Office, served: str, page: Page) -> None:
    """33 is Zhejiang, 44 Guangdong (GB/T 2260)."""
    assert answer(page, qr.url(served, certificate(office), METER))[0] == "valid"
    for code, outcome in (("440300", "not_valid"), ("330110", "valid")):
        page.fill("#territory", code)
        page.click("#go")
        page.wait_for_selector(f"#answer[data-outcome={outcome}]")
    page.fill("#territory", "440300")
    page.click("#go")
    page.wait_for_selector(".reason[data-code='certificate.territory']")


def test_a_path_of_another_meter_is_not_valid(office: Office, served: str, page: Page) -> None:
    """Design section 10: identity comes only from the fragment; a path that differs is not valid."""
    url = qr.url(served, certificate(office), "DEMO.99999999")
    assert answer(page, url) == ("not_valid", ["certificate.other_meter"])


@pytest.mark.parametrize(
    "status, expected",
    [(INVALID, ("not_valid", ["status.invalid"])), (SUSPENDED, ("cannot_say", ["status.suspended"]))],
)
def test_a_withdrawn_or_suspended_certificate_is_not_a_yes(
    office: Office, served: str, page: Page, status: int, expected: tuple[str, list[str]]
) -> None:
    """Token Status List: 1 is invalid, 2 suspended."""
    url = qr.url(served, certificate(office), METER)
    office.record.certificates.store.set_status(0, status)
    assert answer(page, url) == expected


def test_page_and_pure_check_agree_on_changed_certificates(office: Office, served: str, page: Page) -> None:
    """Two implementations, one answer: for byte flips drawn from a seed the page says what check() says."""
    draw = random.Random(SEED)
    raw = certificate(office)
    trust = Trust.load(office.record.statuses.trust(office.tick(60)))
    for _ in range(FLIPS):
        changed = bytearray(raw)
        changed[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        expected = check(bytes(changed), trust, office.now_s, None, METER).outcome
        assert answer(page, qr.url(served, bytes(changed), METER))[0] == expected == "not_valid"


def test_the_other_spelling_of_the_signature_is_refused_here_too(
    office: Office, served: str, page: Page
) -> None:
    """decisions/0006: of (r, s) and (r, n - s) only the lower s is accepted."""
    raw = certificate(office)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    respelled = raw[:-32] + (order - int.from_bytes(raw[-32:], "big")).to_bytes(32, "big")
    assert answer(page, qr.url(served, respelled, METER)) == ("not_valid", ["certificate.signature"])


def test_without_a_fragment_the_public_record_is_shown(office: Office, served: str, page: Page) -> None:
    """A code that was torn off: no certificate, so no yes; but the record helps the person who asks."""
    office.offer(*office.run(BAD_PPM))
    outcome, _ = answer(page, f"{served}/m/DEMO/{METER.partition('.')[2]}")
    assert outcome == "cannot_say"
    assert "27000 ppm" in page.inner_text("#answer")


def test_the_fragment_never_leaves_the_phone(office: Office, served: str, page: Page) -> None:
    """Design section 10: the certificate is never sent to a server."""
    url = qr.url(served, certificate(office), METER)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    assert answer(page, url)[0] == "valid"
    fragment = url.partition("#")[2]
    sent = [address.partition("#")[0] for address in asked]
    assert asked and not any(fragment[:20] in address for address in sent)


def test_a_spreadsheet_is_answered_on_the_page(
    office: Office, served: str, page: Page, tmp_path: Path
) -> None:
    """Design section 2: a water or gas company with a spreadsheet of serials."""
    certificate(office)
    sheet = tmp_path / "meters.csv"
    sheet.write_text(f"meter\n{METER}\nDEMO.00000001\n", encoding="utf-8")
    page.goto(served)
    page.set_input_files("#file", sheet)
    page.click("#go")
    page.wait_for_selector("td.valid")
    assert [cell.inner_text() for cell in page.query_selector_all("tr td:nth-child(1)")] == [
        METER,
        "DEMO.00000001",
    ]
    assert len(page.query_selector_all("td.cannot_say")) == 1
