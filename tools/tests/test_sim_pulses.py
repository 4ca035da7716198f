"""Pulse edges, against sums written out here."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from meterseal_tools.sim.flow import FlowHistory
from meterseal_tools.sim.pulses import PulseTrain

TPS = 1_000_000
STEPS = st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 6_000_000)), min_size=1, max_size=10)


def constant(flow, per_ml, phase=Fraction()):
    """A train in a history where `flow` runs from tick 0."""
    history = FlowHistory(TPS)
    history.set(0, flow)
    return PulseTrain(history, lambda _: Fraction(per_ml), 0, phase)


def random_train(steps, per_ml, jitter=0):
    """A train in the history of (ticks later, flow) steps, ramps of 2 s in it."""
    history, tick = FlowHistory(TPS, 2 * TPS), 0
    train = PulseTrain(history, lambda _: per_ml).with_jitter(jitter, 7)
    for later, flow in steps:
        tick += later
        history.set(tick, flow)
        train.progress(tick)
    return history, train


def test_constant_flow_gives_an_edge_each_pulse_volume():
    """36 000 mL/h is 10 mL/s; at a pulse each 10 mL the edges fall on whole seconds."""
    train = constant(36_000, Fraction(1, 10))
    assert [train.edge(number) for number in (1, 2, 3)] == [TPS, 2 * TPS, 3 * TPS]
    assert (train.edges(TPS - 1), train.edges(TPS), train.edges(10 * TPS)) == (0, 1, 10)


def test_an_edge_between_two_ticks_is_seen_at_the_later():
    """25 000 mL/h, 1 pulse a mL: an edge each 144 000 ticks; 27 000 mL/h: each 133 333 1/3, seen at 133 334."""
    assert constant(25_000, 1).edge(5) == 5 * 144_000
    assert [constant(27_000, 1).edge(number) for number in (1, 2, 3)] == [133_334, 266_667, 400_000]


def test_the_phase_brings_the_first_edge_forward():
    """Three quarters into its pulse of 1 s, the first edge comes after a quarter of a second."""
    assert constant(36_000, Fraction(1, 10), Fraction(3, 4)).edge(1) == TPS // 4


def test_a_gate_counts_whole_intervals_between_its_first_and_last_edge():
    """Edges at 1, 2, ... s; a gate open from 0.5 s to 4.5 s sees those at 1, 2, 3, 4: three intervals."""
    train = constant(36_000, Fraction(1, 10))
    assert train.gate(TPS // 2, 9 * TPS // 2) == (3, TPS // 2, 7 * TPS // 2)


def test_a_gate_with_one_edge_or_none_has_no_interval():
    """One edge: no interval, both ticks its own. None: zeros. The edge at the arming tick belongs to before."""
    train = constant(36_000, Fraction(1, 10))
    assert train.gate(TPS // 2, TPS) == (0, TPS // 2, TPS // 2)
    assert train.gate(TPS, 2 * TPS - 1) == (0, 0, 0)


def test_no_edges_come_from_before_the_meter_was_mounted():
    """Mounted after 10 s of 10 mL/s, its first edge comes 1 s later."""
    history = FlowHistory(TPS)
    history.set(0, 36_000)
    train = PulseTrain(history, lambda _: Fraction(1, 10), since=10 * TPS)
    assert (train.edges(10 * TPS), train.edge(1)) == (0, 11 * TPS)


def test_an_edge_that_the_flow_never_brings_has_no_tick():
    """10 mL passed before the valve closed: one edge, no second."""
    history = FlowHistory(TPS)
    history.set(0, 36_000)
    history.set(TPS, 0)
    train = PulseTrain(history, lambda _: Fraction(1, 10))
    assert (train.edge(1), train.edge(2), train.edges(10**12)) == (TPS, None, 1)


def test_a_train_forgets_a_ramp_that_was_cut_off():
    """Asked for an edge in the middle of a ramp, then closed: what the ramp would have brought never comes."""
    history = FlowHistory(TPS, ramp_ticks=8 * TPS)
    train = PulseTrain(history, lambda _: Fraction(1))
    history.set(0, 800_000)
    assert train.edges(60 * TPS) > 0
    history.set(1, 0)
    assert train.edges(60 * TPS) == 0


@given(STEPS, st.fractions(Fraction(1, 200), Fraction(2)), st.integers(0, 10**10))
def test_edges_are_the_whole_pulses_in_the_volume_passed(steps, per_ml, tick):
    """Sum of flow times ticks over the steps in force, as fractions: edges = floor(volume times pulses a mL).

    The rate is rounded at 1e-12 of a pulse a mL, so a floor may differ only where the sum is that near to whole.
    """
    history, train = random_train(steps, per_ml)
    ends = [*history.starts[1:], 10**13]
    parts = zip(history.starts, ends, history.flows, strict=True)
    passed = sum(flow * max(0, min(end, tick) - start) for start, end, flow in parts)
    pulses = Fraction(passed, 3600 * TPS) * per_ml
    near = Fraction(1, 10**6)
    assert int(pulses - near) <= train.edges(tick) <= int(pulses + near)


@given(
    STEPS,
    st.fractions(Fraction(1, 200), Fraction(2)),
    st.lists(st.integers(0, 10**10), min_size=3, max_size=3),
)
def test_edges_in_adjacent_windows_add_up(steps, per_ml, ticks):
    """No edge is lost or counted twice where one gate closes and the next opens, with jitter too."""
    _, train = random_train(steps, per_ml, jitter=3)
    a, b, c = sorted(ticks)
    parts = [train.edges(last) - train.edges(first) for first, last in ((a, b), (b, c), (a, c))]
    assert parts[0] + parts[1] == parts[2]
    assert min(parts) >= 0


@given(STEPS, st.integers(0, 10**10), st.integers(0, 10**10))
def test_the_edges_of_a_gate_lie_inside_it(steps, a, b):
    """0 < first <= last <= length of the gate, whenever it saw an edge."""
    _, train = random_train(steps, Fraction(1, 10), jitter=3)
    a, b = sorted((a, b))
    count, first, last = train.gate(a, b)
    assert (count, first, last) == (0, 0, 0) or 0 < first <= last <= b - a


@given(st.integers(1, 400))
def test_jitter_delays_an_edge_by_no_more_than_it_says(number):
    """Without jitter edge n at 10 mL/s and a pulse each 10 mL falls on second n; with 3 it is 0 to 3 ticks late."""
    late = constant(36_000, Fraction(1, 10)).with_jitter(3, 99).edge(number) - number * TPS
    assert 0 <= late <= 3
