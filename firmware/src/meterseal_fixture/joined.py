"""Several front ends as one: a bench of twenty positions has three, each with inputs of its own and the reference's
pulses on its own channel 0.

Promise: a position's figures and the reference's that stand beside them come from one front end, so from one clock.
The crystals of two front ends differ by tens of ppm; no ratio is ever made across two. Positions are numbered through:
with 8 channels each, positions 1 to 7 are the first one's, 8 to 14 the second's, 15 to 20 the third's.

Their ticks may differ. All are given in one measure, the least that each one's ticks are a whole number of: 1 MHz and
10 MHz in tenths of a microsecond, the first one's ticks times ten. So every figure is exact, and the judge, who knows
one clock an attempt, needs no other rule. Refused is a measure above MOST_HZ, in which 32 bits hold no long point.

The clock of the bench (settling, the length of a point, quiet meters) is the first front end's. What is signed as
`clock` is the coarsest resolution and jitter of them, so a judge never thinks too well of a position; `rows` has each
in its own ticks. Channel 0 of the counts is the reference as the front end saw it that counted least.

Flow, air, and the closed-bench check are the first front end's affair, and so are temperature and pressure at all
positions where it tells them; else each gives those of its own.

One that falls silent takes its own positions with it, into `gone`, and is not asked again until the next run: nobody
knows what its meters counted. The others go on. The first one's silence ends the run: with it go clock, flow and air.
At the start all must answer, since nobody knows how many positions a silent one has.

So does one that sees no reference: STILL looks without an edge of it, while others, no fewer than those that stand
still, saw EDGES of the same pulses. Where nobody sees any, the bench ends the run.
"""

from meterseal_fixture.errors import BadSettings, FrontEndSilent
from meterseal_fixture.pulses import Counts, FrontEnd, Sample

NOTHING: tuple[int, ...] = (0, 0, 0)
REFERENCE = 1
MOST_HZ = 10_000_000  # 32 bits hold seven minutes
STILL, EDGES = 3, 20
SILENT, BLIND = "front_end.part", "reference.part"


class JoinedCounts(Counts):
    """Figures of all positions; `reference` gives the reference's as a position's own front end saw it."""

    def __init__(self, ticks: int, parts: list[tuple[int, Counts]]) -> None:
        self.ticks = ticks
        seen = [part.channels[0] for armed, part in parts if armed]
        self.channels = [min(seen) if seen else NOTHING]
        self._references: list[tuple[int, ...]] = [NOTHING]
        for _, part in parts:
            self.channels += part.channels[1:]
            self._references += [part.channels[0]] * (len(part.channels) - 1)

    def reference(self, number: int) -> tuple[int, ...]:
        """(count, first, last) of the reference beside position `number`."""
        return self._references[number]


