"""Two push-buttons at the bench, start and stop, each from its pin to ground. Makes no object of `machine`.

A contact bounces: a level counts when LOOKS looks in a row, LOOK_MS apart, saw the same. A button acts once when it
goes down, and must come up before it acts again. One that is down when the board starts was not pressed: start waits
until it was up once; stop, which can do no harm, does not wait. Start does nothing while stop is held.
"""

import asyncio

LOOKS, LOOK_MS = 3, 10
DOWN, UP = 0, 1


class Button:
    """One button; `pin()` gives its level, 0 while it is held down. `level` is the one that counts."""

    def __init__(self, pin, level: int) -> None:
        self._pin = pin
        self.level = level
        self._seen, self._times = level, 0

    def pressed(self) -> bool:
        """Look once; True where it has just gone down."""
        now = 1 if self._pin() else 0
        self._times = self._times + 1 if now == self._seen else 1
        self._seen = now
        if self._times < LOOKS or now == self.level:
            return False
        self.level = now
        return now == DOWN


async def watch(pins, desk) -> None:
    """Hand presses of (start, stop) to `desk.pressed`, for ever."""
    start, stop = Button(pins[0], DOWN), Button(pins[1], UP)
    while True:
        if stop.pressed():
            desk.pressed("STOP")
        if start.pressed() and stop.level == UP:
            desk.pressed("START")
        await asyncio.sleep_ms(LOOK_MS)
