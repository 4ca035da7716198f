"""A point's own uncertainty (k = 2), in squares: no root is ever taken, so every comparison is exact.

Lines, each a relative square; all are bounds or expanded figures, so their sum is on the safe side of k = 2:

    reference     U of the standard at that flow, from its grant
    capture       two edges on each of two channels, each off by resolution and jitter of the capture clock
    temperature   both sensors, by what the sensor's U does to the volume
    pressure      both sensors (gas; a bench's pressures don't change the volume of water that can be seen)
    update        a meter that makes its pulses up from time to time is late by up to its update interval
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from meterseal_protocol.metrology import density, kelvin_mk
from meterseal_wire import kinds
from meterseal_wire import point as p

LINES = ("reference", "capture", "temperature", "pressure", "update")
MS_PER_S = 1000


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


def squares(
    medium: int, row: Sequence[int], clock: Clock, sensors: Sensors, given: tuple[Fraction, int]
) -> tuple[Fraction, ...]:
    """The lines' relative squares in the order of LINES, for a point whose error can be computed.

    `given` is the standard's U as a fraction, and the type's update interval in ms.
    """
    expanded, update_ms = given
    edges = 2 * (clock.resolution + clock.jitter)
    capture = Fraction(edges, row[p.METER_TICKS]) ** 2 + Fraction(edges, row[p.REF_TICKS]) ** 2
    late = Fraction(update_ms * clock.ticks_per_s, MS_PER_S * row[p.METER_TICKS])
    if medium == kinds.WATER:
        both = sum(
            (_water(row[i], sensors.temperature_mk) for i in (p.METER_TEMP_MK, p.REF_TEMP_MK)), Fraction()
        )
        return expanded**2, capture, both, Fraction(), late**2
    warmth = sum(
        (Fraction(sensors.temperature_mk, kelvin_mk(row[i])) ** 2 for i in (p.METER_TEMP_MK, p.REF_TEMP_MK)),
        Fraction(),
    )
    pressure = sum(
        (Fraction(sensors.pressure_10pa, row[i]) ** 2 for i in (p.METER_PRESSURE_10PA, p.REF_PRESSURE_10PA)),
        Fraction(),
    )
    return expanded**2, capture, warmth, pressure, late**2


def _water(mk: int, sensor_mk: int) -> Fraction:
    here = density(mk)
    aside = density(mk + sensor_mk) or density(mk - sensor_mk)
    if here is None or aside is None:
        return Fraction(1)
    return ((aside - here) / here) ** 2