class Joined:
    """The front ends at the other ends of `fronts`, in the order of their positions; asked like one `FrontEnd`."""

    stamps = True

    def __init__(self, fronts: list[FrontEnd]) -> None:
        self.fronts = fronts
        self.clock = (0, 0, 0)
        self.ticks_per_s = 0
        self.channels = 0
        self.rows: list[tuple[object, ...]] = []
        self.bounced: list[int] = []
        self.gone: dict[int, str] = {}
        self._armed: list[int] = []
        self._seen: list[int] = []
        self._still: list[tuple[int, int]] = []

    async def describe(self) -> str:
        """The front ends' names, equal ones as `3*rp2350-pio`; sets what `FrontEnd.describe` does."""
        names = []
        for front in self.fronts:
            names.append(await front.describe())
            self.rows += front.rows
        self.ticks_per_s = _measure([front.ticks_per_s for front in self.fronts])
        for front in self.fronts:
            front.scale = self.ticks_per_s // front.ticks_per_s
        coarsest = [max(front.clock[at] * front.scale for front in self.fronts) for at in (1, 2)]
        self.clock = (self.ticks_per_s, coarsest[0], coarsest[1])
        self.channels = REFERENCE + sum(front.channels - REFERENCE for front in self.fronts)
        self._armed = [0] * len(self.fronts)
        return _told(names)

    async def now(self) -> int:
        """The capture clock of the first front end, in ticks."""
        return await self.fronts[0].now()

    async def set_flow(self, ml_per_h: int) -> None:
        """Ask for a flow; 0 closes the valve."""
        await self.fronts[0].set_flow(ml_per_h)

    async def closed_bench(self, seconds: int) -> tuple[int, ...]:
        """As `FrontEnd.closed_bench`, of the first front end."""
        return await self.fronts[0].closed_bench(seconds)

    def longest_ms(self, seconds: int) -> int:
        """For how long `closed_bench` may keep its caller waiting."""
        return self.fronts[0].longest_ms(seconds)

    async def sample(self) -> Sample:
        """Flow and air of the first front end, temperatures and pressures of every position."""
        found = await self.fronts[0].sample()
        if len(found.meters) >= self.channels - REFERENCE:
            return found
        found.meters = found.meters[: self.fronts[0].channels - REFERENCE]
        for number, front in enumerate(self.fronts[1:], 1):
            said = await self._of(number, front.sample)
            places = front.channels - REFERENCE
            found.meters += said.meters[:places] if said else [(0, 0)] * places
        return found

    async def arm(self, mask: int) -> int:
        """Open the gates of `mask`, the reference's at each front end that has one of them; the first one's ticks."""
        self._armed = self._masks(mask)
        self._seen, self._still = [0] * len(self.fronts), [(0, 0)] * len(self.fronts)
        ticks = await self.now()
        for number, own in enumerate(self._armed):
            if own:
                opened = await self._of(number, self.fronts[number].arm, own)
                ticks = ticks if number else opened
        return ticks

    async def counts(self) -> Counts:
        """The figures of all gates; those of a front end that has none open, or is gone, are zeros."""
        parts = []
        for number, (front, own) in enumerate(zip(self.fronts, self._armed)):
            said = await self._of(number, front.counts) if own else None
            parts.append((own if said else 0, said or Counts([0] * (1 + 3 * front.channels))))
        parts = self._without_the_blind(parts)
        ticks = parts[0][1].ticks if parts[0][0] else await self.now()
        return JoinedCounts(ticks, parts)

    def _without_the_blind(self, parts: list[tuple[int, Counts]]) -> list[tuple[int, Counts]]:
        """The parts; of a front end whose reference stands still beside others' none is armed, and its positions go."""
        moved = {}
        for number, (armed, part) in enumerate(parts):
            if armed:
                moved[number], self._seen[number] = (
                    part.channels[0][0] - self._seen[number],
                    part.channels[0][0],
                )
        most = max(moved.values()) if moved else 0
        for number, edges in moved.items():
            looks, others = self._still[number]
            self._still[number] = (0, 0) if edges or not most else (looks + 1, others + most)
        blind = [
            number for number in moved if self._still[number][0] >= STILL and self._still[number][1] >= EDGES
        ]
        if 2 * len(blind) <= len(moved):
            for number in blind:
                self._lose(number, BLIND)
                parts[number] = (0, parts[number][1])
        return parts

    async def disarm(self, mask: int) -> int:
        """Close the gates of `mask`; the first one's ticks. `bounced` as of one front end, the reference's the most."""
        ticks, references, self.bounced = 0, [0], [0]
        for number, (front, own) in enumerate(zip(self.fronts, self._masks(mask))):
            closed = await self._of(number, front.disarm, own) if own else None
            ticks = ticks if number else closed or 0
            found = front.bounced if closed is not None and front.bounced else [0] * front.channels
            references.append(found[0])
            self.bounced += found[REFERENCE:]
        self.bounced[0] = max(references)
        if not self._armed[0]:
            ticks = await self.now()
        return ticks

    async def _of(self, number: int, question, *given):
        """What that front end answers; None where it is gone, or goes now. The first one's silence is everybody's."""
        places = self._places(number)
        if places[0] in self.gone:
            return None
        try:
            return await question(*given)
        except FrontEndSilent:
            if number == 0:
                raise
            self._lose(number, SILENT)
            return None

    def _lose(self, number: int, code: str) -> None:
        for place in self._places(number):
            self.gone[place] = code

    def _places(self, number: int) -> list[int]:
        before = sum(front.channels - REFERENCE for front in self.fronts[:number])
        return [before + place for place in range(1, self.fronts[number].channels)]

    def _masks(self, mask: int) -> list[int]:
        """One mask a front end, with its reference where it has any of the positions."""
        found, rest = [], mask >> REFERENCE
        for front in self.fronts:
            places = front.channels - REFERENCE
            own = rest & ((1 << places) - 1)
            found.append(own << REFERENCE | 1 if own else 0)
            rest >>= places
        if not any(found):
            found[0] = mask & 1
        return found


def _measure(rates: list[int]) -> int:
    """The least common multiple of the ticks a second; BadSettings where it is too fine, or a front end has none."""
    found = rates[0]
    for hz in rates:
        least, rest = found, hz
        while rest:
            least, rest = rest, least % rest
        found = found * hz // least if least else 0
    if not 0 < found <= MOST_HZ:
        raise BadSettings(
            "settings",
            "the front ends of 'capture' have clocks without a common measure of up to %d Hz" % MOST_HZ,
        )
    return found


def _told(names: list[str]) -> str:
    found: list[str] = []
    for name in names:
        times = names.count(name)
        text = "%d*%s" % (times, name) if times > 1 else name
        if text not in found:
            found.append(text)
    return "+".join(found)
