"""People in a real Chromium: they log in, make a key that can't leave the browser, and sign what the page shows."""

import json
import random
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from edge.tests.batch import BAD_PPM, GOOD_PPM
from edge.tests.conftest import Box
from edge.tests.office import ALL_ROLES, PASSWORD, Office, Person
from edge.tests.public_record import PublicRecord
from playwright.sync_api import Browser, Page, Route, expect

from meterseal_edge import people
from meterseal_edge.pages import people_pages
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.verify import verify
from meterseal_tools.inspect import describe
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.suites import ESP256
from meterseal_wire.tree import tree_hash

METERS = [f"DEMO.1234567{n}" for n in (1, 2, 3)]
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


@pytest.fixture
def office(box: Box) -> Iterator[Office]:
    """An office whose pages are served."""
    with closing(Office(box)) as found, found.served():
        yield found


class Seat:
    """One person's browser; `said` is what its console complained about."""

    def __init__(self, browser: Browser, office: Office, locale: str = "en-GB", size: Any = DESK) -> None:
        self.office, self.origin = office, office.settings.page_origin
        self.context = browser.new_context(viewport=size, locale=locale, color_scheme="light")
        self.page: Page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda m: self.said.append(m.text) if m.type != "log" else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))

    def log_in(self, person: Person) -> None:
        """By password and code, on the page."""
        self.page.goto(f"{self.origin}/login")
        self.fill(person, PASSWORD, person.code())
        expect(self.page.locator("#me")).to_contain_text(person.name)

    def fill(self, person: Person, password: str, code: str) -> None:
        """The form, and Enter."""
        for name, value in (("name", person.name), ("password", password), ("code", code)):
            self.page.locator(f'input[name="{name}"]').fill(value)
        self.page.locator('input[name="code"]').press("Enter")

    def make_key(self, person: Person) -> PublicKey:
        """In the browser; its public half as the edge has it."""
        self.page.locator("#make-key").click()
        expect(self.page.locator("#me code")).to_be_visible()
        cose = person.account.cose
        assert cose is not None
        return PublicKey.from_cose(scan(cose))

    def open_run(self, run: bytes) -> None:
        """The run's page with its panel."""
        self.page.goto(f"{self.origin}/run/{run.hex()}")
        expect(self.page.locator("#rows")).to_be_visible()

    def role(self, number: int) -> Any:
        """The button for a role."""
        return self.page.locator(f'#sign button[data-role="{number}"]')


@pytest.fixture
def seats(browser: Browser, office: Office) -> Iterator[list[Seat]]:
    """Three browsers that know nothing of each other."""
    found = [Seat(browser, office) for _ in range(3)]
    yield found
    for seat in found:
        seat.context.close()


def seated(office: Office, seat: Seat, name: str, *roles: str) -> tuple[Person, PublicKey]:
    """Somebody hired, logged in, with a key of their own browser that the province granted."""
    person = office.hire(name, *roles)
    seat.log_in(person)
    key = seat.make_key(person)
    office.grant(key.cose, ALL_ROLES)
    return person, key


