"""Station 1, water and gas: who is told the flow. A Modbus RTU valve or pump controller on a line of its own.

A set-point is written and read back before the point goes on; 0 always closes. Where no controller is configured the
counting front end sets the flow itself (capture line `F`), or a person does (`Hand`). Whoever it is, the bench looks
for itself whether it flows as it should, and whether it has stopped.
"""

import asyncio

from meterseal_fixture.errors import BenchFault
from meterseal_fixture.words import sentence
from meterseal_wire import modbus
from meterseal_wire.errors import WireError

TRIES = 3
ANSWER_MS = 500
WORD = 0xFFFF


class Controller:
    """Where a controller listens: `unit` 1 to 247, `register` of the set-point, `ml_per_h` a step, `words` 1 or 2
    (high word first).
    """

    def __init__(self, unit: int, register: int, ml_per_h: int, words: int) -> None:
        self.unit, self.register, self.ml_per_h, self.words = unit, register, ml_per_h, words

    def values(self, ml_per_h: int) -> list[int]:
        """The registers of a flow, to the nearest step; BenchFault "flow.range" where it does not fit."""
        steps = (2 * ml_per_h + self.ml_per_h) // (2 * self.ml_per_h)
        if steps >> 16 * self.words or (ml_per_h and not steps):
            raise BenchFault("flow.range", ml_per_h)
        return [steps] if self.words == 1 else [steps >> 16, steps & WORD]


class ModbusFlow:
    """Sets the flow over `serial` (async read() and write(), drop())."""

    def __init__(self, serial, controller: Controller, answer_ms: int = ANSWER_MS) -> None:
        self.serial, self.controller, self.answer_ms = serial, controller, answer_ms

    async def set_flow(self, ml_per_h: int) -> None:
        """Set and read back. BenchFault "flow.silent", "flow.refused" with the exception's code, "flow.not_taken"."""
        where = self.controller
        values = where.values(ml_per_h)
        function = modbus.WRITE_ONE if len(values) == 1 else modbus.WRITE_MANY
        await self._ask(modbus.write_registers(where.unit, where.register, values), function)
        held = await self._ask(modbus.read_registers(where.unit, where.register, len(values)), modbus.READ)
        if held != b"".join([value.to_bytes(2, "big") for value in values]):
            raise BenchFault("flow.not_taken", ml_per_h)

    async def _ask(self, question: bytes, function: int) -> bytes:
        for _ in range(TRIES):
            self.serial.drop()
            await self.serial.write(question)
            try:
                raw: bytes = await asyncio.wait_for_ms(self._answer(), self.answer_ms)
                data: bytes = modbus.answer(raw, self.controller.unit, function)
            except (asyncio.TimeoutError, WireError):
                continue
            if modbus.is_exception(raw):
                raise BenchFault("flow.refused", data[0])
            return data
        raise BenchFault("flow.silent")

    async def _answer(self) -> bytes:
        raw = b""
        while modbus.missing(raw):
            raw += await self.serial.read()
        return raw


class Hand:
    """A valve that a person turns: `panel` says to what, once for each change. The times of a run stay as they are."""

    def __init__(self, panel) -> None:
        self.panel = panel
        self._told: int | None = None

    async def set_flow(self, ml_per_h: int) -> None:
        """Ask for it; nothing says that it was done but the flow itself."""
        if ml_per_h != self._told:
            self._told = ml_per_h
            chinese, english = sentence("valve.set" if ml_per_h else "valve.close", ml_per_h)
            self.panel.tell("set_flow", ml_per_h=ml_per_h, zh=chinese, en=english)
