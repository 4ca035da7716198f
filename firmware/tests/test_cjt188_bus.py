"""CJ/T 188 on the bench: the other end is the simulated meter that the codec's own tests hold against captures.

Its register is 123.45 m3 and 67 centilitres more: 12345 steps of 0.01 m3, in verification mode 12 345 067 steps of
0.01 L (eight digits).
"""

import asyncio

from doubles import Folder, Line

from meterseal_fixture.cjt188_bus import CjtBus
from meterseal_fixture.errors import MeterFault
from meterseal_wire import kinds
from meterseal_wire.telegram.cjt188 import address_bytes
from meterseal_wire.telegram.cjt188_slave import Meter, answer

DIGITS = "12345678901234"
ADDRESS = b"\x10" + address_bytes(DIGITS)
OTHER = b"\x10" + address_bytes("99999999999999")
CENTILITRES = 12345067


class Slave:
    """One meter; `spoil` replaces its next answers, one each; `deaf` makes it say nothing."""

    def __init__(self, spoil=()):
        self.meter = Meter(0x10, DIGITS, CENTILITRES)
        self.spoil = list(spoil)
        self.deaf = False

    def __call__(self, question):
        said, after = answer(self.meter, question)
        if self.deaf or said is None:
            return b""
        self.meter = after
        return self.spoil.pop(0)(said) if self.spoil else said


def fault(work):
    try:
        asyncio.run(work)
    except MeterFault as found:
        return found.code, found.reason
    return "read"


def bus(slave, path):
    return CjtBus(Line(slave), path, 15)


def test_a_meter_is_read_in_steps_of_its_display_and_finer_in_verification_mode():
    """12345 steps of 0.01 m3; entered, 12345067 steps of 0.01 L; left, 12345 again."""
    with Folder() as path:
        slave = Slave()
        found = bus(slave, path)

        async def run():
            readings = [await found.read(ADDRESS)]
            await found.enter(ADDRESS)
            assert slave.meter.verifying and found.verifying() == [ADDRESS]
            readings.append(await found.read(ADDRESS))
            await found.leave(ADDRESS)
            readings.append(await found.read(ADDRESS))
            return readings

        readings = asyncio.run(run())
        assert [reading.register for reading in readings] == [12345, 12345067, 12345]
        assert readings[0].address == ADDRESS and readings[0].telegram.endswith(b"\x16")
        assert not slave.meter.verifying and found.verifying() == []
        found.check(readings[0], ADDRESS)
        found.check(readings[0], b"\x10" + b"\xaa" * 7)


def test_damage_is_asked_again_and_then_said():
    """One flipped byte costs a repetition; three leave the meter out. An answer to another serial is none."""
    with Folder() as path:
        flip = lambda said: said[:-3] + bytes((said[-3] ^ 1,)) + said[-2:]  # noqa: E731
        assert fault(bus(Slave([flip]), path).read(ADDRESS)) == "read"
        assert fault(bus(Slave([flip] * 3), path).read(ADDRESS)) == ("meter.damaged", kinds.FAULT)
        assert fault(bus(Slave([lambda said: said[:9]] * 3), path).read(ADDRESS)) == (
            "meter.silent",
            kinds.SILENT,
        )
        noise = lambda said: b"\x55" + said  # noqa: E731
        assert fault(bus(Slave([noise] * 3), path).read(ADDRESS)) == ("meter.damaged", kinds.FAULT)


def test_nobody_and_somebody_else():
    """No answer at all; and a reading whose address is another's is not this meter's."""
    with Folder() as path:
        found = bus(Slave(), path)
        assert fault(found.read(OTHER)) == ("meter.silent", kinds.SILENT)
        reading = asyncio.run(found.read(ADDRESS))
        try:
            found.check(reading, OTHER)
        except MeterFault as wrong:
            assert (wrong.code, wrong.reason) == ("meter.identity", kinds.IDENTITY)
        else:
            raise AssertionError("another meter was taken")


def test_a_meter_left_in_verification_mode_by_a_power_cut_is_taken_out_at_the_next_start():
    """It is on the list before it enters. One that cannot be reached stays on it, and is tried again."""
    with Folder() as path:
        slave = Slave()
        asyncio.run(bus(slave, path).enter(ADDRESS))
        slave.deaf = True
        after = bus(slave, path)
        assert asyncio.run(after.leave_all()) == [ADDRESS] and after.verifying() == [ADDRESS]
        slave.deaf = False
        assert asyncio.run(after.leave_all()) == [] and after.verifying() == []
        assert not slave.meter.verifying


def test_entering_is_written_down_before_it_is_asked():
    """The meter is deaf: nobody knows whether it entered, so it stands on the list, once."""
    with Folder() as path:
        slave = Slave()
        slave.deaf = True
        found = bus(slave, path)
        for _ in range(2):
            assert fault(found.enter(ADDRESS)) == ("meter.silent", kinds.SILENT)
        assert found.verifying() == [ADDRESS]


def test_a_torn_list_holds_whole_addresses_only():
    """Seven bytes are none; eleven are one."""
    with Folder() as path:
        found = bus(Slave(), path)
        for count in (7, 11):
            with open(path + "/verifying", "wb") as file:
                file.write((ADDRESS + OTHER)[:count])
            assert found.verifying() == [ADDRESS][: count // 8]
