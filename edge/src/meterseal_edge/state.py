"""What the page shows: counts, fixtures, alarms. For eyes only; nothing is decided from it."""

import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from meterseal_edge.events import Covered, Durable

ALARMS = 50
SHOWN = ("now", "point", "of", "positions", "pending")


@dataclass
class FixtureView:
    """One fixture as an operator sees it."""

    fixture: str
    online: bool = False
    epoch: int = 0
    seq: int = -1
    stored: int = 0
    last_s: int = 0
    live: dict[str, Any] = field(default_factory=dict)


class State:
    """Everything for the page, behind one lock; `version` grows with each change."""

    def __init__(self, edge: str, site: str) -> None:
        self._changed = threading.Condition()
        self._fixtures: dict[str, FixtureView] = {}
        self._alarms: list[dict[str, Any]] = []
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
        """The broker is connected or gone."""
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

    def stored(self, durable: list[Durable]) -> None:
        """Count statements that became durable."""
        with self._changed:
            for item in durable:
                self._fixture(item.candidate.fixture).stored += 1
            self._bump()

    def covered(self, promise: Covered) -> None:
        """A fixture's chain reached (epoch, seq)."""
        with self._changed:
            view = self._fixture(promise.fixture)
            view.epoch, view.seq, view.last_s = promise.epoch, promise.seq, int(time.time())
            self._bump()

    def presence(self, fixture: str, online: bool) -> bool:
        """A fixture came or went; returns `online`."""
        with self._changed:
            self._fixture(fixture).online = online
            self._bump()
        return online

    def live(self, fixture: str, told: dict[str, Any]) -> None:
        """A fixture's own account of what it is doing."""
        with self._changed:
            self._fixture(fixture).live = {name: told[name] for name in SHOWN if name in told}
            self._bump()

    def alarm(self, fixture: str, code: str, why: str) -> None:
        """Something an operator should see; the same alarm is counted, not repeated."""
        with self._changed:
            for known in self._alarms:
                if (known["fixture"], known["code"], known["why"]) == (fixture, code, why):
                    known["count"] += 1
                    break
            else:
                self._alarms.append(
                    {"fixture": fixture, "code": code, "why": why, "count": 1, "at_s": int(time.time())}
                )
                del self._alarms[:-ALARMS]
            self._bump()

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
        return self._fixtures.setdefault(name, FixtureView(name))

    def _set(self, name: str, value: Any) -> None:
        with self._changed:
            self._facts[name] = value
            self._bump()

    def _bump(self) -> None:
        self.version += 1
        self._changed.notify_all()
