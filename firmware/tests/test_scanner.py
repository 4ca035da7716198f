"""Scans as a scanner sends them, byte by byte, and which meter or command each is."""

import asyncio

from doubles import Line
from whole_bench import Fixture

from meterseal_fixture.errors import LineLost, Refused
from meterseal_fixture.scanner import COMMAND, METER, POSITION, Scanner, read_scan

MAKERS = {"9506": "OTHER", "950600013": "DEMO"}
# The GTIN of GS1's own examples (GS1 Digital Link Standard, "dalgiardino"); its check digit is 2.
LINK = "https://id.gs1.org/01/09506000134352/21/12345678"


def read(text):
    """What a scan is; for one that is refused its code."""
    try:
        return read_scan(text, MAKERS)
    except Refused as why:
        return why.code


def test_a_meters_id_is_read_in_upper_case_without_blanks():
    """Design section 9: maker code `.` serial, upper case, no blanks."""
    for text in ("DEMO.12345678", " demo.1234 5678 ", "Demo.12345678\t"):
        assert read(text) == (METER, "DEMO.12345678"), text
    assert read("A-1_b.X.9/7") == (METER, "A-1_B.X.9/7")


def test_an_address_names_its_meter_by_the_path():
    """Protocol's qr.py: {base}/m/{maker}/{serial}#{fragment}, percent-encoded (RFC 3986: %2F is /)."""
    for text in (
        "https://seal.example/m/DEMO/12345678#MZXW6",
        "HTTPS://SEAL.EXAMPLE/M/DEMO/12345678",
        "https://seal.example/some/base/m/demo/1234%35678/?x=1#A",
    ):
        assert read(text) == (METER, "DEMO.12345678"), text
    assert read("https://seal.example/m/DEMO/A%2fB") == (METER, "DEMO.A/B")


def test_a_gs1_digital_link_needs_its_companys_maker_in_the_settings():
    """GS1 Digital Link: /01/GTIN/21/serial. The longest prefix that fits wins; a wrong check digit is no GTIN."""
    assert read(LINK) == (METER, "DEMO.12345678")
    assert read(LINK + "?17=271231") == (METER, "DEMO.12345678")
    assert read("https://x/01/09506000200002/21/5") == (METER, "OTHER.5")
    assert read("https://x/01/09506000134369/21/5") == (METER, "DEMO.5")
    assert read("https://x/01/04012345000009/21/5") == "scan.gtin"
    assert read(LINK.replace("4352", "4353")) == "scan.unknown"


def test_cards_are_commands():
    """The words of scanner.py's head."""
    for word in ("START", "STOP", "CLEAR", "BACK"):
        assert read("MS:" + word) == (COMMAND, word)
    assert read("ms:pos:12") == (POSITION, 12)


def test_everything_else_is_unknown_and_nothing_is_guessed():
    """No dot, no maker, no serial, too long, not ASCII (a full-width digit, which NFKC would fold), no such card."""
    for text in (
        "12345678",
        ".1",
        "DEMO.",
        "D" * 17 + ".1",
        "DEMO." + "1" * 44,
        "DEMO.\uff11",
        "D\u00c9MO.1",
        "WIFI:S:net.x;;",
        "MS:DANCE",
        "MS:POS:",
        "MS:POS:x",
        "MS:POS:12345",
        "https://seal.example/m/DEMO",
        "https://seal.example/m/DE%4/1",
        "https://seal.example/m/DEMO/%zz",
        "https://seal.example/m/DEMO/%00",
        "https://seal.example/m/DEMO/%E9",
        "http://a.b",
    ):
        assert read(text) == "scan.unknown", text
    assert read("DEMO." + "1" * 43) == (METER, "DEMO." + "1" * 43)


class Heard:
    """A desk and a panel that write down what they are told; `full` makes the desk refuse."""

    def __init__(self):
        self.scans, self.complaints, self.full = [], [], False

    def scanned(self, kind, value):
        if self.full:
            raise Refused("scan.full", 8)
        self.scans.append((kind, value))

    def complain(self, code, detail=""):
        self.complaints.append((code, detail))


def test_scans_end_with_cr_or_lf_and_come_in_any_pieces():
    """The same three scans, one byte at a time and all at once, with each of the endings; empty lines are none."""
    for end in (b"\r", b"\n", b"\r\n", b"\n\n"):
        data = end.join((b"DEMO.1", b"MS:BACK", b"DEMO.2", b""))
        for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
            heard = Heard()
            scanner = Scanner(None, heard, heard, {})
            for piece in pieces:
                scanner.feed(piece)
            assert heard.scans == [(METER, "DEMO.1"), (COMMAND, "BACK"), (METER, "DEMO.2")]
            assert heard.complaints == []


def test_rubbish_and_refusals_are_told_and_the_next_scan_is_heard():
    """Bytes that are no UTF-8, 5000 bytes without an end (one complaint, its tail is not taken for a scan), a full
    tray.
    """
    heard = Heard()
    scanner = Scanner(None, heard, heard, {})
    scanner.feed(b"\xff\xfe\r")
    for _ in range(5):
        scanner.feed(b"x" * 1000)
    scanner.feed(b"DEMO.9\rDEMO.1\r")
    heard.full = True
    scanner.feed(b"DEMO.2\r")
    assert heard.complaints == [("scan.unknown", "fffe"), ("scan.unknown", "4096+"), ("scan.full", 8)]
    assert heard.scans == [(METER, "DEMO.1")]


def test_a_scanner_that_is_unplugged_ends_alone():
    """LineLost of its line is one sentence; the loop returns and nothing is raised."""

    class Unplugged:
        async def read(self):
            raise LineLost("line.lost", "scanner")

    heard = Heard()
    asyncio.run(Scanner(Unplugged(), heard, heard, {}).run())
    assert heard.complaints == [("scan.lost", "")]


def test_scans_on_a_line_fill_the_tray_and_the_panel_shows_it():
    """Three positions, four scans of which one comes twice and one is too many: events, status rows, two refusals."""
    with Fixture((100, 500, 500, 500)) as fixture:
        line = Line(lambda _: b"")

        async def script():
            scanner = asyncio.create_task(Scanner(line, fixture.desk, fixture.panel, {}).run())
            line.coming += b"DEMO.1\rDEMO.1\rDEMO.2\rDEMO.3\rDEMO.4\r"
            await fixture.wait(error="scan.full")
            scanner.cancel()

        fixture.run(script())
        said = fixture.said()
        scanned = [(one["position"], one["meter"]) for one in said if one.get("event") == "scanned"]
        assert scanned == [(1, "DEMO.1"), (2, "DEMO.2"), (3, "DEMO.3")]
        assert [one["error"] for one in said if "error" in one] == ["scan.double", "scan.full"]
        trays = [one["tray"] for one in said if "now" in one]
        assert trays[-1] == [[1, "DEMO.1"], [2, "DEMO.2"], [3, "DEMO.3"]]
