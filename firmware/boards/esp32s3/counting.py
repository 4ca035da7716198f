"""Four pulse counters of the ESP32-S3 itself (PCNT, `machine.Counter`): counts, and no time of any edge.

Good for the static start-stop method and for check runs, where the flow stands still when the counts are read. Not a
front end: `first` and `last` of the capture line cannot be told, so it does not speak that line, and no point that is
timed by pulses may be made with it. Row `esp32s3-pcnt` of `meterseal_fixture.capability`.

PCNT counts in hardware, whatever the interpreter or the flash does. MicroPython adds what passes 32 000 in an
interrupt, so a stall in which one channel counts another 32 000 would lose them: 320 ms at the table's greatest rate.
Source: MicroPython 1.27, ports/esp32/modules/machine.py. Only type-checked: no ESP32-S3 was here.
"""

from machine import Counter, Pin

COUNTER_PINS = (4, 5, 6, 7)
FILTER_NS = 1000  # shorter pulses are noise


class PulseCounters:
    """Counters 0 (the reference) to 3, rising edges since `arm`."""

    def __init__(self) -> None:
        self._counters = [
            Counter(unit, Pin(pin, Pin.IN, Pin.PULL_UP), filter_ns=FILTER_NS)
            for unit, pin in enumerate(COUNTER_PINS)
        ]

    def arm(self) -> None:
        """Begin at zero, with the flow at a stand-still."""
        for counter in self._counters:
            counter.value(0)

    def counts(self) -> list[int]:
        """Edges of every channel since `arm`, once the flow stands still again."""
        return [counter.value() for counter in self._counters]
