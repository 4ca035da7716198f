"""Who is away: the network, the broker or the edge; told to the operator when it is noticed, and signed afterwards.

A run goes on without any of them, and nothing waits: what is signed stays in the store. So the operator hears one
sentence, `link.lost` where there is no connection, `edge.silent` where the broker answers but nothing that is offered
finds custody, and when that is over one `event` says how long it was. An absence shorter than LOST_MS is not worth
either. Time is the board's milliseconds: how long something was, not when. The event waits for the end of a run.
"""

import time

LOST_MS = 60000
UP, IDLE = "up", "idle"
LINK, EDGE = "link.lost", "edge.silent"


class Absence:
    """`look` is called often, with what is the case now; `code` is who is away, empty while nobody is."""

    def __init__(self) -> None:
        self.code = ""
        self._since = time.ticks_ms()
        self._before = 0
        self._said = False
        self._owed: dict[str, int] = {}

    @property
    def away_s(self) -> int:
        """For how long somebody has been away by now, 0 where nobody is."""
        return self._before // 1000 if self.code else 0

    def look(self, link_state: str, unheard: bool, station) -> None:
        """`unheard` is True while statements are kept that were offered and found no custody.

        What was away several times during one run is one event, its times added.
        """
        now = time.ticks_ms()
        code = LINK if link_state != UP else EDGE if unheard else ""
        if code != self.code:
            if self._said:
                self._owed[self.code] = self._owed.get(self.code, 0) + self._before // 1000
            self.code, self._since, self._before, self._said = code, now, 0, False
        # Milliseconds come round: add what passed since the last look.
        self._before += time.ticks_diff(now, self._since)
        self._since = now
        if code and not self._said and self._before >= LOST_MS:
            self._said = True
            station.panel.complain(code)
        for away in list(self._owed) if self._owed and station.state == IDLE else ():
            if station.note(away, "%d s" % self._owed[away]):
                del self._owed[away]
