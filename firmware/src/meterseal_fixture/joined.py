"""Several front ends as one: a bench of twenty positions has three, each with inputs of its own and the reference's
pulses on its own channel 0.

Promise: a position's figures and the reference's that stand beside them come from one front end, so from one clock.
The crystals of two front ends differ by tens of ppm; no ratio is ever made across two. Positions are numbered through:
with 8 channels each, positions 1 to 7 are the first one's, 8 to 14 the second's, 15 to 20 the third's.

The clock of the bench (settling, the length of a point, quiet meters) is the first front end's. What is signed as
`clock` is the coarsest resolution and jitter of them, so a judge never thinks too well of a position; `rows` has each.
Channel 0 of the counts is the reference as the front end saw it that counted least: where one of them lost its
reference, the bench sees a reference that stands still, and ends the run.

Flow, air, and the closed-bench check are the first front end's affair, and so are temperature and pressure at all
positions where it tells them; else each gives those of its own. One that is silent ends the run: it would not be known
how many of its meters went on.

Not covered: front ends whose clocks have another number of ticks a second; they are refused.
"""

from meterseal_fixture.errors import BadSettings
from meterseal_fixture.pulses import Counts, FrontEnd, Sample

NOTHING: tuple[int, ...] = (0, 0, 0)
REFERENCE = 1


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
        self._armed: list[int] = []

    async def describe(self) -> str:
        """The front ends' names, equal ones as `3*rp2350-pio`; sets what `FrontEnd.describe` does."""
        names = []
        for front in self.fronts:
            names.append(await front.describe())
            self.rows += front.rows
        first = self.fronts[0].clock
        if any(front.ticks_per_s != first[0] for front in self.fronts):
            raise BadSettings(
                "settings", "the front ends of 'capture' have clocks of different ticks a second"
            )
        coarsest = [max(front.clock[at] for front in self.fronts) for at in (1, 2)]
        self.clock = (first[0], coarsest[0], coarsest[1])
        self.ticks_per_s = first[0]
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
        for front in self.fronts[1:]:
            found.meters += (await front.sample()).meters[: front.channels - REFERENCE]
        return found

    async def arm(self, mask: int) -> int:
        """Open the gates of `mask`, the reference's at each front end that has one of them; the first one's ticks."""
        self._armed = self._masks(mask)
        ticks = await self.now()
        for front, own in zip(self.fronts, self._armed):
            if own:
                opened = await front.arm(own)
                ticks = opened if front is self.fronts[0] else ticks
        return ticks

    async def counts(self) -> Counts:
        """The figures of all gates; those of a front end that has none open are zeros."""
        parts = []
        for front, own in zip(self.fronts, self._armed):
            parts.append((own, await front.counts() if own else Counts([0] * (1 + 3 * front.channels))))
        ticks = parts[0][1].ticks if self._armed[0] else await self.now()
        return JoinedCounts(ticks, parts)

    async def disarm(self, mask: int) -> int:
        """Close the gates of `mask`; the first one's ticks. `bounced` as of one front end, the reference's the most."""
        ticks, references, self.bounced = 0, [0], [0]
        for front, own in zip(self.fronts, self._masks(mask)):
            closed = await front.disarm(own) if own else 0
            ticks = ticks or closed
            found = front.bounced if own and front.bounced else [0] * front.channels
            references.append(found[0])
            self.bounced += found[REFERENCE:]
        self.bounced[0] = max(references)
        if not self._armed[0]:
            ticks = await self.now()
        return ticks

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


def _told(names: list[str]) -> str:
    found: list[str] = []
    for name in names:
        times = names.count(name)
        text = "%d*%s" % (times, name) if times > 1 else name
        if text not in found:
            found.append(text)
    return "+".join(found)
