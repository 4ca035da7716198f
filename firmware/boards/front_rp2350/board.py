"""The counting front end's board: a Raspberry Pi Pico 2 (RP2350, 150 MHz), no wireless, nothing else to do.

Eight state machines stamp edges (`edges.py`), one DMA channel each moves stamps into a ring of RAM. From the pin to
the ring no instruction of the interpreter is involved; how late it looks decides only when a ring runs over, and that
is noticed. The capture clock is the microsecond timer: both it and PIO run from the one crystal, so they differ by a
constant, taken once, such that the timer never runs ahead of the stamps.

Pins (GP numbers; inputs with pull-up, an open collector or reed contact to ground counts when it opens; no pull-down,
which erratum RP2350-E9 lets hang half-way):

| channel | 0 (reference) | 1 | 2 | 3 | 4 | 5 | 6 | 7 | UART TX, RX | sensors SDA, SCL |
|---|---|---|---|---|---|---|---|---|---|---|
| GP | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 12, 13 | 20, 21 |

Sources: RP2350 datasheet and pico-sdk 2 (hardware/regs/pio.h, dreq.h, dma.h), MicroPython rp2 (DMA, StateMachine).
Only type-checked: no RP2350 was here.
"""

import time
from array import array

import rp2
import uctypes
from counting import PLACES, RING, Clock
from edges import PIO_HZ, SYSTEM_HZ, edges
from machine import I2C, UART, WDT, Pin, freq, mem32
from sensors import Sensors

CHANNEL_PINS = (2, 3, 4, 5, 6, 7, 8, 9)
UART_ID, UART_TX, UART_RX, BAUD = 0, 12, 13, 115200
WATCHDOG_MS = 2000

# An edge nearer to the one before is bounce, in ticks of 1 us; 0 for electronic outputs. One number a channel.
LEAST_TICKS = (0, 0, 0, 0, 0, 0, 0, 0)

# The bench's sensors: quantity to (converter's address, input, value at 4 mA, value at 20 mA), all ten of sensors.py or
# none; POSITIONS is how many the bench has. A first one of three front ends, say, for water:
#   {FLOW: (0x48, 0, 0, 3200000), AIR_MK: (0x48, 1, 0, 50000), ...}
TABLE: dict[int, tuple[int, int, int, int]] = {}
POSITIONS = 7
I2C_ID, I2C_SDA, I2C_SCL, I2C_HZ = 0, 20, 21, 400_000

PIO_BASE = (0x50200000, 0x50300000)
CTRL, FDEBUG, RXF0 = 0x000, 0x008, 0x020
RXSTALL = 0x0F
# One write starts four machines here and the four of the next block, dividers first (datasheet: PIO CTRL).
START_BOTH = 1 << 26 | 1 << 24 | 0xF << 20 | 0xF << 8 | 0xF
RX_REQUEST = (4, 12)  # DREQ_PIO0_RX0, DREQ_PIO1_RX0
TRIGGER_SELF = 1 << 28  # a transfer count of this mode begins anew by itself
RING_BYTES = 4 * RING
RING_BITS = 12  # 2**12 bytes
TIMER_BITS = 30  # time.ticks_us goes round at 2**30


class Capture:
    """Eight channels that stamp edges on their own; see `answers.Answers` for what each name gives."""

    def __init__(self) -> None:
        freq(SYSTEM_HZ)
        rings = len(CHANNEL_PINS)
        self.halves = array("H", bytes(RING_BYTES * (rings + 1)))
        first = -uctypes.addressof(self.halves) % RING_BYTES  # DMA rings begin at a multiple of their size
        self.bases = [(first + RING_BYTES * channel) // 2 for channel in range(rings)]
        self._transfers = [self._channel(channel, pin) for channel, pin in enumerate(CHANNEL_PINS)]
        mem32[PIO_BASE[0] + CTRL] = START_BOTH
        self._clock = Clock(TIMER_BITS, _timer())

    def now(self) -> int:
        """Ticks of the capture clock; ask at least every 17 minutes."""
        return self._clock.extend(_timer())

    def places(self, channel: int) -> int:
        """Stamps ever written, modulo PLACES: the transfer count goes down from PLACES."""
        left: int = self._transfers[channel].count  # type: ignore[attr-defined]  # there, but not in the stubs
        return -left & (PLACES - 1)

    def spilled(self) -> int:
        """Mask of channels whose FIFO was full when an edge came, since this was asked last."""
        found = 0
        for block in (0, 1):
            stalled = mem32[PIO_BASE[block] + FDEBUG] & RXSTALL
            if stalled:
                mem32[PIO_BASE[block] + FDEBUG] = stalled
                found |= stalled << (4 * block)
        return found

    def _channel(self, channel: int, pin: int) -> rp2.DMA:
        block, machine = divmod(channel, 4)
        given = Pin(pin, Pin.IN, Pin.PULL_UP)
        state_machine = rp2.StateMachine(channel, edges, freq=PIO_HZ, jmp_pin=given)
        state_machine.exec("mov(x, invert(null))")
        transfer = rp2.DMA()
        control = transfer.pack_ctrl(
            inc_read=False, ring_size=RING_BITS, ring_sel=True, treq_sel=RX_REQUEST[block] + machine
        )
        transfer.config(
            read=PIO_BASE[block] + RXF0 + 4 * machine,
            write=uctypes.addressof(self.halves) + 2 * self.bases[channel],
            count=TRIGGER_SELF | PLACES,
            ctrl=control,
            trigger=True,
        )
        return transfer


def _timer() -> int:
    # The stubs keep ticks apart from numbers; the sign goes where Clock takes the low TIMER_BITS.
    return time.ticks_diff(time.ticks_us(), 0)


def line() -> UART:
    """The capture line, 115 200 baud 8N1. It never waits: reads give None, writes what fits."""
    return UART(
        UART_ID, BAUD, tx=Pin(UART_TX), rx=Pin(UART_RX), txbuf=1024, rxbuf=256, timeout=0, timeout_char=0
    )


def sensors(now) -> Sensors | None:
    """The sensors of TABLE, None where it is empty; `now` gives ticks of the capture clock."""
    if not TABLE:
        return None
    return Sensors(I2C(I2C_ID, sda=Pin(I2C_SDA), scl=Pin(I2C_SCL), freq=I2C_HZ), TABLE, now, POSITIONS)


def watchdog() -> WDT:
    """Resets the board when the loop has not come round for WATCHDOG_MS."""
    return WDT(timeout=WATCHDOG_MS)