def test_two_people_sign_in_their_browsers_and_the_registry_grants_the_certificate(
    tmp_path: Path, browser: Browser
) -> None:
    """Issue 6, point 7, to the end: keys made in Chromium sign the rows that the page shows, the edge sends them on,
    the real registry decides and certifies. What is signed is what `inspect` shows again. Two people, three roles.
    """
    with (
        PublicRecord(tmp_path) as registry,
        closing(Office(Box(tmp_path, registry.world))) as office,
        office.served(),
    ):
        seats = [Seat(browser, office) for _ in range(2)]
        staff = [("Li", (1,), ["verifier"]), ("Wang", (2, 3), ["checker", "approver"])]
        ring = KeyRing()
        for seat, (name, _, roles) in zip(seats, staff, strict=True):
            ring.add(seated(office, seat, name, *roles)[1])
        office.clock.ahead_s = 0  # making codes put it forward; the registry's stands beside it
        for raw in office.granted:
            registry.enter(raw)
        attempt, _ = registry.bench(office.box).run(GOOD_PPM, GOOD_PPM, BAD_PPM)
        post = registry.post(office)
        assert registry.drain(post) == 0
        assert registry.decided(METERS[0]) == (404, ["marks.missing", "signoff.missing"])
        for seat, (_, numbers, _) in zip(seats, staff, strict=True):
            seat.open_run(attempt.identity)
            rows = seat.page.locator("#rows tbody tr")
            expect(rows).to_have_count(3)
            expect(rows.nth(2)).to_contain_text("failed")
            expect(rows.nth(2)).to_contain_text("+2.5000 %")
            for number in numbers:
                seat.role(number).click()
                expect(seat.page.locator("#state")).to_contain_text(
                    "Every role" if number == 3 else "missing"
                )
            assert seat.said == []
        slip_is_taken_back(seats[0])
        for number, meter in enumerate(METERS[:2], 1):
            seats[1].page.get_by_label(f"seal numbers: {meter}").fill(f"S-{number}")
            seats[1].page.locator(f'[data-seal="{number}"]').click()
            expect(seats[1].page.locator("#said-body")).to_contain_text(f"S-{number}")
        assert [seat.said for seat in seats] == [[], []]
        assert registry.drain(post) == 0
        assert [registry.decided(meter) for meter in METERS] == [(200, []), (200, []), (404, ["error.limit"])]
        assert_inspect_shows(office, attempt.identity, ring, seats[0].page.locator("#root").inner_text())
        for seat in seats:
            seat.context.close()
        office.box.store.close()


def slip_is_taken_back(seat: Seat) -> None:
    """The verifier takes the signature back, with a reason, and signs again: the registry grants in the end."""
    seat.page.reload()
    seat.page.get_by_label("why it is taken back: verifier").fill("looked again")
    seat.page.locator("[data-back]").click()
    expect(seat.page.locator("#state")).to_contain_text("missing: verifier")
    expect(seat.page.locator("#said-body del")).to_have_text("verifier")
    expect(seat.page.locator("#said-body")).to_contain_text("correction: looked again")
    seat.role(1).click()
    expect(seat.page.locator("#state")).to_contain_text("Every role")


def assert_inspect_shows(office: Office, run: bytes, ring: KeyRing, root: str) -> None:
    """Every sign-off of the run: signed by one of the browsers, over the root of the page, row for row."""
    found = office.desk.sayings.of(run)
    kinds = [(L.KIND_NAMES[item.typ], item.role, item.entered, item.taken_back) for item in found]
    signoffs = [("signoff", 1, 1, 1), *(("signoff", role, 1, 0) for role in (2, 3))]
    assert kinds == [*signoffs, ("correction", 0, 1, 0), ("signoff", 1, 1, 0), *[("marks", 0, 1, 0)] * 2]
    for item in (one for one in found if one.typ == L.KIND_SIGNOFF):
        _, bundle = office.desk.sayings.bundle(item.identity)
        raw, *items = scan(bundle, 1 << 20)
        statement = verify(raw, ring).statement
        assert statement.payload[L.ROWS] == tree_hash(items) == bytes.fromhex(root)
        shown = "\n".join(describe(bundle))
        assert all(what in shown for what in (root, *METERS, "25000"))


def test_what_was_signed_can_be_taken_away_as_a_file(office: Office, seats: list[Seat]) -> None:
    """The link of the panel gives what travels to the registry: `meterseal inspect signed.cbor` reads it."""
    attempt, _ = office.bench.run(GOOD_PPM)
    seated(office, seats[0], "Li", "verifier")
    seats[0].open_run(attempt.identity)
    seats[0].role(1).click()
    with seats[0].page.expect_download() as given:
        seats[0].page.get_by_role("link", name="what was signed").click()
    raw, item = scan(given.value.path().read_bytes(), 1 << 20)
    assert (scan(item)[2], given.value.suggested_filename) == ("DEMO.12345671", "signed.cbor")
    assert any("signoff" in line for line in describe(raw))


def test_one_person_cannot_be_all_three(office: Office, seats: list[Seat]) -> None:
    """At least two people: the button of the last role is shut, and says why in the reader's language."""
    attempt, _ = office.bench.run(GOOD_PPM)
    seat = seats[0]
    seated(office, seat, "Li", "verifier", "checker", "approver")
    seat.open_run(attempt.identity)
    for number in (1, 2):
        seat.role(number).click()
        expect(seat.page.locator("#sign tbody tr", has_text="Li")).to_have_count(number)
    expect(seat.role(3)).to_be_disabled()
    expect(seat.page.locator("#sign .role").nth(2)).to_contain_text("Somebody else")


