"""A whole fixture inside MicroPython, for tests: real station, panel, store, signer and capture line; on the far side a
counting front end (doubles.CaptureEnd), meters that answer, and a link that writes down what is published.
"""

import asyncio
import json

from doubles import CaptureEnd, Folder, Line

from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.down import Down
from meterseal_fixture.granted import Granted
from meterseal_fixture.keep import Keep
from meterseal_fixture.offer import Offer
from meterseal_fixture.panel import Panel
from meterseal_fixture.positions import Reading
from meterseal_fixture.pulses import FrontEnd
from meterseal_fixture.settings import Settings
from meterseal_fixture.signer.software_p256 import SoftwareSigner
from meterseal_fixture.station import Station
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split
from meterseal_wire.statement import Author

PLAN = encode({L.MEDIUM: 1, L.RULES: bytes(32), L.PLAN_POINTS: [[3600, 10, 100000, 2000, 1]] * 2})
FIELDS = {
    "fixture": "W1",
    "site": "S",
    "bench": "WATER-1",
    "folder": "/tmp",
    "capture": "a",
    "mbus": "b",
    "panel": "c",
    "host": "127.0.0.1",
    "port": 1883,
    "edge_key": "01" * 64,
    "registry_key": "02" * 64,
    "closed_bench_s": 1,
}
LONGEST_MS = 20000


class Meters:
    """The bus: every address answers at once with `register(address)`; `asked` has the addresses, `verifying` who was
    told to enter verification mode, `left` who left it.
    """

    def __init__(self):
        self.asked = []
        self.verifying, self.left = [], []
        self.register = lambda _address: 1000

    async def read(self, address):
        self.asked.append(address)
        await asyncio.sleep_ms(0)
        return Reading(address, self.register(address), b"telegram")

    def check(self, _reading, _address):
        return None

    async def enter(self, address):
        self.verifying.append(address)

    async def leave_all(self):
        self.left += self.verifying
        self.verifying = []
        return []


class Link:
    """Up, and takes what is published: (topic, payload)."""

    state = "up"
    papers = None

    def __init__(self):
        self.published = []

    async def publish(self, topic, payload, _qos=1, _retain=False):
        self.published.append((topic, payload))


class Fixture:
    """A bench whose channel n counts an edge each `periods[n]` ticks, the reference first. Use as `with`.

    `end` is another front end in that one's place, `folder` another folder's `with`, `front` another count source.
    """

    def __init__(self, periods=(100, 500, 500), make=Station, end=None, folder=None, front=None):
        self.end = end or CaptureEnd(list(periods))
        self._folder = folder or Folder()
        self._make, self._front = make, front

    def __enter__(self):
        path = self._folder.__enter__()
        fields = dict(FIELDS)
        fields["positions"] = len(self.end.periods) - 1
        settings = Settings(fields)
        self.line = Line(lambda _: b"")
        self.panel, self.link, self.meters = Panel(self.line), Link(), Meters()
        self.front = self._front or FrontEnd(Line(self.end, keep=False), 100)
        author = Author("W1", "WATER-1", SoftwareSigner(bytes(31) + b"\x05"))
        self.chronicle = Chronicle(author, Keep(path))
        down = Down(settings, self.chronicle, None, None)
        down.delivery.granted = Granted(path, settings, None)
        down.beacon, down.beacon_number = bytes(32), 1
        self.offer = Offer(settings, self.chronicle, down, self.link)
        self.station = self._make(settings, (self.front, self.meters), self.chronicle, self.panel, self.offer)
        self.desk = self.station.desk
        return self

    def __exit__(self, *why):
        self._folder.__exit__(*why)

    def run(self, script):
        """Run the fixture's loops while the coroutine `script` lasts."""

        async def all_of_it():
            await self.front.describe()
            loops = [self.panel.speak(), self.panel.listen(self.station), self.station.run()]
            loops.append(self.offer.show_live(self.panel))
            tasks = [asyncio.create_task(one) for one in loops]
            try:
                await asyncio.wait_for_ms(script, LONGEST_MS)
            finally:
                for task in tasks:
                    task.cancel()

        asyncio.run(all_of_it())

    def say(self, **fields):
        """A line on the panel."""
        self.line.coming += json.dumps(fields).encode() + b"\n"

    def said(self):
        """Every line that the panel said."""
        return [json.loads(line) for line in b"".join(self.line.sent).split(b"\n") if line]

    async def wait(self, **wanted):
        """The first line with these fields that has not been waited for."""
        while True:
            for line in self.said():
                if all(line.get(name) == value for name, value in wanted.items()):
                    return line
            await asyncio.sleep_ms(2)

    def payloads(self, typ):
        """The payloads of that kind in the store, in order."""
        found, place = [], (0, -1)
        while True:
            record = self.chronicle.keep.next_after(place)
            if record is None:
                return found
            protected, _, payload, _ = split(record.statement)
            if scan(protected)[L.HEADER_TYP] == typ:
                found.append(scan(payload, 65536))
            place = (record.epoch, record.seq)


def plan_of(rows, **more):
    """A plan document of these rows; `more` are labels' names."""
    fields = {L.MEDIUM: 1, L.RULES: bytes(32), L.PLAN_POINTS: rows}
    for name, value in more.items():
        fields[getattr(L, name)] = value
    return encode(fields)


def order(positions, mode=1, do="run", plan=PLAN):
    """A panel's order of a plan."""
    return {
        "do": do,
        "plan": plan.hex(),
        "mode": mode,
        "operator": "07",
        "tenant": "",
        "positions": positions,
    }


def seat(number, meter=None, bus="ffffffff77041416"):
    """A row of an order; without `meter` it comes from the tray."""
    row = {"position": number, "type": "T", "bus": bus}
    if meter:
        row["meter"] = meter
    return row
