"""time: is it known when the test was, and may the meter be installed at the instant asked for?"""

from collections.abc import Iterator

from meterseal_protocol.evidence import CORRIGIBLE
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.said import Said
from meterseal_wire import labels as L

DAY_S = 86_400
# Kinds whose statements name a second of their own. A time in the future is a lie or a broken clock.
DATED = (
    L.KIND_BEACON,
    L.KIND_SCOPE,
    L.KIND_SIGNOFF,
    L.KIND_MARKS,
    L.KIND_CORRECTION,
    L.KIND_NOTICE,
    L.KIND_REMEASUREMENT,
)


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    yield from _future(case)
    if case.stand is None:
        return
    if case.interval is None or case.interval.not_after_s < case.interval.not_before_s:
        yield "time.unbounded", ()
        return
    if case.pack is None:
        return
    age_s = case.attempt_by_s - case.interval.not_before_s
    if age_s > case.pack.number("most_beacon_age_s"):
        yield "time.beacon_stale", (age_s, case.pack.number("most_beacon_age_s"))
    start_s, end_s = window(case) or (case.at_s, case.at_s)
    if not start_s <= case.at_s <= end_s:
        yield "time.outside_window", (case.at_s, start_s, end_s)


def _future(case: Case) -> Iterator[Reason]:
    """Nobody names a second that has not come, or cites a beacon that is not there yet."""
    said = Said.of(case)
    for kind in DATED:
        entries = said.standing(kind) if said and kind in CORRIGIBLE else case.evidence.of_kind(kind)
        for entry in entries:
            time_s = entry.statement.payload[L.TIME_S]
            if time_s > entry.entered_s:
                yield "time.future", (time_s, entry.entered_s)
    if case.beacon is not None and case.stand is not None and case.beacon.leaf >= case.stand.attempt.leaf:
        yield "time.future", (case.beacon.entered_s, case.stand.attempt.entered_s)


def window(case: Case) -> tuple[int, int] | None:
    """First and last second for which installation may be asked; None where test or rules are not known."""
    if case.interval is None or case.pack is None:
        return None
    start_s = case.interval.not_after_s
    return start_s, start_s + case.pack.number("install_within_days") * DAY_S
