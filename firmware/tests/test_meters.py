"""Reading meters over M-Bus: the slave is a captured telegram, its values known from the standard's own example.

The frame is example 3 of the M-Bus documentation (rev. 4.8, section 6.6): id 12345678, manufacturer 4024, version
1, medium 7 (water), volume 12.565 m3 in units of 10^-3 m3.
"""

import asyncio

from doubles import Line

from meterseal_fixture.errors import MeterFault
from meterseal_fixture.meters import TRIES, MeterBus
from meterseal_wire import kinds
from meterseal_wire.telegram.mbus import checksum, snd_nke

FRAME = bytes.fromhex("681f1f680802727856341224400107550000000313153100da023b13018b60043718021816")
ADDRESS = bytes.fromhex("7856341224400107")
ACK = b"\xe5"


class Slave:
    """One meter on the bus; `said` replaces its telegrams, one a request, before it says FRAME again."""

    def __init__(self, said=(), address=ADDRESS):
        self.said = list(said)
        self.address = address
        self.requests = 0

    def __call__(self, data):
        if data[:1] == b"\x68":
            return ACK if data[7:15] == self.address else b""
        if data == snd_nke(0xFD):
            return b""
        self.requests += 1
        return self.said.pop(0) if self.said else FRAME


def read(slave, address=ADDRESS):
    bus = MeterBus(Line(slave), 15)
    reading = asyncio.run(bus.read(address))
    bus.check(reading, address)
    return reading


def fault(slave, address=ADDRESS):
    try:
        read(slave, address)
    except MeterFault as found:
        return found.code, found.reason
    return "read"


def remade(body):
    return bytes((0x68, len(body), len(body), 0x68)) + body + bytes((checksum(body), 0x16))


def test_a_meter_is_read_by_its_secondary_address():
    """The documentation's example: 12 565 units of 10^-3 m3; the telegram is kept as it came."""
    reading = read(Slave())
    assert (reading.address, reading.register, reading.telegram) == (ADDRESS, 12565, FRAME)


def test_the_conversation_deselects_selects_and_asks():
    """EN 13757-3 section 11: 68 0B 0B 68 53 FD 52 and the eight bytes; then REQ_UD2 (7B) to FD."""
    line = Line(Slave())
    asyncio.run(MeterBus(line, 15).read(ADDRESS))
    selection = bytes.fromhex("680b0b6853fd52") + ADDRESS
    assert line.sent[0] == bytes.fromhex("1040fd3d16")
    assert line.sent[1][:15] == selection
    assert line.sent[2] == bytes.fromhex("107bfd7816")


def test_a_damaged_answer_is_asked_for_again():
    """Two telegrams with one bit wrong, then the sound one: TRIES is three."""
    damaged = FRAME[:20] + bytes((FRAME[20] ^ 1,)) + FRAME[21:]
    slave = Slave([damaged, damaged])
    assert read(slave).register == 12565
    assert slave.requests == TRIES


def test_a_meter_that_never_answers_is_silent():
    """Nobody acknowledges the selection of another address."""
    assert fault(Slave(address=bytes(8))) == ("meter.silent", kinds.SILENT)


def test_answers_that_are_never_sound_are_damage():
    """Checksum wrong three times, and two answers at once (a collision leaves bytes that are no frame)."""
    wrong = FRAME[:-2] + b"\x00\x16"
    assert fault(Slave([wrong] * TRIES)) == ("meter.damaged", kinds.FAULT)
    assert fault(Slave([FRAME + FRAME[:9]] * TRIES)) == ("meter.damaged", kinds.FAULT)


def test_another_meter_that_answers_is_named_so():
    """The id in the telegram is 12345679: last BCD pair 79 instead of 78."""
    body = bytearray(FRAME[4:-2])
    body[3] = 0x79
    assert fault(Slave([remade(bytes(body))])) == ("meter.identity", kinds.IDENTITY)


def test_a_wildcard_of_digits_reads_the_meter_that_fits():
    """EN 13757-3 section 11.3: digit F fits any; the address in the reading is the meter's own."""
    wild = bytes.fromhex("ffff341224400107")
    assert read(Slave(address=wild), wild).address == ADDRESS


def test_a_telegram_without_a_volume_cannot_be_used():
    """VIF 13 (volume) made 2B (power, W): the frame is sound but has no volume register."""
    body = bytearray(FRAME[4:-2])
    assert body[15:17] == b"\x03\x13"
    body[16] = 0x2B
    assert fault(Slave([remade(bytes(body))])) == ("meter.register", kinds.FAULT)


def led_by(count, more=b"\x1f", last=FRAME):
    """So many telegrams of the same meter with one record each that is no volume, and `more` behind it; then `last`."""
    header = FRAME[4:19]
    return [remade(header + b"\x02\x2b" + bytes((n, 0)) + more) for n in range(count)] + [last]


