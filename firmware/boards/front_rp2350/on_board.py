"""Run on a real Pico 2 with a generator of HZ on channel 0: what the emulator could not show.

docs/hardware.md has the command. Prints edges and ticks beside what they should be (a generator's own error aside),
and the longest look. Ends with an AssertionError where they differ by more than MOST_PPM, edges were lost, or a look
took longer than half a ring.
"""

import gc
import time

from answers import Answers
from board import Capture

from meterseal_fixture.capability import RP2350_PIO

HZ = 10_000
SECONDS = 10
MOST_PPM = 100
LONGEST_US = 50_000


def measure(answers: Answers) -> tuple[int, int]:
    """(longest look, longest with a collection), in us, over SECONDS with the gate of channel 0 open."""
    longest = longest_collecting = 0
    answers.arm(1)
    end = time.ticks_add(time.ticks_ms(), 1000 * SECONDS)
    number = 0
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        begun = time.ticks_us()
        if number % 100 == 99:
            gc.collect()
        answers.look()
        took = time.ticks_diff(time.ticks_us(), begun)
        if number % 100 == 99:
            longest_collecting = max(longest_collecting, took)
        else:
            longest = max(longest, took)
        number += 1
        time.sleep_ms(5)
    return longest, longest_collecting


def show() -> None:
    """Once without bounce rejection at HZ; the figures are to be copied into docs/hardware.md."""
    answers = Answers(RP2350_PIO, Capture(), (0,) * RP2350_PIO.channels)
    longest, collecting = measure(answers)
    count, first, last = answers.read()[1:4]
    ticks, wanted = last - first, count * RP2350_PIO.ticks_per_s // HZ
    print(
        "edges %d, ticks %d, wanted %d, longest look %d us, with gc %d us"
        % (count, ticks, wanted, longest, collecting)
    )
    assert abs(count - HZ * SECONDS) < HZ // 10, "edges"
    assert abs(ticks - wanted) * 1_000_000 < MOST_PPM * wanted, "ticks"
    assert max(longest, collecting) < LONGEST_US, "a look takes too long"


show()
