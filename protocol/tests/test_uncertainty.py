"""A point's uncertainty, line by line, in squares; each expected value is reckoned here."""

from fractions import Fraction

import pytest

from meterseal_protocol.uncertainty import LINES, Clock, Given, Sensors, squares
from meterseal_wire import kinds
from meterseal_wire import point as p

CLOCK, SENSORS = Clock(1_000_000, 1, 1), Sensors(200, 10)


def row() -> list[int]:
    """10 s on the meter, 20 s on the reference, 20 degrees and 100 kPa at both."""
    found = [0] * len(p.FIELDS)
    found[p.METER_TICKS], found[p.REF_TICKS] = 10_000_000, 20_000_000
    found[p.METER_TEMP_MK] = found[p.REF_TEMP_MK] = 20_000
    found[p.METER_PRESSURE_10PA] = found[p.REF_PRESSURE_10PA] = 10_000
    return found


def lines(medium: int, update_ms: int = 0, register: Fraction = Fraction()) -> dict[str, Fraction]:
    """The squares by name, with U of the standard 1/1000."""
    found = squares(medium, row(), CLOCK, SENSORS, Given(Fraction(1, 1000), update_ms, register, Fraction()))
    return dict(zip(LINES, found, strict=True))


def test_the_standard_enters_with_its_expanded_uncertainty() -> None:
    """(1/1000) squared."""
    assert lines(kinds.WATER)["reference"] == Fraction(1, 1_000_000)


def test_capture_counts_two_edges_on_each_channel() -> None:
    """Two edges of 1 + 1 ticks: 4 in 10 million and 4 in 20 million, squared and added."""
    assert lines(kinds.WATER)["capture"] == Fraction(4, 10**7) ** 2 + Fraction(4, 2 * 10**7) ** 2


def test_a_gas_temperature_acts_by_its_share_of_the_kelvins() -> None:
    """200 mK of 293 150 mK, at two sensors."""
    assert lines(kinds.GAS)["temperature"] == 2 * Fraction(200, 293_150) ** 2


def test_a_gas_pressure_acts_by_its_share() -> None:
    """100 Pa of 100 kPa, at two sensors."""
    assert lines(kinds.GAS)["pressure"] == 2 * Fraction(1, 1000) ** 2


def test_a_water_temperature_acts_through_density() -> None:
    """From 20 to 20.2 degrees: a fifth of 997 995 019 - 998 206 746, by 998 206 746, at two sensors."""
    step = Fraction(997_995_019 - 998_206_746, 5)
    assert lines(kinds.WATER)["temperature"] == 2 * (step / 998_206_746) ** 2


def test_pressure_does_not_move_a_water_point() -> None:
    """Water's compressibility is below what a bench sees."""
    assert lines(kinds.WATER)["pressure"] == 0


def test_a_meter_that_makes_up_its_pulses_is_late_by_its_update_interval() -> None:
    """500 ms of 10 s."""
    assert lines(kinds.GAS, 500)["update"] == Fraction(1, 20) ** 2


def test_a_register_enters_with_one_step_of_what_it_showed() -> None:
    """One litre of two hundred, half at each reading; nothing where pulses were counted."""
    assert lines(kinds.WATER, register=Fraction(1, 200))["register"] == Fraction(1, 40_000)
    assert lines(kinds.WATER)["register"] == 0


def test_what_a_method_leaves_open_enters_squared() -> None:
    """One part in 10^12 of a nozzle's root (methods.py)."""
    given = Given(Fraction(1, 1000), 0, Fraction(), Fraction(1, 10**12))
    named = dict(zip(LINES, squares(kinds.GAS, row(), CLOCK, SENSORS, given), strict=True))
    assert named["method"] == Fraction(1, 10**24)
    assert lines(kinds.GAS)["method"] == 0


def capture(method: int, **changes: int) -> Fraction:
    """The line of capture for a method, with 200 counts of the meter and 1000 of the reference."""
    found = row()
    found[p.METHOD], found[p.METER_COUNTS], found[p.REF_COUNTS] = method, 200, 1000
    for name, value in changes.items():
        found[p.FIELDS.index(name)] = value
    given = Given(Fraction(), 0, Fraction(), Fraction())
    return squares(kinds.GAS, found, CLOCK, SENSORS, given)[LINES.index("capture")]


@pytest.mark.parametrize("method", [p.STATIC, p.VOLUMETRIC, p.GRAVIMETRIC, p.BELL_PROVER])
def test_what_is_only_counted_is_off_by_one_whole_count(method: int) -> None:
    """One pulse of 200 at the meter and one step of 1000 at the reference; ticks don't help here."""
    assert capture(method) == Fraction(1, 200) ** 2 + Fraction(1, 1000) ** 2
    assert capture(method, meter_counts=0) == Fraction(1, 1000) ** 2


def test_interpolated_pulses_are_off_by_their_edges_alone() -> None:
    """Four ticks of 10 and of 20 million, however few the pulses (ISO 7278-3)."""
    assert capture(p.REFERENCE_METER) == Fraction(4, 10**7) ** 2 + Fraction(4, 2 * 10**7) ** 2


def test_a_nozzle_cuts_a_pulse_unless_the_meter_timed_it() -> None:
    """20 million ticks of the nozzle; one of 200 pulses is cut, or the same ticks were taken between two edges."""
    blown = Fraction(4, 2 * 10**7) ** 2
    assert capture(p.CRITICAL_NOZZLE, ref_counts=0) == Fraction(1, 200) ** 2 + blown
    assert capture(p.CRITICAL_NOZZLE, ref_counts=0, meter_ticks=20_000_000) == 2 * blown


def test_without_ticks_the_update_interval_is_a_share_of_the_duration() -> None:
    """500 ms of 10 s by the point's own duration; where no time is known it is all of it."""
    found = row()
    found[p.METER_TICKS], found[p.DURATION_MS] = 0, 10_000
    given = Given(Fraction(1, 1000), 500, Fraction(), Fraction())
    assert dict(zip(LINES, squares(kinds.WATER, found, CLOCK, SENSORS, given), strict=True))[
        "update"
    ] == Fraction(1, 400)
    found[p.DURATION_MS] = 0
    assert dict(zip(LINES, squares(kinds.WATER, found, CLOCK, SENSORS, given), strict=True))["update"] == 1