def test_the_key_cannot_leave_the_browser(office: Office, seats: list[Seat]) -> None:
    """W3C Web Cryptography, exportKey: a key whose [[extractable]] is false is an InvalidAccessError in each format."""
    seat = seats[0]
    _, key = seated(office, seat, "Li", "verifier")
    asked = """async (name) => {
        const { held } = await import("/signing.js");
        const key = await held(name), said = [key.extractable, key.type];
        for (const format of ["jwk", "pkcs8", "raw"]) {
            try { await crypto.subtle.exportKey(format, key); said.push("given"); } catch (e) { said.push(e.name); }
        }
        return said;
    }"""
    said = seat.page.evaluate(asked, key.thumbprint.hex())
    assert said[:2] == [False, "private"]
    assert "given" not in said
    assert set(said[2:]) <= {"InvalidAccessError", "NotSupportedError"}


def test_in_another_browser_the_key_is_missing_and_the_page_says_so(
    office: Office, seats: list[Seat]
) -> None:
    """A key belongs to one browser; who comes with another one makes a new key and has it granted."""
    attempt, _ = office.bench.run(GOOD_PPM)
    person, _ = seated(office, seats[0], "Li", "verifier")
    seats[1].log_in(person)
    expect(seats[1].page.locator("#me")).to_contain_text("Not in this browser")
    seats[1].open_run(attempt.identity)
    expect(seats[1].role(1)).to_be_disabled()
    expect(seats[1].page.locator("#sign")).to_contain_text("Not in this browser")


def changed(route: Route, also_root: bool) -> None:
    """The edge's answer with its third meter passed, and the root to match where `also_root`."""
    value = route.fetch().json()
    value["rows"][2] |= {"outcome": 1, "largest_ppm": 1_000}
    if also_root:
        parts = ("result", "position", "meter", "outcome", "largest_ppm")
        rows = [[row[name] for name in parts] for row in value["rows"]]
        value["root"] = tree_hash([encode([bytes.fromhex(row[0]), *row[1:]]) for row in rows]).hex()
    route.fulfill(json=value)


def test_a_row_that_was_changed_on_the_way_is_not_signed(office: Office, seats: list[Seat]) -> None:
    """The page computes the root from what it shows; where the edge says another, it signs nothing."""
    attempt, _ = office.bench.run(GOOD_PPM, GOOD_PPM, BAD_PPM)
    seat = seats[0]
    seated(office, seat, "Li", "verifier")
    seat.page.route("**/sign", lambda route: changed(route, also_root=False))
    seat.open_run(attempt.identity)
    expect(seat.role(1)).to_be_disabled()
    expect(seat.page.locator("#sign")).to_contain_text("computes something else")


def test_a_row_and_root_that_were_changed_are_signed_as_shown_and_refused_by_the_edge(
    office: Office, seats: list[Seat]
) -> None:
    """edge.rows: whoever changes what the page shows gets a signature that the edge throws away."""
    attempt, _ = office.bench.run(GOOD_PPM, GOOD_PPM, BAD_PPM)
    seat = seats[0]
    seated(office, seat, "Li", "verifier")
    seat.page.route("**/sign", lambda route: changed(route, also_root=True))
    seat.open_run(attempt.identity)
    expect(seat.page.locator("#rows tbody tr").nth(2)).to_contain_text("passed")
    seat.role(1).click()
    expect(seat.page.locator("#sign .problem")).to_contain_text("not what the edge computes")
    assert office.desk.sayings.of(attempt.identity) == []


def test_notice_is_given_of_a_failed_meter(office: Office, seats: list[Seat]) -> None:
    """检定结果通知书, with the judge's codes; once."""
    attempt, _ = office.bench.run(GOOD_PPM, BAD_PPM)
    seat = seats[0]
    _, key = seated(office, seat, "Li", "verifier")
    seat.open_run(attempt.identity)
    seat.page.get_by_role("button", name="Give notice").click()
    expect(seat.page.locator("#sign")).to_contain_text("notice given")
    [found] = office.desk.sayings.of(attempt.identity)
    ring = KeyRing()
    ring.add(key)
    [raw] = scan(office.desk.sayings.bundle(found.identity)[1], 1 << 20)
    statement = verify(raw, ring).statement
    assert (statement.typ, statement.payload[L.METER]) == (L.KIND_NOTICE, "DEMO.12345672")
    assert statement.payload[L.CODES] == ["error.limit"]


