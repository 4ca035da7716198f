"""The bench as physics: gates, mounting, faults."""

import pytest

from meterseal_tools.sim.bench import Bench, BenchSpec
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.clock import ManualClock
from meterseal_tools.sim.errors import BadSetup
from meterseal_tools.sim.meter import ErrorCurve, Meter
from meterseal_wire import kinds

ONE_ML = ((20_000, (1000, 1), 500), (4_000_000, (1000, 1), 500))
LOW_32_BITS = 2**32 - 1


def water_bench(positions=2):
    """A water bench at a standing clock: reference 1 mL a pulse, valve at once, no jitter, a true meter at each."""
    bench = Bench(
        BenchSpec(kinds.WATER, positions, ramp_ms=0, jitter_ticks=0, calibration=ONE_ML), ManualClock()
    )
    for position in range(1, positions + 1):
        bench.mount(position, Meter(CATALOGUE["itron_bm"], str(10_000_000 + position), ErrorCurve((1, 0))))
    return bench


def counts(bench):
    """Whole intervals of every channel now."""
    return [count for count, _, _ in bench.counts(bench.clock.now())]


def test_armed_gates_count_reference_and_meters():
    """100 s at 36 000 mL/h, 10 mL/s: 1000 edges of 1 mL after arming, 999 intervals; 100 of 10 mL, 99 (water
    50 mK colder than the reference at most takes up 0.001 % less, no edge's worth).
    """
    bench = water_bench()
    bench.set_flow(36_000)
    bench.arm(0b111)
    bench.clock.advance_s(100)
    assert counts(bench) == [999, 99, 99]


def test_only_armed_channels_count():
    """Bit 0 is the reference, bit n position n: mask 101 leaves position 1 out."""
    bench = water_bench()
    bench.set_flow(36_000)
    bench.arm(0b101)
    bench.clock.advance_s(100)
    assert counts(bench) == [999, 0, 99]


def test_a_closed_gate_keeps_its_figures():
    """Closed after 100 s, the reference stays at 999 while 100 s more flow; the open one goes on."""
    bench = water_bench()
    bench.set_flow(36_000)
    bench.arm(0b111)
    bench.clock.advance_s(100)
    bench.disarm(0b001)
    bench.clock.advance_s(100)
    bench.disarm(0b001)
    assert counts(bench) == [999, 199, 199]


def test_arming_again_restarts_a_gate():
    """10 s after arming anew there are 100 reference edges, 99 intervals."""
    bench = water_bench()
    bench.set_flow(36_000)
    bench.arm(0b111)
    bench.clock.advance_s(100)
    bench.arm(0b001)
    bench.clock.advance_s(10)
    assert counts(bench) == [99, 109, 109]


def test_a_gate_ends_where_32_bits_of_ticks_do():
    """2^32 - 1 ticks of 1 us are 4294.967295 s: at one edge in 100 000 ticks 42 949 edges, 42 948 intervals."""
    bench = water_bench()
    bench.set_flow(36_000)
    bench.arm(0b001)
    bench.clock.advance_s(10_000)
    count, first, last = bench.counts(bench.clock.now())[0]
    assert (count, first, last) == (42_948, 100_000, 4_294_900_000)
    assert last <= LOW_32_BITS


def test_without_flow_nothing_counts():
    """The valve is closed from the start."""
    bench = water_bench()
    bench.arm(0b111)
    bench.clock.advance_s(1000)
    assert counts(bench) == [0, 0, 0]


def test_a_supply_that_fails_stops_the_flow_and_keeps_it_away():
    """Lost after 10 s of 10 mL/s: 100 edges, 99 intervals, whatever the valve is then set to."""
    bench = water_bench()
    bench.set_flow(36_000)
    bench.arm(0b001)
    bench.clock.advance_s(10)
    bench.lose_flow()
    bench.set_flow(36_000)
    bench.clock.advance_s(100)
    assert counts(bench)[0] == 99


def test_a_meter_taken_out_keeps_its_register_and_counts_no_more():
    """36 s at 2.5 m3/h are 25 L; another 36 s pass an empty place."""
    bench = water_bench()
    bench.set_flow(2_500_000)
    bench.arm(0b111)
    bench.clock.advance_s(36)
    meter = bench.unmount(1)
    bench.clock.advance_s(36)
    assert meter.register(bench.clock.now()) in (24, 25)
    assert counts(bench)[1] == 0


def test_a_taken_or_missing_position_and_a_meter_for_another_medium_are_refused():
    """Each is the caller's mistake and says what is wrong."""
    bench = water_bench()
    with pytest.raises(BadSetup, match="Position 1 is taken"):
        bench.mount(1, Meter(CATALOGUE["ram"], "1", ErrorCurve((1, 0))))
    with pytest.raises(BadSetup, match="Position 3"):
        bench.mount(3, Meter(CATALOGUE["ram"], "1", ErrorCurve((1, 0))))
    bench.unmount(2)
    with pytest.raises(BadSetup, match="no meter at position 2"):
        bench.unmount(2)
    with pytest.raises(BadSetup, match="medium"):
        bench.mount(2, Meter(CATALOGUE["lgb"], "1", ErrorCurve((1, 0))))


def test_the_same_seed_gives_the_same_edges():
    """With ramp and jitter, everything follows from seed and commands; another seed moves the edges."""

    def figures(seed):
        bench = Bench(BenchSpec(kinds.GAS, 1, seed), ManualClock())
        bench.mount(1, Meter(CATALOGUE["lgb"], "17591208", ErrorCurve((1, 0))))
        bench.set_flow(6_000_000)
        bench.arm(0b11)
        rows = []
        for _ in range(20):
            bench.clock.advance(1_234_567)
            rows.append(bench.counts(bench.clock.now()))
        return rows

    assert figures(1) == figures(1) != figures(2)


def test_the_closed_bench_check_shows_a_leak_and_stray_counts():
    """3 units of 10 Pa a second over 60 s are 180; without faults nothing falls and nothing counts."""
    bench = water_bench()
    bench.set_flow(36_000)
    start, end, seconds, stray = bench.closed_check(60)
    assert (start - end, seconds, stray) == (0, 60, 0)
    assert bench.history.flow_at(bench.clock.now()) == 0
    bench.faults.leak_10pa_per_s, bench.faults.zero_counts = 3, 2
    start, end, seconds, stray = bench.closed_check(60)
    assert (start - end, seconds, stray) == (180, 60, 2)
