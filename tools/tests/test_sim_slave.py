"""M-Bus slaves and their line, asked with frames written out by hand and read at offsets taken from the hex."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_tools.sim.bus import Bus
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.climate import climate
from meterseal_tools.sim.flow import FlowHistory
from meterseal_tools.sim.meter import ErrorCurve, Meter
from meterseal_tools.sim.slave import Slave

TPS = 1_000_000
ACK = b"\xe5"
NKE_SELECTED = bytes.fromhex("1040FD3D16")
REQUEST_1 = bytes.fromhex("107BFD7816")
REQUEST_0 = bytes.fromhex("105BFD5816")
# Where the volume's digits stand in each captured frame: (offset, length, binary or BCD).
VOLUME = {
    "itron_cyble": (69, 4, "binary"),
    "itron_bm": (27, 4, "binary"),
    "ram": (21, 4, "binary"),
    "padpuls": (21, 3, "binary"),
    "waterstar": (33, 4, "binary"),
    "siemens": (21, 4, "bcd"),
    "lgb": (23, 4, "bcd"),
    "els": (21, 4, "bcd"),
}


def meter(name, serial, register=0):
    """A true meter of the catalogue."""
    return Meter(CATALOGUE[name], serial, ErrorCurve((1, 0)), register)


def bus_of(*meters):
    """Slaves of those meters on one line, at tick 0."""
    slaves = [Slave(each) for each in meters]
    return Bus(lambda: slaves, lambda: 0), slaves


def select(address):
    """EN 13757-3 selection: 68 0B 0B 68 73 FD 52, 8 bytes of address, sum modulo 256, 16."""
    body = bytes.fromhex("73FD52") + bytes.fromhex(address)
    return bytes.fromhex("680B0B68") + body + bytes([sum(body) & 0xFF, 0x16])


def register_in(name, frame):
    """The volume record's number, after length and checksum by EN 13757-2."""
    assert frame[0] == frame[3] == 0x68 and frame[1] == frame[2] == len(frame) - 6
    assert sum(frame[4:-2]) & 0xFF == frame[-2] and frame[-1] == 0x16
    at, length, coding = VOLUME[name]
    digits = frame[at : at + length][::-1]
    return int.from_bytes(digits, "big") if coding == "binary" else int(digits.hex())


@pytest.mark.parametrize("name", sorted(VOLUME))
def test_a_selected_slave_answers_its_register_and_id_in_its_captured_layout(name):
    """Selected by its full address, it sends the template's length with register 123456 and its own serial."""
    bus, (slave,) = bus_of(meter(name, "12082058", 123_456))
    assert bus.feed(select(slave.meter.secondary_address.hex())) == ACK
    frame = bus.feed(REQUEST_1)
    assert register_in(name, frame) == 123_456
    assert frame[7:11].hex() == "58200812"
    assert len(frame) == len(slave.meter.template)
    assert frame[11:15] == slave.meter.template[11:15]


def test_the_register_is_that_of_the_moment_of_the_answer():
    """36 s at 2.5 m3/h are 25 L: from 1000 to 1025."""
    history = FlowHistory(TPS)
    history.set(0, 2_500_000)
    one = meter("itron_bm", "1", 1000)
    one.mount(history, 0, 1, climate(one.data.medium))
    now = [0]
    slave = Slave(one)
    bus = Bus(lambda: [slave], lambda: now[0])
    bus.feed(select("ffffffffffffffff"))
    assert register_in("itron_bm", bus.feed(REQUEST_1)) == 1000
    now[0] = 36 * TPS + 100_000
    assert register_in("itron_bm", bus.feed(REQUEST_0)) == 1025


def test_a_repeated_frame_count_bit_gets_the_same_telegram_and_a_new_selection_a_new_one():
    """EN 13757-2: the bit unchanged means that the answer was lost. The access number tells the telegrams apart."""
    bus, _ = bus_of(meter("itron_bm", "1"))
    bus.feed(select("ffffffffffffffff"))
    first = bus.feed(REQUEST_1)
    assert bus.feed(REQUEST_1) == first
    second = bus.feed(REQUEST_0)
    assert second[15] == (first[15] + 1) & 0xFF
    bus.feed(select("ffffffffffffffff"))
    assert bus.feed(REQUEST_0)[15] == (first[15] + 2) & 0xFF


@pytest.mark.parametrize(
    "pattern", ["ffffffffffffffff", "582008fffffffFff", "58200812ffffffff", "5f200812e2304003"]
)
def test_wildcards_select(pattern):
    """F digits in the id, FF bytes elsewhere; the address is 58200812 E230 40 03."""
    bus, _ = bus_of(meter("lgb", "12082058"))
    assert bus.feed(select(pattern)) == ACK


@pytest.mark.parametrize(
    "pattern", ["59200812e2304003", "58200812e2304007", "58200812e2314003", "58200812e2304103"]
)
def test_another_address_is_not_answered_and_ends_a_selection(pattern):
    """Any other id, maker, version or medium."""
    bus, _ = bus_of(meter("lgb", "12082058"))
    bus.feed(select("58200812e2304003"))
    assert bus.feed(select(pattern)) == b""
    assert bus.feed(REQUEST_1) == b""


