"""error, position: every figure computed again from what was counted, against the exact limit."""

from collections.abc import Iterator
from fractions import Fraction

from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.measured import Measured
from meterseal_protocol.metrology import PPM, ppm, rounded
from meterseal_protocol.ratio import ZERO, ratio
from meterseal_protocol.rules.pack import Pack, SameSign
from meterseal_protocol.rules.schema import ONE_WITHIN
from meterseal_protocol.uncertainty import LINES
from meterseal_wire import labels as L
from meterseal_wire import point as p

PPM2 = PPM * PPM


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family."""
    if case.stand is None or case.stand.outcome is None:
        return
    ended = case.stand.outcome.get(L.ENDED)
    if ended is not None:
        yield "position.ended", (case.stand.seat[L.POSITION], ended)
    for item in case.measured:
        yield from _row(case, item)
    if case.pack is not None:
        yield from _repeatability(case.pack, case.measured)
    if case.pack is not None and case.meter_type is not None and ended is None:
        for rule in case.pack.same_sign(case.meter_type.accuracy_class):
            yield from _same_sign(rule, case.pack.flow(rule.low, case.meter_type), case.measured)


def _row(case: Case, item: Measured) -> Iterator[Reason]:
    if item.error is None or item.limit is None or case.pack is None:
        return
    place = item.row[p.POINT], item.row[p.REPEAT]
    if abs(item.error) > item.limit:
        yield "error.limit", (*place, ppm(item.error), ppm(item.limit))
    allowed = (item.limit * case.pack.fraction("point_share")) ** 2
    spent = sum(filter(None, item.squares), ZERO)
    if spent > allowed:
        yield "error.uncertainty", (*place, _ppm2(spent), _ppm2(allowed))


def _repeatability(pack: Pack, rows: list[Measured]) -> Iterator[Reason]:
    """The errors of a point's repeats lie close together."""
    most = ratio(pack.number("repeatability_ppm"), PPM)
    by_point: dict[int, list[Fraction]] = {}
    for item in rows:
        if item.error is not None:
            by_point.setdefault(item.row[p.POINT], []).append(item.error)
    for point, errors in by_point.items():
        spread = max(errors) - min(errors)
        if spread > most:
            yield "error.repeatability", (point, ppm(spread), ppm(most))


def _same_sign(rule: SameSign, low: Fraction, rows: list[Measured]) -> Iterator[Reason]:
    """Errors of one sign from flow `low` up. Nothing to say while one of them can't be computed."""
    those = [(item.error, item.limit) for item in rows if item.flow >= low]
    known = [(error, limit) for error, limit in those if error is not None and limit is not None]
    if not known or len(known) < len(those):
        return
    if not (all(error > 0 for error, _ in known) or all(error < 0 for error, _ in known)):
        return
    if rule.rule == ONE_WITHIN:
        if all(abs(error) > limit * rule.share for error, limit in known):
            nearest = min(known, key=lambda pair: abs(pair[0]) / pair[1] if pair[1] else abs(pair[0]))
            yield "error.same_sign", (ppm(nearest[0]), ppm(nearest[1] * rule.share))
        return
    worst = max(known, key=lambda pair: abs(pair[0]))[0]
    if abs(worst) > rule.most:
        yield "error.same_sign", (ppm(worst), ppm(rule.most))


def budget(case: Case) -> tuple[tuple[int, int, str, int], ...]:
    """Rows (point, repeat, line, square in ppm^2) of every point's uncertainty."""
    return tuple(
        (item.row[p.POINT], item.row[p.REPEAT], line, _ppm2(square))
        for item in case.measured
        for line, square in zip(LINES, item.squares, strict=False)
    )


def _ppm2(square: Fraction) -> int:
    return rounded(square * PPM2) if square else 0
