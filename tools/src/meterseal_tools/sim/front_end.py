"""The counting front end on its serial line: answers the capture line protocol of `meterseal_wire.capture`.

A damaged question, and one that is no question, gets no answer, as on the bench. The closed-bench check answers
when its seconds have passed on the capture clock.
"""

from collections.abc import Callable

from meterseal_tools.sim.bench import RESOLUTION_TICKS, Bench
from meterseal_tools.sim.part import Part
from meterseal_wire.capture import BadLine, line, words

LONGEST_LINE = 200
BOARD = "sim-1"
GREATEST_HZ = 10_000
FASTEST_ML_PER_H = 10_000_000


class FrontEnd:
    """Bytes in, bytes out; the rig moves them. `damage` answers are sent with one bit wrong."""

    def __init__(self, bench: Bench | Part) -> None:
        self.bench = bench
        self.damage = 0
        self.dropped = 0
        self._input = b""
        self._later: list[tuple[int, bytes]] = []

    def reset(self) -> None:
        """Forget a half-received line and answers still to come: the fixture lost its power."""
        self._input, self._later = b"", []

    def feed(self, data: bytes) -> bytes:
        """Answers to the whole lines in what came so far."""
        *lines, self._input = (self._input + data).split(b"\n")
        if len(self._input) > LONGEST_LINE:
            self._input = b""
        return b"".join(self._answer(raw) for raw in lines)

    def due(self) -> int | None:
        """The tick of the next answer that waits for time to pass."""
        return min((tick for tick, _ in self._later), default=None)

    def poll(self) -> bytes:
        """Answers whose time has come."""
        now = self.bench.clock.now()
        ready = [raw for tick, raw in self._later if tick <= now]
        self._later = [(tick, raw) for tick, raw in self._later if tick > now]
        return b"".join(ready)

    def _answer(self, raw: bytes) -> bytes:
        try:
            verb, *numbers = words(raw)
            asked = [int(number) for number in numbers]
        except (BadLine, ValueError):
            self.dropped += 1
            return b""
        if (verb, len(asked)) not in _VERBS or any(number < 0 for number in asked):
            self.dropped += 1
            return b""
        return _VERBS[verb, len(asked)](self, *asked)

    def _say(self, *said: object) -> bytes:
        sent = bytes(line(*said))
        if self.damage:
            self.damage -= 1
            return bytes([sent[0] ^ 0x04]) + sent[1:]
        return sent

    def identify(self) -> bytes:
        """I: board, channels, clock, greatest rate."""
        clock = (self.bench.clock.ticks_per_s, RESOLUTION_TICKS, self.bench.spec.jitter_ticks)
        return self._say("I", BOARD, self.bench.channels, *clock, GREATEST_HZ)

    def time(self) -> bytes:
        """T: the capture clock."""
        return self._say("T", self.bench.clock.now())

    def flow(self, flow_ml_per_h: int) -> bytes:
        """F: set the valve, up to what the pump can do."""
        asked = min(flow_ml_per_h, FASTEST_ML_PER_H)
        self.bench.set_flow(asked)
        return self._say("F", asked)

    def closed_check(self, seconds: int) -> bytes:
        """Z: starts the closed-bench check; its answer comes later. Asked again meanwhile, it is still one answer."""
        if self._later:
            return b""
        due = self.bench.clock.now() + seconds * self.bench.clock.ticks_per_s
        self._later.append((due, self._say("Z", *self.bench.closed_check(seconds))))
        return b""

    def state(self) -> bytes:
        """S: flow, room, and temperature and pressure at reference and positions."""
        now, climate = self.bench.clock.now(), self.bench.climate
        flow = self.bench.history.flow_at(now)
        said = [
            now,
            flow,
            climate.air_mk,
            climate.air_10pa,
            climate.humidity_permille,
            *climate.at_reference(),
        ]
        for channel in range(1, self.bench.channels):
            said += climate.at_position(self.bench.position(channel), flow)
        return self._say("S", *said)

    def arm(self, mask: int) -> bytes:
        """A: start gates anew."""
        return self._say("A", self.bench.arm(mask))

    def read(self) -> bytes:
        """R: every channel's figures."""
        now = self.bench.clock.now()
        figures = [number for triple in self.bench.counts(now) for number in triple]
        return self._say("R", now, *figures)

    def disarm(self, mask: int) -> bytes:
        """D: close gates."""
        return self._say("D", self.bench.disarm(mask))


_VERBS: dict[tuple[str, int], Callable[..., bytes]] = {
    ("I", 0): FrontEnd.identify,
    ("T", 0): FrontEnd.time,
    ("F", 1): FrontEnd.flow,
    ("Z", 1): FrontEnd.closed_check,
    ("S", 0): FrontEnd.state,
    ("A", 1): FrontEnd.arm,
    ("R", 0): FrontEnd.read,
    ("D", 1): FrontEnd.disarm,
}
