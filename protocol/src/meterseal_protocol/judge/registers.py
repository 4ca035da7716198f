"""error.register, error.resolution: the dial against the pulses, over each point and over the whole run.

Whoever taps a meter's pulses and not its register, or the other way round, shows up here: both are signed, and both
must say the same as far as a register's step lets them.
"""

from collections.abc import Iterator

from meterseal_protocol import methods
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.measured import Measured
from meterseal_protocol.metrology import rounded
from meterseal_protocol.ratio import ZERO
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.pack import Pack
from meterseal_wire import labels as L
from meterseal_wire import point as p

RUN = 999  # stands for the point where the whole run is meant


def against(case: Case) -> Iterator[Reason]:
    """Reasons of this family; nothing where rules or type are not known."""
    if case.stand is None or case.stand.outcome is None or case.pack is None or case.meter_type is None:
        return
    for item in case.measured:
        yield from _point(case.pack, case.meter_type, item)
    yield from _run(case, case.pack, case.meter_type)


def _point(pack: Pack, meter: MeterType, item: Measured) -> Iterator[Reason]:
    row, unit = item.row, methods.unit_ul(meter)
    shown = row[p.REGISTER_DIFF] * unit
    if row[p.METER_COUNTS] == 0:
        if (
            shown > 0
            and item.limit is not None
            and unit > item.limit * pack.fraction("resolution_share") * shown
        ):
            yield "error.resolution", (row[p.POINT], row[p.REPEAT], rounded(unit), rounded(shown))
        return
    counted = row[p.METER_COUNTS] * meter.pulse_ul
    # Zero where it was not read at this point.
    apart = abs(shown - counted) > pack.number("register_steps") * unit + meter.pulse_ul
    if row[p.REGISTER_DIFF] != 0 and apart:
        yield "error.register", (row[p.POINT], row[p.REPEAT], rounded(shown), rounded(counted))


def _run(case: Case, pack: Pack, meter: MeterType) -> Iterator[Reason]:
    """From the start register to the end at least what passed in the points, and not much more."""
    assert case.stand is not None and case.stand.outcome is not None
    start, end = case.stand.seat.get(L.START_REGISTER), case.stand.outcome.get(L.END_REGISTER)
    if start is None or end is None or L.ENDED in case.stand.outcome or end < start:
        return  # a register that is missing or reads back has a reason of its own
    unit = methods.unit_ul(meter)
    passed = sum((methods.meter_ul(item.row, meter) for item in case.measured), ZERO)
    shown, steps = (end - start) * unit, pack.number("register_steps") * unit
    if not passed - steps <= shown <= passed * (1 + pack.fraction("run_extra_share")) + steps:
        yield "error.register", (RUN, 0, rounded(shown), rounded(passed))
