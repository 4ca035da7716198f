"""A front end's sensors and what it answers to S and Z, on doubles of the converters that speak their registers."""

import asyncio
import sys
from array import array

from doubles import Line

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.append(HERE + "/../boards/chip")
sys.path.append(HERE + "/../boards/front_rp2350")

import sensors as S  # noqa: E402
from answers import Answers  # noqa: E402
from counting import RING  # noqa: E402

from meterseal_fixture.capability import RP2350_PIO  # noqa: E402
from meterseal_fixture.errors import FrontEndSilent  # noqa: E402
from meterseal_fixture.pulses import FrontEnd  # noqa: E402
from meterseal_fixture.settings import QUANTITIES  # noqa: E402
from meterseal_wire.capture import line, words  # noqa: E402

# Value at 4 mA and at 20 mA, quantity by quantity, of a water bench.
SPANS = (
    (0, 3_200_000),  # flow, mL/h
    (0, 50_000),  # air, mK
    (8_000, 11_200),  # air, 10 Pa
    (0, 1_000),  # humidity, permille
    (0, 50_000),
    (0, 100_000),
    (0, 50_000),
    (0, 100_000),
    (0, 50_000),
    (0, 100_000),
)
TABLE = {quantity: (0x48 + quantity // 4, quantity % 4) + span for quantity, span in enumerate(SPANS)}
HALF = 12 * 1600  # 12 mA on 100 ohms are 1.2 V, 19 200 steps of 62.5 uV


class Converters:
    """ADS1115s by their data sheet: register 1 written with bit 15 starts one conversion of the input in bits 14 to 12;
    register 0 shows it CONVERSION_US later. `steps` is what the input shows, `dead` addresses do not acknowledge.
    """

    CONVERSION_US = 1200

    def __init__(self):
        self.ticks = 0
        self.steps = {(row[0], row[1]): HALF for row in TABLE.values()}
        self.dead = set()
        self.shown, self.coming = {}, {}

    def now(self):
        return self.ticks

    def writeto_mem(self, address, register, data):
        word = data[0] << 8 | data[1]
        assert register == 1 and len(data) == 2
        # OS 1, single ended, PGA 010 (2.048 V), single shot, 860 SPS, comparator off.
        assert (word >> 15, word >> 14 & 1, word >> 9 & 7, word >> 8 & 1, word >> 5 & 7, word & 3) == (
            1,
            1,
            2,
            1,
            7,
            3,
        )
        self._alive(address)
        self.coming[address] = (word >> 12 & 3, self.ticks + self.CONVERSION_US)

    def readfrom_mem_into(self, address, register, into):
        assert register == 0
        self._alive(address)
        channel, due = self.coming[address]
        if self.ticks >= due:
            self.shown[address] = self.steps[address, channel]
        steps = self.shown.get(address, 0)
        into[0], into[1] = steps >> 8, steps & 0xFF

    def _alive(self, address):
        if address in self.dead:
            raise OSError(5)


def looked(bus, found, ms=200):
    """The front end's loop for so long: a step every 5 ms."""
    for _ in range(ms // 5):
        bus.ticks += 5000
        found.step()
    return found


def sensors(bus=None, positions=7):
    bus = bus or Converters()
    return bus, looked(bus, S.Sensors(bus, TABLE, bus.now, positions))


def test_half_scale_is_half_of_each_span():
    """12 mA is the middle of 4 and 20; each quantity comes from its own converter and input."""
    bus, found = sensors()
    assert [found.value(q) for q in S.QUANTITIES] == [(low + high) // 2 for low, high in SPANS]
    bus.steps[0x49, 0] = 32000  # 20 mA at the reference's temperature
    assert looked(bus, found).value(S.REF_MK) == 50_000
    assert found.value(S.REF_10PA) == 50_000 and found.value(S.AIR_MK) == 25_000


def test_what_is_not_known_has_no_value():
    """3.6 mA is 5760 steps (NAMUR NE 43: below it the wire is broken); the converter is full at 32 767."""
    bus, found = sensors()
    for steps, value in ((5759, None), (6400, 0), (32759, 3_294_875), (32760, None), (0xFFFF, None)):
        bus.steps[0x48, 0] = steps
        assert looked(bus, found).value(S.FLOW) == value, steps


def test_a_converter_that_went_silent_is_not_known_after_three_seconds_and_holds_up_nobody():
    """The other two converters go on being asked; when it is back, its values are too."""
    bus, found = sensors()
    bus.dead.add(0x48)
    assert looked(bus, found, 2000).value(S.FLOW) == 1_600_000
    looked(bus, found, 2000)
    assert found.value(S.FLOW) is None and found.value(S.OUT_10PA) == 50_000 and found.state() is None
    bus.dead.clear()
    assert looked(bus, found).state() is not None


def test_a_bench_that_counts_its_flow_needs_no_sensor_for_it():
    """The nine other quantities; the names of the settings are in this file's order."""
    bus = Converters()
    found = S.Sensors(bus, {quantity: TABLE[quantity] for quantity in S.QUANTITIES[1:]}, bus.now, 7)
    assert found.unknown() == S.AIR_MK and found.state(36_000) is None
    state = looked(bus, found).state(36_000)
    assert (state[0], state[1], found.unknown()) == (36_000, 25_000, S.UNKNOWN)
    assert found.state() is None
    assert [QUANTITIES.index(name) for name in ("ref_10pa", "humidity", "out_10pa")] == [
        S.REF_10PA,
        S.HUMIDITY,
        S.OUT_10PA,
    ]


def test_positions_lie_on_a_line_between_inlet_and_outlet():
    """20 000 mK at the first, 21 200 at the last of seven: 200 a step. One position alone: the middle."""
    bus = Converters()
    bus.steps[0x49, 2] = 6400 + 20_000 * 25600 // 50_000
    bus.steps[0x4A, 0] = 6400 + 21_200 * 25600 // 50_000
    _, found = sensors(bus)
    inlet, outlet = found.value(S.IN_MK), found.value(S.OUT_MK)
    assert abs(inlet - 20_000) <= 2 and abs(outlet - 21_200) <= 2
    assert [abs(mk - 20_000 - 200 * n) <= 2 for n, mk in enumerate(found.state()[6::2])] == [True] * 7
    _, alone = sensors(bus, 1)
    assert alone.state()[6:] == [(inlet + outlet + 1) // 2, 50_000]


class Hardware:
    """As much of board.Capture as these questions need."""

    def __init__(self, bus):
        self.bus, self.edges = bus, 0
        self.halves = array("H", bytes(4 * RING * 8))
        self.bases = [2 * RING * channel for channel in range(8)]

    def now(self):
        return self.bus.ticks

    def places(self, channel):
        return self.edges if channel == 0 else 0

    def spilled(self):
        return 0


def front(with_sensors=True):
    bus, found = sensors()
    hardware = Hardware(bus)
    return bus, hardware, Answers(RP2350_PIO, hardware, (0,) * 8, found if with_sensors else None)


def test_s_has_the_words_that_the_fixture_reads():
    """Ticks, flow, air, humidity, reference, seven positions."""
    bus, _, answers = front()
    sample = asyncio.run(FrontEnd(Line(answers.feed), 50).sample())
    assert (sample.ticks, sample.flow, sample.humidity) == (bus.ticks, 1_600_000, 500)
    assert (sample.air, sample.ref) == ((25_000, 9_600), (25_000, 50_000))
    assert sample.meters == [(25_000, 50_000)] * 7


def test_without_sensors_or_with_one_unknown_there_is_silence():
    """S and Z; the run then ends with `front_end.silent` instead of going on without conditions."""
    for answers in (front(False)[2], front()[2]):
        if answers.sensors:
            answers.sensors._seen.pop(S.REF_10PA)
        assert answers.feed(line("S")) == answers.feed(line("Z", 1)) == answers.late() == b""
        try:
            asyncio.run(FrontEnd(Line(answers.feed), 5).sample())
        except FrontEndSilent:
            continue
        raise AssertionError("conditions were given that nobody measured")


def test_the_closed_bench_is_answered_when_its_seconds_are_over():
    """Two seconds: pressure falls from 50 000 to 40 000, three edges come. Asked twice it is one answer."""
    bus, hardware, answers = front()
    assert answers.feed(line("Z", 2)) == answers.late() == b""
    bus.steps[0x49, 1] = 6400 + 40_000 * 25600 // 100_000
    looked(bus, answers.sensors, 1900)
    hardware.edges = 3
    assert answers.feed(line("Z", 2)) == answers.late() == b""
    looked(bus, answers.sensors, 100)
    assert words(answers.late()) == ["Z", "50000", "40000", "2", "3"]
    assert answers.late() == b""


def test_opening_gates_gives_the_closed_bench_up():
    """Its answer would come in the middle of a point."""
    bus, _, answers = front()
    answers.feed(line("Z", 1) + line("A", 3))
    looked(bus, answers.sensors, 2000)
    assert answers.late() == b""
