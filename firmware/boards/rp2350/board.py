"""A Raspberry Pi Pico 2 W as a fixture (MicroPython 1.27 or newer, board RPI_PICO2_W). Names as on the unix board.

| line or part | setting | pins (GP) |
|---|---|---|
| capture line to the counting front end, 115 200 8N1 | `uart0` | TX 0, RX 1 |
| M-Bus or CJ/T 188 level converter, 2400 8E1 | `uart1` | TX 4, RX 5 |
| panel | `usb` | USB |
| secure element | I2C 0, 100 kHz | SDA 20, SCL 21 |
| display | `display`, I2C 1, 400 kHz | SDA 18, SCL 19 |
| buttons to ground | `buttons` | start 14, stop 15 |
| lamps red, yellow, green | | 10, 11, 12 |
| switch to one of four front ends | `uart0:0` to `uart0:3` | 16, 17 |
| RS-485 to a valve or pump controller, 9600 8N1 | `flow_line`, a place of that switch | the switch's |

Left alone: 23, 24, 25, 29 (the radio). Two UARTs are all there are, so the controller's RS-485 is a place of the
switch; the transceiver finds its direction itself.
Source: RP2350 data sheet, GPIO functions; Pico 2 W data sheet.

Only type-checked: no RP2350 was here. This chip writes its flash with interrupts off, and its radio uses PIO and DMA,
so the counting front end is a second Pico 2 of its own (boards/front_rp2350).

A reset by machine.reset() reads as watchdog here, and every other one as power on, a brown-out aside: the chip itself
tells that one.
"""

import sys

import chip
import machine
import network
from choice import Choice
from machine import I2C, UART, WDT, Pin
from screen import Oled, Screen

from meterseal_fixture.errors import BadSettings
from meterseal_fixture.settings import Settings

# name: (UART, baud, parity None or 0 for even, TX, RX)
LINES = {
    "uart0": (0, 115200, None, 0, 1),
    "uart1": (1, 2400, 0, 4, 5),
}
USB = "usb"
I2C_ID, I2C_SDA, I2C_SCL, I2C_HZ = 0, 20, 21, 100_000
DISPLAY_ID, DISPLAY_SDA, DISPLAY_SCL, DISPLAY_HZ = 1, 18, 19, 400_000
CHIP_RESET, HAD_BOR = 0x4010002C, 1 << 17
BUTTONS = (14, 15)  # start, stop
LAMPS = (10, 11, 12)
SWITCH = (16, 17)  # lowest bit first


class Board:
    """One Pico 2 W. Its state lies in `settings.folder` on its flash: key, network, queue."""

    name = "rp2350"

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.folder
        self.reset_cause = chip.reset_cause(machine.reset_cause(), _browned_out())
        self.log = chip.silent if settings.panel == USB else chip.log
        self.entropy = chip.entropy
        self._panel = settings.panel
        display = Screen(Oled(_display_bus(), settings.display)) if settings.display else None
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


def _display_bus() -> I2C:
    # A bus of its own: the element takes a 00 at 100 kHz for its wake, and a display is sent many.
    return I2C(DISPLAY_ID, sda=Pin(DISPLAY_SDA), scl=Pin(DISPLAY_SCL), freq=DISPLAY_HZ)


def _browned_out() -> bool:
    # POWMAN CHIP_RESET, HAD_BOR: the last reset came from the brown-out detector (pico-sdk, hardware/regs/powman.h).
    return bool(machine.mem32[CHIP_RESET] & HAD_BOR)


def _line(name: str) -> chip.Serial:
    if name not in LINES:
        raise BadSettings("settings", "this board has no line '%s'; name one of its table" % name)
    number, baud, parity, tx, rx = LINES[name]
    named = chip.form(parity, Pin(tx), Pin(rx))
    return chip.Serial(UART(number, baud, **named), (baud, named))
