"""The live page's content for one viewer: counts, benches with their runs, alarms, how long things wait.

Promise: of a bench whose run belongs to a tenant that the viewer does not see there is its name, whether it is online
and that it is busy, and nothing else; counts are then those of the viewer's own runs. No figure of a meter's error
passes here at all: curves have an address of their own, and have nothing to draw before a result is signed.
"""

import time
from threading import Lock
from typing import Any

from meterseal_edge.errors import StoreFailed
from meterseal_edge.people.roll import Account
from meterseal_edge.runs.catalogue import OPEN, Listed
from meterseal_edge.runs.drawn import MODES
from meterseal_edge.runs.plan_steps import steps
from meterseal_edge.runs.run import load
from meterseal_edge.runs.views import Viewer, Views
from meterseal_edge.state import State
from meterseal_edge.store.contract import Store
from meterseal_wire import kinds
from meterseal_wire import labels as L

FOLLOW_S = 1.0
PRIVATE = (
    "live",
    "update",
    "meters",
    "training",
    "attempt",
    "tenant",
    "run",
    "epoch",
    "seq",
    "stored",
    "last_s",
)


class Live:
    """Over a state and a store, both only read; without `views` there are no runs to show."""

    def __init__(self, state: State, store: Store, views: Views | None = None) -> None:
        self._state, self._store, self._views = state, store, views
        self._lock = Lock()
        self._runs: dict[str, tuple[tuple[bytes, str], dict[str, Any]]] = {}
        self._followed = (-1, 0.0)
        self._left = 0
        self._grown = 0

    @property
    def version(self) -> tuple[int, int]:
        """Moves whenever a page has something new to show."""
        return self._state.version, self._grown

    def due(self) -> bool:
        """True if the index of runs may be behind the log, and was not brought up to it just now."""
        version, at = self._followed
        behind = self._left > 0 or version != self._state.version
        return self._views is not None and behind and time.monotonic() - at >= FOLLOW_S

    def follow(self) -> None:
        """Bring the index of runs up to the log, at most once a second however many look."""
        with self._lock:
            if self._views is None or not self.due():
                return
            version = self._state.version
            self._left = self._views.follow()
            self._followed = version, time.monotonic()
            self._grown += 1

    def summary(self, viewer: Viewer) -> dict[str, Any]:
        """Everything that a viewer may see, as JSON values; counts are null while the store can't be read."""
        facts = self._state.snapshot()
        facts["now_s"], facts["whole"] = int(time.time()), viewer.sees("")
        facts["acts"] = isinstance(viewer, Account) and viewer.sees("")
        for bench in facts["fixtures"]:
            bench["run"] = self._run(bench)
        facts["fixtures"] = [self._for(bench, viewer) for bench in facts["fixtures"]]
        if not viewer.sees(""):
            mine = {bench["fixture"] for bench in facts["fixtures"] if not bench["busy_elsewhere"]}
            facts["alarms"] = [{**alarm, "why": ""} for alarm in facts["alarms"] if alarm["fixture"] in mine]
        return {**facts, **self._counts(viewer)}

    def _for(self, bench: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
        theirs = viewer.sees(bench["tenant"])
        bench["busy_elsewhere"] = not theirs
        if theirs:
            return bench
        return {name: value for name, value in bench.items() if name not in PRIVATE} | {"waits_since_s": None}

    def _counts(self, viewer: Viewer) -> dict[str, Any]:
        found: dict[str, Any] = {"durable": None, "entered": None, "quarantined": None}
        found |= {"waits_since_s": None, "runs": None}
        try:
            if viewer.sees(""):
                found |= zip(("durable", "entered", "quarantined"), self._store.counts(), strict=True)
                found["waits_since_s"] = self._store.waits_since()
            elif self._views is not None:
                found["runs"] = self._views.catalogue.states(self._views.may_see(viewer))
        except StoreFailed:
            return found
        return found

    def _run(self, bench: dict[str, Any]) -> dict[str, Any] | None:
        """The bench's newest run. What the state has not told since the start is told by the index."""
        if self._views is None:
            return None
        catalogue, attempt = self._views.catalogue, bench["attempt"]
        try:
            run = catalogue.find(bytes.fromhex(attempt)) if attempt else catalogue.newest(bench["fixture"])
            if run is None:
                return None
            if not attempt:
                bench["tenant"], bench["training"] = run.tenant, run.mode == kinds.TRAINING
                bench["attempt"] = run.identity.hex()
            told = self._told(bench["fixture"], run, self._views)
        except StoreFailed:
            return None
        if not bench["meters"]:
            bench["meters"] = told["meters"]
        return {name: value for name, value in told.items() if name != "meters"}

    def _told(self, fixture: str, run: Listed, views: Views) -> dict[str, Any]:
        name = run.identity, run.state
        known = self._runs.get(fixture)
        if known is None or known[0] != name:
            loaded = load(views.catalogue.store, run)
            meters = {seat[L.POSITION]: seat[L.METER] for seat in loaded.seats}
            told = {
                "identity": run.identity.hex(),
                "state": run.state,
                "mode": MODES.get(run.mode, str(run.mode)),
                "since_s": run.received_s,
                "open": run.state == OPEN,
                "flows": steps(loaded.plan),
                "meters": meters,
            }
            self._runs[fixture] = known = (name, told)
        return known[1]
