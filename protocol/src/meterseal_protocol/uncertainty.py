"""A point's own uncertainty (k = 2), in squares: no root is ever taken, so every comparison is exact.

Lines, each a relative square; all are bounds or expanded figures, so their sum is on the safe side of k = 2:

    reference     U of the standard at that flow, from its grant
    capture       a channel that was timed: two edges, each off by resolution and jitter of the capture clock;
                  one that was only counted: one whole count of what it counted
    register      where the meter is read and not counted: one step of its register, half at each reading
    temperature   both sensors, by what the sensor's U does to the volume
    pressure      both sensors (gas; a bench's pressures don't change the volume of water that can be seen)
    update        a meter that makes its pulses up from time to time is late by up to its update interval
    method        what the method itself leaves open: the bracket of a nozzle's root, the air around a balance
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from meterseal_protocol.metrology import density, kelvin_mk
from meterseal_protocol.ratio import ZERO, ratio
from meterseal_wire import kinds
from meterseal_wire import point as p

LINES = ("reference", "capture", "register", "temperature", "pressure", "update", "method")
MS_PER_S = 1000
COUNTED = (p.STATIC, p.VOLUMETRIC, p.GRAVIMETRIC, p.BELL_PROVER)  # both channels in whole counts


@dataclass(frozen=True)
class Sensors:
    """U (k = 2) of the bench's sensors: mK and 10 Pa; from the pack."""

    temperature_mk: int
    pressure_10pa: int


@dataclass(frozen=True)
class Clock:
    """Capture clock of an attempt: ticks a second, and resolution and jitter of an edge in ticks."""

    ticks_per_s: int
    resolution: int
    jitter: int


@dataclass(frozen=True)
class Given:
    """What a point's budget needs beside its row: the standard's U, the type's update interval, the register's
    step as a share of what the meter showed (0 where its pulses were counted), what the method leaves open.
    """

    expanded: Fraction
    update_ms: int
    register: Fraction
    method: Fraction


def squares(
    medium: int, row: Sequence[int], clock: Clock, sensors: Sensors, given: Given
) -> tuple[Fraction, ...]:
    """The lines' relative squares in the order of LINES, for a point whose error can be computed."""
    late, method = _late(row, clock, given.update_ms), given.method
    first = (given.expanded**2, _capture(row, clock), given.register**2)
    if medium == kinds.WATER:
        both = sum((_water(row[i], sensors.temperature_mk) for i in (p.METER_TEMP_MK, p.REF_TEMP_MK)), ZERO)
        return *first, both, ZERO, late**2, method**2
    warmth = sum(
        (ratio(sensors.temperature_mk, kelvin_mk(row[i])) ** 2 for i in (p.METER_TEMP_MK, p.REF_TEMP_MK)),
        ZERO,
    )
    pressure = sum(
        (ratio(sensors.pressure_10pa, row[i]) ** 2 for i in (p.METER_PRESSURE_10PA, p.REF_PRESSURE_10PA)),
        ZERO,
    )
    return *first, warmth, pressure, late**2, method**2


def _capture(row: Sequence[int], clock: Clock) -> Fraction:
    """Both channels: by time between edges, or by whole counts where the gate did not wait for an edge."""
    edges = 2 * (clock.resolution + clock.jitter)
    # A nozzle's time may be taken between the meter's own edges; then no pulse of the meter is cut.
    cut = row[p.METHOD] == p.CRITICAL_NOZZLE and row[p.METER_TICKS] != row[p.REF_TICKS]
    by_count = row[p.METHOD] in COUNTED
    meter = (1, row[p.METER_COUNTS]) if by_count or cut else (edges, row[p.METER_TICKS])
    reference = (1, row[p.REF_COUNTS]) if by_count else (edges, row[p.REF_TICKS])
    return sum((ratio(off, whole) ** 2 for off, whole in (meter, reference) if whole > 0), ZERO)


def _late(row: Sequence[int], clock: Clock, update_ms: int) -> Fraction:
    """The update interval as a share of the time that was measured; all of it where no time is known."""
    if row[p.METER_TICKS] > 0:
        return ratio(update_ms * clock.ticks_per_s, MS_PER_S * row[p.METER_TICKS])
    return ratio(update_ms, row[p.DURATION_MS]) if row[p.DURATION_MS] > 0 else ratio(bool(update_ms))


@lru_cache(maxsize=4096)  # meters in series share their water
def _water(mk: int, sensor_mk: int) -> Fraction:
    here = density(mk)
    aside = density(mk + sensor_mk) or density(mk - sensor_mk)
    if here is None or aside is None:
        return ratio(1)
    return ((aside - here) / here) ** 2
