"""What flowed when."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from meterseal_tools.sim.flow import FlowHistory

TPS = 1_000_000
HOUR = 3600 * TPS
STEPS = st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 6_000_000)), min_size=1, max_size=12)


def history_of(steps, ramp_ticks=0):
    """A history in which each (ticks later, flow) is set in turn; and the tick of the last setting."""
    history, tick = FlowHistory(TPS, ramp_ticks), 0
    for later, flow in steps:
        tick += later
        history.set(tick, flow)
    return history, tick


def test_an_hour_of_constant_flow_is_its_volume():
    """2 500 000 mL/h for one hour is 2 500 000 mL, 2.5e12 nL; for a third of an hour a third of it, exactly."""
    history = FlowHistory(TPS)
    history.set(0, 2_500_000)
    assert history.volume_nl(0, HOUR) == 2_500_000 * 10**6
    assert history.volume_nl(0, HOUR // 3) == Fraction(2_500_000 * 10**6, 3)


def test_nothing_flows_before_the_valve_opens_and_after_it_closes():
    """Open from 10 s to 46 s at 100 000 mL/h: 36 s are a hundredth of an hour, 1000 mL."""
    history = FlowHistory(TPS)
    history.set(10 * TPS, 100_000)
    history.set(46 * TPS, 0)
    assert history.volume_nl(0, HOUR) == 1000 * 10**6
    assert history.volume_nl(46 * TPS, HOUR) == 0


def test_a_ramp_climbs_in_eight_steps_and_closing_is_at_once():
    """A staircase of 8 equal steps up to q carries q T (1 + ... + 8) / 64 = 9/16 q T while it climbs."""
    history = FlowHistory(TPS, ramp_ticks=8 * TPS)
    history.set(0, 800_000)
    assert [history.flow_at(second * TPS) for second in range(9)] == [
        100_000 * n for n in (1, 2, 3, 4, 5, 6, 7, 8, 8)
    ]
    assert history.volume_nl(0, 8 * TPS) == Fraction(800_000 * 10**6 * 8 * 9, 3600 * 16)
    history.set(20 * TPS, 0)
    assert history.flow_at(20 * TPS) == 0


def test_a_ramp_in_progress_is_cut_off_by_the_next_setting():
    """At half of an 8 s ramp to 800 000 mL/h the valve stands at 400 000; closed then, nothing more comes."""
    history = FlowHistory(TPS, ramp_ticks=8 * TPS)
    history.set(0, 800_000)
    history.set(4 * TPS, 0)
    assert history.volume_nl(4 * TPS, HOUR) == 0
    assert history.flow_at(7 * TPS) == 0


def test_the_extremes_are_those_of_the_window_alone():
    """Flows 100, 300, 200 from seconds 1, 2, 3: from second 2 on the least is 200."""
    history, _ = history_of([(TPS, 100), (TPS, 300), (TPS, 200)])
    assert history.extremes(2 * TPS, 9 * TPS) == (200, 300)
    assert history.extremes(0, 9 * TPS) == (0, 300)


def test_a_volume_is_reached_at_the_first_tick_that_holds_it():
    """At 36 000 mL/h, 10 mL/s, 25 mL take 2.5 s; one nanolitre more needs the next tick (10 nL a tick)."""
    history = FlowHistory(TPS)
    history.set(TPS, 36_000)
    assert history.reached(0, Fraction(25 * 10**6)) == 3_500_000
    assert history.reached(0, Fraction(25 * 10**6 + 1)) == 3_500_001
    assert history.reached(2 * TPS, Fraction(10)) == 2_000_001


def test_a_volume_that_never_comes_has_no_tick():
    """The valve was closed after 10 mL, so 11 mL never pass."""
    history, _ = history_of([(TPS, 36_000), (TPS, 0)])
    assert history.reached(0, Fraction(10 * 10**6)) == 2 * TPS
    assert history.reached(0, Fraction(11 * 10**6)) is None


@given(STEPS, st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 10**9))
def test_volumes_of_adjacent_windows_add_up(steps, a, b, c, ramp_ticks):
    """Volume is additive over time, whatever the valve did."""
    history, _ = history_of(steps, ramp_ticks)
    a, b, c = sorted((a, b, c))
    assert history.volume_nl(a, b) + history.volume_nl(b, c) == history.volume_nl(a, c)


@given(STEPS, st.integers(0, 10**9), st.integers(1, 10**12))
def test_the_tick_of_a_volume_holds_it_and_the_one_before_does_not(steps, first, volume):
    """Definition of the inverse of a volume that never shrinks."""
    history, _ = history_of(steps)
    tick = history.reached(first, Fraction(volume))
    if tick is None:
        assert history.flow_at(10**12) == 0 and history.volume_nl(first, 10**12) < volume
    else:
        assert history.volume_nl(first, tick) >= volume
        assert history.volume_nl(first, tick - 1) < volume
