"""The board layers on the unix port, with doubles of `machine`, `network` and `rp2` that write down what they are told.

Shown: which line gets which pins and settings, what registers and DMA channels are given, and what chip.py does with
lines, network and lamps. Not shown: that a chip does what it was told. Pins and registers are from the data sheets.
"""

import asyncio
import io
import os
import sys

from doubles import CaptureEnd
from test_flow import REGISTER, UNIT, Valve

from meterseal_fixture.errors import BadSettings
from meterseal_fixture.flow import Controller, ModbusFlow
from meterseal_fixture.pulses import FrontEnd

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
BOARDS = HERE + "/../boards/"
sys.path.append(BOARDS + "chip")
sys.path.append(BOARDS + "front_rp2350")

import chip  # noqa: E402

POLL, READABLE = 3, 1  # py/stream.h: MP_STREAM_POLL, MP_STREAM_POLL_RD
STRAPPING_AND_FLASH = {0, 3, 45, 46} | set(range(26, 38))
RADIO = {23, 24, 25, 29}


class Uart(io.IOBase):
    """A UART that asyncio can wait for: takes `room` bytes at a time, gives what was put into `coming`."""

    def __init__(self, coming=b"", room=3):
        self.coming, self.room, self.sent = coming, room, []

    def ioctl(self, request, argument):
        return argument & READABLE if request == POLL and self.coming else 0

    def any(self):
        return len(self.coming)

    def read(self, most):
        found, self.coming = self.coming[:most], self.coming[most:]
        return found or None

    def write(self, data):
        self.sent.append(bytes(data[: self.room]))
        return min(self.room, len(data)) or None


class Wireless:
    """A WLAN that is joined after so many looks a try; a number below 0 raises OSError."""

    def __init__(self, tries):
        self.tries, self.left, self.told = list(tries), -1, []

    def active(self, _on):
        self.told.append("active")

    def isconnected(self):
        self.left -= self.left > 0
        return self.left == 0

    def connect(self, name, password):
        self.told.append((name, password))
        self.left = self.tries.pop(0)
        if self.left < 0:
            raise OSError(5)

    def disconnect(self):
        self.left = -1
        self.told.append("disconnect")


class Memory(dict):
    """machine.mem32: what was written last, 0 before, and all that was written."""

    def __getitem__(self, at):
        return self.get(at, 0)


class Machine:
    """The names of `machine` that the boards use; `made` lists every object with its arguments."""

    def __init__(self, cause=1):
        self.made = []
        self.mem32 = Memory()
        self.reset_cause = lambda: cause
        self.freq = lambda hz: self.made.append(("freq", (hz,), {}))
        machine = self

        class Made:
            IN, OUT, PULL_UP, RTS = "in", "out", "up", "rts"

            def __init__(self, *given, **named):
                machine.made.append((self.kind, given, named))
                self.given, self.named = given, named

            def __call__(self, level):
                self.level = level

            def init(self, **named):
                machine.made.append((self.kind + ".init", (), named))

            def ioctl(self, _request, _argument):
                return 0

            def writeto(self, _address, _data):
                return None

        for kind in ("UART", "Pin", "I2C", "WDT"):
            setattr(self, kind, type(kind, (Made,), {"kind": kind}))

    def all(self, kind):
        return [(given, named) for name, given, named in self.made if name == kind]


class Settings:
    """As much of the settings as a board layer reads."""

    def __init__(self, panel, buttons=0, display=0, sensors=(), flow_line=""):
        self.folder, self.panel, self.flow_line = "/tmp", panel, flow_line
        self.buttons, self.display = buttons, display
        self.sensors, self.positions, self.ref_nl = dict(sensors), 20, 1000


class Pcnt:
    """esp32.PCNT: `made` has each unit's number, limits, set-up and interrupt; it stands at `stands`."""

    INCREMENT, IGNORE, IRQ_MAX = 1, 0, 32
    made = []

    def __init__(self, number, **limits):
        self.number, self.limits, self.stands, self.running = number, limits, 0, False
        self.made.append(self)

    def init(self, **named):
        self.named = named

    def irq(self, handler, trigger):
        handler(self)
        self.trigger = trigger

    def start(self):
        self.running = True

    def value(self):
        return self.stands


class Esp32:
    """The names of `esp32` that the board uses."""

    PCNT = Pcnt


class Names:
    """A file's names as a module."""

    def __init__(self, space):
        for name, value in space.items():
            if not name.startswith("__"):
                setattr(self, name, value)


