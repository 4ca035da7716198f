"""The sheet that people sign: one row a meter, computed by the judge itself from the evidence.

So `inspect`, the page on which a person signs and the judge say the same. A row has the outcome of the measurement
alone (numbers.py, registers.py): whether grants, seals or samples speak against the meter is not theirs to sign.
"""

from collections.abc import Iterable, Sequence

from meterseal_protocol.evidence import Evidence
from meterseal_protocol.grant import Grants, Reason
from meterseal_protocol.judge import numbers, registers
from meterseal_protocol.judge.case import Case
from meterseal_protocol.kept import once
from meterseal_protocol.metrology import ppm
from meterseal_protocol.rules.pack import Pack
from meterseal_protocol.signoff import Row
from meterseal_wire import kinds
from meterseal_wire import labels as L

MEASURED = (numbers, registers)


@once
def against(case: Case) -> tuple[Reason, ...]:
    """What speaks against the measurement itself. Reckoned once a case: the row and the decision both ask."""
    return tuple(reason for family in MEASURED for reason in family.against(case))


def row(case: Case) -> Row | None:
    """The row of the governing result; None where there is no result or an error can't be computed yet."""
    stand = case.stand
    if stand is None or stand.result is None:
        return None
    errors = [item.error for item in case.measured]
    known = [error for error in errors if error is not None]
    if case.pack is None or case.meter_type is None or len(known) < len(errors):
        return None
    failed = not known or bool(against(case))
    largest = ppm(max(known, key=abs)) if known else 0
    outcome = kinds.FAILED if failed else kinds.PASSED
    return Row(stand.result.statement.identity, stand.seat[L.POSITION], case.evidence.meter, outcome, largest)


def sheet(evidence: Iterable[Evidence], grants: Grants, rules: Sequence[Pack]) -> list[Row]:
    """Rows of several meters' evidence, in its order; meters whose errors can't be computed have none."""
    rows = (row(Case(item, grants, rules, 0)) for item in evidence)
    return [found for found in rows if found is not None]
