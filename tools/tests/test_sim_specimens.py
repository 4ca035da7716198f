"""Meters with a character, against the limits of domain.md written out here."""

import pytest

from meterseal_tools.sim import specimens
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_wire import kinds

# (flow in mL/h, limit in ppm, tighter figure of the same-sign rule in ppm or None where it does not apply)
WATER = [(25_000, 50_000, 25_000), (40_000, 20_000, 10_000), (2_500_000, 20_000, 10_000)]
GAS = [(40_000, 30_000, None), (1_200_000, 15_000, 10_000), (6_000_000, 15_000, 10_000)]
BENCHES = [("itron_bm", WATER), ("lgb", GAS)]
SERIALS = ["10000001", "17591208", "99999999"]


def errors(meter, points):
    """The meter's error at each point's flow, in ppm."""
    return [meter.curve.at(flow) for flow, _, _ in points]


@pytest.mark.parametrize("serial", SERIALS)
@pytest.mark.parametrize("name, points", BENCHES)
def test_a_good_meter_is_within_half_of_every_limit_with_both_signs(name, points, serial):
    """JJG 162 class 2: 5 % and 2 %; JJG 577 class 1.5: 3 % and 1.5 %."""
    found = errors(specimens.good(CATALOGUE[name], serial), points)
    assert all(abs(ppm) < limit / 2 for ppm, (_, limit, _) in zip(found, points, strict=True))
    assert min(found[1:]) < 0 < max(found[1:])


@pytest.mark.parametrize("name, points", BENCHES)
def test_a_meter_past_its_limit_is_so_at_one_flow_only(name, points):
    """Only the middle flow is outside."""
    found = errors(specimens.past_limit(CATALOGUE[name], "10000001"), points)
    assert [abs(ppm) > limit for ppm, (_, limit, _) in zip(found, points, strict=True)] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name, points", BENCHES)
def test_a_one_sided_meter_keeps_every_limit_and_breaks_the_same_sign_rule(name, points):
    """OIML R 49: all of one sign and none within half the limit. JJG 577: one sign from q_t on and beyond 1 %."""
    found = errors(specimens.one_sided(CATALOGUE[name], "10000001"), points)
    assert all(0 < ppm <= limit for ppm, (_, limit, _) in zip(found, points, strict=True))
    assert all(ppm > tighter for ppm, (_, _, tighter) in zip(found, points, strict=True) if tighter)


def test_a_silent_meter_is_good_but_for_its_silence():
    """Same serial, same curve as the good one."""
    mute, good = (make(CATALOGUE["lgb"], "10000001") for make in (specimens.silent, specimens.good))
    assert mute.silent and not good.silent
    assert errors(mute, GAS) == errors(good, GAS)


def test_two_serials_differ_and_one_serial_is_always_the_same():
    """The scatter comes from the serial alone."""
    first, again, other = (specimens.good(CATALOGUE["ram"], serial) for serial in ("7", "7", "8"))
    assert errors(first, WATER) == errors(again, WATER) != errors(other, WATER)


def test_the_flows_are_those_of_the_types():
    """Q3 2.5 m3/h, R 100: Q1 = 25 L/h, Q2 = 1.6 Q1 = 40 L/h (JJG 162). G4: qmin 40 L/h, qmax 6 m3/h."""
    assert specimens.flows(kinds.WATER) == (2_500_000 // 100, 2_500_000 // 100 * 16 // 10, 2_500_000)
    assert specimens.flows(kinds.GAS) == (40_000, 6_000_000 * 2 // 10, 6_000_000)
