"""Station 1, registers over CJ/T 188: read a meter, put it into verification mode, and never leave it there.

An address is eight bytes: the kind of meter, then the seven address bytes as they are sent. In verification mode a
meter shows a finer register and runs its battery down, so every meter that was told to enter is written down in
flash before it is told, and struck off after it has confirmed that it left: after the run, after an abandonment, and
at the next start after a power cut.
"""

import asyncio
import os

from meterseal_fixture.errors import MeterFault
from meterseal_fixture.meters import tried
from meterseal_fixture.positions import Reading
from meterseal_wire import kinds
from meterseal_wire.telegram import cjt188
from meterseal_wire.telegram.cjt188_errors import BadFrame, Cjt188Error, MeterRefused
from meterseal_wire.telegram.cjt188_reading import reading as decode

ANSWER_MS = 500
ADDRESS = 8


class CjtBus:
    """The master's side of a line with CJ/T 188 meters on `serial` (async read() and write(), drop()).

    `folder` keeps the list of meters in verification mode.
    """

    def __init__(self, serial, folder: str, answer_ms: int = ANSWER_MS) -> None:
        self.serial = serial
        self.answer_ms = answer_ms
        self.path = folder + "/verifying"

    async def read(self, address: bytes) -> Reading:
        """What the meter says now; its register in 10^-5 m3 in verification mode, in its own steps otherwise.

        MeterFault `meter.silent`, `meter.damaged`, or `meter.refused` where it answers abnormally.
        """
        raw, frame = await self._ask(address, cjt188.read_current)
        try:
            mantissa = decode(frame).current[0]
        except MeterRefused:
            raise MeterFault("meter.refused", kinds.FAULT)
        except Cjt188Error:
            raise MeterFault("meter.damaged", kinds.FAULT)
        return Reading(bytes((frame.meter,)) + frame.address, mantissa, raw)

    def check(self, reading: Reading, address: bytes) -> None:
        """MeterFault unless it is the meter that was asked for; AA in what was asked stands for anything."""
        pairs = zip(reading.address, address)
        if not all(mine == asked or cjt188.ANY in (mine, asked) for mine, asked in pairs):
            raise MeterFault("meter.identity", kinds.IDENTITY)

    async def enter(self, address: bytes) -> None:
        """Verification mode, written down first. MeterFault as in `read`."""
        held = self.verifying()
        if address not in held:
            self._write(held + [address])
        await self._command(address, cjt188.enter_verification)

    async def leave(self, address: bytes) -> None:
        """Normal mode; struck off once the meter has confirmed. MeterFault as in `read`: then it stays on the list."""
        await self._command(address, cjt188.leave_verification)
        self._write([held for held in self.verifying() if held != address])

    async def leave_all(self) -> list[bytes]:
        """Every meter on the list back to normal; the addresses of those that could not be reached."""
        left = []
        for address in self.verifying():
            try:
                await self.leave(address)
            except MeterFault:
                left.append(address)
        return left

    def verifying(self) -> list[bytes]:
        """Addresses of the meters that may be in verification mode."""
        try:
            with open(self.path, "rb") as file:
                raw = file.read()
        except OSError:
            return []
        # Only whole addresses count: a write that a power cut tore ends in a part of one.
        return [raw[at : at + ADDRESS] for at in range(0, len(raw) - ADDRESS + 1, ADDRESS)]

    def _write(self, addresses: list[bytes]) -> None:
        part = self.path + ".part"
        with open(part, "wb") as file:
            file.write(b"".join(addresses))
            file.flush()
        os.rename(part, self.path)

    async def _command(self, address: bytes, question) -> None:
        _, frame = await self._ask(address, question)
        if frame.control & cjt188.ABNORMAL:
            raise MeterFault("meter.refused", kinds.FAULT)

    async def _ask(self, address: bytes, question):
        """(raw answer, its frame) to a question of the cjt188 module, asked TRIES times at most."""

        def once(serial: int):
            return asyncio.wait_for_ms(self._converse(address, question, serial), self.answer_ms)

        return await tried(once, Cjt188Error)

    async def _converse(self, address: bytes, question, serial: int):
        self.serial.drop()
        await self.serial.write(question(address[0], address[1:], serial))
        raw = b""
        while not raw or cjt188.missing(raw):
            raw += await self.serial.read()
        frame = cjt188.parse_frame(raw)
        if not frame.control & cjt188.FROM_METER or frame.serial != serial:
            raise BadFrame(0, "not the answer to what was asked")
        return raw, frame
