"""standard.*, bench.*: traceable, in range, fine enough; no leak, no phantom counts. One fifth is JJG 162-2019's."""

import pytest

from meterseal_protocol.testing.runs import point
from meterseal_protocol.testing.trial import TO_BEACON_S, Trial
from meterseal_protocol.testing.world import START_S
from meterseal_wire import kinds
from meterseal_wire import point as p

FLOWS = (20_000, 400_000, 3_200_000)


def calibrated(
    u_ppm: int, medium: int = kinds.WATER, flows: tuple[int, ...] = FLOWS
) -> dict[str, tuple[int, ...]]:
    """Reasons where the standard has this U at every flow."""
    trial = Trial(medium)
    pulse = 1_000 if medium == kinds.WATER else 10_000
    trial.regrant(f"standard {trial.bench}", CALIBRATION=[[flow, [pulse, 1], u_ppm] for flow in flows])
    return dict(trial.begin().run().decide().reasons)


def test_a_standard_may_use_exactly_one_fifth_of_a_water_limit() -> None:
    """A fifth of 2 % is 4000 ppm; one ppm more is too much. The lower zone's fifth is 10 000 ppm."""
    assert "standard.uncertainty" not in calibrated(4_000)
    assert calibrated(4_001)["standard.uncertainty"] in ((0, 4_001, 4_000), (1, 4_001, 4_000))


def test_a_standard_may_use_exactly_one_third_of_a_gas_limit() -> None:
    """A third of 1.5 % is 5000 ppm (to be confirmed)."""
    flows = (30_000, 7_000_000)
    assert "standard.uncertainty" not in calibrated(5_000, kinds.GAS, flows)
    assert "standard.uncertainty" in calibrated(5_001, kinds.GAS, flows)


@pytest.mark.parametrize(
    "flows, missing",
    [((26_250, 2_375_000), False), ((26_251, 2_375_000), True), ((26_250, 2_374_999), True)],
)
def test_nothing_counts_outside_of_the_calibrated_range(flows: tuple[int, ...], missing: bool) -> None:
    """The plan's lowest and highest flow are 26 250 and 2 375 000 mL/h; the ends belong to the range."""
    assert ("standard.range" in calibrated(800, flows=flows)) == missing


@pytest.mark.parametrize(
    "rows", [[], [[400_000, [1, 1], 0], [20_000, [1, 1], 0]], [[20_000, [1, 0], 0], [3_200_000, [1, 1], 0]]]
)
def test_a_calibration_that_makes_no_sense_covers_nothing(rows: list[object]) -> None:
    """Empty, descending, a fraction over nothing."""
    trial = Trial()
    trial.regrant("standard W1", CALIBRATION=rows)
    assert trial.begin().run().codes() == {"standard.range"}


@pytest.mark.parametrize("links", [[], [""]])
def test_a_standard_must_be_traceable(links: list[str]) -> None:
    """Self-managed standards too: traceability must hold (measure 4 of 2025)."""
    trial = Trial()
    trial.regrant("standard W1", TRACEABILITY=links, MANAGEMENT=2)
    assert trial.begin().run().codes() == {"standard.untraceable"}


def test_a_fixture_without_any_standard_is_not_traceable() -> None:
    """Its grant names none."""
    trial = Trial()
    trial.regrant("fixture W1", STANDARDS=[])
    assert trial.begin().run().codes() == {"standard.untraceable"}


@pytest.mark.parametrize("end, codes", [(-1, {"standard.window"}), (0, {"time.straddles"})])
def test_a_standard_out_of_date_has_a_reason_of_its_own(end: int, codes: set[str]) -> None:
    """It ended a second before the beacon, or with it."""
    trial = Trial()
    trial.regrant("standard W1", WINDOW=(START_S - 1000, START_S + TO_BEACON_S + end))
    assert trial.begin().run().codes() == codes


