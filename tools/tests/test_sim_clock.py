"""The capture clock."""

import time

from meterseal_tools.sim.clock import ManualClock, RunningClock


def test_a_manual_clock_moves_only_when_told():
    """3 s at 1 000 000 ticks a second are 3 000 000 ticks; then 5 more."""
    clock = ManualClock()
    assert clock.now() == 0
    assert clock.advance_s(3) == 3_000_000
    assert clock.advance(5) == 3_000_005
    assert clock.now() == 3_000_005


def test_a_manual_clock_never_goes_back():
    """The protocol calls the capture clock monotonic."""
    clock = ManualClock()
    clock.advance(100)
    clock.advance(-50)
    assert clock.now() == 100


def test_a_running_clock_is_speed_times_the_wall():
    """Between two readings of the wall's monotonic clock the simulated time lies between speed times their ends."""
    before = time.monotonic_ns()
    clock = RunningClock(speed=500)
    began = time.monotonic_ns()
    asked = time.monotonic_ns()
    ticks = clock.now()
    after = time.monotonic_ns()
    assert (asked - began) * 500 // 1000 <= ticks <= (after - before) * 500 // 1000


def test_the_wait_for_a_tick_is_shortened_by_the_speed():
    """At 100 times the wall, 1000 simulated seconds are at most 10 s of it; a past tick needs no wait."""
    clock = RunningClock(speed=100)
    wait = clock.real_seconds_until(clock.now() + 1000 * clock.ticks_per_s)
    assert 0 < wait <= 10
    assert clock.real_seconds_until(0) == 0
