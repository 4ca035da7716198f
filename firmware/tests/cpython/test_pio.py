"""The counting front end's PIO program, run cycle by cycle: no edge lost, stamps right to what the table states.

What is run is firmware/boards/front_rp2350/edges.py itself, on an emulator of PIO's instructions (`pio_machine`). The
input is a level that changes at any sixteenth of a system cycle, seen through a two-stage synchroniser that may take
one cycle longer. Not shown here: DMA and MicroPython on a real RP2350; electrical noise; the crystal.
"""

import re
from array import array
from itertools import accumulate, pairwise

import pytest
from firmware.tests.cpython.pio_machine import (
    ALL_ONES,
    DIVIDER,
    EDGES,
    REST,
    ROOT,
    STEPS,
    TICK_STEPS,
    load,
    run,
    seen_at,
)
from hypothesis import given, settings
from hypothesis import strategies as st

COUNTING = load("counting")
LEAST_HALF = -(-EDGES.LEAST_HALF_NS * EDGES.SYSTEM_HZ * STEPS // 10**9)


def load_capability():
    """The table, read as a file: CPython code imports nothing of the fixture."""
    space: dict = {}
    exec((ROOT / "firmware/src/meterseal_fixture/capability.py").read_text("utf-8"), space)
    return space


TABLE = load_capability()
ROW = TABLE["RP2350_PIO"]

halves = st.lists(st.integers(LEAST_HALF, 6 * TICK_STEPS), min_size=2, max_size=60).map(
    lambda some: some[: len(some) & ~1]
)
wobbles = st.lists(st.integers(0, 1), min_size=60, max_size=60)


def stamped(changes, wobble=None, x=ALL_ONES):
    """Stamps of a level that changes at each of `changes`, in steps."""
    visible = seen_at(changes, wobble or [0] * len(changes))
    return run(visible, changes[-1] // STEPS // DIVIDER + 4 * EDGES.TICK_CYCLES, x)


def train(period_steps, high_steps, edges, start=1):
    """Changes of a steady train."""
    rises = [start + period_steps * number for number in range(edges)]
    return [at for rise in rises for at in (rise, rise + high_steps)]


def test_the_opcodes_are_those_that_micropythons_own_assembler_makes():
    """Made once with ports/rp2/modules/rp2.py of MicroPython 1c3c201149 (2026-08); encoding: RP2350 datasheet, PIO."""
    assert EDGES.edges == [0x0041, 0x00C3, 0x0200, 0xA0C9, 0x8100, 0x0046, 0x03C5]


def test_the_clock_divider_is_whole_and_the_table_says_the_programs_tick():
    """A fractional divider would wobble by a system cycle: RP2350 datasheet, Clock Dividers."""
    assert (REST, DIVIDER) == (0, 30)
    assert ROW.ticks_per_s == EDGES.TICKS_PER_S == EDGES.PIO_HZ // EDGES.TICK_CYCLES
    assert EDGES.LEAST_HALF_NS * EDGES.SYSTEM_HZ >= 10**9 * (TICK_STEPS // STEPS + 1)


@settings(max_examples=60, deadline=None)
@given(halves, wobbles)
def test_time_goes_on_evenly_whatever_the_pin_does(lengths, wobble):
    """X counts down exactly once in TICK_CYCLES cycles, from the first cycle on, on every path."""
    changes = list(accumulate(lengths))
    found = stamped(changes, wobble[: len(changes)])
    assert found.counted == list(range(0, found.counted[-1] + 1, EDGES.TICK_CYCLES))


@settings(max_examples=150, deadline=None)
@given(halves, wobbles)
def test_random_trains_lose_no_edge_and_every_stamp_is_the_first_look_after_it(lengths, wobble):
    """The oracle is division: the first look at or after the cycle in which the edge can be seen."""
    changes = list(accumulate(lengths))
    visible = seen_at(changes, wobble[: len(changes)])
    first_look, tick = DIVIDER, TICK_STEPS // STEPS
    wanted = [1 + max(0, -(-(at - first_look) // tick)) for at in visible[::2]]
    found = stamped(changes, wobble[: len(changes)])
    assert (found.stamps, found.left) == (wanted, 0)


@settings(max_examples=150, deadline=None)
@given(halves, wobbles)
def test_an_interval_is_right_within_resolution_and_jitter(lengths, wobble):
    """Between any two edges: off by less than resolution + jitter ticks. The judge takes both an edge: twice that."""
    changes = list(accumulate(lengths))
    stamps = stamped(changes, wobble[: len(changes)]).stamps
    off = [stamp * TICK_STEPS - at for stamp, at in zip(stamps, changes[::2], strict=True)]
    assert max(off) - min(off) < (ROW.resolution + ROW.jitter) * TICK_STEPS


def test_resolution_alone_would_not_be_enough_so_jitter_is_one():
    """Lateness can reach a tick and 15/16 of a system cycle: one whole tick of jitter is the least whole number."""
    look, tick_cycles = DIVIDER, TICK_STEPS // STEPS
    early = (look + 10 * tick_cycles - 2) * STEPS  # seen in the very cycle of look 11
    late = (look + 20 * tick_cycles - 2 - 1) * STEPS + 1  # rounded up and one late: just after look 21
    changes = [early, early + LEAST_HALF, late, late + LEAST_HALF]
    first, last = stamped(changes, [0, 0, 1, 0]).stamps
    wrong = abs((last - first) * TICK_STEPS - (late - early))
    assert ROW.resolution * TICK_STEPS < wrong < (ROW.resolution + ROW.jitter) * TICK_STEPS
    assert (first, last) == (11, 22)


@pytest.mark.parametrize("start", [1, 777, 2399])
def test_the_stated_rate_is_followed_with_the_narrowest_pulses(start):
    """500 pulses at the table's rate, each high for LEAST_HALF_NS only, then each low for only so long."""
    period = EDGES.SYSTEM_HZ * STEPS // ROW.rate_hz
    for high in (LEAST_HALF, period - LEAST_HALF):
        found = stamped(train(period, high, 500, start))
        assert len(found.stamps) == 500 and not found.left
        assert all(
            abs(later - earlier - ROW.ticks_per_s // ROW.rate_hz) <= 1
            for earlier, later in pairwise(found.stamps)
        )


def test_the_program_itself_follows_to_just_under_half_a_megahertz():
    """Both halves LEAST_HALF: 496 kHz. The table states a fiftieth of it: there the ring is what limits."""
    found = stamped(train(2 * LEAST_HALF, LEAST_HALF, 2000))
    assert len(found.stamps) == 2000 and not found.left
    assert 490_000 < EDGES.SYSTEM_HZ * STEPS // (2 * LEAST_HALF) < 500_000


def test_pulses_shorter_than_a_tick_are_lost_so_the_limit_is_real():
    """House rule: no test that cannot fail. Half a tick high: half of the pulses are never looked at."""
    period = 3 * TICK_STEPS + TICK_STEPS // 4
    found = stamped(train(period, TICK_STEPS // 2, 400))
    assert 150 < len(found.stamps) < 250


def test_the_ring_lasts_a_hundred_milliseconds_at_the_stated_rate():
    """1024 stamps less what may be written meanwhile; front_rp2350/main.py looks every 5 ms, its watchdog bites at 2 s.

    So a pause of the interpreter of 100 ms loses nothing; a longer one is noticed (test_counting).
    """
    lasts_us = (COUNTING.RING - COUNTING.MARGIN) * 10**6 // ROW.rate_hz
    assert lasts_us == 101_600
    source = (ROOT / "firmware/boards/front_rp2350/main.py").read_text("utf-8")
    looks = re.search(r"^LOOK_MS = (\d+)$", source, re.MULTILINE)
    assert looks and 20 * int(looks[1]) * 1000 < lasts_us


def test_the_page_on_hardware_shows_the_table():
    """docs/hardware.md, "What each front end can do": every row, every figure."""
    page = (ROOT / "docs/hardware.md").read_text("utf-8")
    for row in TABLE["FRONT_ENDS"]:
        figures = (row.name, row.channels, *row.clock(), row.rate_hz, row.rate_one_by_one_hz)
        assert "| " + " | ".join(map(str, figures)) + f" | {'yes' if row.stamps else 'no'} |" in page
    assert f"{EDGES.LEAST_HALF_NS / 1000} µs" in page


def test_a_full_fifo_loses_stamps_but_no_time():
    """push(noblock): what comes later is stamped as if nothing had been lost. The emulator's FIFO holds four words."""
    changes = train(10 * TICK_STEPS, 5 * TICK_STEPS, 12)
    visible = seen_at(changes, [0] * len(changes))
    cycles = changes[-1] // STEPS // DIVIDER + 4 * EDGES.TICK_CYCLES
    whole = run(visible, cycles).stamps
    late = run(visible, cycles, drained_from=visible[2 * 8] // DIVIDER + EDGES.TICK_CYCLES).stamps
    assert len(whole) == 12 and late == whole[:4] + whole[9:]


def test_stamps_go_on_through_zero():
    """X at 3: its complement is 2**32 - 4, and jmp(x_dec) at zero goes the same way as else."""
    changes = train(2 * LEAST_HALF, LEAST_HALF, 12)
    plain, turned = stamped(changes).stamps, stamped(changes, x=3).stamps
    assert turned == [(stamp + ALL_ONES - 3) & ALL_ONES for stamp in plain]
    assert turned[0] > turned[-1]


@settings(max_examples=40, deadline=None)
@given(halves, st.integers(0, ALL_ONES))
def test_from_the_pin_to_the_figures(lengths, x):
    """Pin, program, ring and gate: intervals are exact, ticks between first and last within resolution and jitter."""
    changes = list(accumulate(lengths))
    stamps = stamped(changes, x=x).stamps
    ring = COUNTING.Ring(array("H", bytes(4 * COUNTING.RING)))
    gate = COUNTING.Gate(ring)
    gate.arm((x ^ ALL_ONES) & ALL_ONES, 0)
    for number, stamp in enumerate(stamps):
        ring.halves[2 * number], ring.halves[2 * number + 1] = stamp & 0xFFFF, stamp >> 16
    gate.look(len(stamps))
    count, first, last = gate.figures()
    rises = changes[::2]
    assert count == len(rises) - 1
    assert abs((last - first) * TICK_STEPS - (rises[-1] - rises[0])) < 2 * TICK_STEPS


def test_a_pin_that_is_high_from_the_start_is_the_first_look():
    """Number 1, and its complement in X: nothing above hides an offset."""
    assert run([0], 3 * EDGES.TICK_CYCLES).stamps == [1]
