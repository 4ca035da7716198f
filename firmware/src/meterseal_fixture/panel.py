"""The operator's line: JSON objects, one a line, both ways. No figure of a meter's error ever passes here."""

import asyncio
import json

from meterseal_fixture.errors import FixtureError, Refused
from meterseal_fixture.words import sentence
from meterseal_wire import kinds

LONGEST = 16384
WAITING_LINES = 64
PLAN_DIGITS = 64  # a plan's digest; no plan document is that short


class Panel:
    """Says and hears lines on `serial`. What nobody reads is forgotten, oldest first."""

    def __init__(self, serial) -> None:
        self.serial = serial
        self.status = b""
        self.waiting: list[bytes] = []
        self._fresh = asyncio.Event()

    def show(self, status: dict[str, object]) -> None:
        """Send a status line, unless it is the one that was sent last."""
        line = json.dumps(status).encode()
        if line != self.status:
            self.status = line
            self._put(line)

    def tell(self, event: str, **fields: object) -> None:
        """Send an event line."""
        fields["event"] = event
        self._put(json.dumps(fields).encode())

    def complain(self, code: str, detail: object = "") -> None:
        """Send an error line: its code, and one sentence in both languages."""
        chinese, english = sentence(code, detail)
        self._put(json.dumps({"error": code, "zh": chinese, "en": english}).encode())

    def _put(self, line: bytes) -> None:
        if len(self.waiting) >= WAITING_LINES:
            self.waiting.pop(0)
        self.waiting.append(line)
        self._fresh.set()

    async def speak(self) -> None:
        """Write what waits, for ever."""
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            while self.waiting:
                await self.serial.write(self.waiting.pop(0) + b"\n")

    async def listen(self, station) -> None:
        """Hand each order to `station` (order, stop, status), and say why where it refuses, for ever."""
        rest = b""
        while True:
            rest += await self.serial.read()
            while b"\n" in rest:
                line, _, rest = rest.partition(b"\n")
                self._obey(line, station)
            if len(rest) > LONGEST:
                rest = b""
                self.complain("line.malformed")

    def _obey(self, line: bytes, station) -> None:
        try:
            fields = _parse(line)
            wanted = fields.get("do")
            if len(str(fields.get("plan", ""))) == PLAN_DIGITS:
                station.granted.fill(fields)
            if wanted == "check":
                fields["mode"] = kinds.CHECK
            if wanted in ("run", "check"):
                station.order(fields)
            elif wanted == "prepare":
                station.desk.prepare(fields)
            elif wanted == "start":
                station.desk.start()
            elif wanted == "stop":
                station.stop()
            elif wanted == "status":
                self.status = b""
                station.changed()
            else:
                raise Refused("order.unknown", wanted)
        except FixtureError as refusal:
            self.complain(refusal.code, refusal.detail)


def _parse(line: bytes) -> dict[str, object]:
    try:
        fields = json.loads(line)
    except ValueError:
        raise Refused("line.malformed")
    if not isinstance(fields, dict):
        raise Refused("line.malformed")
    return fields
