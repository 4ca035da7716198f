"""standard, bench, tightness: was the bench fit? Standards known, traceable, fine enough, no leak, no false counts."""

from collections.abc import Iterator
from fractions import Fraction

from meterseal_protocol.grant import Found, Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.measured import Measured
from meterseal_protocol.metrology import ppm, rounded
from meterseal_wire import labels as L
from meterseal_wire import point as p

S_PER_MIN = 60


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    if case.stand is None:
        return
    for _, found in case.standards:
        yield from _standard(found)
    if case.fixture.grant is not None and not case.standards:
        yield "standard.untraceable", (0,)
    if case.pack is not None:
        yield from _closed_bench(case)
        yield from _tightness(case)
    yield from _clock(case)
    for item in case.measured:
        yield from _point(case, item)


def _standard(found: Found) -> Iterator[Reason]:
    grant = found.grant
    if grant is None:
        yield "standard.untraceable", (0,)
        return
    for code, numbers in found.reasons:
        own = code == "grant.window" and numbers[:1] == (grant.number,)
        yield ("standard.window" if own else code), numbers
    if not any(grant.payload[L.TRACEABILITY]):
        yield "standard.untraceable", (grant.number,)


def _closed_bench(case: Case) -> Iterator[Reason]:
    assert case.stand is not None and case.pack is not None
    start, end, seconds, counts = case.stand.attempt.statement.payload[L.BENCH_CHECKS]
    too_fast = (start - end) * S_PER_MIN > case.pack.number("most_leak_10pa_per_min") * seconds
    if too_fast or seconds < case.pack.number("least_closed_s"):
        yield "bench.leak", (start, end, seconds)
    if counts > case.pack.number("most_zero_counts"):
        yield "bench.zero", (counts, case.pack.number("most_zero_counts"))


def _tightness(case: Case) -> Iterator[Reason]:
    """The meter's own tightness test, where the pack asks for it or the fixture signed one."""
    assert case.stand is not None and case.pack is not None
    if case.stand.outcome is None or L.ENDED in case.stand.outcome:
        return
    found = case.stand.outcome.get(L.TIGHTNESS)
    if found is None:
        if case.pack.number("tightness_needed"):
            yield "tightness.failed", (0, 0, 0)
        return
    start, end, seconds = found
    too_fast = (start - end) * S_PER_MIN > case.pack.number("most_tightness_loss_10pa_per_min") * seconds
    if too_fast or seconds < case.pack.number("least_tightness_s"):
        yield "tightness.failed", (start, end, seconds)


def _clock(case: Case) -> Iterator[Reason]:
    """The attempt's capture clock is the one that the epoch's boot declared, and it runs."""
    assert case.stand is not None
    attempt = case.stand.attempt
    ticks_per_s = attempt.statement.payload[L.CLOCK][0]
    boots = [boot for boot in case.evidence.of_kind(L.KIND_BOOT) if boot.place[:2] == attempt.place[:2]]
    other = any(boot.statement.payload[L.CLOCK] != attempt.statement.payload[L.CLOCK] for boot in boots)
    if other or ticks_per_s == 0:
        yield "bench.clock", (ticks_per_s,)


def _point(case: Case, item: Measured) -> Iterator[Reason]:
    row = item.row
    if not item.plausible:
        yield "bench.capture", (row[p.POINT], row[p.REPEAT])
    if not case.standards or not case.calibrations:
        return
    if item.reference is None:
        yield "standard.range", (row[p.POINT], rounded(item.flow))
        return
    if case.pack is None or item.limit is None:
        return
    share: Fraction = item.limit * case.pack.fraction("standard_share")
    if item.reference.expanded > share:
        yield "standard.uncertainty", (row[p.POINT], ppm(item.reference.expanded), ppm(share))
