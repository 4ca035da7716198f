"""Start the counting front end: look at the rings, answer the line, feed the watchdog, for ever.

A look every LOOK_MS at most: a ring of 1024 stamps lasts 101 ms at the greatest rate of `capability.RP2350_PIO`.
"""

import gc
import time

from answers import Answers
from board import LEAST_TICKS, Capture, line, sensors, watchdog

from meterseal_fixture.capability import RP2350_PIO

LOOK_MS = 5


def start() -> None:
    """Never ends. A reset by the watchdog closes all gates: R then gives zeros, and the fixture's run fails."""
    capture = Capture()
    values = sensors(capture.now)
    answers, wire, dog = Answers(RP2350_PIO, capture, LEAST_TICKS, values), line(), watchdog()
    gc.collect()
    waiting = b""
    while True:
        answers.look()
        answers.tend()
        if values:
            values.step()
        waiting += answers.late()
        dog.feed()
        if wire.any():
            waiting += answers.feed(wire.read() or b"")
        if waiting:
            waiting = waiting[wire.write(waiting) or 0 :]
        else:
            time.sleep_ms(LOOK_MS)


start()
