"""The pages in a real Chromium: the same three answers as `meterseal_protocol.check`, in the installer's hand."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright
from registry.tests.conftest import BAD_PPM, METER, Office, serving

from meterseal_protocol import qr
from meterseal_protocol.certificate import issue, read
from meterseal_protocol.check import check, compare
from meterseal_protocol.errors import BadCode
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.status import INVALID, SUSPENDED, Validity, publish
from meterseal_protocol.trust import Trust
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import cose_key
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split
from meterseal_wire.statement import Author, seal
from meterseal_wire.suites import ED25519, SM2

CHROMIUM = "/usr/bin/chromium"
SEED, FLIPS = 11, 40
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
    # A record that is not there is an answer, and Chromium's console calls every 404 and 503 an error.
    assert [line for line in complaints if not line.startswith("Failed to load resource: the server")] == []


def answer(page: Page, url: str) -> tuple[str, list[str]]:
    """(outcome, codes) that the page shows for an address."""
    page.goto("about:blank")
    page.goto(url)
    return shown(page)


# Setting the same fragment again is no change of the address, so then the event is sent by hand.
SCAN = """fragment => {
  document.getElementById("answer").removeAttribute("data-outcome");
  if (location.hash === fragment) window.dispatchEvent(new Event("hashchange")); else location.hash = fragment;
}"""


def next_answer(page: Page, url: str) -> tuple[str, list[str]]:
    """The same for another fragment on the open page, as when a second code is scanned."""
    page.evaluate(SCAN, "#" + url.partition("#")[2])
    return shown(page)


def shown(page: Page) -> tuple[str, list[str]]:
    """(outcome, codes) once the page has an answer."""
    page.wait_for_selector("#answer[data-outcome]")
    codes = [str(one.get_attribute("data-code")) for one in page.query_selector_all(".reason")]
    return str(page.get_attribute("#answer", "data-outcome")), codes


def certificate(office: Office) -> bytes:
    """A granted meter's certificate."""
    office.offer(*office.run())
    raw = office.record.certificates.newest(METER)
    assert raw is not None
    return raw


