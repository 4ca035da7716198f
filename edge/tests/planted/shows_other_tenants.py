"""Planted bugs: each forgets at one place who looks. test_views.py must find each.

Unlike its neighbours it ends no process: `apply` puts a bug in the place of the honest function until the test is over.
"""

from typing import Any

import pytest

from meterseal_edge.pages.live import Live
from meterseal_edge.runs.run import Run, load
from meterseal_edge.runs.views import Viewer, Views


def all_tenants(self: Views, _viewer: Viewer) -> tuple[str, ...]:
    """Whoever has runs, whoever looks."""
    return tuple(self.catalogue.tenants())


def any_run(self: Views, identity: bytes, _viewer: Viewer) -> Run | None:
    """Whoever knows the identity may look."""
    listed = self.catalogue.find(identity)
    return load(self.catalogue.store, listed) if listed else None


def whole_bench(_self: Live, bench: dict[str, Any], _viewer: Viewer) -> dict[str, Any]:
    """A bench as it is."""
    return {**bench, "busy_elsewhere": False}


BUGS = {
    "list": (Views, "may_see", all_tenants),
    "run": (Views, "find", any_run),
    "bench": (Live, "_for", whole_bench),
}


def apply(name: str, patch: pytest.MonkeyPatch) -> None:
    """One of BUGS."""
    patch.setattr(*BUGS[name])
