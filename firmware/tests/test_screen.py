"""The display: what an SSD1306's memory holds afterwards, pixel by pixel, and what each line of the panel shows."""

import sys

import framebuf

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(HERE + "/../boards/chip")

from screen import Oled, Screen  # noqa: E402

ADDRESS = 60
# Bytes that follow each command of the data sheet's table 9 that a driver may send.
OPERANDS = {0x20: 1, 0x21: 2, 0x22: 2, 0x81: 1, 0x8D: 1, 0xA8: 1, 0xD3: 1, 0xD5: 1, 0xD9: 1, 0xDA: 1, 0xDB: 1}
PLAIN = tuple(range(0x40, 0x80)) + (0xA0, 0xA1, 0xA4, 0xA5, 0xA6, 0xA7, 0xAE, 0xAF, 0xC0, 0xC8)


class Chip:
    """An SSD1306 on I2C as its data sheet says: commands behind 00, data behind 40, horizontal addressing with column
    and page ranges that come round. Anything else is a failure. `gone` makes it answer no more.
    """

    def __init__(self):
        self.reset()
        self.gone = False
        self.bytes = 0

    def reset(self):
        self.memory = [bytearray(128) for _ in range(8)]
        self.on = self.pump = self.inverse = False
        self.mode = 2  # page addressing after reset
        self.columns, self.pages = (0, 127), (0, 7)
        self.column = self.page = 0

    def writeto(self, address, data):
        if self.gone or address != ADDRESS:
            raise OSError(19)
        self.bytes += len(data)
        if data[0] == 0x40:
            self._store(data[1:])
        else:
            assert data[0] == 0x00
            self._obey(list(data[1:]))

    def _obey(self, left):
        while left:
            command = left.pop(0)
            assert command in PLAIN or command in OPERANDS, hex(command)
            operands = [left.pop(0) for _ in range(OPERANDS.get(command, 0))]
            if command == 0x20:
                self.mode = operands[0]
            elif command == 0x21:
                self.columns, self.column = tuple(operands), operands[0]
            elif command == 0x22:
                self.pages, self.page = tuple(operands), operands[0]
            elif command == 0x8D:
                self.pump = operands[0] == 0x14
            elif command == 0xA8:
                assert operands == [63]
            elif command in (0xA6, 0xA7):
                self.inverse = command == 0xA7
            elif command in (0xAE, 0xAF):
                self.on = command == 0xAF

    def _store(self, data):
        assert self.mode == 0
        for byte in data:
            self.memory[self.page][self.column] = byte
            self.column += 1
            if self.column > self.columns[1]:
                self.column, self.page = self.columns[0], self.page + 1
                if self.page > self.pages[1]:
                    self.page = self.pages[0]

    def pixels(self):
        """64 texts of 128 letters: what somebody sees, `#` for light."""
        light = lambda x, y: (self.memory[y >> 3][x] >> (y & 7) & 1) != self.inverse  # noqa: E731
        return ["".join("#" if light(x, y) else "." for x in range(128)) for y in range(64)]


def expected(rows, inverse=False):
    """The same rows drawn by framebuf into one buffer of another layout (a byte a pixel), read pixel by pixel."""
    buffer = framebuf.FrameBuffer(bytearray(128 * 64), 128, 64, framebuf.GS8)
    for number, row in enumerate(rows):
        buffer.text(row, 0, 8 * number, 1)
    lit = ("#", ".") if inverse else (".", "#")
    return ["".join(lit[buffer.pixel(x, y)] for x in range(128)) for y in range(64)]


ROWS = ["TRAINING", "running", "point 2 of 3", "2500000 mL/h", "", ".r>+!  >", "", "link: up"]


def test_rows_are_the_fonts_own_pixels_in_the_chips_memory():
    """Every one of 8192 pixels, normal and inverted; the chip is on, with its pump."""
    for inverse in (False, True):
        chip = Chip()
        Oled(chip, ADDRESS).show(ROWS, inverse)
        assert chip.pixels() == expected(ROWS, inverse)
        assert chip.on and chip.pump


def test_the_letter_h_is_where_a_person_would_look_for_it():
    """Independent of framebuf's font: an H has two uprights and a bar; seven rows of it, drawn here by hand."""
    chip = Chip()
    Oled(chip, ADDRESS).show(["H"] + [""] * 7, False)
    drawn = [row[:8] for row in chip.pixels()[:8]]
    assert drawn == [".##..##."] * 3 + [".######."] + [".##..##."] * 3 + ["........"]


