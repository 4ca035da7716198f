"""Four pulse counters of the ESP32-S3 itself (PCNT): what `meterseal_fixture.counters` counts with.

A unit has 16 bits. It is told to begin again at AROUND, in hardware; nothing here waits for that moment, and whoever
reads takes differences modulo AROUND. `machine.Counter` is not used: it adds what passes in a soft interrupt, and two
passes before that has run count as one.

The interrupt is asked for though nobody needs it: it is what makes the unit watch its limit, as MicroPython's own
Counter has it. Source: MicroPython 1.27, ports/esp32/modules/machine.py and esp32_pcnt.c. Only type-checked and run
with doubles: no ESP32-S3 was here.
"""

from esp32 import PCNT
from machine import Pin

COUNTER_PINS = (4, 5, 6, 7)  # the reference first
AROUND = 32000
FILTER_TICKS = 80  # of 80 MHz: pulses shorter than 1 us are noise


def _ignore(_unit) -> None:
    return


def _unit(number: int, pin: int):
    unit = PCNT(number, min=-AROUND, max=AROUND)
    unit.init(
        channel=0,
        pin=Pin(pin, Pin.IN, Pin.PULL_UP),
        rising=PCNT.INCREMENT,
        falling=PCNT.IGNORE,
        filter=FILTER_TICKS,
    )
    unit.irq(_ignore, PCNT.IRQ_MAX)
    unit.start()
    return unit.value


def units():
    """(what each counter stands at, as functions, the reference first; how many values that takes)."""
    return [_unit(number, pin) for number, pin in enumerate(COUNTER_PINS)], AROUND
