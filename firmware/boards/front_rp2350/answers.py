"""What the counting front end says on the capture line (`meterseal_wire.capture`): I, T, A, R, D, and with sensors S,
Z.

F is not answered: this front end has no valve. The fixture sets the flow by a controller of its own (`flow_line`).
Without a table of sensors (board.py) S and Z are not answered either; with several front ends on a bench, the first one
has the sensors and answers for all positions.

Z is answered when its seconds are over: pressure at the reference before and after, and edges of the reference
meanwhile. Asked again, it is still one answer; opening gates gives it up.

A damaged question and one that is none get no answer. Nor does R once an open channel lost edges: silence ends the
run, a wrong count would not. D and then A put an end to that.
"""

from counting import LOOK_TICKS, PLACES, Gate, Overrun, Ring
from sensors import REF_10PA

from meterseal_wire.capture import BadLine, line, words

LONGEST_LINE = 64
NUMBERS = {"I": 0, "T": 0, "A": 1, "R": 0, "D": 1, "S": 0, "Z": 1}
MOST_SECONDS = 3600


class Answers:
    """Lines in, lines out. `row` is the front end's row of `meterseal_fixture.capability`.

    `capture` is the hardware: `now()` ticks; `places(channel)` stamps ever written, modulo PLACES; `spilled()` a mask
    of channels that lost a stamp since it was asked last; `halves`, and `bases`, one index into it a channel.
    `least` is one number of ticks a channel: an edge nearer to the one before is bounce. `sensors` may be None.
    """

    def __init__(self, row, capture, least: tuple[int, ...], sensors=None) -> None:
        self.row = row
        self.capture = capture
        self.gates = [Gate(Ring(capture.halves, base), apart) for base, apart in zip(capture.bases, least)]
        self.slow = any(least)
        self.sensors = sensors
        self._closed: tuple[int, int, int, int] | None = None
        self._rest = b""
        self._expired = 0

    def look(self) -> None:
        """Take new edges. Call it at least every LOOK_MS; it allocates only when a gate may have been open too long."""
        spilled = self.capture.spilled()
        for channel in range(len(self.gates)):
            self.gates[channel].look(self.capture.places(channel))
            if spilled >> channel & 1:
                self.gates[channel].spill()

    def tend(self) -> None:
        """Close what has been open too long; call it about once a second."""
        now = self.capture.now()
        if now - self._expired >= LOOK_TICKS // 4:
            self._expired = now
            for gate in self.gates:
                gate.expire(now)

    def feed(self, data: bytes) -> bytes:
        """Answers to the whole lines in what has come."""
        said = b""
        self._rest += data
        while b"\n" in self._rest:
            raw, _, self._rest = self._rest.partition(b"\n")
            said += self._answer(raw)
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        return said

    def _answer(self, raw: bytes) -> bytes:
        try:
            asked = words(raw)
            numbers = [int(word) for word in asked[1:]]
        except (BadLine, ValueError):
            return b""
        most = MOST_SECONDS if asked[0] == "Z" else (1 << len(self.gates)) - 1
        if NUMBERS.get(asked[0]) != len(numbers) or any(not 0 <= number <= most for number in numbers):
            return b""
        try:
            figures = self._figures(asked[0], numbers)
        except Overrun:
            return b""
        return line(asked[0], *figures) if figures else b""

    def _figures(self, letter: str, numbers: list[int]) -> list[object]:
        if letter == "I":
            return self.identify()
        if letter == "R":
            return list(self.read())
        if letter == "S":
            return list(self.state())
        if letter == "Z":
            self._watch(numbers[0])
            return []
        if letter == "T":
            return [self.capture.now()]
        if letter == "A":
            return [self.arm(numbers[0])]
        said: list[object] = [self.disarm(numbers[0])]
        return said + list(self.bounced())

    def identify(self) -> list[object]:
        """I: name, channels, ticks a second, resolution, jitter, greatest rate: the row's. The rate is the lower one
        where a channel rejects bounce.
        """
        rate_hz = self.row.rate_one_by_one_hz if self.slow else self.row.rate_hz
        return [self.row.name, len(self.gates)] + list(self.row.clock()) + [rate_hz]

    def state(self) -> list[int]:
        """S: ticks, flow, air, reference, positions; nothing where a sensor's value is not known."""
        found = self.sensors.state() if self.sensors else None
        return [self.capture.now()] + found if found else []

    def _watch(self, seconds: int) -> None:
        start = self.sensors.value(REF_10PA) if self.sensors else None
        if start is not None and self._closed is None:
            due = self.capture.now() + seconds * self.row.ticks_per_s
            self._closed = (due, start, seconds, self.capture.places(0))

    def late(self) -> bytes:
        """The answer to Z whose seconds are over; call it as often as `look`."""
        if self._closed is None or self.capture.now() < self._closed[0]:
            return b""
        _, start, seconds, before = self._closed
        self._closed = None
        end = self.sensors.value(REF_10PA)
        if end is None:
            return b""
        edges = (self.capture.places(0) - before) & (PLACES - 1)
        said: bytes = line("Z", start, end, seconds, edges)
        return said

    def arm(self, mask: int) -> int:
        """A: open gates anew. The clock is read first: an edge just after it may be forgotten, none is too early."""
        self.look()
        self._closed = None
        ticks: int = self.capture.now()
        for channel in range(len(self.gates)):
            if mask >> channel & 1:
                self.gates[channel].arm(ticks, self.capture.places(channel))
            else:
                self.gates[channel].forgive()
        return ticks

    def read(self) -> list[int]:
        """R: ticks, then every channel's figures. Overrun where a channel's figures are gone."""
        self.look()
        said = [self.capture.now()]
        for gate in self.gates:
            said += gate.figures()
        return said

    def bounced(self) -> list[int]:
        """D, behind the ticks: edges of each channel that were bounce; nothing where there were none."""
        found = [gate.bounced for gate in self.gates]
        return found if any(found) else []

    def disarm(self, mask: int) -> int:
        """D: close gates; their figures stay."""
        self.look()
        for channel in range(len(self.gates)):
            if mask >> channel & 1:
                self.gates[channel].open = False
        now: int = self.capture.now()
        return now