def test_only_rows_that_changed_are_sent():
    """Nothing new: not a byte. One row: a page of 128 with its control byte, and seven bytes of addresses."""
    chip = Chip()
    oled = Oled(chip, ADDRESS)
    oled.show(ROWS, False)
    before = chip.bytes
    oled.show(ROWS, False)
    assert chip.bytes == before
    changed = ROWS[:3] + ["40000 mL/h"] + ROWS[4:]
    oled.show(changed, False)
    assert chip.bytes == before + 129 + 7 and chip.pixels() == expected(changed)


def test_a_row_longer_than_the_glass_is_cut():
    """Sixteen characters of eight pixels; what is behind is no part of the next row."""
    chip = Chip()
    Oled(chip, ADDRESS).show(["0123456789ABCDEFGH"] + [""] * 7, False)
    assert chip.pixels() == expected(["0123456789ABCDEF"])


def test_a_display_that_was_unplugged_is_set_up_again_and_nobody_is_hurt():
    """No answer raises nothing; after its return the whole picture is there, though the chip forgot all."""
    chip = Chip()
    oled = Oled(chip, ADDRESS)
    oled.show(ROWS, False)
    chip.gone = True
    oled.show([""] * 8, False)
    chip.reset()
    chip.gone = False
    oled.show(ROWS, True)
    assert chip.pixels() == expected(ROWS, True) and chip.on


class Glass:
    """What a screen shows last: rows and whether it is inverted."""

    def show(self, rows, inverse):
        self.rows, self.inverse = list(rows), inverse


def screen_after(*lines):
    glass = Glass()
    screen = Screen(glass)
    for line in lines:
        screen.seen(line)
    assert len(glass.rows) == 8
    return glass


STATUS = (
    b'{"now": "running", "point": 2, "of": 3, "link": "up", "mode": "verify", "tray": [], "positions": ['
    b'{"position": 1, "state": "waiting"}, {"position": 2, "state": "reading"}, {"position": 3, "state": "counting"},'
    b'{"position": 5, "state": "done"}, {"position": 6, "state": "silent"}, {"position": 18, "state": "no_flow"}]}\n'
)
FLOW = b'{"event": "flow_started", "ml_per_h": 2500000, "point": 2, "of": 3}\n'


def test_each_line_of_the_panel_is_shown():
    """Written out by hand from screen.py's table; position 4 is not in the run, 18 stands in the second row."""
    glass = screen_after(FLOW, STATUS)
    assert glass.rows == [
        "MeterSeal",
        "running",
        "point 2 of 3",
        "2500000 mL/h",
        "",
        ".r> +!          ",
        " !",
        "link: up",
    ]
    assert not glass.inverse


def test_training_and_check_runs_say_so_and_training_is_inverted():
    """A learner's run must not be taken for a verification."""
    training = screen_after(b'{"now": "idle", "mode": "TRAINING \xe5\x9f\xb9\xe8\xae\xad"}')
    assert training.rows[0] == "TRAINING" and training.inverse
    check = screen_after(b'{"now": "idle", "mode": "check"}')
    assert check.rows[0] == "CHECK RUN" and not check.inverse
    assert all(ord(letter) < 128 for row in training.rows for letter in row)


def test_an_error_stands_until_something_else_happens():
    """Its code in the last row; a status of the same state leaves it, a new state or an event takes it away."""
    error = b'{"error": "reference.silent", "zh": "x", "en": "x"}'
    idle, idle_again = (
        b'{"now": "idle", "tray": [[1, "D.1"]]}',
        b'{"now": "idle", "tray": [[1, "D.1"], [2, "D.2"]]}',
    )
    assert screen_after(idle, error).rows[7] == "reference.silent"
    assert screen_after(idle, error, idle_again).rows[7] == "reference.silent"
    assert screen_after(idle, error, STATUS).rows[7] == "link: up"
    assert screen_after(idle, error, b'{"event": "boot"}').rows[7] == "tray: 1"


def test_before_the_first_line_it_says_start():
    """The board has power; nothing is known yet."""
    assert screen_after().rows[:2] == ["MeterSeal", "start"]