@pytest.mark.parametrize(
    "checks, codes",
    [
        ((15_000, 14_900, 60, 0), set()),
        ((15_000, 14_899, 60, 0), {"bench.leak"}),
        ((15_000, 14_950, 30, 0), set()),
        ((15_000, 14_949, 30, 0), {"bench.leak"}),
        ((15_000, 15_000, 29, 0), {"bench.leak"}),
        ((15_000, 15_000, 0, 0), {"bench.leak"}),
        ((15_000, 15_010, 60, 0), set()),
        ((15_000, 15_000, 60, 1), {"bench.zero"}),
    ],
)
def test_the_closed_bench_neither_leaks_nor_counts(checks: tuple[int, ...], codes: set[str]) -> None:
    """The water pack's drafts: 100 (1 kPa) a minute at most, watched for 30 s at least, no count at zero flow."""
    assert Trial().begin().run(checks=checks).codes() == codes


def run_with(**changes: int) -> set[str]:
    """Codes for a good meter whose first point has these fields changed."""
    trial = Trial().begin()
    seat = trial.seat()
    first = point(0, trial.flows[0], -3000)
    for name, value in changes.items():
        first[p.FIELDS.index(name)] = value
    seat.points = [first, *seat.points[1:]]
    return trial.run(seat).codes()


@pytest.mark.parametrize("name", ["meter_ticks", "ref_counts", "ref_ticks"])
def test_a_point_without_edges_or_time_is_not_plausible(name: str) -> None:
    """Nothing can be computed from it, and that is said."""
    assert "bench.capture" in run_with(**{name: 0})


def test_ticks_must_fit_the_time_that_the_gates_were_open() -> None:
    """1.5 * 10^8 ticks of 10 MHz are 15 s: a gate of 14.999 s may be 15 s rounded down, 14.998 s is not."""
    both = {"meter_ticks": 150_000_000, "ref_ticks": 150_000_000}
    assert run_with(**both, duration_ms=15_000) == set()
    assert "bench.capture" not in run_with(**both, duration_ms=14_999)
    assert "bench.capture" in run_with(**both, duration_ms=14_998)


@pytest.mark.parametrize("duration_ms, fits", [(14_399, True), (14_398, False)])
def test_no_more_can_pass_than_the_flow_that_was_seen(duration_ms: int, fits: bool) -> None:
    """10 L at 2.2727... m3/h and a tenth, 2.5 m3/h, take 14.4 s; 14.399 s may be that rounded down."""
    flow = 25_000_000 // 11
    found = run_with(
        meter_ticks=100_000_000,
        ref_ticks=100_000_000,
        duration_ms=duration_ms,
        flow_min_ml_per_h=flow + 1,
        flow_max_ml_per_h=flow + 1,
    )
    assert ("bench.capture" not in found) is fits


def test_more_ticks_than_a_gate_can_hold_are_not_plausible() -> None:
    """Ticks are 32 bits; a longer point uses a slower clock."""
    assert "bench.capture" not in run_with(ref_ticks=(1 << 32) - 1, duration_ms=10**9)
    assert "bench.capture" in run_with(ref_ticks=1 << 32, duration_ms=10**9)


def test_an_unknown_method_is_not_computed() -> None:
    """Seven is no method; a bell prover measures gas, and this is a water meter."""
    assert "bench.capture" in run_with(method=7)
    assert "bench.capture" in run_with(method=p.BELL_PROVER)
    assert "bench.capture" not in run_with(method=p.STATIC)


def test_the_attempts_clock_is_the_one_that_the_boot_declared() -> None:
    """A clock of twice the rate would halve nothing here, but it is not the one that was examined."""
    trial = Trial().begin()
    trial.fixture.clock = (20_000_000, 1, 0)
    assert "bench.clock" in trial.run().codes()


def test_a_clock_that_stands_still_is_refused() -> None:
    """Zero ticks a second."""
    trial = Trial()
    trial.fixture.clock = (0, 1, 0)
    assert {"bench.clock", "bench.capture"} <= trial.begin().run().codes()
