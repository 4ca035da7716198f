"""Subject judge, fifth part (measuring.md, judging.md): conditions of reasons, most with both sides of a boundary."""

from collections.abc import Callable, Iterator
from typing import Any

from maker.judges import GRANTED, REFUSED, UNDECIDED, closed_case, trial
from meterseal_protocol.testing.runs import Seat, point
from meterseal_protocol.testing.trial import TO_BEACON_S, Trial
from meterseal_protocol.testing.world import START_S
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p
from meterseal_wire.sign1 import identity


def changed(index: int, errors: tuple[int, int, int] = (-3_000, 4_000, -8_000), **fields: int) -> Trial:
    """A good run but for fields of one point."""
    found = trial().begin()
    seat = found.seat(errors)
    for name, value in fields.items():
        seat.points[index][p.FIELDS.index(name)] = value  # type: ignore[index]
    return found.run(seat)


def standard(u_ppm: int) -> Trial:
    """The standard has this U at every flow."""
    found = trial()
    found.regrant("standard W1", CALIBRATION=[[flow, [1000, 1], u_ppm] for flow in (20_000, 3_200_000)])
    return found.begin().run()


def calibrated_to(flow: int) -> Trial:
    """The standard is calibrated up to this flow."""
    found = trial()
    found.regrant("standard W1", CALIBRATION=[[20_000, [1000, 1], 800], [flow, [1000, 1], 800]])
    return found.begin().run()


def standard_until(end_s: int) -> Trial:
    """The standard's grant ends so many seconds after the beacon."""
    found = trial()
    found.regrant("standard W1", WINDOW=[START_S - 1000, START_S + TO_BEACON_S + end_s])
    return found.begin().run()


def warm(mk: int) -> Trial:
    """2.0001 % at Q3, in water of this temperature."""
    found = trial().begin()
    seat = found.seat((20_001, -1, -1))
    for row in seat.points:
        row[p.METER_TEMP_MK] = row[p.REF_TEMP_MK] = mk  # type: ignore[index]
    return found.run(seat)


def dial(**said: int) -> Trial:
    """The register shows something else."""
    found = trial().begin()
    return found.run(found.seat(**said))


def left_out() -> Trial:
    """Two of three points."""
    found = trial().begin()
    seat = found.seat()
    seat.points = seat.points[:2]
    return found.run(seat)


def without_telegrams() -> Trial:
    """The result's evidence has not come."""
    found = trial().begin().run()
    result = found.record.of_kind(L.KIND_RESULT)[0].statement.identity
    del found.record.blobs[result]
    return found


def other_unit() -> Trial:
    """The type counts in units ten times as large."""
    found = trial()
    found.regrant("type water", REGISTER_EXPONENT=-2)
    return found.begin().run()


def checked(*errors_ppm: int) -> Trial:
    """Rules that ask for check runs, and these were made before the test."""
    found = trial(check_within_s=3600, check_limit_ppm=5000)
    own = {L.STANDARD: "CHECK-1", L.MANAGEMENT: 1, L.TRACEABILITY: ["certificate 7"]}
    own[L.CALIBRATION] = [[flow, [10_000, 1], 800] for flow in (20_000, 3_000_000)]
    parent = identity(found.world.grants["delegation"])
    found.world.grants["check meter"] = found.world.grant(
        "province", kinds.STANDARD, {L.PARENT: parent, **own}
    )
    found.regrant("fixture W1", CHECK_METER="CHECK-1")
    found.begin()
    for error in errors_ppm:
        seat = Seat(1, "99999999", points=[point(0, 2_375_000, error)])
        found.enter(found.fixture.attempt((seat,), found.plan, found.beacon, mode=kinds.CHECK))
        found.enter(found.fixture.result((seat,)))
    return found.run()


