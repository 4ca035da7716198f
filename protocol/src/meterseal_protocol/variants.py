"""Improved types (JJF 1015): a variant names the type that it varies and the clauses evaluated again, and inherits
whatever it leaves out. The whole line of variants must hold, each of the same maker.
"""

from dataclasses import dataclass
from typing import Any

from meterseal_protocol.grant import Grant, Grants, Interval, Reason
from meterseal_wire import kinds
from meterseal_wire import labels as L

LONGEST = 4
OWN = (L.VARIANT_OF, L.CLAUSES)


@dataclass(frozen=True)
class Resolved:
    """A type with everything it inherits, or None where the line is broken; and what speaks against its ancestors."""

    payload: dict[int, Any] | None
    reasons: tuple[Reason, ...] = ()


def resolved(grants: Grants, grant: Grant, interval: Interval) -> Resolved:
    """The type that a type grant means over an interval."""
    line, reasons = [grant], list[Reason]()
    while L.VARIANT_OF in line[-1].payload:
        parent = grants.named(line[-1].payload[L.VARIANT_OF])
        if parent is None or len(line) == LONGEST or not _varies(line[-1], parent):
            return Resolved(None, (*reasons, ("grant.missing", (line[-1].number,))))
        reasons += grants.against(parent, interval)
        line.append(parent)
    merged: dict[int, Any] = {}
    for step in reversed(line):
        merged |= {label: value for label, value in step.payload.items() if label not in OWN}
    return Resolved(merged, tuple(reasons))


def _varies(variant: Grant, parent: Grant) -> bool:
    same_maker = parent.payload.get(L.MAKER) == variant.payload[L.MAKER]
    return bool(parent.payload[L.GRANT] == kinds.TYPE and same_maker)
