"""Station 1, registers: what the meters say of themselves over wired M-Bus, by secondary address.

One conversation: end any selection (SND_NKE to FD), select the eight bytes (they may hold wildcards), ask for
class 2 data. No answer, a damaged one, or two at once: the whole conversation again, TRIES times. The raw telegram
is kept as evidence; whoever decides decodes it again.

A meter with more records than one telegram holds says so (DIF 1F) and gives the next one to a request with the other
frame count bit (EN 13757-3). It is followed to its end, MOST_TELEGRAMS at most; kept is the one telegram that has the
register, which says by itself whose it is. What fails behind a register that can be used already harms nobody.
"""

import asyncio

from meterseal_fixture.errors import MeterFault
from meterseal_fixture.positions import Reading
from meterseal_wire import kinds
from meterseal_wire.telegram.errors import BadFrame, MBusError, NoRegister
from meterseal_wire.telegram.mbus import SELECTED, missing, parse_frame, req_ud2, select, selects, snd_nke
from meterseal_wire.telegram.mbus_telegram import decode, electronic_address, holder, volume

TRIES = 3
ANSWER_MS = 500
MOST_TELEGRAMS = 10
# A slave that was selected acknowledges the end of its selection; mostly nobody was.
DESELECT_MS = 40


async def tried(conversation, damage):
    """What `conversation(number of the try)` gives, TRIES times at most.

    MeterFault `meter.silent` when nothing ever came, `meter.damaged` when no answer was sound (`damage` is the error).
    """
    heard = False
    for number in range(TRIES):
        try:
            return await conversation(number)
        except damage:
            heard = True
        except asyncio.TimeoutError:
            continue
    if heard:
        raise MeterFault("meter.damaged", kinds.FAULT)
    raise MeterFault("meter.silent", kinds.SILENT)


class MeterBus:
    """The master's side of the bus on `serial` (async read() and write(), drop())."""

    def __init__(self, serial, answer_ms: int = ANSWER_MS) -> None:
        self.serial = serial
        self.answer_ms = answer_ms

    async def read(self, address: bytes) -> Reading:
        """What the meter at an 8-byte secondary address says now.

        MeterFault `meter.silent` when nothing ever came, `meter.damaged` when no answer was sound.
        """
        reading: Reading = await tried(lambda _: self._converse(address), MBusError)
        return reading

    async def enter(self, _address: bytes) -> None:
        """Nothing: M-Bus knows no verification mode."""

    async def leave_all(self) -> list[bytes]:
        """Nobody is in one."""
        return []

    def check(self, reading: Reading, address: bytes) -> None:
        """MeterFault unless it is the meter that was asked for, with a register to read."""
        if not selects(address, reading.address):
            raise MeterFault("meter.identity", kinds.IDENTITY)
        if reading.register is None:
            raise MeterFault("meter.register", kinds.FAULT)

    async def _converse(self, address: bytes) -> Reading:
        try:
            await self._ask(snd_nke(SELECTED), DESELECT_MS)
        except (asyncio.TimeoutError, MBusError):
            self.serial.drop()
        acknowledged = await self._ask(select(address), self.answer_ms)
        if parse_frame(acknowledged).kind != "ack":
            raise BadFrame(0, "a selection is answered by E5")
        found = await self._telegrams()
        at = _holder(found)
        raw, telegram = found[at or 0]
        register = None if at is None else volume(telegram)[0]
        # Its power of ten is the type grant's affair; the judge decodes the same bytes and compares.
        return Reading(electronic_address(telegram.identity), register, raw)

    async def _telegrams(self):
        """[(raw, telegram)] of the selected meter, the next one asked for while one says that more records follow."""
        found, bit = [await self._next([], True)], False
        while found[-1][1].more_follow:
            try:
                found.append(await self._next(found, bit))
            except (asyncio.TimeoutError, MBusError):
                if _holder(found) is None:
                    raise
                break
            bit = not bit
        return found

    async def _next(self, before, bit: bool):
        if len(before) == MOST_TELEGRAMS:
            raise BadFrame(0, "more than %d telegrams" % MOST_TELEGRAMS)
        # The same frame count bit has the same telegram repeated. The first one's next try is another conversation.
        for left in range(TRIES - 1 if before else 0, -1, -1):
            try:
                raw = await self._ask(req_ud2(SELECTED, bit), self.answer_ms)
                telegram = decode(raw)
                break
            except (asyncio.TimeoutError, MBusError):
                if not left:
                    raise
        if before and electronic_address(telegram.identity) != electronic_address(before[0][1].identity):
            raise BadFrame(0, "the next telegram is another meter's")
        return raw, telegram

    async def _ask(self, question: bytes, wait_ms: int) -> bytes:
        self.serial.drop()
        await self.serial.write(question)
        return await asyncio.wait_for_ms(self._frame(), wait_ms)

    async def _frame(self) -> bytes:
        raw = b""
        while missing(raw):
            raw += await self.serial.read()
        parse_frame(raw)
        return raw


def _holder(found) -> int | None:
    """Which of these telegrams has the register, None where none has."""
    try:
        at: int = holder([telegram for _, telegram in found])
        return at
    except NoRegister:
        return None
