"""Planted bugs: two ways in which a page could tell an error before it is signed. test_unsigned.py must find each.

Unlike its neighbours it ends no process: `apply` puts a bug in the place of the honest function until the test is over.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from meterseal_edge import state
from meterseal_edge.runs import drawn
from meterseal_edge.runs.run import Run
from meterseal_wire import labels as L


def passes_the_line_on(told: dict[str, Any]) -> dict[str, Any]:
    """The live line as it came: a chatty fixture's own figures reach every screen."""
    return told


def shows_raw_counts(run: Run) -> list[Sequence[int]]:
    """The counts of an abandoned run."""
    closer = run.closer
    abandoned = closer is not None and closer.statement.typ == L.KIND_ABANDONED
    return closer.statement.payload[L.RAW_COUNTS] if abandoned and closer else []


def apply(name: str, patch: pytest.MonkeyPatch) -> None:
    """One of NAMES."""
    if name == "live line":
        patch.setattr(state, "shown", passes_the_line_on)
    else:
        honest = drawn.Drawing._end
        patch.setattr(
            drawn.Drawing, "_end", lambda self: {**honest(self), "counted": shows_raw_counts(self.run)}
        )


NAMES = ("live line", "raw counts")
