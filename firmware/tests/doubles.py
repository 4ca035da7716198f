"""The other ends of the fixture's serial lines, for tests inside MicroPython: they speak real bytes."""

import asyncio
import os

from meterseal_wire.capture import line, words


class Line:
    """A serial line whose other end is `answer(bytes) -> bytes`; `sent` has what went there, unless that is too much
    to `keep`.
    """

    def __init__(self, answer, keep=True):
        self.answer, self.keep = answer, keep
        self.coming = b""
        self.sent = []

    async def write(self, data):
        if self.keep:
            self.sent.append(data)
        self.coming += self.answer(data)

    async def read(self):
        while not self.coming:
            await asyncio.sleep_ms(1)
        found, self.coming = self.coming, b""
        return found

    def drop(self):
        self.coming = b""


class CaptureEnd:
    """A counting front end at 1000 ticks a second: `R` lets `step` ticks pass, `S` `look`, and channel n counts
    one edge each `periods[n]` ticks (0: none) while its gate is open, and none after `dry_after` ticks.
    """

    def __init__(self, periods, step=1000, look=10):
        self.periods = periods
        self.step, self.look = step, look
        self.ticks = 0
        self.flow = 0
        self.armed = 0
        self.closed = None
        self.dry_after = None
        self.asked = []

    def __call__(self, data):
        asked = words(data)
        self.asked.append(asked)
        return line(*getattr(self, "say_" + asked[0].lower())(*[int(word) for word in asked[1:]]))

    def say_i(self):
        return "I", "double", len(self.periods), 1000, 1, 0

    def say_t(self):
        self.ticks += self.step
        return "T", self.ticks

    def say_f(self, flow):
        self.flow = flow
        return "F", flow

    def say_z(self, seconds):
        return "Z", 160000, 159990, seconds, 0

    def say_s(self):
        self.ticks += self.look
        found = ["S", self.ticks, self.flow, 20100, 10132, 600, 20150, 40000]
        for position in range(1, len(self.periods)):
            found += [20000 + position, 40000 - position]
        return tuple(found)

    def say_a(self, _mask):
        self.armed, self.closed = self.ticks, None
        return "A", self.ticks

    def say_r(self):
        if self.closed is None:
            self.ticks += self.step
        found = ["R", self.ticks]
        until = (self.ticks if self.closed is None else self.closed) - self.armed
        if self.dry_after is not None:
            until = min(until, self.dry_after)
        for period in self.periods:
            edges = until // period if period else 0
            found += [max(0, edges - 1), period if edges else 0, edges * period if edges else 0]
        return tuple(found)

    def say_d(self, _mask):
        self.closed = self.ticks
        return "D", self.ticks


class PipeEnd(CaptureEnd):
    """A front end on a pipe with a valve: channel n gives an edge each `uls[n]` microlitres that flow, 0: none.

    At 1000 ticks a second, 3600 mL/h are one microlitre a tick, so volumes are kept in parts of 3600. `wobble(flow,
    ticks)` is what really flows where the valve stands at `flow`; `leak` flows though it is closed.
    """

    def __init__(self, uls, step=1000, look=10):
        super().__init__(uls, step, look)
        self.parts = self.from_parts = 0
        self.leak = 0
        self.wobble = lambda flow, _ticks: flow
        self.flows = []

    def ul(self):
        """Microlitres that passed so far, rounded down."""
        return self.parts // 3600

    def now_flow(self):
        return self.wobble(self.flow, self.ticks) if self.flow else self.leak

    def run(self, ticks):
        self.parts += self.now_flow() * ticks
        self.ticks += ticks

    def say_t(self):
        self.run(self.step)
        return "T", self.ticks

    def say_f(self, flow):
        self.flows.append(flow)
        return super().say_f(flow)

    def say_s(self):
        flow = self.now_flow()
        self.parts += self.look * flow
        found = list(super().say_s())
        found[2] = flow
        return tuple(found)

    def say_a(self, mask):
        self.from_parts = self.parts
        return super().say_a(mask)

    def say_d(self, mask):
        self.until_parts = self.parts
        return super().say_d(mask)

    def say_r(self):
        if self.closed is None:
            self.run(self.step)
            self.until_parts = self.parts
        found = ["R", self.ticks]
        for ul in self.periods:
            edges = self.until_parts // (ul * 3600) - self.from_parts // (ul * 3600) if ul else 0
            last = self.ticks - self.armed
            found += [max(0, edges - 1), 1 if edges else 0, last if edges else 0]
        return tuple(found)


class Folder:
    """An empty folder for a test, gone afterwards: `with Folder() as path`."""

    def __init__(self):
        self.path = "%s/meterseal-%s" % (os.getenv("TMPDIR") or "/tmp", os.urandom(6).hex())

    def __enter__(self):
        os.mkdir(self.path)
        return self.path

    def __exit__(self, kind, error, where):
        empty(self.path)


def empty(path):
    """Remove a folder and all that lies in it."""
    for entry in list(os.ilistdir(path)):
        if entry[1] & 0x4000:
            empty("%s/%s" % (path, entry[0]))
        else:
            os.remove("%s/%s" % (path, entry[0]))
    os.rmdir(path)