def load(path, machine, rp2=None):
    """The names of a board file, run with doubles in the place of the port's modules."""
    given = {"machine": machine, "network": machine, "rp2": rp2, "esp32": Esp32}
    if path == "esp32s3/board.py":
        given["counting"] = Names(load("esp32s3/counting.py", machine))
    kept = {name: sys.modules.get(name) for name in given}
    for name, double in given.items():
        sys.modules[name] = double
    space = {"__name__": "board"}
    try:
        with open(BOARDS + path) as file:
            exec(file.read(), space)
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return space


def cut_short(task, ms):
    """Run something endless for so long."""

    async def main():
        try:
            await asyncio.wait_for_ms(task, ms)
        except asyncio.TimeoutError:
            return

    asyncio.run(main())


def test_a_line_gives_what_came_and_sends_all_of_a_message_as_room_comes_free():
    """chip.Serial over a UART that takes three bytes at a time."""
    uart = Uart(b"hello")
    line = chip.Serial(uart)
    assert asyncio.run(line.read()) == b"hello"
    asyncio.run(line.write(b"0123456789"))
    assert b"".join(uart.sent) == b"0123456789" and len(uart.sent) == 4
    uart.coming = b"x" * 1000
    line.drop()
    assert uart.any() == 0


def test_the_network_is_joined_again_after_refusal_silence_and_loss():
    """A try that raises, one that never answers, one that works; then the link is lost and joined again."""
    chip.LOOK_MS, chip.JOIN_MS, chip.WAIT_FIRST_MS = 1, 10, 1
    wireless, said = Wireless([-1, 99, 2, 1]), []
    task = chip.keep_network(wireless, "works", "secret", lambda _word, text: said.append(text))

    async def lose():
        while "joined" not in said:
            await asyncio.sleep_ms(1)
        wireless.left = -1
        await asyncio.sleep_ms(60)

    async def both():
        running = asyncio.create_task(task)
        await asyncio.wait_for_ms(lose(), 2000)
        running.cancel()

    asyncio.run(both())
    assert wireless.told.count(("works", "secret")) == 4 and wireless.tries == []
    assert said.count("joined") == 2 and sum(text.startswith("not joined") for text in said) == 2
    assert not any("secret" in text for text in said)


def test_the_lamps_follow_the_panels_lines():
    """Red at first and after an error, green when idle, yellow in a run; an event line changes nothing."""
    levels, lines = [9, 9, 9], []

    class Display:
        def seen(self, line):
            lines.append(line)

    def lamp(number):
        def set_to(level):
            levels[number] = level

        return set_to

    tower = chip.Tower([lamp(0), lamp(1), lamp(2)], Display())
    assert levels == [1, 0, 0]
    for line, wanted in (
        (b'{"point": 0, "now": "idle", "of": 3}', [0, 0, 1]),
        (b'{"now": "running"}', [0, 1, 0]),
        (b'{"event": "boot"}', [0, 1, 0]),
        (b'{"error": "order.idle"}', [1, 0, 0]),
        (b'{"now": "settling"}', [0, 1, 0]),
        (b'{"now": "other"}', [1, 0, 0]),
    ):
        tower.seen(line)
        assert levels == wanted, line
    assert len(lines) == 6 and lines[2] == b'{"event": "boot"}'


def test_yellow_blinks_in_a_training_run_and_in_nothing_else():
    """BLINK_MS is made 2 ms: in 30 ms yellow was off and on again in a training run; idle, after an error, and in a
    verification it stands.
    """
    usual, chip.BLINK_MS = chip.BLINK_MS, 2
    try:
        for line, wanted in (
            (b'{"now": "running", "mode": "TRAINING"}', {0, 1}),
            (b'{"now": "idle", "mode": "TRAINING"}', {0}),
            (b'{"now": "running", "mode": "verify"}', {1}),
            (b'{"error": "run.stopped"}', {0}),
        ):
            seen = []
            tower = chip.Tower([lambda _: None, seen.append, lambda _: None])
            tower.seen(b'{"now": "running", "mode": "TRAINING"}')
            tower.seen(line)
            seen.clear()
            cut_short(tower.blink(), 30)
            assert set(seen) == wanted, line
    finally:
        chip.BLINK_MS = usual


def test_key_and_network_files_are_read_or_refused_in_a_sentence():
    """32 bytes; two lines."""
    folder = "/tmp/meterseal-boards"
    if "meterseal-boards" not in os.listdir("/tmp"):
        os.mkdir(folder)
    for name, good, bad, read in (
        ("key", b"k" * 32, b"k" * 31, chip.secret),
        ("network", b"works\npass\n", b"works", chip.access),
    ):
        for content, fine in ((None, False), (bad, False), (good, True)):
            if content is None and name in os.listdir(folder):
                os.remove(folder + "/" + name)
            elif content is not None:
                with open(folder + "/" + name, "wb") as file:
                    file.write(content)
            try:
                found = read(folder)
            except BadSettings as wrong:
                assert not fine and name in wrong.detail
            else:
                assert fine and found in (b"k" * 32, ("works", "pass"))


