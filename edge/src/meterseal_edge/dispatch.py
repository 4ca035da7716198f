"""What each fixture is sent when it comes online, and until it has what it lacks: time, plans, tenants, firmware.

It begins with what the fixture's state message shows (presence.py), and goes on by its status line. Only for a key
that a grant gives to the fixture of that topic; everybody else is sent nothing. How often is bounded by pace.py, how
much by what a fixture keeps. An item that a fixture has dealt with and does not hold is not believed there: an alarm
says so, and it is sent again after the edge's next start alone. A firmware that was staged, refused or given up is sent
again only when somebody puts it again.

First plans and tenants, then a renewed certificate (certificates.py), then firmware: all wait in the same small place
of the fixture.

Nothing goes whose grant has ended or was withdrawn, by the edge's clock and by what the registry has told it; a
transfer that is under way stops then, and an alarm says why. A tenant goes to the benches that its grant names; a plan
has no bench. On `down` nothing is retained at the broker, so nothing has to be taken back there. Whether a grant that
was put past the command is one at all, the fixture says.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from meterseal_edge.certificates import Certificates
from meterseal_edge.clock import Clock
from meterseal_edge.grant_line import GrantLine
from meterseal_edge.granting import FIRMWARE, PLAN, TENANT, Firmware
from meterseal_edge.inbox import Inbox
from meterseal_edge.offers import Granted, Offers
from meterseal_edge.pace import Pace
from meterseal_edge.presence import Presence
from meterseal_edge.standing import Standing
from meterseal_edge.update_line import ENDED, UpdateLine
from meterseal_protocol.statement import read
from meterseal_wire import labels as L

log = logging.getLogger("meterseal.edge.dispatch")
TICK_S, LOOK_TICKS = 1.0, 5
TRY, BAD = "try", "bad"  # of the slot where it was staged (the fixture's slots.py)


@dataclass
class Way:
    """One fixture that is online and known: what it told, and what is on its way to it."""

    told: Presence
    grants: GrantLine
    update: UpdateLine | None = None
    certificate: bytes | None = None


class Dispatch:
    """Called by the inbox for whatever fixtures say, and by its own loop for time that passes."""

    def __init__(
        self, inbox: Inbox, clock: Clock, offers: Offers, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.inbox, self.clock, self.offers, self.now_s = inbox, clock, offers, now_s
        self.certificates = Certificates(offers.folder.parent, now_s)
        self.standing = Standing(clock.keys.anchors, clock.keys.grants)
        self._fallen: dict[str, str] = {}
        self.state = inbox.state
        self.pace = Pace(now_s=now_s)
        self._lock = threading.Lock()
        self._ways: dict[str, Way] = {}
        self._dealt: dict[str, set[str]] = {}
        self._ended: set[tuple[str, bytes, int]] = set()

    def run(self, stop: threading.Event) -> None:
        """Tick until `stop`, and look into the folder now and then."""
        ticks = 0
        while not stop.is_set():
            if ticks % LOOK_TICKS == 0:
                self.look()
            self.tick()
            ticks += 1
            stop.wait(TICK_S)

    # What fixtures say.

    def online(self, presence: Presence) -> None:
        """A fixture came online: answer its question, and begin with what it lacks."""
        name = presence.fixture
        if not self.clock.knows(presence) or not self.pace.may(name):
            self.offline(name)
            return
        answer = self.clock.answer(presence)
        if answer is not None:
            self.inbox.send_down(name, [answer])
        with self._lock:
            self._tell_disbelieved(presence)
            self._ways[name] = self._way(presence)
        self.tick()

    def offline(self, fixture: str) -> None:
        """A fixture went: what was on its way begins anew when it is back."""
        with self._lock:
            self._ways.pop(fixture, None)

    def live(self, fixture: str, told: dict[str, Any]) -> None:
        """A fixture's status line."""
        now = self.now_s()
        with self._lock:
            way = self._ways.get(fixture)
            if way is None:
                return
            items = way.grants.hear(told.get("granted"), now)
            self._dealt.setdefault(fixture, set()).update(way.grants.dealt)
            if way.update is not None:
                items += way.update.hear(told.get("update"), now)
                self._show(fixture, way.update)
        self._send(fixture, items)

    # What time does.

    def tick(self) -> None:
        """Send what is due."""
        now = self.now_s()
        with self._lock:
            due = {name: self._due(name, way, now) for name, way in self._ways.items()}
        for name, items in due.items():
            self._send(name, items)

    def look(self) -> None:
        """Read the folder; where it changed, whoever is online gets what is new."""
        try:
            changed = self.offers.look()
        except OSError as error:
            self.state.alarm("", "edge.offer", f"{self.offers.folder}: {error}")
            return
        if changed:
            self.standing.lay_beside(self.offers.grants())
        if changed and self.offers.damaged:
            self.state.alarm("", "edge.offer", f"cannot be read: {', '.join(self.offers.damaged)}")
        fallen, renewed = self._look_at_grants(), self.certificates.changed()
        if not changed and not fallen and not renewed:
            return
        with self._lock:
            for name, way in list(self._ways.items()):
                self._ways[name] = self._way(way.told)

    def _look_at_grants(self) -> bool:
        """True where a grant of the folder has ended, was withdrawn, or stands again; an alarm says which fell."""
        now_s = int(self.clock.now_s())
        offered = [(one.file, one.item[1]) for one in self.offers.granted]
        offered += [(f"{one.board}.{FIRMWARE}", one.grant) for one in self.offers.firmware.values()]
        against = {file: self.standing.ended(grant, now_s) for file, grant in offered}
        before, self._fallen = self._fallen, {file: codes[0] for file, codes in against.items() if codes}
        for file, code in self._fallen.items():
            if before.get(file) != code:
                self.state.alarm("", "edge.offer", f"{file} is not sent: {code}")
        return before != self._fallen

    def _due(self, name: str, way: Way, now: float) -> list[Any]:
        if not way.grants.over:
            return way.grants.tick(now)
        if way.certificate is not None:
            certificate, way.certificate = way.certificate, None
            return [self.certificates.item(name, certificate)]
        if way.update is None:
            return []
        items = way.update.tick(now)
        self._show(name, way.update)
        return items

    def _send(self, fixture: str, items: list[Any]) -> None:
        if items:
            self.inbox.send_down(fixture, items)

    # What it lacks.

    def _way(self, told: Presence) -> Way:
        now = self.now_s()
        firmware = self._firmware(told)
        update = UpdateLine(firmware, now) if firmware else None
        return Way(told, GrantLine(self._lacking(told), now), update, self.certificates.lacking(told))

    def _lacking(self, told: Presence) -> list[Granted]:
        dealt = self._dealt.get(told.fixture, set())
        bench = self.standing.bench_of(told.key, int(self.clock.now_s()))
        found: list[Granted] = []
        for kind, held in ((PLAN, told.plans), (TENANT, told.tenants)):
            if held is not None:
                wanted = self.offers.wanted(kind, lambda one: self._goes(one, bench))
                found += [one for one in wanted if one.name not in held | dealt]
        return found

    def _goes(self, one: Granted, bench: str | None) -> bool:
        """True if an item concerns a bench, and its grant stands."""
        if one.kind == TENANT and bench not in read(one.item[1]).payload[L.BENCHES]:
            return False
        return one.file not in self._fallen

    def _firmware(self, told: Presence) -> Firmware | None:
        offered = self.offers.firmware.get(told.board)
        if offered is None or not told.firmware or told.firmware == offered.digest:
            return None
        if f"{offered.board}.{FIRMWARE}" in self._fallen:
            return None
        if told.staged == offered.digest and told.slot == TRY:
            return None
        if told.staged == offered.digest and told.slot == BAD and not self._put_again(told.fixture, offered):
            why = (
                f"version {offered.version} was given up after its starts on trial; put it again to try again"
            )
            self.state.alarm(told.fixture, "edge.update", why)
            return None
        return None if (told.fixture, offered.digest, offered.put) in self._ended else offered

    def _put_again(self, fixture: str, offered: Firmware) -> bool:
        tried = {put for name, digest, put in self._ended if (name, digest) == (fixture, offered.digest)}
        self._ended.add((fixture, offered.digest, min(tried, default=offered.put)))
        return bool(tried) and offered.put not in tried

    def _tell_disbelieved(self, presence: Presence) -> None:
        if self.certificates.not_taken(presence):
            why = "it was sent its renewed certificate and shows the old one; its event and the broker's log say why"
            self.state.alarm(presence.fixture, "edge.certificate", why)
        held = (presence.plans or frozenset()) | (presence.tenants or frozenset())
        dealt = self._dealt.get(presence.fixture, set())
        lost = [one.file for one in self.offers.granted if one.name in dealt - held]
        if lost:
            why = f"it did not keep {', '.join(lost[:3])}: its authority key may be another, or the grant too"
            self.state.alarm(presence.fixture, "edge.offer", why)

    def _show(self, fixture: str, update: UpdateLine) -> None:
        version = update.firmware.version
        if update.over:
            self._ended.add((fixture, update.firmware.digest, update.firmware.put))
        if update.state == ENDED:
            self.state.alarm(fixture, "edge.update", f"version {version} is refused: {update.why}")
        self.state.update(fixture, f"{version} {update.state} {update.done}/{update.total}")
