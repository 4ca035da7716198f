"""Run by MicroPython: a fixture that counts with the ESP32-S3's own counters, from its boot to a signed result.

    micropython own_counters.py FILE    (JSON: beacon and plan in hex, type)

One position a meter of ERRORS_PPM, on one pipe. Prints a line of JSON for each statement that the store has:
[statement, * evidence] in hex. Counters, sensors and water are test_counters.py's; all else is the fixture's own.
"""

import json
import sys

from test_counters import AROUND, Pipe, Sensors
from whole_bench import FIELDS, Fixture, Meters, order, seat

from meterseal_fixture import counters as counting
from meterseal_fixture.capability import ESP32S3_PCNT
from meterseal_fixture.counters import Counters
from meterseal_fixture.positions import Reading
from meterseal_fixture.startup import sign_first
from meterseal_wire.telegram.mbus import long_frame
from meterseal_wire.telegram.mbus_slave import packed_bcd

UL_A_PULSE, UL_A_STEP = 1000, 10000  # reference: a millilitre; register: 10^-5 m3
ERRORS_PPM = (4000, 27000)  # within every limit, and beyond that of the upper zone
VOLUME = b"\x0c\x11"  # EN 13757-3: eight BCD digits, volume in 10^-5 m3
LOOK_MS, CLOSED_S = 40, 60
RSP_UD, VARIABLE, PPM = 0x08, 0x72, 1000000


class Board:
    name, reset_cause = "esp32s3", 1


class Main(Pipe):
    """Water through a reference that gives a pulse a millilitre."""

    def edges(self):
        return self.parts // (3600 * UL_A_PULSE)


class Meter(Meters):
    """Each meter shows what passed, with its own error, in a real telegram."""

    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe

    async def read(self, address):
        await super().read(address)
        error = ERRORS_PPM[address[0] - 1]
        steps = self.pipe.parts * (PPM + error) // (3600 * UL_A_STEP * PPM)
        body = address + bytes(4) + VOLUME + packed_bcd(steps, 4)
        return Reading(address, steps, long_frame(RSP_UD, 1, VARIABLE, body))


def main(path):
    with open(path) as file:
        told = json.load(file)
    counting.LOOK_MS = 0
    FIELDS["closed_bench_s"] = CLOSED_S
    pipe = Main(LOOK_MS)
    units = [pipe.unit] + [lambda: 0] * 3
    front = Counters((units, AROUND), ESP32S3_PCNT, (Sensors(), 1000 * UL_A_PULSE), pipe, pipe)
    fixture = Fixture(front=front)
    fixture.end.periods = (0,) * (len(ERRORS_PPM) + 1)
    with fixture:
        fixture.offer.down.beacon = bytes.fromhex(told["beacon"])
        fixture.meters = fixture.station.bus = Meter(pipe)
        sign_first(fixture.station, Board, ESP32S3_PCNT.name)
        rows = []
        for number in range(1, len(ERRORS_PPM) + 1):
            rows.append(seat(number, "DEMO.1000000%d" % number, "0%d0000102d480307" % number))
            rows[-1]["type"] = told["type"]

        async def script():
            fixture.say(**order(rows, plan=bytes.fromhex(told["plan"])))
            await fixture.wait(event="result_signed")

        fixture.run(script())
        record = fixture.chronicle.keep.next_after((0, -1))
        while record is not None:
            print(json.dumps([part.hex() for part in [record.statement] + list(record.evidence)]))
            record = fixture.chronicle.keep.next_after((record.epoch, record.seq))


main(*sys.argv[1:])