def test_the_watchdog_is_fed_before_it_bites():
    """chip.feed feeds at once, and again and again; sixteen times as often as needed."""
    assert 10 * chip.FEED_MS < chip.WATCHDOG_MS < 16777  # RP2350's longest, ports/rp2/machine_wdt.c
    fed, chip.FEED_MS = [], 5

    class Dog:
        def feed(self):
            fed.append(1)

    cut_short(chip.feed(Dog()), 40)
    assert len(fed) > 3


def test_reset_causes_are_micropythons_numbers_or_unknown():
    """docs.micropython.org, machine.reset_cause: 1 power on, 2 hard, 3 watchdog, 4 deep sleep, 5 soft. 6 is ours."""
    causes = (-1, 0, 1, 2, 3, 4, 5, 6)
    assert [chip.reset_cause(cause, False) for cause in causes] == [0, 0, 1, 2, 3, 4, 5, 0]
    assert [chip.reset_cause(cause, True) for cause in causes] == [0, 0, 6, 2, 3, 4, 5, 0]


def test_a_brown_out_is_told_by_the_chips_own_register():
    """MicroPython says 1 (ports/esp32 and ports/rp2, modmachine.c). ESP32-S3, RTC_CNTL_RESET_STATE: 1 power on, 15
    brown-out, 3 and 12 restarted by IDF's detector; the other core's cause stands in bits 11 to 6. RP2350, CHIP_RESET:
    bit 16 power on, 17 brown-out, 18 the RUN pin. A watchdog's reset stays one whatever else is set.
    """
    for folder, at, rows in (
        ("esp32s3", 0x60008038, ((1, 1), (1 | 15 << 6, 1), (15, 6), (3, 6), (12, 6), (0, 1))),
        ("rp2350", 0x4010002C, ((1 << 16, 1), (1 << 17, 6), (1 << 18, 1), (0, 1))),
    ):
        for shown, cause in rows:
            for said in (1, 3):
                machine = Machine(said)
                machine.mem32[at] = shown
                board = load(folder + "/board.py", machine)["Board"](Settings("usb"))
                assert board.reset_cause == (cause if said == 1 else 3), (folder, shown)


def test_each_board_opens_its_lines_with_the_pins_and_the_form_of_its_table():
    """M-Bus is 2400 8E1 (EN 13757-2), 0 being even parity in MicroPython; no pin serves twice or is the chip's own."""
    for folder, mbus, own in (("esp32s3", "uart2", STRAPPING_AND_FLASH), ("rp2350", "uart1", RADIO)):
        machine = Machine(3)
        space = load(folder + "/board.py", machine)
        board = space["Board"](Settings("usb"))
        assert (board.name, board.reset_cause, board.log) == (folder, 3, chip.silent)
        board.serial(mbus)
        given, named = machine.all("UART")[-1]
        assert given[1] == 2400
        assert (named["bits"], named["parity"], named["stop"], named["timeout"]) == (8, 0, 1, 0)
        pins = [pin for row in space["LINES"].values() for pin in row[3:] if pin is not None]
        pins += list(space["LAMPS"]) + [space["I2C_SDA"], space["I2C_SCL"]]
        pins += list(space["BUTTONS"]) + list(space["SWITCH"]) + [space["DISPLAY_SDA"], space["DISPLAY_SCL"]]
        if folder == "esp32s3":
            pins += load("esp32s3/counting.py", machine)["COUNTER_PINS"]
        assert len(set(pins)) == len(pins) and not set(pins) & own
        with_both = space["Board"](Settings("usb", buttons=1, display=60))
        assert [button.given[0] for button in with_both._buttons] == list(space["BUTTONS"])
        assert all("up" in button.given for button in with_both._buttons)
        [(_, display_bus)] = [found for found in machine.all("I2C") if found[1]["freq"] == 400_000]
        assert display_bus["sda"].given == (space["DISPLAY_SDA"],)
        board.i2c()
        assert machine.all("I2C")[-1][1]["freq"] <= 100_000  # atecc608.py: 100 kHz or slower
        assert space["Board"](Settings("uart0")).log is chip.log
        try:
            board.serial("uart7")
        except BadSettings as wrong:
            assert "uart7" in wrong.detail
        else:
            raise AssertionError("a line that is not there was opened")


