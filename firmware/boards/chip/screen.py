"""The operator's display: eight rows of sixteen characters on an SSD1306 of 128 x 64 pixels. No object of `machine`.

What it shows comes from the panel's own lines, so it can tell nothing that the panel does not:

    0  TRAINING (everything inverted), CHECK RUN or MeterSeal
    1  state               idle, open, running, settling
    2  point k of n
    3  flow in mL/h
    5  positions 1 to 16   . waiting  r reading  > counting  + done  ! anything else; blank: not in this run
    6  positions 17 to 31
    7  the last error's code until something else happens; else the tray or the link

Source: Solomon Systech SSD1306 data sheet rev 1.1, sections 8.1.5.2 (I2C: control byte 00 for commands, 40 for data),
9 (commands) and the application note's charge pump. A row of text is one page of the chip's memory, and only rows that
changed are sent: 130 bytes each, 3 ms at 400 kHz. A display that does not answer is set up again with the next
row; nothing else hears of it.
"""

import json

import framebuf

COLUMNS, ROWS, FONT = 16, 8, 8
WIDTH = COLUMNS * FONT
COMMANDS, DATA = b"\x00", 0x40
# Off; addresses run on through a page, then to the next; line 0 on top; columns and rows turned as the glass is
# mounted on most boards; 64 rows, no offset, alternate pins; clock, precharge, level; contrast; show the memory;
# pump; on.
SET_UP = (
    b"\xae" + b"\x20\x00" + b"\x40" + b"\xa1" + b"\xc8" + b"\xa8\x3f" + b"\xd3\x00" + b"\xda\x12"
    b"\xd5\x80" + b"\xd9\xf1" + b"\xdb\x30" + b"\x81\x7f" + b"\xa4" + b"\x8d\x14" + b"\xaf"
)
NORMAL, INVERSE = b"\xa6", b"\xa7"
COLUMN_RANGE, PAGE_RANGE = 0x21, 0x22

MARKS = {"waiting": ".", "reading": "r", "counting": ">", "done": "+"}
ENDED = "!"
TRAINING, CHECK = "TRAINING", "check"
TITLES = {CHECK: "CHECK RUN"}


class Oled:
    """An SSD1306 at `address` of `i2c`, which has writeto(address, bytes)."""

    def __init__(self, i2c, address: int) -> None:
        self._i2c = i2c
        self._address = address
        self._page = bytearray(1 + WIDTH)
        self._page[0] = DATA
        self._canvas = framebuf.FrameBuffer(memoryview(self._page)[1:], WIDTH, FONT, framebuf.MONO_VLSB)
        self._shown: list[str | None] = []
        self._inverse: bool | None = None

    def show(self, rows: list[str], inverse: bool) -> None:
        """Show ROWS rows of ASCII, cut to COLUMNS; only what changed is sent."""
        try:
            if not self._shown:
                self._command(SET_UP)
                self._shown = [None] * ROWS
            for number, row in enumerate(rows):
                if row != self._shown[number]:
                    self._send(number, row)
            if inverse != self._inverse:
                self._command(INVERSE if inverse else NORMAL)
                self._inverse = inverse
        except OSError:
            self._shown, self._inverse = [], None

    def _send(self, number: int, row: str) -> None:
        self._canvas.fill(0)
        self._canvas.text(row[:COLUMNS], 0, 0, 1)
        self._command(bytes((COLUMN_RANGE, 0, WIDTH - 1, PAGE_RANGE, number, number)))
        self._i2c.writeto(self._address, self._page)
        self._shown[number] = row

    def _command(self, commands: bytes) -> None:
        self._i2c.writeto(self._address, COMMANDS + commands)


class Screen:
    """Turns the panel's lines into rows for `oled` (show(rows, inverse)); `rows` is what it shows."""

    def __init__(self, oled) -> None:
        self._oled = oled
        self._status: dict[str, object] = {"now": "start"}
        self._flow, self._error = 0, ""
        self.rows: list[str] = []
        self._show()

    def seen(self, line: bytes) -> None:
        """One line of the panel."""
        fields = json.loads(line)
        if "now" in fields:
            if fields["now"] != self._status["now"]:
                self._error = ""
            self._status = fields
        elif "error" in fields:
            self._error = fields["error"]
        else:
            self._flow = fields.get("ml_per_h", self._flow)
            self._error = ""
        self._show()

    def _show(self) -> None:
        status = self._status
        mode = str(status.get("mode", ""))
        training = mode.startswith(TRAINING)
        running = status["now"] == "running"
        self.rows = [
            TRAINING if training else TITLES.get(mode, "MeterSeal"),
            str(status["now"]),
            "point %s of %s" % (status["point"], status["of"]) if status.get("of") else "",
            "%d mL/h" % self._flow if running and self._flow else "",
            "",
        ]
        marks = _marks(status.get("positions", ()))
        self.rows += [marks[:COLUMNS], marks[COLUMNS:], self._error or _rest(status)]
        self._oled.show(self.rows, training)


def _marks(positions) -> str:
    by_number = {row["position"]: MARKS.get(row["state"], ENDED) for row in positions}
    last = max(by_number) if by_number else 0
    return "".join(by_number.get(number, " ") for number in range(1, last + 1))


def _rest(status) -> str:
    if status.get("tray"):
        return "tray: %d" % len(status["tray"])
    return "link: %s" % status["link"] if "link" in status else ""
