"""What the page shows: counts, fixtures, alarms. For eyes only; nothing is decided from it."""

import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from meterseal_edge.events import Covered, Durable
from meterseal_edge.live_line import shown
from meterseal_edge.waiting import Waiting
from meterseal_wire import kinds

ALARMS, FIXTURES = 50, 500


@dataclass
class FixtureView:
    """One fixture as an operator sees it. `attempt` is the identity (hex) of its newest attempt since the edge started,
    `meters` by position, `training` and `tenant` are that attempt's. `waits_since_s`: when the oldest statement that
    the fixture still holds began to wait, by the edge's clock; None where none does.
    """

    fixture: str
    online: bool = False
    epoch: int = 0
    seq: int = -1
    stored: int = 0
    last_s: int = 0
    live: dict[str, Any] = field(default_factory=dict)
    meters: dict[int, str] = field(default_factory=dict)
    training: bool = False
    update: str = ""
    attempt: str = ""
    tenant: str = ""
    waits_since_s: int | None = None


class State:
    """Everything for the page, behind one lock; `version` grows with each change."""

    def __init__(self, edge: str, site: str) -> None:
        self._changed = threading.Lock()
        self._fixtures: dict[str, FixtureView] = {}
        self._waiting: dict[str, Waiting] = {}
        self._alarms: list[dict[str, Any]] = []
        self._refused: Counter[str] = Counter()
        self._raised: Counter[str] = Counter()
        self._facts: dict[str, Any] = {
            "edge": edge,
            "site": site,
            "broker": False,
            "registry": False,
            "beacon": None,
            "accepting": True,
        }
        self.version = 0

    def broker(self, up: bool) -> None:
        """The broker is connected and has granted the subscription, or not."""
        self._set("broker", up)

    def registry(self, up: bool) -> None:
        """The registry answers or not."""
        self._set("registry", up)

    def accepting(self, yes: bool) -> None:
        """False while the store can't promise durability."""
        self._set("accepting", yes)

    def beacon(self, number: int, time_s: int) -> None:
        """The newest beacon held."""
        self._set("beacon", {"number": number, "time_s": time_s})

    def known(self, view: FixtureView) -> None:
        """What the store already holds of a fixture, told once at the start."""
        with self._changed:
            self._fixtures[view.fixture] = view
            self.version += 1

    def stored(self, durable: list[Durable]) -> None:
        """Count statements that became durable, and note which meter an attempt puts where."""
        with self._changed:
            for item in durable:
                view = self._fixture(item.candidate.fixture)
                view.stored += 1
                if item.candidate.meters is not None:
                    view.meters, view.tenant = item.candidate.meters, item.candidate.tenant
                    view.training = item.candidate.mode == kinds.TRAINING
                    view.attempt = item.candidate.identity.hex()
            self.version += 1

    def covered(self, promise: Covered) -> None:
        """A fixture's chain reached (epoch, seq)."""
        with self._changed:
            view = self._fixture(promise.fixture)
            view.epoch, view.seq, view.last_s = promise.epoch, promise.seq, int(time.time())
            self.version += 1

    def presence(self, fixture: str, online: bool) -> bool:
        """A fixture came or went; returns `online`."""
        with self._changed:
            self._fixture(fixture).online = online
            self.version += 1
        return online

    def live(self, fixture: str, told: dict[str, Any]) -> None:
        """A fixture's own account of what it is doing."""
        with self._changed:
            view = self._fixture(fixture)
            view.live = shown(told)
            if view is self._fixtures.get(fixture) and "pending" in view.live:
                waiting = self._waiting.setdefault(fixture, Waiting())
                view.waits_since_s = waiting.told(view.live["pending"], int(time.time()))
            self.version += 1

    def update(self, fixture: str, told: str) -> None:
        """How far a firmware is on its way to a fixture."""
        with self._changed:
            view = self._fixture(fixture)
            self.version += view.update != told
            view.update = told

    def alarm(self, fixture: str, code: str, why: str) -> None:
        """Something an operator should see: one line a fixture and code, counted, with the newest reason."""
        with self._changed:
            self._raised[code] += 1
            count = 1
            for known in self._alarms:
                if (known["fixture"], known["code"]) == (fixture, code):
                    count += known["count"]
                    self._alarms.remove(known)
                    break
            new = {"fixture": fixture, "code": code, "why": why, "count": count, "at_s": int(time.time())}
            self._alarms.append(new)
            del self._alarms[:-ALARMS]
            self.version += 1

    def acknowledge(self, fixture: str, code: str) -> bool:
        """Take an alarm off the list, since somebody saw to it; False where there is none such."""
        with self._changed:
            left = [known for known in self._alarms if (known["fixture"], known["code"]) != (fixture, code)]
            found, self._alarms = len(left) < len(self._alarms), left
            self.version += found
        return found

    def refused(self, code: str) -> None:
        """A statement or parcel was refused."""
        with self._changed:
            self._refused[code] += 1

    def refusals(self) -> dict[str, int]:
        """How many were refused since the start, by code."""
        with self._changed:
            return dict(self._refused)

    def alarms(self) -> dict[str, int]:
        """How many alarms were raised since the start, by code."""
        with self._changed:
            return dict(self._raised)

    def fixtures_online(self) -> list[str]:
        """Names of the fixtures that are online."""
        with self._changed:
            return [name for name, view in self._fixtures.items() if view.online]

    def snapshot(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        with self._changed:
            return {
                **self._facts,
                "version": self.version,
                "fixtures": [asdict(view) for _, view in sorted(self._fixtures.items())],
                "alarms": [dict(alarm) for alarm in self._alarms],
            }

    def _fixture(self, name: str) -> FixtureView:
        # Names come from topics: past the bound they get a view that is never listed.
        if name not in self._fixtures and len(self._fixtures) >= FIXTURES:
            return FixtureView(name)
        return self._fixtures.setdefault(name, FixtureView(name))

    def _set(self, name: str, value: Any) -> None:
        with self._changed:
            if self._facts[name] != value:
                self._facts[name] = value
                self.version += 1