def test_a_passkey_is_added_and_opens_the_door(office: Office, seats: list[Seat]) -> None:
    """W3C WebAuthn level 3, by Chromium's virtual authenticator (CDP WebAuthn domain)."""
    seat = seats[0]
    tool = seat.context.new_cdp_session(seat.page)
    tool.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
    }
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    tool.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    person = office.hire("Li", "verifier")
    seat.log_in(person)
    seat.page.locator("#add-passkey").click()
    expect(seat.page.locator("#me div", has_text="passkeys")).to_contain_text("1")
    seat.page.locator("#log-out").click()
    seat.page.locator("#by-passkey").click()
    expect(seat.page.locator("#me")).to_contain_text("Li")
    acts = [act.what for act in office.desk.trail.page()]
    assert acts == ["login by passkey", "log out", "passkey added", "login"]
    assert seat.said == []


def test_a_wrong_password_is_told_in_the_readers_language_and_a_locked_name_waits(
    office: Office, browser: Browser
) -> None:
    """House rule: Chinese and English; five free failures, then the name waits even with the right password."""
    person = office.hire("李", "verifier")
    seat = Seat(browser, office, "zh-CN")
    seat.page.goto(f"{seat.origin}/login")
    for _ in range(5):
        seat.fill(person, "wrong password", "000000")
        expect(seat.page.locator("#problem")).to_contain_text("姓名、口令或动态码")
        seat.page.evaluate("document.getElementById('problem').textContent = ''")
    office.clock.ahead_s -= 30  # making a code puts the clock forward
    seat.fill(person, PASSWORD, person.code())
    expect(seat.page.locator("#problem")).to_contain_text("请稍后")
    seat.fill(person, PASSWORD, person.code())
    expect(seat.page.locator("#me")).to_contain_text("检定员")
    seat.context.close()


def test_the_engineer_reads_the_trail(office: Office, seats: list[Seat]) -> None:
    """Every human act, newest first, with the newest hash; text of others stays text."""
    seat = seats[0]
    office.desk.trail.write(0, "person added", {"account": 1, "roles": "<b>x</b>"})
    seat.log_in(office.hire("Chen", "engineer"))
    rows = seat.page.locator("#trail tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Chen")
    expect(rows.nth(1)).to_contain_text("command line")
    expect(rows.nth(1)).to_contain_text("<b>x</b>")
    expect(seat.page.locator("#trail p")).to_contain_text(office.desk.trail.newest()[1].hex())


def test_an_alarm_is_seen_to_by_somebody_and_stands_in_the_trail(office: Office, seats: list[Seat]) -> None:
    """Issue 6, point 7: alarms with what to do; who walks by reads them and changes nothing."""
    office.box.state.alarm("W1", "chain.gap", "1/2 is missing")
    rows = seats[0].page.locator("#alarms tbody tr")
    seats[0].page.goto(seats[0].origin)
    expect(rows).to_have_count(1)
    expect(rows.locator("button")).to_have_count(0)
    seats[0].log_in(office.hire("Li", "operator"))
    seats[0].page.goto(seats[0].origin)
    rows.get_by_role("button", name="Seen to: chain.gap W1").click()
    expect(rows).to_have_count(0)
    [act, _] = office.desk.trail.page()
    assert (act.name, act.what, act.about) == ("Li", "alarm seen to", {"fixture": "W1", "code": "chain.gap"})
    assert seats[0].said == []


def test_who_is_not_logged_in_is_asked_to_and_sees_no_sheet(office: Office, seats: list[Seat]) -> None:
    """The panel is for people; the page around it can be read."""
    attempt, _ = office.bench.run(GOOD_PPM)
    seats[0].page.goto(f"{seats[0].origin}/run/{attempt.identity.hex()}")
    expect(seats[0].page.locator("#sign a")).to_have_text("Log in")
    expect(seats[0].page.locator("#rows")).to_have_count(0)
    assert seats[0].said == []