def test_initialising_address_fd_ends_the_selection():
    """SND_NKE to FD is acknowledged by the selected slave alone; then nobody is selected."""
    bus, _ = bus_of(meter("lgb", "12082058"))
    assert bus.feed(NKE_SELECTED) == b""
    bus.feed(select("58200812e2304003"))
    assert bus.feed(NKE_SELECTED) == ACK
    assert bus.feed(REQUEST_1) == b""


def test_a_slave_answers_at_its_primary_address_and_to_fe_but_not_to_ff():
    """LGB's template answers at address 1; FE asks all to answer, FF none."""
    bus, _ = bus_of(meter("lgb", "12082058"))
    assert bus.feed(bytes.fromhex("1040014116")) == ACK
    assert bus.feed(bytes.fromhex("1040024216")) == b""
    assert bus.feed(bytes.fromhex("1040FE3E16")) == ACK
    assert bus.feed(bytes.fromhex("1040FF3F16")) == b""
    assert register_in("lgb", bus.feed(bytes.fromhex("107B017C16"))) == 0


def test_a_damaged_request_is_not_answered():
    """Wrong checksum; then a whole one is answered."""
    bus, _ = bus_of(meter("lgb", "12082058"))
    assert bus.feed(bytes.fromhex("1040014316")) == b""
    assert bus.feed(bytes.fromhex("1040014116")) == ACK


def test_a_request_may_come_in_pieces():
    """Nothing is answered before its last byte."""
    bus, _ = bus_of(meter("lgb", "12082058"))
    frame = select("58200812e2304003")
    assert [bus.feed(frame[at : at + 1]) for at in range(len(frame))] == [b""] * 16 + [ACK]


def test_a_slave_with_leading_telegrams_says_that_more_follow_before_its_register():
    """DIF 1F behind the header, the same again to the same frame count bit, the register to the other one; a selection
    begins anew (EN 13757-3).
    """
    bus, [slave] = bus_of(meter("padpuls", "12345678", 4711))
    slave.leading = 1
    for _ in range(2):
        assert bus.feed(select(slave.meter.secondary_address.hex())) == ACK
        first = bus.feed(REQUEST_1)
        assert first[7:15] == slave.meter.secondary_address and first[19:-2] == b"\x1f"
        assert bus.feed(REQUEST_1) == first
        assert register_in("padpuls", bus.feed(REQUEST_0)) == 4711


def test_two_slaves_that_answer_together_are_not_understood():
    """Both selected by wildcards, both send: what is heard is neither telegram and no sound frame."""
    bus, (one, other) = bus_of(meter("itron_bm", "11111111", 7), meter("ram", "22222222", 9))
    bus.feed(select("ffffffffffffffff"))
    noise = bus.feed(REQUEST_1)
    assert noise
    assert noise not in (one.telegram(0), other.telegram(0))
    assert noise[:1] != b"\x68" or sum(noise[4:-2]) & 0xFF != noise[-2] or noise[1] != len(noise) - 6


def test_two_slaves_on_one_line_are_read_one_after_the_other():
    """Each by its own address, with its own register."""
    one, other = meter("itron_bm", "11111111", 7), meter("ram", "22222222", 9)
    bus, _ = bus_of(one, other)
    for name, each, register in (("itron_bm", one, 7), ("ram", other, 9)):
        assert bus.feed(select(each.secondary_address.hex())) == ACK
        assert register_in(name, bus.feed(REQUEST_1)) == register


def test_a_silent_meter_answers_nothing():
    """Selected or not."""
    bus, (slave,) = bus_of(meter("lgb", "12082058"))
    slave.meter.silent = True
    assert bus.feed(select("58200812e2304003")) == b""
    assert bus.feed(REQUEST_1) == b""


def test_a_bad_checksum_comes_as_often_as_programmed():
    """Two damaged telegrams, acknowledgements untouched, the third is sound."""
    bus, (slave,) = bus_of(meter("lgb", "12082058", 5))
    slave.faults.bad_checksums = 2
    assert bus.feed(select("58200812e2304003")) == ACK
    for request in (REQUEST_1, REQUEST_0):
        frame = bus.feed(request)
        assert sum(frame[4:-2]) & 0xFF != frame[-2]
    assert register_in("lgb", bus.feed(REQUEST_1)) == 5


def test_garbage_comes_before_the_answer():
    """Three bytes of it, then the answer as it should be."""
    bus, (slave,) = bus_of(meter("lgb", "12082058", 5))
    slave.faults.garbage = 3
    assert bus.feed(select("58200812e2304003"))[3:] == ACK
    assert register_in("lgb", bus.feed(REQUEST_1)[3:]) == 5


def test_a_meter_with_another_ids_label_shows_its_own_in_the_telegram():
    """Selected as 12082058, it says 99999999: what an identity check must find."""
    bus, (slave,) = bus_of(meter("lgb", "12082058"))
    slave.meter.shown_id = "99999999"
    assert bus.feed(select("58200812e2304003")) == ACK
    assert bus.feed(REQUEST_1)[7:11].hex() == "99999999"


@given(st.binary(max_size=300))
def test_no_bytes_break_the_line(noise):
    """After any noise and idle time (reset) a request is answered."""
    bus, _ = bus_of(meter("lgb", "12082058"))
    bus.feed(noise)
    bus.reset()
    assert bus.feed(bytes.fromhex("1040014116")) == ACK
