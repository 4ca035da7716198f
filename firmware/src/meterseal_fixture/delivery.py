"""Station 5, downwards: an update that comes in parts over the link, as far as `update.Staging` takes it.

In a parcel an update's part is no statement but an array: ["begin", digest], ["part", path, offset, bytes] or
["finish", manifest, firmware grant]. What is there already, and why a part was not taken, stands in the status line
under `update`, so whoever sends knows where to go on: nothing here is believed but the grant, at the end.
"""

from meterseal_fixture.errors import NotKept, Refused

BEGIN, PART, FINISH = "begin", "part", "finish"
SHAPES = {BEGIN: (bytes,), PART: (str, int, bytes), FINISH: (bytes, bytes)}
MOST_WAITING = 2


def is_part(item) -> bool:
    """True for an array of one of the three shapes."""
    if not isinstance(item, list) or not item or item[0] not in SHAPES:
        return False
    shape = SHAPES[item[0]]
    return len(item) == len(shape) + 1 and all(
        isinstance(value, kind) for value, kind in zip(item[1:], shape)
    )


class Delivery:
    """Obeys parts with `staging`, None on a board that takes no update; `status` is what the status line shows."""

    def __init__(self, staging) -> None:
        self.staging = staging
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
            try:
                self._obey(item, station)
            except (Refused, NotKept) as why:
                self.status = {"error": why.code, "detail": str(why.detail)}
                if item[0] == FINISH:
                    station.note("update refused", str(why))
                station.panel.complain(why.code, why.detail)
        station.changed()

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