def test_the_pages_cbor_and_root_are_the_protocols(office: Office, seats: list[Seat]) -> None:
    """RFC 8949 4.2.1 and RFC 9162 2.1, by the protocol's encoder and tree over seeded rows of each size of number."""
    seats[0].page.goto(f"{seats[0].origin}/login")
    drawn = random.Random(7)
    sizes = (0, 23, 24, 255, 256, 65_535, 65_536, 1 << 32, (1 << 53) - 1)
    numbers = [*sizes, *(-1 - n for n in sizes[:-1])]
    rows = [
        [drawn.randbytes(32).hex(), drawn.choice(sizes), f"表.{n}" * (n % 12), 1, drawn.choice(numbers)]
        for n in range(40)
    ]
    asked = """async ([rows, most]) => {
        const { encode, hex, root, unhex } = await import("/signing.js");
        const items = rows.map(([first, ...rest]) => encode([unhex(first), ...rest])), roots = [];
        for (let size = 0; size <= most; size++) roots.push(hex(await root(items.slice(0, size))));
        const map = encode(new Map([[100, 1], [-1, 2], [24, 3], [1, 4], [256, 5], ["a", 6]]));
        return [items.map(hex), roots, hex(map)];
    }"""
    items, roots, spelled = seats[0].page.evaluate(asked, [rows, 17])
    own = [bytes(encode([bytes.fromhex(row[0]), *row[1:]])) for row in rows]
    assert [bytes.fromhex(item) for item in items] == own
    assert [bytes.fromhex(found) for found in roots] == [tree_hash(own[:size]) for size in range(18)]
    assert bytes.fromhex(spelled) == encode({100: 1, -1: 2, 24: 3, 1: 4, 256: 5, "a": 6})


def test_every_signature_of_the_browser_is_in_the_one_spelling(office: Office, seats: list[Seat]) -> None:
    """decisions/0006: s in the lower half. WebCrypto gives the other half in half of all cases: forty of them here."""
    seats[0].page.goto(f"{seats[0].origin}/login")
    asked = """async () => {
        const { makeKey } = await import("/signing.js");
        const made = [];
        for (let i = 0; i < 40; i++) made.push(await makeKey("Li"));
        return made.map((m) => m.proof);
    }"""
    found = [bytes.fromhex(proof) for proof in seats[0].page.evaluate(asked)]
    assert all(ESP256.is_canonical(signature) and len(signature) == 64 for signature in found)


def test_both_languages_have_the_same_words_and_every_code_is_explained(
    office: Office, seats: list[Seat]
) -> None:
    """House rule: Chinese and English; a code that people's requests can get stands in words.js."""
    seats[0].page.goto(f"{seats[0].origin}/login")
    asked = """async () => {
        const { WORDS } = await import("/people_words.js");
        return [WORDS, Object.keys(CODES)];
    }"""
    words, codes = seats[0].page.evaluate(asked)
    assert words["zh"].keys() == words["en"].keys()
    assert all(text.strip() for side in words.values() for text in side.values())
    source = "".join(path.read_text("utf-8") for path in Path(people.__file__).parent.glob("*.py"))
    source += Path(people_pages.__file__).read_text("utf-8")
    raised = set(re.findall(r'"(edge\.[a-z_]+)"', source))
    assert len(raised) > 15
    assert raised <= set(codes)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_pages_are_accessible_and_fit_wall_and_phone(
    office: Office, browser: Browser, locale: str, size: dict[str, int]
) -> None:
    """axe-core finds nothing on door, account and panel; nothing is wider than the screen."""
    attempt, _ = office.bench.run(GOOD_PPM, BAD_PPM)
    seat = Seat(browser, office, locale, size)
    person = office.equip("Li", "verifier", "engineer")
    seat.page.goto(f"{seat.origin}/login")
    expect(seat.page.locator("form")).to_be_visible()
    judged(seat)
    seat.log_in(person)
    expect(seat.page.locator("#trail tbody tr")).to_have_count(1)
    judged(seat)
    seat.open_run(attempt.identity)
    judged(seat)
    seat.context.close()


def judged(seat: Seat) -> None:
    """By axe-core, and by width."""
    found = Axe().run(seat.page).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == []
    width = seat.page.evaluate("document.documentElement.scrollWidth")
    assert width == seat.page.evaluate("innerWidth"), json.dumps(width)
