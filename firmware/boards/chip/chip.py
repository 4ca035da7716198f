"""What the boards with a microcontroller share: lines, network, watchdog, lamps. Makes no object of `machine`.

So all of it runs on the unix port too, with doubles of the pins, and is tested there (tests/test_boards.py). What only
a board can show is in docs/hardware.md.
"""

import asyncio
import os
import select
import sys

import buttons

from meterseal_fixture.errors import BadSettings, LineLost

AT_ONCE = 512
CHUNK = 64
ROOM_MS = 5
BUFFER = 1024

# RESET_CAUSE of the boot statement: MicroPython's own numbers (docs: machine.reset_cause), 0 where it says another. The
# last one is ours: MicroPython calls a brown-out power on, and each board asks its chip's own register.
UNKNOWN, POWER_ON, HARD, WATCHDOG, DEEP_SLEEP, SOFT, BROWN_OUT = 0, 1, 2, 3, 4, 5, 6

# The loop must come round within this time. What holds it longest is looking up a broker's name, which blocks: give an
# address in the settings where the network's name server is slow. RP2350 cannot wait longer than 16.7 s.
WATCHDOG_MS = 16000
FEED_MS = 1000

JOIN_MS, LOOK_MS = 20000, 500
WAIT_FIRST_MS, WAIT_LONGEST_MS = 1000, 60000

LAMPS = {"idle": (0, 0, 1), "open": (0, 1, 0), "running": (0, 1, 0), "settling": (0, 1, 0)}
RED, YELLOW = (1, 0, 0), (0, 1, 0)
BLINK_MS = 500
STATE, FAULT, TRAINING = b'"now": "', b'{"error": ', b'"mode": "TRAINING'


class Serial:
    """A UART as a byte line: async read() and write(), drop(). `uart` has any, read and write and never waits; `form`
    is (its usual rate, all else that its `init` takes) where its rate may be changed.
    """

    def __init__(self, uart, form=None) -> None:
        self._uart, self._form = uart, form
        self._stream = asyncio.StreamReader(uart)

    def rate(self, baud: int) -> None:
        """Go on at that rate, 0 for the usual one. All else is said again: what is left out of `init` is not kept."""
        usual, named = self._form
        self._uart.init(baud or usual, **named)

    async def read(self) -> bytes:
        """What has come, at least one byte."""
        first: bytes = await self._stream.read(1)
        return first + (self._uart.read(AT_ONCE) or b"" if self._uart.any() else b"")

    async def write(self, data: bytes) -> None:
        """Hand all of `data` to the UART, as room comes free."""
        at = 0
        while at < len(data):
            at += self._uart.write(data[at : at + CHUNK]) or 0
            if at < len(data):
                await asyncio.sleep_ms(ROOM_MS)

    def drop(self) -> None:
        """Forget what has come and was not read."""
        while self._uart.any():
            self._uart.read(AT_ONCE)


def form(parity, tx, rx):
    """What a UART's `init` takes besides its rate: eight bits, one stop bit, never waiting."""
    found = {"bits": 8, "parity": parity, "stop": 1, "tx": tx, "rx": rx}
    found.update({"txbuf": BUFFER, "rxbuf": BUFFER, "timeout": 0})
    return found


class Console:
    """The USB line that MicroPython's prompt uses. `coming` and `going` are byte streams; no log may go there."""

    def __init__(self, coming, going) -> None:
        self._coming, self._going = coming, going
        self._stream = asyncio.StreamReader(coming)
        self._waiting = select.poll()
        self._waiting.register(coming, select.POLLIN)

    async def read(self) -> bytes:
        """What has come, at least one byte; LineLost at its end, which a board's console does not have."""
        first: bytes = await self._stream.read(1)
        if not first:
            raise LineLost("line.lost", "console")
        return first + self._take()

    async def write(self, data: bytes) -> None:
        """Send all of `data`."""
        for at in range(0, len(data), CHUNK):
            self._going.write(data[at : at + CHUNK])
            await asyncio.sleep_ms(0)

    def drop(self) -> None:
        """Forget what has come and was not read."""
        while self._take():
            continue

    def _take(self) -> bytes:
        # read(n) waits for all n bytes: ask before each.
        found = bytearray()
        while len(found) < AT_ONCE and self._waiting.poll(0):
            byte = self._coming.read(1)
            if not byte:
                break
            found += byte
        return bytes(found)


class Watched:
    """The panel's line, with `seen(line)` called for each line that the fixture says on it."""

    def __init__(self, line, seen) -> None:
        self._line = line
        self._seen = seen

    async def read(self) -> bytes:
        """What the operator said."""
        found: bytes = await self._line.read()
        return found

    async def write(self, data: bytes) -> None:
        """Show it, then send it."""
        self._seen(data)
        await self._line.write(data)

    def drop(self) -> None:
        """Forget what has come and was not read."""
        self._line.drop()


