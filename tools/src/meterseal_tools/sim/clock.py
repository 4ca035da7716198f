"""The capture clock: ticks of simulated time, the only time that a fixture sees.

A `RunningClock` goes `speed` times as fast as the wall, so a bench hour passes in six seconds at 600. A
`ManualClock` stands still until a test moves it. Both are monotonic and count whole ticks.
"""

import time
from typing import Protocol

TICKS_PER_S = 1_000_000
NS_PER_S = 1_000_000_000
MANUAL_POLL_S = 0.005


class Clock(Protocol):
    """Capture time in ticks since the rig's start."""

    ticks_per_s: int

    def now(self) -> int:
        """Ticks since the rig's start; never less than before."""

    def real_seconds_until(self, tick: int) -> float:
        """How long a loop may sleep, in seconds of the wall, before it looks for `tick` again; 0 when past."""


class RunningClock:
    """Simulated time = `speed` (whole number, from 1) times monotonic time since construction."""

    def __init__(self, speed: int, ticks_per_s: int = TICKS_PER_S) -> None:
        self.speed = speed
        self.ticks_per_s = ticks_per_s
        self._start_ns = time.monotonic_ns()

    def now(self) -> int:
        """Ticks since construction."""
        return (time.monotonic_ns() - self._start_ns) * self.speed * self.ticks_per_s // NS_PER_S

    def real_seconds_until(self, tick: int) -> float:
        """Seconds of the wall until `tick`."""
        return max(0, tick - self.now()) / (self.ticks_per_s * self.speed)


class ManualClock:
    """Time that moves only by `advance`."""

    def __init__(self, ticks_per_s: int = TICKS_PER_S) -> None:
        self.ticks_per_s = ticks_per_s
        self._now = 0

    def now(self) -> int:
        """Ticks by which the clock was advanced."""
        return self._now

    def advance(self, ticks: int) -> int:
        """Move forward by whole ticks (0 or more) and give the new time."""
        self._now += max(0, ticks)
        return self._now

    def advance_s(self, seconds: int) -> int:
        """Move forward by whole seconds and give the new time."""
        return self.advance(seconds * self.ticks_per_s)

    def real_seconds_until(self, tick: int) -> float:
        """Nobody knows when a test moves the clock: a short poll."""
        return MANUAL_POLL_S if tick > self._now else 0.0
