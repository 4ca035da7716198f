"""Gates over stamped edges, without any hardware: what a front end counts, and when it must not answer.

A stamp is 32 bits of the capture clock. It lies in memory as two 16-bit halves, low half first, in a ring that the
hardware fills (`edges.py`); the interpreter comes along now and then and takes what is new. Looking at stamps as
halves keeps every number a small integer, so taking them allocates nothing, and no collection can be caused by it.

Promises, and why they hold:

- No edge is counted twice or forgotten: places are counted by the hardware, and only ever subtracted (`Ring.fresh`).
- What was overwritten before it was looked at is noticed, not guessed: `Overrun`, and the gate's figures are gone
  until it is armed again.
- Figures fit into 32 bits: a gate that is open for LONGEST ticks closes itself, and its figures stay as they were.
  Stamps are ambiguous after 2**32 ticks only, so with a look at least every 2**24 ticks none is misread.
- An edge nearer than `least` ticks to the last one counted is bounce, and not counted. After a silence of 2**32
  ticks and less than `least` more, one true edge would be taken for bounce; LONGEST ends before that.

Not covered: edges that never became a stamp. The hardware tells those by a flag of its own (`edges.py`).
"""

RING = 1024  # stamps a channel keeps before the oldest is overwritten
MARGIN = 8  # stamps that the hardware may write while one is looked at
PLACES = 1 << 24  # the hardware's count of stamps goes round here
LONGEST = 0xFF000000  # ticks a gate may stay open: 71.3 minutes at 1 MHz
LOOK_TICKS = 1 << 24  # look at least this often


class Overrun(Exception):
    """Edges were lost before they were looked at: figures of this channel must not be given. Arm it again."""

    code = "front.overrun"


class Clock:
    """A counter of `bits` bits carried on to any length. Look at least once in 2**bits ticks."""

    def __init__(self, bits: int, raw: int = 0) -> None:
        self._mask = (1 << bits) - 1
        self._raw = raw & self._mask
        self.ticks = 0

    def extend(self, raw: int) -> int:
        """Ticks since this clock was made, from what the counter shows now."""
        self.ticks += (raw - self._raw) & self._mask
        self._raw = raw & self._mask
        return self.ticks


class Ring:
    """Where one channel's stamps lie: RING stamps of two halves each, from index `base` of `halves` on."""

    def __init__(self, halves, base: int = 0) -> None:
        self.halves = halves
        self.base = base
        self.seen = 0

    def fresh(self, places: int) -> int:
        """How many stamps are new; `places` is how many the hardware ever wrote, modulo PLACES."""
        return (places - self.seen) & (PLACES - 1)

    def skip(self, places: int) -> None:
        """Forget all up to `places`."""
        self.seen = places & (PLACES - 1)


class Gate:
    """Counts one channel while it is open. `least` ticks from edge to edge, 0 where the source does not bounce.

    With `least` 0 a look costs the same however many edges came; else it takes them one by one, and `bounced` says how
    many were not counted since it was armed.
    """

    def __init__(self, ring: Ring, least: int = 0) -> None:
        self.ring = ring
        self.open = False
        self.lost = False
        self.edges = self.bounced = 0
        self._armed = 0
        self._least = least
        self._least_high, self._least_low = least >> 16, least & 0xFFFF
        self._first_high = self._first_low = self._last_high = self._last_low = 0

    def arm(self, ticks: int, places: int) -> None:
        """Open at `ticks` of the capture clock; edges up to `places` came before. Read the clock first."""
        self.ring.skip(places)
        self.open, self.lost, self.edges, self.bounced, self._armed = True, False, 0, 0, ticks

    def look(self, places: int) -> None:
        """Take what is new. Allocates nothing."""
        fresh = self.ring.fresh(places)
        if self.open and fresh > RING - MARGIN:
            self.lost = True
        elif self.open and fresh:
            if self._least:
                self._one_by_one(fresh)
            else:
                self._all(fresh)
        self.ring.skip(places)

    def spill(self) -> None:
        """The hardware lost an edge of this channel."""
        self.lost = self.lost or self.open

    def forgive(self) -> None:
        """A new measurement begins without this channel: a closed gate that had lost edges is as if never armed."""
        if self.lost and not self.open:
            self.lost, self.edges = False, 0

    def expire(self, ticks: int) -> None:
        """Close where it has been open for LONGEST ticks; call it after `look`, at least every LOOK_TICKS."""
        if self.open and ticks - self._armed >= LONGEST:
            self.open = False

    def figures(self) -> tuple[int, int, int]:
        """(whole intervals, first edge, last edge), edges in ticks since arming; zeros before an edge was seen.

        Overrun where edges were lost.
        """
        if self.lost:
            raise Overrun
        if not self.edges:
            return 0, 0, 0
        first = (self._first_high << 16 | self._first_low) - self._armed
        last = (self._last_high << 16 | self._last_low) - self._armed
        return self.edges - 1, first & 0xFFFFFFFF, last & 0xFFFFFFFF

    def _all(self, fresh: int) -> None:
        if not self.edges:
            place = self.ring.base + 2 * (self.ring.seen & (RING - 1))
            self._first_low, self._first_high = self.ring.halves[place], self.ring.halves[place + 1]
        place = self.ring.base + 2 * ((self.ring.seen + fresh - 1) & (RING - 1))
        self._last_low, self._last_high = self.ring.halves[place], self.ring.halves[place + 1]
        self.edges += fresh

    def _one_by_one(self, fresh: int) -> None:
        halves, base, at = self.ring.halves, self.ring.base, self.ring.seen
        for _ in range(fresh):
            place = base + 2 * (at & (RING - 1))
            low, high = halves[place], halves[place + 1]
            at += 1
            if not self.edges:
                self._first_low, self._first_high = low, high
            elif self._bounces(high, low):
                self.bounced += 1
                continue
            self._last_low, self._last_high = low, high
            self.edges += 1

    def _bounces(self, high: int, low: int) -> bool:
        apart_low, apart_high = low - self._last_low, high - self._last_high
        if apart_low < 0:
            apart_low, apart_high = apart_low + 0x10000, apart_high - 1
        apart_high &= 0xFFFF
        return apart_high < self._least_high or (
            apart_high == self._least_high and apart_low < self._least_low
        )