class Tower:
    """Three lamps (red, yellow, green; each called with 0 or 1): red until something is known and after an error line,
    green when the station is idle, yellow while a run is under way, blinking in training. A `display` sees each line
    too (screen.py).
    """

    def __init__(self, lamps, display=None) -> None:
        self._lamps = lamps
        self._display = display
        self._training = False
        self._show(RED)

    def seen(self, line: bytes) -> None:
        """One line of the panel: a status or an error changes the lamps."""
        begin = line.find(STATE)
        if line.startswith(FAULT):
            self._show(RED)
        elif begin >= 0:
            rest = line[begin + len(STATE) :]
            self._training = TRAINING in line
            self._show(LAMPS.get(rest[: rest.find(b'"')].decode(), RED))
        if self._display:
            self._display.seen(line)

    def _show(self, levels: tuple[int, int, int]) -> None:
        self._levels = levels
        for lamp, level in zip(self._lamps, levels):
            lamp(level)

    async def blink(self) -> None:
        """Let yellow blink while a training run is under way, for ever."""
        dark = False
        while True:
            await asyncio.sleep_ms(BLINK_MS)
            dark = self._training and self._levels == YELLOW and not dark
            self._lamps[1](0 if dark else self._levels[1])


async def operate(tower: Tower, pins, desk) -> None:
    """What the operator touches and sees, for ever: lamps that blink, and `pins` of start and stop where wired."""
    loops = [tower.blink()]
    if pins:
        loops.append(buttons.watch(pins, desk))
    await asyncio.gather(*loops)


def reset_cause(cause: int, browned_out: bool) -> int:
    """The boot statement's number for what machine.reset_cause() gave, and what the chip's register says beside it."""
    if cause == POWER_ON and browned_out:
        return BROWN_OUT
    return cause if POWER_ON <= cause <= SOFT else UNKNOWN


def secret(folder: str) -> bytes:
    """The signing key's 32 bytes from the file `key`; BadSettings unless there are exactly that many.

    A board's file system knows no owner: whoever holds the board can read it. A secure element has no such file.
    """
    path = folder + "/key"
    try:
        with open(path, "rb") as file:
            found: bytes = file.read()
    except OSError:
        raise BadSettings("settings", "there is no key at %s; make one with the tools" % path)
    if len(found) != 32:
        raise BadSettings("settings", "%s must hold exactly 32 bytes" % path)
    return found


def access(folder: str) -> tuple[str, str]:
    """Name and password of the wireless network, the two lines of the file `network`; BadSettings without them."""
    path = folder + "/network"
    try:
        with open(path) as file:
            lines = file.read().split("\n")
    except OSError:
        raise BadSettings("settings", "there is no %s; write the network's name and password there" % path)
    if len(lines) < 2 or not lines[0]:
        raise BadSettings("settings", "%s must hold the network's name, then its password" % path)
    return lines[0], lines[1]


async def keep_network(wlan, name: str, password: str, log) -> None:
    """Keep `wlan` joined, for ever: look every LOOK_MS, join again when it is lost, wait longer after each failure."""
    wait = WAIT_FIRST_MS
    wlan.active(True)
    while True:
        if wlan.isconnected():
            wait = WAIT_FIRST_MS
        elif await _join(wlan, name, password, log):
            log("network", "joined")
        else:
            log("network", "not joined, next try in %d s" % (wait // 1000))
            await asyncio.sleep_ms(wait)
            wait = min(2 * wait, WAIT_LONGEST_MS)
        await asyncio.sleep_ms(LOOK_MS)


async def _join(wlan, name: str, password: str, log) -> bool:
    try:
        wlan.connect(name, password)
        for _ in range(JOIN_MS // LOOK_MS):
            await asyncio.sleep_ms(LOOK_MS)
            if wlan.isconnected():
                return True
        wlan.disconnect()
    except OSError as why:
        log("network", repr(why))
    return False


async def feed(watchdog) -> None:
    """Feed the watchdog for ever: it bites when the loop has not come round for WATCHDOG_MS."""
    while True:
        watchdog.feed()
        await asyncio.sleep_ms(FEED_MS)


def entropy(count: int) -> bytes:
    """Random bytes: RP2350 has a true source; ESP32's is one while its radio is on."""
    return os.urandom(count)


def log(word: str, text: str = "") -> None:
    """One line for whoever watches; never a key, never an error of a meter."""
    sys.stdout.write("%s %s\n" % (word, text))


def silent(word: str, text: str = "") -> None:
    """Where the console is the panel's line, nothing is logged."""
