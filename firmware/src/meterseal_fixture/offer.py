"""Station 5: what is kept is offered upwards until custody covers it, oldest first, several statements a parcel.

A parcel holds up to TOGETHER statements and TOGETHER_BYTES, so a full queue goes in a tenth of the messages, each of
which waits for its PUBACK; a statement with more evidence than that goes alone.

A PUBACK frees nothing: it only says that the next may go. After the link was down, and when custody stays away,
everything that is still kept is offered from the beginning; the edge knows duplicates. The wait for custody doubles
from AGAIN_MS to SELDOM_MS while nobody answers, and begins anew when anything comes down: somebody is there again.
"""

import asyncio
import time

from meterseal_fixture.absence import Absence
from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.down import Down
from meterseal_fixture.link import Link, NotSent
from meterseal_fixture.panel import Panel
from meterseal_fixture.record import Record
from meterseal_fixture.settings import Settings
from meterseal_wire.encode import encode

POLL_MS = 20
AGAIN_MS = 4000
SELDOM_MS = 256000
LIVE_MS = 500
UP = "up"
START = (0, -1)
TOGETHER, TOGETHER_BYTES = 16, 8192
DAY_S = 86400


class Offer:
    """Publishes from `chronicle`'s store over `link`, and lets `down` act whenever no gate is open."""

    def __init__(self, settings: Settings, chronicle: Chronicle, down: Down, link: Link) -> None:
        self.up_topic, self.live_topic = settings.topic("up"), settings.topic("live")
        self.keep = chronicle.keep
        self.down = down
        self.link = link
        self.offered, self._looked = START, False
        self._since, self.again_ms = time.ticks_ms(), AGAIN_MS
        self.absence = Absence()

    def link_state(self) -> str:
        """up, joining or down."""
        return str(self.link.state)

    def beacon_is_old(self) -> bool:
        """True where the beacon held is from before the start, or nobody has been there to bring one for a day."""
        return not self.down.heard or self.absence.away_s > DAY_S

    async def run(self, station) -> None:
        """Offer and obey for ever, telling `station` and its panel what changed."""
        shown = ""
        while True:
            if self.down.waiting and not station.bench.counting:
                self.obey(station)
            if self.down.delivery.waiting and not station.bench.counting:
                self.down.delivery.act(station)
            if self.link.papers and not station.bench.counting:
                self.link.papers.tell(station)
            if self.link.state != shown:
                shown = self.link.state
                self._from_the_start(AGAIN_MS)
                station.changed()
            self.absence.look(shown, self.keep.count > 0 and self.again_ms > AGAIN_MS, station)
            if shown != UP or not await self._publish_next():
                await asyncio.sleep_ms(POLL_MS)

    def obey(self, station) -> None:
        """Let `down` act on what waits, and tell the panel what was covered."""
        self.again_ms = AGAIN_MS
        for epoch, seq in self.down.act():
            self._since = time.ticks_ms()
            station.panel.tell("custody", epoch=epoch, seq=seq)
        station.changed()

    def _from_the_start(self, again_ms: int) -> None:
        self.offered, self._looked = START, False
        self._since, self.again_ms = time.ticks_ms(), again_ms

    async def _publish_next(self) -> bool:
        if time.ticks_diff(time.ticks_ms(), self._since) > self.again_ms:
            self._from_the_start(min(2 * self.again_ms, SELDOM_MS))
        if not self._looked:
            return await self._publish_unreadable()
        batch = await self._batch()
        if not batch:
            return False
        try:
            await self.link.publish(self.up_topic, parcel(batch), 1, False)
        except NotSent:
            return False
        self.offered = (batch[-1].epoch, batch[-1].seq)
        return True

    async def _batch(self) -> list[Record]:
        """What goes next, at least one record where one is kept; others may take a step between two."""
        found: list[Record] = []
        size = 0
        record = self.keep.next_after(self.offered)
        while record is not None:
            size += len(record.statement) + sum(len(leaf) for leaf in record.evidence)
            if found and size > TOGETHER_BYTES:
                break
            found.append(record)
            if len(found) == TOGETHER:
                break
            await asyncio.sleep_ms(0)
            record = self.keep.next_after((record.epoch, record.seq))
        return found

    async def _publish_unreadable(self) -> bool:
        """Where the oldest of all cannot be read any more, nothing behind it links: let the edge refuse it."""
        found = self.keep.suspect()
        try:
            if found and not found[2]:
                await self.link.publish(self.up_topic, encode([[found[1]]]), 1, False)
        except NotSent:
            return False
        self._looked = True
        return True

    async def show_live(self, panel: Panel) -> None:
        """Send the panel's newest status to the live topic whenever it changed, for eyes only, for ever."""
        shown = b""
        while True:
            await asyncio.sleep_ms(LIVE_MS)
            if panel.status != shown and self.link.state == UP:
                shown = panel.status
                try:
                    await self.link.publish(self.live_topic, shown, 0, False)
                except NotSent:
                    continue


def parcel(records):
    """The parcel with one item [statement, * evidence] a kept record."""
    return encode([[record.statement] + list(record.evidence) for record in records])
