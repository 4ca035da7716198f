"""An ESP32-S3 as a fixture (MicroPython 1.27 or newer, board ESP32_GENERIC_S3). Names as on the unix board.

| line or part | setting | pins |
|---|---|---|
| capture line to the counting front end, 115 200 8N1 | `uart1` | TX 17, RX 18 |
| M-Bus or CJ/T 188 level converter, 2400 8E1 | `uart2` | TX 15, RX 16 |
| panel | `usb` | USB (19, 20) |
| RS-485 to a valve or pump controller, 9600 8N1 | `uart0` | TX 43, RX 44, driver enable 21 (RTS) |
| secure element | I2C 0, 100 kHz | SDA 8, SCL 9 |
| display, sensors' converters | `display`, `sensors`, I2C 1, 400 kHz | SDA 13, SCL 14 |
| buttons to ground | `buttons` | start 1, stop 2 |
| lamps red, yellow, green | | 10, 11, 12 |
| switch to one of four front ends | `uart1:0` to `uart1:3` | 38, 42 |
| pulse counters (counting.py), reference first | capture `own` | 4, 5, 6, 7 |

Left alone: 0, 3, 45, 46 (strapping), 26 to 37 (flash and octal PSRAM). Source: ESP32-S3 data sheet, pin tables.

Only type-checked: no ESP32-S3 was here. Flash writes stop this chip's code for tens of milliseconds, so pulses are
counted by a front end of their own (design section 6) or by PCNT, which is hardware: all that a static run needs.
"""

import sys

import chip
import counting
import machine
import network
from choice import Choice
from machine import I2C, UART, WDT, Pin
from screen import Oled, Screen
from sensors import Sensors

from meterseal_fixture.capability import ESP32S3_PCNT
from meterseal_fixture.counters import Clock, Counters
from meterseal_fixture.errors import BadSettings
from meterseal_fixture.settings import Settings

# name: (UART, baud, parity None or 0 for even, TX, RX, RTS as the driver's enable or None)
LINES = {
    "uart0": (0, 9600, None, 43, 44, 21),
    "uart1": (1, 115200, None, 17, 18, None),
    "uart2": (2, 2400, 0, 15, 16, None),
}
USB = "usb"
I2C_ID, I2C_SDA, I2C_SCL, I2C_HZ = 0, 8, 9, 100_000
DISPLAY_ID, DISPLAY_SDA, DISPLAY_SCL, DISPLAY_HZ = 1, 13, 14, 400_000
RESET_STATE = 0x60008038
BUTTONS = (1, 2)  # start, stop
LAMPS = (10, 11, 12)
SWITCH = (38, 42)  # lowest bit first


class Board:
    """One ESP32-S3. Its state lies in `settings.folder` on its flash: key, network, queue."""

    name = "esp32s3"

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.folder
        self.reset_cause = chip.reset_cause(machine.reset_cause(), _browned_out())
        self.log = chip.silent if settings.panel == USB else chip.log
        self.entropy = chip.entropy
        self._panel = settings.panel
        self._bus = _second_bus() if settings.display or settings.sensors else None
        display = Screen(Oled(self._bus, settings.display)) if settings.display else None
        self._tower = chip.Tower([Pin(pin, Pin.OUT, value=0) for pin in LAMPS], display)
        self._choice = Choice([Pin(pin, Pin.OUT, value=0) for pin in SWITCH], self.serial, settings.flow_line)
        self._buttons = [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in BUTTONS] if settings.buttons else []

    def serial(self, name: str):
        """The line of that name in the table above; BadSettings when there is none."""
        if ":" in name:
            return self._choice.line(name)
        line = chip.Console(sys.stdin.buffer, sys.stdout.buffer) if name == USB else _line(name)
        return chip.Watched(line, self._tower.seen) if name == self._panel else line

    def secret(self) -> bytes:
        """The signing key's 32 bytes; BadSettings where there is none."""
        return chip.secret(self.folder)

    @staticmethod
    def i2c() -> I2C:
        """The secure element's bus; it wants 100 kHz."""
        return I2C(I2C_ID, sda=Pin(I2C_SDA), scl=Pin(I2C_SCL), freq=I2C_HZ)

    def counters(self, settings: Settings, flow) -> Counters:
        """This chip's own pulse counters as the bench's count source."""
        clock = Clock()
        sensors = Sensors(self._bus, settings.sensors, clock.us, settings.positions)
        return Counters(counting.units(), ESP32S3_PCNT, (sensors, settings.ref_nl), flow, clock)

    async def keep_network(self, settings: Settings) -> None:
        """Stay in the wireless network that the file `network` names, for ever."""
        name, password = chip.access(settings.folder)
        await chip.keep_network(network.WLAN(network.WLAN.IF_STA), name, password, self.log)

    async def operate(self, desk) -> None:
        """Lamps that blink, and the buttons where they are wired, for ever."""
        await chip.operate(self._tower, self._buttons, desk)

    async def feed(self) -> None:
        """Start the watchdog (chip.WATCHDOG_MS) and feed it for ever."""
        await chip.feed(WDT(timeout=chip.WATCHDOG_MS))


def _second_bus() -> I2C:
    # Not the element's: that takes a 00 at 100 kHz for its wake, and a display is sent many.
    return I2C(DISPLAY_ID, sda=Pin(DISPLAY_SDA), scl=Pin(DISPLAY_SCL), freq=DISPLAY_HZ)


def _browned_out() -> bool:
    # RTC_CNTL_RESET_STATE, bits 5 to 0: 1 power on, 15 brown-out. IDF's own detector restarts by software (3 or 12) and
    # says so to MicroPython, which then calls it power on: with that, whatever is not 1 was a brown-out. A dip so deep
    # that it resets the whole chip reads as 1 (esp32s3/rom/rtc.h) and cannot be told from power on.
    return machine.mem32[RESET_STATE] & 0x3F not in (0, 1)


def _line(name: str) -> chip.Serial:
    if name not in LINES:
        raise BadSettings("settings", "this board has no line '%s'; name one of its table" % name)
    number, baud, parity, tx, rx, enable = LINES[name]
    named = chip.form(parity, tx, rx)
    uart = UART(number, baud, **named)
    if enable is not None:
        uart.init(rts=enable, flow=UART.RTS)
    return chip.Serial(uart, (baud, named))
