"""What the front ends count at the rates of their table: edges lost, and how wrong an interpolated ratio is.

The stamps are those of the PIO program itself, run by the suite's emulator, as far as that is quick enough; for whole
seconds they are by the rule that the suite shows to be the program's: the first look at or after the edge is visible.
"""

import importlib.util
import random
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

from row import Row

ROOT = Path(__file__).resolve().parent.parent


def machine() -> ModuleType:
    """The suite's emulator, by its path: `firmware` is a bench's name here."""
    spec = importlib.util.spec_from_file_location(
        "pio_machine", ROOT / "firmware/tests/cpython/pio_machine.py"
    )
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


PIO = machine()
STEPS, TICK_STEPS, DIVIDER = PIO.STEPS, PIO.TICK_STEPS, PIO.DIVIDER
SEED, ROUNDS, EDGES_A_CHANNEL = 5, 2000, 150
LOOK_TICKS = 5000  # the front end's loop
SYSTEM_HZ: int = PIO.EDGES.SYSTEM_HZ
LEAST_HALF = -(-PIO.EDGES.LEAST_HALF_NS * SYSTEM_HZ * STEPS // 10**9)
METER_COUNTS = 10
PPM = 1_000_000


def table() -> dict[str, Any]:
    """The table of front ends, read as a file."""
    found: dict[str, Any] = {}
    exec((ROOT / "firmware/src/meterseal_fixture/capability.py").read_text("utf-8"), found)
    return found


def lost_of(row: Any, rng: random.Random) -> tuple[int, int]:
    """(edges sent, edges lost) of every channel at the table's rate, with the narrowest pulses and any phase."""
    period, sent, lost = SYSTEM_HZ * STEPS // row.rate_hz, 0, 0
    for _ in range(row.channels):
        start = rng.randrange(1, period)
        rises = [start + period * number for number in range(EDGES_A_CHANNEL)]
        changes = [at for rise in rises for at in (rise, rise + LEAST_HALF)]
        visible = PIO.seen_at(changes, [rng.randrange(2) for _ in changes])
        stamps = PIO.run(visible, changes[-1] // STEPS // DIVIDER + 4 * PIO.EDGES.TICK_CYCLES).stamps
        sent += EDGES_A_CHANNEL
        lost += EDGES_A_CHANNEL - counted(stamps)
    return sent, lost


def counted(stamps: list[int]) -> int:
    """Edges that a gate has after the ring was filled and looked at every LOOK_TICKS."""
    counting = PIO.load("counting")
    halves = [0] * (2 * counting.RING)
    gate = counting.Gate(counting.Ring(halves))
    gate.arm(0, 0)
    due = LOOK_TICKS
    for place, stamp in enumerate(stamps):
        while stamp >= due:
            gate.look(place)
            due += LOOK_TICKS
        at = 2 * (place % counting.RING)
        halves[at], halves[at + 1] = stamp & 0xFFFF, stamp >> 16
    gate.look(len(stamps))
    found: int = gate.figures()[0]
    return found + 1


def stamp(at: Fraction, late: int) -> int:
    """Ticks of an edge at `at` steps, seen one cycle later where `late` is 1."""
    [visible] = PIO.seen_at([int(-(-at // 1))], [late])
    looks: int = max(0, -(-(visible - DIVIDER) // (TICK_STEPS // STEPS)))
    return 1 + looks


def interval(period: Fraction, counts: int, rng: random.Random) -> int:
    """Ticks between the first edge and the one `counts` later of a steady train of any phase."""
    first = Fraction(rng.randrange(10**6), 10**6) * period
    return stamp(first + counts * period, rng.randrange(2)) - stamp(first, rng.randrange(2))


def worst_ppm(row: Any, seconds: int, rng: random.Random) -> float:
    """The greatest error of meter over reference pulses in a gate of so many seconds, against the exact ratio."""
    worst = Fraction()
    for _ in range(ROUNDS):
        meter = Fraction(SYSTEM_HZ * STEPS * seconds * rng.randrange(900_000, 1_100_000), METER_COUNTS * PPM)
        reference = Fraction(SYSTEM_HZ * STEPS, rng.randrange(100, row.rate_hz))
        edges = int(meter * METER_COUNTS // reference) - 1
        ticks = interval(meter, METER_COUNTS, rng), interval(reference, edges, rng)
        measured = Fraction(METER_COUNTS * ticks[1], edges * ticks[0])
        worst = max(worst, abs(measured * meter / reference - 1))
    return float(worst * PPM)


def capture_rows() -> list[Row]:
    """firmware.pulses_lost, .interpolation_ppm of one and ten seconds, .pcnt_stall_ms."""
    found, rng = table(), random.Random(SEED)
    pio, pcnt = found["RP2350_PIO"], found["ESP32S3_PCNT"]
    sent, lost = lost_of(pio, rng)
    rate = f"{sent} edges, {pio.channels} channels at {pio.rate_hz} Hz, the narrowest pulses, on the emulator"
    rows = [Row("firmware.pulses_lost", lost, "", goal=0, note=rate)]
    for seconds in (1, 10):
        bound = 2 * (pio.resolution + pio.jitter) * PPM / (seconds * pio.ticks_per_s)
        note = f"worst of {ROUNDS} gates; goal by resolution and jitter; whole counts alone {PPM // METER_COUNTS}"
        figure = worst_ppm(pio, seconds, rng)
        rows.append(Row(f"firmware.interpolation_{seconds}s_ppm", figure, "ppm", goal=bound, note=note))
    note = f"{pcnt.rate_hz} Hz and a 16-bit counter that is carried on at 32 000: arithmetic, no input to simulate"
    return [*rows, Row("firmware.pcnt_stall_ms", 32_000 * 1000 / pcnt.rate_hz, "ms", note=note)]
