"""bench.check_stale, bench.check_failed: was the bench itself checked with a meter whose errors are known?

A check run is an attempt in mode `check` over the bench's check meter. The fixture's grant names that meter as a
standard: its calibration says how much a pulse of it is. So its error on this bench has to be nearly nothing. The
newest good check before the test must be young enough, and the first one after it must not have failed: a failed
check taints whatever was tested since the last good one.
"""

from collections.abc import Iterator
from fractions import Fraction

from meterseal_protocol.evidence import Entry, closes
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case, calibration
from meterseal_protocol.metrology import (
    PPM,
    CalibrationRow,
    calibrated,
    gas_error,
    mean_flow,
    water_error,
)
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p

NEVER = 0


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family; nothing where the pack asks for no check runs."""
    if case.stand is None or case.interval is None or case.pack is None:
        return
    within_s = case.pack.number("check_within_s")
    if within_s == 0:
        return
    own, runs = case.stand.attempt, _runs(case)
    good = [(entry, begun_s) for entry, begun_s, holds in runs if holds and entry.leaf < own.leaf]
    begun_s = max((begun_s for _, begun_s in good), default=NEVER)
    if case.attempt_by_s - begun_s > within_s:
        yield "bench.check_stale", (begun_s, case.attempt_by_s, within_s)
    newest_good = max((entry.leaf for entry, _ in good), default=-1)
    for entry, _, holds in runs:
        between = newest_good < entry.leaf < own.leaf
        first_after = entry.leaf > own.leaf and not any(
            own.leaf < other.leaf < entry.leaf for other, _, _ in runs
        )
        if not holds and (between or first_after):
            yield "bench.check_failed", entry.place[1:]


def _runs(case: Case) -> list[tuple[Entry, int, bool]]:
    """Check runs of the fixture: the attempt, the second of its beacon, and whether it held."""
    assert case.stand is not None
    results = {closes(entry): entry for entry in case.evidence.of_kind(L.KIND_RESULT)}
    beacons = {entry.statement.identity: entry for entry in case.evidence.of_kind(L.KIND_BEACON)}
    found = []
    for attempt in case.evidence.of_kind(L.KIND_ATTEMPT):
        payload = attempt.statement.payload
        if attempt.key != case.stand.attempt.key or payload[L.MODE] != kinds.CHECK:
            continue
        result, beacon = results.get(attempt.place), beacons.get(payload[L.BEACON])
        if result is not None and beacon is not None:
            found.append((attempt, beacon.statement.payload[L.TIME_S], _holds(case, result)))
    return found


def _holds(case: Case, result: Entry) -> bool:
    """True if every point of every position agrees with the check meter's own calibration."""
    assert case.pack is not None
    meter = _check_meter(case)
    rows = [row for position in result.statement.payload[L.POSITIONS] for row in position[L.POINTS]]
    if not meter or not rows:
        return False
    most = Fraction(case.pack.number("check_limit_ppm"), PPM)
    errors = [_error(case, meter, row) for row in rows]
    return all(error is not None and abs(error) <= most for error in errors)


def _check_meter(case: Case) -> tuple[CalibrationRow, ...]:
    """Calibration of the check meter that the fixture's grant names; empty where it does not hold."""
    grant = case.fixture.grant
    if grant is None or L.CHECK_METER not in grant.payload or case.interval is None:
        return ()
    name = grant.payload[L.CHECK_METER]
    found = case.grants.find(
        kinds.STANDARD, lambda other: bool(other.payload[L.STANDARD] == name), case.interval
    )
    return calibration(found.grant) if found.grant and found.good else ()


def _error(case: Case, meter: tuple[CalibrationRow, ...], row: list[int]) -> Fraction | None:
    assert case.pack is not None
    flow = mean_flow(row)
    own = calibrated(meter, flow)
    reference = next((found for _, rows in case.calibrations if (found := calibrated(rows, flow))), None)
    if own is None or reference is None or row[p.METHOD] != p.REFERENCE_METER:
        return None
    compute = water_error if case.pack.medium == kinds.WATER else gas_error
    return compute(row, own.pulse_ul, reference.pulse_ul)