@pytest.mark.parametrize("size", [PHONE, WALL])
def test_a_good_code_is_valid_in_both_languages(
    office: Office, served: str, page: Page, size: dict[str, int]
) -> None:
    """Design section 10: which of the three, and what to compare, in Chinese and English; nothing to scroll aside."""
    page.set_viewport_size(size)  # type: ignore[arg-type]
    assert answer(page, qr.url(served, certificate(office), METER)) == ("valid", [])
    words = {
        "en-GB": ("Valid", "DEMO keys", "The seal is whole", "at least 0.130 m³", "territory 33"),
        "zh-CN": ("有效", "演示密钥", "封印完好", "不低于 0.130 m³", "适用地区 33"),
    }
    for language in ("en-GB", "zh-CN"):
        text = page.inner_text("#answer")
        assert METER in text and all(word in text for word in words[language])
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.click("#language")
    page.reload()
    page.wait_for_selector("#answer[data-outcome=valid]")
    assert "Valid" in page.inner_text("#answer")  # the choice of language is kept


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
    page.goto(qr.url(served, raw, METER))
    assert shown(page) == ("valid", [])
    for _ in range(FLIPS):
        changed = bytearray(raw)
        changed[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        expected = check(bytes(changed), trust, office.now_s, None, METER)
        outcome, codes = next_answer(page, qr.url(served, bytes(changed), METER))
        assert (outcome, codes) == (expected.outcome, [code for code, _ in expected.reasons])
        assert outcome == "not_valid"


def changed_codes(served: str, raw: bytes, page: Page) -> set[str]:
    """Codes that the page gives for flips of a certificate's bits, drawn from a seed; none is a yes."""
    draw, found = random.Random(SEED), set()
    for _ in range(FLIPS):
        changed = bytearray(raw)
        changed[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
        outcome, codes = next_answer(page, qr.url(served, bytes(changed), METER))
        assert outcome == "not_valid"
        found |= set(codes)
    return found


def test_a_registry_may_sign_with_ed25519_and_the_page_checks_it(tmp_path: Path, page: Page) -> None:
    """Design section 5, suite 3: WebCrypto has it. A flipped bit or another S (RFC 8032: S + L) is no yes."""
    office = Office(tmp_path, ED25519)
    with serving(office.record) as served:
        raw = certificate(office)
        trust = Trust.load(office.record.statuses.trust(office.tick(60)))
        assert check(raw, trust, office.now_s, None, METER).outcome == "valid"
        assert answer(page, qr.url(served, raw, METER)) == ("valid", [])
        number = int.from_bytes(raw[-32:], "little") + 2**252 + 27742317777372353535851937790883648493
        respelled = raw[:-32] + number.to_bytes(32, "little")
        expected = ("not_valid", ["certificate.signature"])
        assert next_answer(page, qr.url(served, respelled, METER)) == expected
        assert changed_codes(served, raw, page) >= {"certificate.signature", "certificate.malformed"}
    office.record.entries.store.close()


def test_the_page_cannot_say_of_a_certificate_that_sm2_signed(tmp_path: Path, page: Page) -> None:
    """Suite 2: WebCrypto has no SM2. The page says so, and never calls an honest certificate not valid; check() can."""
    office = Office(tmp_path, SM2)
    with serving(office.record) as served:
        raw = certificate(office)
        trust = Trust.load(office.record.statuses.trust(office.tick(60)))
        assert check(raw, trust, office.now_s, None, METER).outcome == "valid"
        assert answer(page, qr.url(served, raw, METER)) == ("cannot_say", ["key.unknown"])
    office.record.entries.store.close()


def test_page_and_check_refuse_a_certificate_under_another_algorithm(
    office: Office, served: str, page: Page
) -> None:
    """The header's alg is that of the key, for the page as for check(): the registry's own key, headers that lie."""
    raw = certificate(office)
    trust = Trust.load(office.record.statuses.trust(office.tick(60)))
    assert answer(page, qr.url(served, raw, METER)) == ("valid", [])
    protected, _, body, _ = split(raw)
    for alg in (ED25519.alg, SM2.alg, -7, -8, -35):
        header = {**scan(protected), L.HEADER_ALG: alg}
        lied = seal(office.record.author, encode(header), body)
        expected = check(lied, trust, office.now_s, None, METER)
        assert next_answer(page, qr.url(served, lied, METER)) == ("not_valid", ["certificate.malformed"])
        assert (expected.outcome, [code for code, _ in expected.reasons]) == (
            "not_valid",
            ["certificate.malformed"],
        )


def cases(office: Office) -> dict[str, tuple[bytes, str, str]]:
    """Certificate, meter in the path and territory asked for, of one case each."""
    raw, now_s = certificate(office), int(time.time())
    stranger = Author("REG-CN", "record", PrivateKey.generate())
    elsewhere = Author("REG-XX", "record", PrivateKey.generate())
    own = read(raw, office.ring)
    start_s, end_s = office.world.window

    def made(**changes: Any) -> bytes:
        return issue(office.record.author, replace(own, **changes))

    return {
        "good": (raw, METER, ""),
        "its territory": (raw, METER, "330110"),
        "another territory": (raw, METER, "440300"),
        "a territory wider than its own": (raw, METER, "3"),
        "another meter": (raw, "DEMO.99999999", ""),
        "lower case in the path": (raw, METER.lower(), ""),
        "full width in the path": (raw, "ＤＥＭＯ.12345678", ""),
        "two reasons": (raw, "DEMO.99999999", "440300"),
        "expired": (made(expires_s=now_s - 1000), METER, ""),
        "issued before the grant": (made(issued_s=start_s - 1), METER, ""),
        "issued after the grant, expired by then": (made(issued_s=end_s + 1), METER, ""),
        "beyond the end of the list": (made(status_index=4000), METER, ""),
        "a list that is not there": (made(status_list=2), METER, ""),
        "a stranger in the registry's name": (issue(stranger, own), METER, ""),
        "a registry that nobody knows": (issue(elsewhere, replace(own, issuer="REG-XX")), METER, ""),
        "cut short": (raw[:-1], METER, ""),
        "one byte more": (raw + b"\x00", METER, ""),
        "another kind of message": (office.record.log.find(office.beacon).raw, METER, ""),
    }


def test_page_and_pure_check_give_the_same_three_answers(office: Office, served: str, page: Page) -> None:
    """Outcome and every reason, in their order, over each way in which an answer can come about."""
    outcomes = set()
    for name, (raw, meter, territory) in cases(office).items():
        trust = Trust.load(office.record.statuses.trust(int(time.time())))
        expected = check(raw, trust, int(time.time()), territory or None, meter)
        if not page.url.startswith(qr.url(served, b"", meter)):
            answer(page, qr.url(served, b"", meter))
        page.evaluate("place => { document.getElementById('territory').value = place; }", territory)
        found = next_answer(page, qr.url(served, raw, meter))
        assert found == (expected.outcome, [code for code, _ in expected.reasons]), name
        outcomes.add(found[0])
    assert outcomes == {"valid", "not_valid", "cannot_say"}


def test_page_and_pure_comparison_read_the_dial_alike(office: Office, served: str, page: Page) -> None:
    """compare() and the page's own arithmetic, at both edges and a millilitre beyond them."""
    raw = certificate(office)
    trust = Trust.load(office.record.statuses.trust(int(time.time())))
    pure = check(raw, trust, int(time.time()), None, METER)
    end = pure.end_register * Fraction(10) ** pure.exponent
    answer(page, qr.url(served, raw, METER))
    for beside in (0, Fraction(-1, 10**6), Fraction(1, 10), Fraction(1, 10) + Fraction(1, 10**6), 5):
        dial = end + beside
        text = f"{Decimal(dial.numerator) / Decimal(dial.denominator):.6f}"
        page.evaluate("reading => { document.getElementById('dial').value = reading; }", text)
        expected = compare(pure, dial)
        found = next_answer(page, qr.url(served, raw, METER))
        assert found == (expected.outcome, [code for code, _ in expected.reasons]), text


def test_a_fragment_that_is_no_certificate_is_not_valid(office: Office, served: str, page: Page) -> None:
    """qr.py: upper-case base32 without padding, one spelling; everything else is damaged."""
    page.goto(f"{served}/m/DEMO/12345678")
    for tail in ("%zz", "AB", "A" * 5000, "!", "a", "0", "AAAAAAAA="):
        assert next_answer(page, f"#{tail}") == ("not_valid", ["certificate.malformed"])
        assert "{" not in page.inner_text("#answer")


def test_a_lower_case_spelling_is_refused_as_the_pure_check_refuses_it(
    office: Office, served: str, page: Page
) -> None:
    """qr.py: only the one spelling is accepted."""
    url = qr.url(served, certificate(office), METER)
    head, _, fragment = url.partition("#")
    with pytest.raises(BadCode):
        qr.from_url(f"{head}#{fragment.lower()}")
    assert answer(page, f"{head}#{fragment.lower()}") == ("not_valid", ["certificate.malformed"])


def test_while_the_registry_is_away_the_page_cannot_say(office: Office, served: str, page: Page) -> None:
    """Silence is never a yes, and never leaves the page at `checking`."""
    url = qr.url(served, certificate(office), METER)
    page.route("**/status/*", lambda route: route.fulfill(status=503))
    assert answer(page, url) == ("cannot_say", ["status.missing"])
    page.route("**/.well-known/*", lambda route: route.fulfill(status=503))
    assert answer(page, url) == ("cannot_say", [])
    page.route("**/words", lambda route: route.fulfill(status=503))
    assert answer(page, f"{url[:-1]}")[0] != "valid"


def test_a_status_list_of_another_registry_or_number_is_not_believed(
    office: Office, served: str, page: Page
) -> None:
    """A certificate points to one list of the registry that signed it; any other gives no answer."""
    url = qr.url(served, certificate(office), METER)
    now_s = int(time.time())
    other = publish(office.record.author, f"{served}/status/2", [0], Validity(now_s, now_s + 1000, 60))
    page.route("**/status/1", lambda route: route.fulfill(body=other))
    assert answer(page, url) == ("cannot_say", ["status.missing"])


@pytest.mark.parametrize("status, expected", [(0, "cannot_say"), (INVALID, "not_valid")])
def test_a_list_that_has_ended_still_withdraws_and_no_longer_vouches(
    office: Office, served: str, page: Page, status: int, expected: str
) -> None:
    """Design section 10: past its end cannot say now; invalid is final all the same, as in check()."""
    raw, now_s = certificate(office), int(time.time())
    old = publish(office.record.author, f"{served}/status/1", [status], Validity(now_s - 999, now_s - 9, 60))
    page.route("**/status/1", lambda route: route.fulfill(body=old))
    trust = Trust(office.world.anchors, [office.world.grants["registry"]], [old], now_s)
    found = check(raw, trust, now_s, None, METER)
    shown_codes = [code for code, _ in found.reasons]
    assert answer(page, qr.url(served, raw, METER)) == (found.outcome, shown_codes)
    assert found.outcome == expected


def test_the_newest_address_is_answered_and_no_older_one(office: Office, served: str, page: Page) -> None:
    """The second code is scanned while the first is still out: the late first answer must not stand."""
    raw = certificate(office)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/status/1", hold)
    with page.expect_request("**/status/1"):
        page.goto(qr.url(served, raw, METER))
    assert page.get_attribute("#answer", "data-outcome") is None
    page.evaluate("location.hash = '#AB'")
    page.wait_for_selector("#answer[data-outcome=not_valid]")
    with page.expect_response("**/status/1"):
        held[0].continue_()
    page.wait_for_load_state("networkidle")
    assert shown(page) == ("not_valid", ["certificate.malformed"])


def test_a_key_that_was_replaced_still_verifies_what_it_signed(
    office: Office, served: str, page: Page
) -> None:
    """After a rotation the older certificates stay valid: the page is given every key that was granted."""
    old = PrivateKey.generate()
    grant = {L.SUBJECT_KEY: cose_key(old.public_xy), L.REGISTRY: "REG-CN"}
    office.record.submit(office.world.grant("root", kinds.REGISTRY, grant), office.now_s)
    raw = issue(Author("REG-CN", "record", old), read(certificate(office), office.ring))
    assert answer(page, qr.url(served, raw, METER)) == ("valid", [])


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