Case = tuple[str, str, str, Callable[[], Trial], str, set[str]]
CASES: tuple[Case, ...] = (
    ("standard at a fifth", "measuring.md, 6", "4000 ppm of 2 %", lambda: standard(4000), GRANTED, set()),
    (
        "standard above a fifth",
        "measuring.md, 6",
        "one ppm more",
        lambda: standard(4001),
        REFUSED,
        {"standard.uncertainty"},
    ),
    (
        "standard up to the flow",
        "measuring.md, The reference",
        "the end belongs to it",
        lambda: calibrated_to(2_375_000),
        GRANTED,
        set(),
    ),
    (
        "standard short of the flow",
        "measuring.md, The reference",
        "one mL/h less",
        lambda: calibrated_to(2_374_999),
        REFUSED,
        {"standard.range"},
    ),
    ("water above 30 degrees", "measuring.md, The limit", "3 % there", lambda: warm(30_001), GRANTED, set()),
    (
        "water at 30 degrees",
        "measuring.md, The limit",
        "30 is not above",
        lambda: warm(30_000),
        REFUSED,
        {"error.limit"},
    ),
    (
        "more ticks than time",
        "measuring.md, What a point needs",
        "ten seconds by the clock in one by the gates",
        lambda: changed(0, duration_ms=1000),
        REFUSED,
        {"bench.capture", "plan.volume"},
    ),
    (
        "a dial that stands still",
        "measuring.md, 9",
        "30 L in pulses, none on the dial",
        lambda: dial(end_litres=100),
        REFUSED,
        {"error.register"},
    ),
    ("a dial two steps behind", "measuring.md, 9", "allowed", lambda: dial(end_litres=128), GRANTED, set()),
    (
        "a dial that goes back",
        "judging.md, 8",
        "99 after 100",
        lambda: dial(end_litres=99),
        REFUSED,
        {"meter.reading_back"},
    ),
    (
        "telegrams that have not come",
        "judging.md, 9",
        "they may come",
        without_telegrams,
        UNDECIDED,
        {"evidence.missing"},
    ),
    (
        "telegrams in another unit",
        "judging.md, 10",
        "numbers are compared, not digits",
        other_unit,
        REFUSED,
        {"evidence.mismatch"},
    ),
    (
        "a standard that ended before",
        "judging.md, 11",
        "a second before the beacon",
        lambda: standard_until(-1),
        REFUSED,
        {"standard.window"},
    ),
    (
        "a standard that ended meanwhile",
        "judging.md, 11",
        "never rounded to yes",
        lambda: standard_until(0),
        UNDECIDED,
        {"time.straddles"},
    ),
    ("a check run that holds", "judging.md, 16", "exact", lambda: checked(0), GRANTED, set()),
    ("no check run", "judging.md, 16", "one is asked for", checked, REFUSED, {"bench.check_stale"}),
    (
        "a check run that failed since",
        "judging.md, 17",
        "5001 ppm, where 5000 are allowed",
        lambda: checked(0, 5001),
        REFUSED,
        {"bench.check_failed"},
    ),
    ("a point left out", "judging.md, 19", "Q1 has no row", left_out, REFUSED, {"plan.point_missing"}),
    (
        "flow to the end of its band",
        "judging.md, 20",
        "1.1 Q2 belongs to it",
        lambda: changed(1, flow_min_ml_per_h=40_000, flow_max_ml_per_h=44_000),
        GRANTED,
        set(),
    ),
    (
        "flow beyond its band",
        "judging.md, 20",
        "one mL/h more",
        lambda: changed(1, flow_min_ml_per_h=40_000, flow_max_ml_per_h=44_001),
        REFUSED,
        {"plan.flow_band"},
    ),
    (
        "a pulse too few",
        "judging.md, 21",
        "99 of 100, and a tenth of the reference's",
        lambda: changed(2, meter_counts=99, ref_counts=990),
        REFUSED,
        {"plan.volume"},
    ),
)


def cases() -> Iterator[dict[str, Any]]:
    """Every case of this part."""
    for name, rule, why, make, outcome, codes in CASES:
        yield closed_case(name, (rule, why), make(), (outcome, codes))