def test_a_switched_line_leads_to_the_front_end_that_is_asked():
    """74HC4052: S0 is the lowest bit. One UART for all places; three ways to ask for a place that is not there."""
    for folder, line in (("esp32s3", "uart1"), ("rp2350", "uart0")):
        machine = Machine()
        space = load(folder + "/board.py", machine)
        board = space["Board"](Settings("usb"))
        sent, low, high = [], board._choice._pins[0], board._choice._pins[1]
        assert [pin.given[0] for pin in (low, high)] == list(space["SWITCH"])

        class Shared:
            async def write(self, data):
                sent.append((data, low.level, high.level))  # noqa: B023

            def drop(self):
                sent.append(("drop", low.level, high.level))  # noqa: B023

            async def read(self):
                return b"answer"

        opened = []
        board._choice._open = lambda name: opened.append(name) or Shared()  # noqa: B023
        places = [board.serial("%s:%d" % (line, place)) for place in range(3)]
        asyncio.run(places[2].write(b"T"))
        places[1].drop()
        asyncio.run(places[0].write(b"A"))
        assert sent == [(b"T", 0, 1), ("drop", 1, 0), (b"A", 0, 0)]
        assert asyncio.run(places[0].read()) == b"answer" and opened == [line]
        for wrong in (":4", ":", ":-1"):
            try:
                board.serial(line + wrong)
            except BadSettings as why:
                assert "0 to 3" in why.detail
            else:
                raise AssertionError("a place that is not there was taken")


class Switched(Uart):
    """A UART behind the switch: at place 0 a front end at 115 200, at place 3 a Modbus controller at 9600 baud. What is
    said at the wrong rate is heard by nobody; a UART that is set up again has forgotten what had come.
    """

    def __init__(self, choice, front, valve):
        self.ends = {(0, 0): (115200, front), (1, 1): (9600, valve)}
        self.choice, self.baud, self.coming, self.inits = choice, 115200, b"", []

    def init(self, baud, **named):
        self.inits.append((baud, named))
        self.baud, self.coming = baud, b""

    def write(self, data):
        baud, end = self.ends[tuple(pin.level for pin in self.choice._pins)]
        self.coming += end(bytes(data)) if baud == self.baud else b"\x00"
        return len(data)