class Long:
    """A meter with several telegrams: SND_NKE or a selection begins anew, a request with the other frame count bit gets
    the next one, the same bit the same again (EN 13757-2 section 5.7). `lost` requests, by number, are not heard.
    """

    def __init__(self, telegrams, lost=()):
        self.telegrams, self.lost = telegrams, lost
        self.at, self.bit, self.bits, self.requests = -1, None, [], 0

    def __call__(self, data):
        if data[:1] == b"\x68" or data == snd_nke(0xFD):
            self.at, self.bit = -1, None
            return ACK if data[:1] == b"\x68" else b""
        bit = data[1] & 0x20
        self.requests += 1
        if self.requests in self.lost:
            return b""
        if bit != self.bit:
            self.at, self.bit = self.at + 1, bit
        self.bits.append(bit >> 5)
        return self.telegrams[min(self.at, len(self.telegrams) - 1)]


def test_a_meter_that_answers_over_several_telegrams_is_followed_to_its_register():
    """DIF 1F: more records follow (EN 13757-3). Two telegrams before it, asked for with bits 1, 0, 1; the one with the
    register is what is kept, and it says by itself whose it is. The conversation goes on behind a register, too.
    """
    meter = Long(led_by(2))
    reading = read(meter)
    assert (reading.register, reading.telegram, reading.address) == (12565, FRAME, ADDRESS)
    assert meter.bits == [1, 0, 1]
    first = remade(FRAME[4:-2] + b"\x1f")
    meter = Long([first] + led_by(0, last=led_by(1, b"")[0]))
    reading = read(meter)
    assert (reading.register, reading.telegram, meter.bits) == (12565, first, [1, 0])


def test_a_telegram_that_was_lost_on_the_way_is_asked_for_with_the_same_bit():
    """The second request is not heard: the third has its bit, and nothing is passed over. In a first telegram with the
    register whatever is lost behind it harms nobody.
    """
    meter = Long(led_by(2), lost=(2,))
    assert read(meter).register == 12565 and meter.bits == [1, 0, 1] and meter.requests == 4
    first = remade(FRAME[4:-2] + b"\x1f")
    assert read(Long([first], lost=range(2, 99))).telegram == first


def test_telegrams_without_end_or_of_another_meter_end_the_position():
    """Ten telegrams and never a register, three conversations; one whose second telegram has another id."""
    meter = Long(led_by(1)[:1])
    assert fault(meter) == ("meter.damaged", kinds.FAULT) and meter.requests == 30
    other = bytearray(FRAME[4:-2])
    other[3] = 0x79
    assert fault(Long(led_by(1, last=remade(bytes(other))))) == ("meter.damaged", kinds.FAULT)


def test_several_telegrams_without_a_register_are_no_register():
    """The last one says that nothing follows."""
    assert fault(Long(led_by(1)[:1] + led_by(1, b"")[:1])) == ("meter.register", kinds.FAULT)


def test_a_current_register_is_preferred_to_a_stored_one_in_an_earlier_telegram():
    """Storage 1 (DIF 43), 1 m3, then storage 0; with two stored ones and no current there is none to prefer."""
    stored = remade(FRAME[4:19] + bytes.fromhex("4313e80300") + b"\x1f")
    assert read(Long([stored, FRAME])).register == 12565
    last = remade(FRAME[4:19] + bytes.fromhex("4313e80300"))
    assert read(Long(led_by(1)[:1] + [last])).register == 1000
    assert fault(Long([stored, last])) == ("meter.register", kinds.FAULT)


def hostile(number):
    """Telegrams with a right checksum and whatever else: bytes turned, cut or doubled, by a fixed sequence."""
    state, found = number, []
    for _ in range(TRIES):
        body = bytearray(FRAME[4:-2])
        for _ in range(1 + number % 5):
            state = (1103515245 * state + 12345) & 0x7FFFFFFF
            at, value = 3 + (state >> 8) % (len(body) - 3), state >> 16 & 0xFF
            if state & 3:
                body[at] = value
            else:
                body = body[:at] + body[at - (value % 3) :]
        found.append(remade(bytes(body[:250])))
    return found


def test_no_telegram_that_is_whole_ever_stops_the_bench():
    """600 meters that lie, three telegrams each: a reading that `check` takes, or a fault of that position; nothing
    else is raised, and all of these happen.
    """
    seen = {fault(Slave(hostile(number))) for number in range(600)}
    assert seen == {
        "read",
        ("meter.damaged", kinds.FAULT),
        ("meter.identity", kinds.IDENTITY),
        ("meter.register", kinds.FAULT),
    }


def test_a_wildcard_that_two_meters_answer_is_damage_and_not_either_of_them():
    """Both are selected and acknowledge in one E5; their telegrams are heard as one, in which a 0 wins (EN 13757-2)."""
    other = bytearray(FRAME[4:-2])
    other[3], other[18] = 0x86, 0x42
    both = bytes([a & b for a, b in zip(FRAME, remade(bytes(other)))])
    assert both not in (FRAME, remade(bytes(other)))
    wild = bytes.fromhex("ffffffff24400107")
    slave = Slave([both] * TRIES, wild)
    assert fault(slave, wild) == ("meter.damaged", kinds.FAULT)
