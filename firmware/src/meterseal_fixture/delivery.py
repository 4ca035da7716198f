"""Station 5, downwards: what comes as an array, not as a statement: parts of an update, plans, tenants, certificates.

An update comes as ["begin", digest], ["part", path, offset, bytes] and ["finish", manifest, firmware grant], as far as
`update.Staging` takes it. What is there already, and why a part was not taken, stands in the status line under
`update`, so whoever sends knows where to go on: nothing of it is believed but the grant, at the end.

Plans and tenants come with their grants (granted.py); the status line's `granted` says what was dealt with last. A
renewed certificate is papers.py's.
"""

from meterseal_fixture.errors import Disbelieved, NotKept, Refused
from meterseal_fixture.granted import is_granted
from meterseal_fixture.papers import CERTIFICATE, Papers

BEGIN, PART, FINISH = "begin", "part", "finish"
SHAPES = {BEGIN: (bytes,), PART: (str, int, bytes), FINISH: (bytes, bytes), CERTIFICATE: (bytes,)}
MOST_WAITING = 4


def is_part(item) -> bool:
    """True for an array of one of the six shapes."""
    if is_granted(item):
        return True
    if not isinstance(item, list) or not item or item[0] not in SHAPES:
        return False
    shape = SHAPES[item[0]]
    return len(item) == len(shape) + 1 and all(
        isinstance(value, kind) for value, kind in zip(item[1:], shape)
    )


class Delivery:
    """Obeys parts with `staging`, None on a board that takes no update, and keeps plans and tenants in `granted`, None
    before it is set, certificates in `papers`, None without TLS; `status` is what the status line shows of an update,
    `drop(why)` counts what is not believed.
    """

    def __init__(self, staging, drop=None, granted=None) -> None:
        self.staging = staging
        self.granted = granted
        self.papers: Papers | None = None
        self.drop = drop
        self.status: dict[str, object] = {}
        self.waiting: list[list[object]] = []

    def take(self, item: list[object]) -> None:
        """Keep a part until `act`; one too many is dropped, since the sender goes on from what is there."""
        if len(self.waiting) < MOST_WAITING:
            self.waiting.append(item)

    def act(self, station) -> None:
        """Obey what waits, while no gate is open; a staged or refused update is an `event` and a word to the panel."""
        while self.waiting:
            item = self.waiting.pop(0)
            if is_granted(item) or item[0] == CERTIFICATE:
                self._keep(item, station)
                continue
            try:
                self._obey(item, station)
            except (Refused, NotKept) as why:
                self.status = {"error": why.code, "detail": str(why.detail)}
                if item[0] == FINISH:
                    station.note("update refused", str(why))
                station.panel.complain(why.code, why.detail)
        station.changed()

    def _keep(self, item, station) -> None:
        try:
            if item[0] == CERTIFICATE:
                if self.papers:
                    self.papers.take(item[1])
            elif self.granted:
                self.granted.take(item)
        except Disbelieved as wrong:
            self.drop(wrong)
        except NotKept as why:
            station.panel.complain(why.code, why.detail)

    def _obey(self, item, station) -> None:
        if self.staging is None:
            raise Refused("update.no_slots")
        if item[0] == BEGIN:
            self.status = {"there": self.staging.begin(item[1])}
        elif item[0] == PART:
            self.status = {"path": item[1], "bytes": self.staging.take(item[1], item[2], item[3])}
        else:
            image = self.staging.finish(item[1], item[2])
            self.status = {"staged": image.version, "digest": image.digest.hex()}
            station.note("update staged", "version %s digest %s" % (image.version, image.digest.hex()))
