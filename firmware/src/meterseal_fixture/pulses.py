"""Station 1, counts: what the front end has counted and measured, asked over the capture line.

Gates, counts and ticks live wholly in the front end (`meterseal_wire.capture` is the protocol), so nothing this
interpreter does between two edges can lose one. Every question is asked again after a damaged or missing answer;
`A` too, which opens the gates anew and so loses only the moment before.
"""

import asyncio

from meterseal_fixture.errors import FrontEndSilent
from meterseal_wire.capture import BadLine, line, words

TRIES = 4
ANSWER_MS = 1000
LONGEST = 2048
NAME = 32


class Sample:
    """One look at the bench: ticks, flow in mL/h, air and reference as [mK above 273 150, 10 Pa], humidity in
    permille, and `meters`, one [mK, 10 Pa] a position from position 1 on.
    """

    def __init__(self, numbers: list[int]) -> None:
        self.ticks, self.flow, air_mk, air_10pa, self.humidity, ref_mk, ref_10pa = numbers[:7]
        self.air = (air_mk, air_10pa)
        self.ref = (ref_mk, ref_10pa)
        self.meters = [(numbers[at], numbers[at + 1]) for at in range(7, len(numbers) - 1, 2)]


class Counts:
    """Figures of all gates: ticks now, and (count, first, last) a channel, the reference being channel 0."""

    def __init__(self, numbers: list[int]) -> None:
        self.ticks = numbers[0]
        self.channels: list[tuple[int, ...]] = [
            tuple(numbers[at : at + 3]) for at in range(1, len(numbers) - 2, 3)
        ]

    def reference(self, number: int) -> tuple[int, ...]:  # noqa: ARG002 (one reference for all)
        """(count, first, last) of the reference as it was counted beside position `number`."""
        return self.channels[0]


class FrontEnd:
    """The counting front end at the other end of `serial` (async read() and write(), drop()); `flow` is a controller
    that sets the flow in its place (flow.py). It tells an edge's time (`stamps`). Its ticks are given times `scale`.
    """

    stamps = True

    def __init__(self, serial, answer_ms: int = ANSWER_MS, flow=None) -> None:
        self.serial = serial
        self.answer_ms = answer_ms
        self.flow = flow
        self.clock = (0, 0, 0)
        self.ticks_per_s = 0
        self.channels = 0
        self.rows: list[tuple[object, ...]] = []
        self.bounced: list[int] = []
        self.gone: dict[int, str] = {}
        self.scale = 1
        self._rest = b""

    async def describe(self) -> str:
        """The front end's name; from then on `clock` is (ticks a second, resolution, jitter) as it is signed, and
        `channels` how many gates there are, the reference included. `rows` has one row for the boot: name, channels,
        ticks a second, resolution, jitter, greatest rate in Hz (0: it does not say).
        """
        answer = await self.ask(6, "I")
        self.channels = int(answer[2])
        self.clock = (int(answer[3]), int(answer[4]), int(answer[5]))
        self.ticks_per_s = self.clock[0]
        rate_hz = int(answer[6]) if len(answer) > 6 else 0
        self.rows = [(answer[1][:NAME], self.channels) + self.clock + (rate_hz,)]
        return answer[1]

    async def now(self) -> int:
        """The capture clock, in ticks."""
        return self.scale * (await self._numbers(1, "T"))[0]

    async def set_flow(self, ml_per_h: int) -> None:
        """Ask for a flow; 0 closes the valve. BenchFault where a controller of its own does not obey."""
        if self.flow is not None:
            await self.flow.set_flow(ml_per_h)
        else:
            await self.ask(2, "F", ml_per_h)

    async def closed_bench(self, seconds: int) -> tuple[int, ...]:
        """(pressure before, after in 10 Pa, seconds, counts at zero flow) with the bench closed."""
        usual = self.answer_ms
        self.answer_ms = usual + 1000 * seconds
        try:
            return tuple(await self._numbers(4, "Z", seconds))
        finally:
            self.answer_ms = usual

    def longest_ms(self, seconds: int) -> int:
        """For how long `closed_bench` may keep its caller waiting."""
        return TRIES * (self.answer_ms + 1000 * seconds)

    async def sample(self) -> Sample:
        """Flow, temperatures and pressures now."""
        found = Sample(await self._numbers(7, "S"))
        found.ticks *= self.scale
        return found

    async def arm(self, mask: int) -> int:
        """Open the gates of `mask`; the ticks of that moment."""
        return self.scale * (await self._numbers(1, "A", mask))[0]

    async def counts(self) -> Counts:
        """The figures of all gates."""
        found = Counts(await self._numbers(4, "R"))
        if self.scale > 1:
            found.ticks *= self.scale
            found.channels = [(row[0], row[1] * self.scale, row[2] * self.scale) for row in found.channels]
        return found

    async def disarm(self, mask: int) -> int:
        """Close the gates of `mask`; their figures stay. The ticks of that moment. `bounced` has what the front end
        took for bounce, one number a channel, and is empty where that was nothing.
        """
        ticks, *bounced = await self._numbers(1, "D", mask)
        self.bounced = bounced
        return self.scale * ticks

    async def _numbers(self, least: int, *question: object) -> list[int]:
        return [int(word) for word in (await self.ask(least + 1, *question))[1:]]

    async def ask(self, least: int, *question: object) -> list[str]:
        """The answer's words, at least `least` of them; FrontEndSilent after TRIES without a sound one."""
        for _ in range(TRIES):
            # What still waits is a late answer to an earlier question.
            self.serial.drop()
            self._rest = b""
            await self.serial.write(line(*question))
            try:
                answer: list[str] = await asyncio.wait_for_ms(self._answer(question[0]), self.answer_ms)
            except asyncio.TimeoutError:
                continue
            # Only the front end's name is no number.
            numbers = answer[2:] if question[0] == "I" else answer[1:]
            if len(answer) >= least and all(_is_number(word) for word in numbers):
                return answer
        raise FrontEndSilent

    async def _answer(self, letter: object) -> list[str]:
        while True:
            try:
                answer: list[str] = words(await self._line())
            except (BadLine, UnicodeError):
                return []
            if answer[0] == letter:
                return answer

    async def _line(self) -> bytes:
        while b"\n" not in self._rest:
            if len(self._rest) > LONGEST:
                raise BadLine("a line without an end")
            self._rest += await self.serial.read()
        found, _, self._rest = self._rest.partition(b"\n")
        return found


def _is_number(word: str) -> bool:
    return (word[1:] if word[:1] == "-" else word).isdigit()
