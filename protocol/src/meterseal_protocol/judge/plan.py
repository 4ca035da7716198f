"""plan: were the points run that the rules ask for, at those flows, long enough, under those conditions?"""

from collections.abc import Iterator, Sequence

from meterseal_protocol import methods
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.measured import Measured
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.pack import Pack
from meterseal_protocol.rules.plan import Wanted, wanted
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p

AIR_MK, HUMIDITY_PERMILLE, DIFFERENCE_MK, OUTLET_10PA, WATER_MK = 1, 2, 3, 4, 5
LEAST, GREATEST = 0, 2  # of a spread


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    if case.stand is None:
        return
    attempt = case.stand.attempt.statement
    if case.plan_bytes is None:
        wrong = attempt.identity in case.evidence.blobs
        yield ("evidence.mismatch" if wrong else "evidence.missing"), (0, 0)
    elif case.pack is None:
        yield "plan.unknown", ()
    if case.pack is None or case.meter_type is None:
        return
    if case.meter_type.medium != case.pack.medium or not case.pack.zones(case.meter_type.accuracy_class):
        yield "plan.unknown", ()
        return
    points = wanted(case.pack, case.meter_type)
    rows = case.measured
    yield from _points(case, points, rows)
    for item in rows:
        yield from _row(points, case.meter_type, item)
        yield from _conditions_at(case, item)
    if case.pack.medium == kinds.GAS:
        yield from _room(case, case.pack)


def _points(case: Case, points: Sequence[Wanted], rows: list[Measured]) -> Iterator[Reason]:
    """Each point with all its repeats, once; a position that ended early has a reason of its own."""
    assert case.stand is not None
    seen = [(item.row[p.POINT], item.row[p.REPEAT]) for item in rows]
    ended = case.stand.outcome is not None and L.ENDED in case.stand.outcome
    for point in points:
        repeats = [repeat for index, repeat in seen if index == point.index]
        if not repeats:
            if not ended:
                yield "plan.point_missing", (point.index,)
        elif sorted(repeats) != list(range(point.repeats)) and not (ended and len(repeats) < point.repeats):
            yield "plan.repeats", (point.index, len(repeats), point.repeats)
    for index in sorted({index for index, _ in seen} - {point.index for point in points}):
        yield "plan.repeats", (index, sum(found == index for found, _ in seen), 0)


def _row(points: Sequence[Wanted], meter: MeterType, item: Measured) -> Iterator[Reason]:
    row = item.row
    if row[p.POINT] >= len(points):
        return
    point = points[row[p.POINT]]
    if row[p.FLOW_MIN_ML_PER_H] < point.least_flow or row[p.FLOW_MAX_ML_PER_H] > point.most_flow:
        yield "plan.flow_band", (point.index, row[p.FLOW_MIN_ML_PER_H], row[p.FLOW_MAX_ML_PER_H])
    # A meter that is read and not counted is held to the same volume, in pulses that it would have given.
    counts = row[p.METER_COUNTS] or methods.meter_ul(row, meter) // meter.pulse_ul
    if counts < point.least_counts or row[p.DURATION_MS] < point.least_duration_ms:
        yield "plan.volume", (point.index, counts, point.least_counts)


def _conditions_at(case: Case, item: Measured) -> Iterator[Reason]:
    """Conditions at the meter while a point ran."""
    assert case.stand is not None and case.stand.result is not None and case.pack is not None
    row, pack = item.row, case.pack
    if pack.medium == kinds.GAS:
        apart = abs(row[p.METER_TEMP_MK] - row[p.REF_TEMP_MK])
        yield from _between(DIFFERENCE_MK, apart, 0, pack.number("most_difference_mk"))
        return
    air_10pa = case.stand.result.statement.payload[L.CONDITIONS][1][1]
    gauge = row[p.METER_PRESSURE_10PA] - air_10pa
    if gauge < pack.number("least_outlet_gauge_10pa"):
        yield "plan.conditions", (OUTLET_10PA, gauge)
    for mk in (row[p.METER_TEMP_MK], row[p.REF_TEMP_MK]):
        yield from _between(WATER_MK, mk, pack.number("least_water_mk"), pack.number("most_water_mk"))


def _room(case: Case, pack: Pack) -> Iterator[Reason]:
    """Air temperature and humidity over the run: the extremes count."""
    assert case.stand is not None and case.stand.result is not None and case.meter_type is not None
    air, _, humidity = case.stand.result.statement.payload[L.CONDITIONS]
    qmax = case.meter_type.flows[0]
    rows = [row for row in pack.values["air_temperature"] if qmax <= row["most_qmax_ml_per_h"]]
    for row in rows[:1]:
        for mk in (air[LEAST], air[GREATEST]):
            yield from _between(AIR_MK, mk, row["least_mk"], row["most_mk"])
    for permille in (humidity[LEAST], humidity[GREATEST]):
        least, most = pack.number("least_humidity_permille"), pack.number("most_humidity_permille")
        yield from _between(HUMIDITY_PERMILLE, permille, least, most)


def _between(which: int, found: int, least: int, most: int) -> Iterator[Reason]:
    if not least <= found <= most:
        yield "plan.conditions", (which, found)
