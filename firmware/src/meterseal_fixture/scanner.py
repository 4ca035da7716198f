"""What a barcode or QR scanner says: lines of text on a serial line of its own, each a meter, or a card's command.

A meter is named by its id, maker code `.` serial, or by a certificate's address, `…/m/{maker}/{serial}`, or by a GS1
Digital Link, `…/01/{GTIN}/21/{serial}` (GS1 Digital Link 1.1, URI syntax), whose GTIN leads to a maker only through
the setting `scanner_gtin`: a GTIN names a company, and this fixture knows no register of them.

An id is ASCII here, in upper case and without blanks. Design section 9 wants NFKC, which MicroPython does not have: for
ASCII both are the same, and anything else is refused, never guessed.

Cards at the bench: MS:START, MS:STOP, MS:CLEAR, MS:BACK, MS:POS:n. The scanner must send no prefix and end each scan
with CR or LF.
"""

from meterseal_fixture.errors import FixtureError, LineLost, Refused

LONGEST_LINE = 4096  # a certificate's address; protocol's qr.py takes no longer one
LONGEST_ID, LONGEST_MAKER = 48, 16
SHOWN = 40
CARD = "MS:"
COMMANDS = ("START", "STOP", "CLEAR", "BACK")
METER, COMMAND, POSITION = "meter", "command", "position"
HEX = "0123456789abcdefABCDEF"
MAKER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"


def read_scan(text: str, makers: dict[str, str]) -> tuple[str, object]:
    """(METER, id), (COMMAND, one of COMMANDS) or (POSITION, number); Refused `scan.unknown` or `scan.gtin`.

    `makers` leads from the first digits of a GTIN to a maker code.
    """
    whole = "".join(text.split()).upper()
    if whole.startswith(CARD):
        return _card(whole[len(CARD) :], text)
    if "://" in whole:
        return METER, _meter_id(_from_address(text.strip(), makers), text)
    return METER, _meter_id(whole, text)


def _card(word: str, text: str) -> tuple[str, object]:
    if word in COMMANDS:
        return COMMAND, word
    if word.startswith("POS:") and word[4:].isdigit() and len(word) < 8:
        return POSITION, int(word[4:])
    raise _unknown(text)


def _meter_id(given: str, text: str) -> str:
    found = "".join(given.split()).upper()
    maker, _, serial = found.partition(".")
    plain = all(0x20 < ord(letter) < 0x7F for letter in found)
    named = 0 < len(maker) <= LONGEST_MAKER and all(letter in MAKER for letter in maker)
    if not plain or not named or not serial or len(found) > LONGEST_ID:
        raise _unknown(text)
    return found


def _from_address(text: str, makers: dict[str, str]) -> str:
    path = text.partition("#")[0].partition("?")[0].rstrip("/").split("/")
    if len(path) > 5 and path[-4] == "01" and path[-2] == "21":
        return "%s.%s" % (_maker(path[-3], makers), _plain(path[-1], text))
    if len(path) > 5 and path[-3].lower() == "m":
        return "%s.%s" % (_plain(path[-2], text), _plain(path[-1], text))
    raise _unknown(text)


def _maker(gtin: str, makers: dict[str, str]) -> str:
    # 14 digits, the last one a check (GS1 General Specifications, section 7.9): weights 3 and 1 from the right.
    if len(gtin) != 14 or not gtin.isdigit() or sum(int(gtin[at]) * (3, 1)[at & 1] for at in range(14)) % 10:
        raise _unknown(gtin)
    known = [prefix for prefix in makers if gtin[1:].startswith(prefix)]
    if not known:
        raise Refused("scan.gtin", gtin)
    return makers[max(known, key=len)]


def _plain(text: str, whole: str) -> str:
    # Percent-encoded, RFC 3986 section 2.1. A byte beyond ASCII stays as it is, and is refused with the id.
    parts = text.split("%")
    head, found = parts[0], ""
    for part in parts[1:]:
        if len(part) < 2 or part[0] not in HEX or part[1] not in HEX:
            raise _unknown(whole)
        found += chr(int(part[:2], 16)) + part[2:]
    return head + found


def _unknown(text: str) -> Refused:
    return Refused("scan.unknown", text[:SHOWN])


class Scanner:
    """Hears `line` (async read()) and hands each whole scan to `desk.scanned(kind, value)`.

    What is refused goes to `panel.complain`. A line that is unplugged ends the scanner and nothing else.
    """

    def __init__(self, line, desk, panel, makers: dict[str, str]) -> None:
        self.line = line
        self.desk, self.panel = desk, panel
        self.makers = makers
        self._rest = b""
        self._skipping = False

    async def run(self) -> None:
        """Hear scans until the line is lost."""
        try:
            while True:
                self.feed(await self.line.read())
        except LineLost:
            self.panel.complain("scan.lost")

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; a scan ends with CR, LF or both."""
        self._rest += data.replace(b"\r", b"\n")
        while b"\n" in self._rest:
            raw, _, self._rest = self._rest.partition(b"\n")
            if not self._skipping and raw.strip():
                self._hear(raw)
            self._skipping = False
        if len(self._rest) > LONGEST_LINE:
            if not self._skipping:
                self.panel.complain("scan.unknown", "%d+" % LONGEST_LINE)
            self._rest, self._skipping = b"", True

    def _hear(self, raw: bytes) -> None:
        try:
            try:
                text = raw.decode()
            except UnicodeError:
                raise Refused("scan.unknown", raw[: SHOWN // 2].hex())
            kind, value = read_scan(text, self.makers)
            self.desk.scanned(kind, value)
        except FixtureError as refusal:
            self.panel.complain(refusal.code, refusal.detail)