def test_a_pico_2_w_sets_the_flow_over_a_place_of_the_switch_at_the_controllers_rate():
    """Two UARTs and three talkers: the flow is set and read back at 9600 baud 8N1, the front end answers at 115 200
    before and behind it; between two questions to one of them the UART is left alone.
    """
    machine = Machine()
    settings = Settings("usb", flow_line="uart0:3")
    board = load("rp2350/board.py", machine)["Board"](settings)
    front, valve = CaptureEnd((100, 500)), Valve()
    lines = [board.serial(name) for name in ("uart0:0", "uart0:3")]
    shared = board._choice._lines["uart0"]
    uart = Switched(board._choice, front, valve)
    shared._uart, shared._stream = uart, asyncio.StreamReader(uart)
    source = FrontEnd(lines[0], 50, ModbusFlow(lines[1], Controller(UNIT, REGISTER, 1000, 1), 50))
    for ml_per_h in (2500000, 0):
        asyncio.run(source.now())
        asyncio.run(source.set_flow(ml_per_h))
        assert valve.registers == {REGISTER: ml_per_h // 1000}
        asyncio.run(source.now())
    assert [baud for baud, _ in uart.inits] == [9600, 115200, 9600, 115200]
    assert {named["bits"] for _, named in uart.inits} == {8} and uart.inits[0][1]["parity"] is None
    assert front.asked == [["T"]] * 4 and valve.asked == 4


def test_the_front_ends_sensors_are_made_where_the_table_has_some():
    """No table: none, and S is silent. With one: I2C 0 at 400 kHz (ADS1115: fast mode)."""
    machine = Machine()
    sys.modules.pop("edges", None)

    class Rp2:
        class PIO:
            JOIN_RX = 2

        def asm_pio(**_named):
            return lambda function: function

    space = load("front_rp2350/board.py", machine, Rp2)
    assert space["sensors"](lambda: 0) is None
    space["TABLE"][0] = (0x48, 0, 0, 1000)
    assert space["sensors"](lambda: 0).positions == space["POSITIONS"]
    [(given, named)] = machine.all("I2C")
    assert given == (0,) and named["freq"] == 400_000 and named["sda"].given[0] == space["I2C_SDA"]
    taken = list(space["CHANNEL_PINS"]) + [space["UART_TX"], space["UART_RX"]]
    assert space["I2C_SDA"] not in taken and space["I2C_SCL"] not in taken


def test_the_esp32s3_counts_with_four_units_that_go_round_at_32000():
    """PCNT (MicroPython: esp32.PCNT): rising edges, filter of 1 us, a unit that watches its limit. 40 000 edges that
    the hardware showed as 8 000, and what the sensors' converters on the display's bus do not know.
    """
    machine, Pcnt.made[:] = Machine(), []
    space = load("esp32s3/board.py", machine)
    settings = Settings("uart0", sensors={1: (72, 0, 0, 50000)})
    source = space["Board"](settings).counters(settings, None)
    assert settings.positions == source._sensors.positions == 20
    assert [(unit.number, unit.named["pin"].given[0]) for unit in Pcnt.made] == [
        (0, 4),
        (1, 5),
        (2, 6),
        (3, 7),
    ]
    for unit in Pcnt.made:
        assert unit.limits == {"min": -32000, "max": 32000} and unit.named["filter"] == 80
        assert (unit.named["rising"], unit.named["falling"]) == (Pcnt.INCREMENT, Pcnt.IGNORE)
        assert (unit.trigger, unit.running) == (Pcnt.IRQ_MAX, True)
    assert source.rows == [("esp32s3-pcnt", 4, 1000, 3200, 1, 10000)] and not source.stamps
    asyncio.run(source.arm(0b11))
    for stands in (20_000, 8_000):
        Pcnt.made[0].stands = stands
        asyncio.run(source.now())
    assert [row[0] for row in asyncio.run(source.counts()).channels[:2]] == [39_999, 0]
    [(given, named)] = machine.all("I2C")
    assert given == (1,) and named["sda"].given == (space["DISPLAY_SDA"],)


def test_the_panels_line_is_the_one_that_the_lamps_watch():
    """The tower sees what the fixture says to the panel, and nothing of the other lines."""
    space = load("rp2350/board.py", Machine())
    board = space["Board"](Settings("uart0"))
    assert isinstance(board.serial("uart0"), chip.Watched)
    assert isinstance(board.serial("uart1"), chip.Serial)


def test_the_counting_front_end_is_set_up_as_the_data_sheet_wants():
    """Eight machines of two blocks start with one write to CTRL; eight rings of DMA, each aligned to its size."""
    transfers, machines = [], []

    class Transfer:
        count = 1 << 28 | 1 << 24

        def pack_ctrl(self, **named):
            return named

        def config(self, **named):
            self.set = named
            transfers.append(self)

    class StateMachine:
        def __init__(self, number, _program, **named):
            machines.append((number, named["freq"], named["jmp_pin"].given[0]))

        def exec(self, instruction):
            assert instruction == "mov(x, invert(null))"

    class Rp2:
        DMA = Transfer

        class PIO:
            JOIN_RX = 2

        def asm_pio(**_named):
            return lambda function: function

    Rp2.StateMachine = StateMachine
    machine = Machine()
    sys.modules.pop("edges", None)
    space = load("front_rp2350/board.py", machine, Rp2)
    capture = space["Capture"]()
    assert [(number, pin) for number, _, pin in machines] == [(n, 2 + n) for n in range(8)]
    assert {hz for _, hz, _ in machines} == {5_000_000} and machine.all("freq") == [((150_000_000,), {})]
    # CTRL: SM_ENABLE 0xf, CLKDIV_RESTART 0xf00, NEXT_PIO_MASK 0xf00000, NEXTPREV_SM_ENABLE, NEXTPREV_CLKDIV_RESTART.
    assert machine.mem32 == {0x50200000: 0x05F00F0F}
    assert [one.set["ctrl"]["treq_sel"] for one in transfers] == [4, 5, 6, 7, 12, 13, 14, 15]
    assert [one.set["read"] for one in transfers] == [
        base + 0x20 + 4 * n for base in (0x50200000, 0x50300000) for n in range(4)
    ]
    writes = [one.set["write"] for one in transfers]
    assert all(write % 4096 == 0 for write in writes) and len(set(writes)) == 8
    assert capture.places(0) == 0
    transfers[3].count = 1 << 28 | (1 << 24) - 5
    assert capture.places(3) == 5
    machine.mem32[0x50200008], machine.mem32[0x50300008] = 0x0F000002, 0x8
    assert capture.spilled() == 0b10000010
    assert (machine.mem32[0x50200008], machine.mem32[0x50300008]) == (0x2, 0x8)
    assert 0 <= capture.now() < 60_000_000
