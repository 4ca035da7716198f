"""The flow over Modbus RTU: the other end is a controller with registers that answers real frames, or spoils them."""

import asyncio

from doubles import CaptureEnd, Line

from meterseal_fixture.bench import Bench, StopButton
from meterseal_fixture.errors import BenchFault
from meterseal_fixture.flow import Controller, ModbusFlow
from meterseal_fixture.positions import Position
from meterseal_fixture.pulses import FrontEnd
from meterseal_wire.modbus import READ, WRITE_MANY, WRITE_ONE, crc16, frame

UNIT, REGISTER = 17, 0x0102


class Valve:
    """A controller at UNIT. `spoil` replaces its next answers; `stuck` keeps registers as they are."""

    def __init__(self, spoil=()):
        self.registers = {}
        self.spoil = list(spoil)
        self.stuck = False
        self.asked = 0

    def __call__(self, raw):
        assert crc16(raw[:-2]) == raw[-2:] and raw[0] == UNIT
        self.asked += 1
        if self.spoil:
            return self.spoil.pop(0)
        start, function = int.from_bytes(raw[2:4], "big"), raw[1]
        if function == READ:
            count = int.from_bytes(raw[4:6], "big")
            held = b"".join([self.registers.get(start + at, 0).to_bytes(2, "big") for at in range(count)])
            return frame(UNIT, READ, bytes((len(held),)) + held)
        values = raw[4:6] if function == WRITE_ONE else raw[7:-2]
        for at in range(0, len(values), 2):
            if not self.stuck:
                self.registers[start + at // 2] = int.from_bytes(values[at : at + 2], "big")
        assert function in (WRITE_ONE, WRITE_MANY)
        return frame(UNIT, function, raw[2:6])


def setting(valve, ml_per_h, words=1, step=1000):
    """What became of a set-point: (code, detail), or the registers."""
    driver = ModbusFlow(Line(valve), Controller(UNIT, REGISTER, step, words), 15)
    try:
        asyncio.run(driver.set_flow(ml_per_h))
    except BenchFault as fault:
        return fault.code, fault.detail
    return valve.registers


def test_a_flow_goes_into_one_register_or_two_to_the_nearest_step():
    """2500 L/h in steps of 1 L/h; 2 500 000 000 mL/h in steps of 100 is 25 000 000 = 0x017D7840; 1499 is 1 of 1000."""
    assert setting(Valve(), 2500000) == {REGISTER: 2500}
    assert setting(Valve(), 2500000000, 2, 100) == {REGISTER: 0x017D, REGISTER + 1: 0x7840}
    assert setting(Valve(), 1499) == {REGISTER: 1} and setting(Valve(), 1500) == {REGISTER: 2}
    assert setting(Valve(), 0) == {REGISTER: 0}


def test_what_does_not_fit_is_refused_before_anything_is_sent():
    """65 536 steps in one register, and a flow that would round to closed."""
    for flow in (65536000, 499):
        valve = Valve()
        assert setting(valve, flow) == ("flow.range", flow) and valve.asked == 0


def test_damage_and_silence_are_asked_again_and_then_said():
    """Two bad answers cost two repetitions, three end it; another unit's answer is none."""
    good = frame(UNIT, WRITE_ONE, b"\x01\x02\x00\x05")
    for bad in (b"", good[:-1] + b"\x00", frame(UNIT + 1, WRITE_ONE, b"\x01\x02\x00\x05"), good[:4]):
        assert setting(Valve([bad] * 2), 5000) == {REGISTER: 5}
        assert setting(Valve([bad] * 3), 5000) == ("flow.silent", "")


def test_a_run_that_is_cut_short_keeps_its_counts_though_the_valve_does_not_close():
    """The front end of the doubles counts; the valve is silent. Counts come, and the fault is not forgotten."""

    async def run():
        front = FrontEnd(Line(CaptureEnd([100, 500])))
        await front.describe()
        bench = Bench(front, StopButton())
        bench._open = [Position(1, "DEMO.1", "T", bytes(8))]
        await front.arm(3)
        await front.counts()
        front.flow = ModbusFlow(Line(Valve([b""] * 3)), Controller(UNIT, REGISTER, 1000, 1), 15)
        return await bench.cut_short(), bench.stuck.code

    [(number, meter, reference)], code = asyncio.run(run())
    assert number == 1 and reference > meter > 0 and code == "flow.silent"


def test_an_exception_and_a_valve_that_does_not_move_are_told_apart():
    """Exception 2 (illegal data address) is not repeated; a register that keeps its value is found by reading back."""
    valve = Valve([frame(UNIT, WRITE_ONE | 0x80, b"\x02")])
    assert setting(valve, 5000) == ("flow.refused", 2) and valve.asked == 1
    valve = Valve()
    valve.stuck = True
    assert setting(valve, 5000) == ("flow.not_taken", 5000)
