"""The driver of the secure element, against a simulated one that is strict about everything the data sheet says."""

import time

from doubles import Folder
from element import ECC as ECC_FAULT
from element import MOST, OK, PARSE, REFUSED, SELF_TEST, UNLOCKED, WATCHDOG_US, Clock, crc, framed
from element import WATCHDOG as NO_TIME_LEFT
from element import Element as Part

from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.errors import BadSettings, FixtureError
from meterseal_fixture.keep import Keep
from meterseal_fixture.main import _signer
from meterseal_fixture.signer.atecc608 import (
    Element,
    ElementCounter,
    ElementSigner,
    crc16,
    new_key,
    packet,
    provision,
    unfit,
)
from meterseal_fixture.signer.software_p256 import verify

# Whole packets from the sources of others, CRC included. Command and answers: Atmel's "SHA204 unit test" buffers
# (DevRev, DeriveKey); wake answer: cryptoauthlib, hal_check_wake; revision of an ATECC608A: the crate
# atecc608b, tests of Info.
INFO_PACKET = b"\x07\x30\x00\x00\x00\x03\x5d"
WHOLE = (
    INFO_PACKET,
    b"\x07\x1c\x00\x00\x00\x0a\x4d",
    b"\x07\x15\x02\x00\x00\x30\x08",
    b"\x07\x00\x00\x00\x01\x00\x2e",
    b"\x07\x00\x00\x60\x02\x80\x38",
    b"\x04\x0f\x23\x42",
    b"\x04\x11\x33\x43",
)
GENKEY, SIGN, COUNTER, LOCK = 0x40, 0x41, 0x24, 0x17
SLOT = 2


def part(**changes):
    """A provisioned element with a key in slot 2."""
    found = Part(Clock(), **changes)
    element = Element(found, found.address, found.clock)
    provision(element, (SLOT, 3))
    new_key(element, SLOT)
    found.done = []
    return found


def signer(found):
    return ElementSigner(found, SLOT, found.address, found.clock)


def counter(found, number=0):
    return ElementCounter(found, number, found.address, found.clock)


class SlowBus:
    """The element behind a bus whose time is this machine's: what sleeps outside passes inside too."""

    def __init__(self, found):
        self.found, self.last = found, time.ticks_us()

    def writeto(self, *arguments):
        self._tick()
        return self.found.writeto(*arguments)

    def readfrom_into(self, *arguments):
        self._tick()
        return self.found.readfrom_into(*arguments)

    def _tick(self):
        now = time.ticks_us()
        self.found.clock.now += time.ticks_diff(now, self.last)
        self.last = now


def error(function, *arguments):
    """Code and detail of the FixtureError that `function` ends with."""
    try:
        function(*arguments)
    except FixtureError as wrong:
        return wrong.code, wrong.detail
    raise AssertionError("nothing was raised")


# Packets.


def test_the_crc_is_that_of_packets_of_others():
    """Last two bytes of each of seven packets, by the driver's CRC and by the simulator's other way to it."""
    for whole in WHOLE:
        assert crc16(whole[:-2]) == whole[-2:] == crc(whole[:-2]), whole
    assert framed(b"\x11") == b"\x04\x11\x33\x43"


def test_a_packet_is_count_opcode_parameters_data_crc():
    """Info as cryptoauthlib sends it; param2 goes low byte first and the count covers itself and the CRC."""
    assert packet(0x30, 0, 0) == INFO_PACKET
    whole = packet(0x16, 0x43, 0x1234, b"\x55" * 32)
    assert whole[:5] == b"\x27\x16\x43\x34\x12" and len(whole) == 0x27 and whole[5:-2] == b"\x55" * 32


# It works.


def test_what_the_element_signs_verifies_under_the_key_it_names():
    """FIPS 186-5: by the software verifier; another message does not. Two signatures differ, as k is random."""
    found = part()
    element = signer(found)
    one, two = element.sign(b"a statement"), element.sign(b"a statement")
    assert len(element.public_xy) == len(one) == 64 and one != two
    for signature in (one, two):
        assert verify(element.public_xy, b"a statement", signature) is True
        assert verify(element.public_xy, b"another", signature) is False


def test_a_signature_is_random_nonce_sign_in_one_waking_period_and_then_sleep():
    """Cryptoauthlib, calib_sign: Random seeds, Nonce loads the digest, Sign. Asleep afterwards."""
    found = part()
    element = signer(found)
    found.done, before = [], found.wakes
    element.sign(b"m")
    assert found.done == [0x1B, 0x16, 0x41]
    assert found.wakes == before + 1 and found.state == "asleep"


def test_what_it_says_of_itself():
    """Data sheet: revision 00 00 60 03, 128 bytes of configuration, 9 of serial number from 01 23 to EE."""
    found = part()
    element = Element(found, found.address, found.clock)
    assert element.revision() == b"\x00\x00\x60\x03"
    assert element.config() == bytes(found.config)
    assert element.serial() == bytes.fromhex("0123a1b2c3d4e5f6ee")
    assert len(element.random()) == 32 and element.random() != element.random()


def test_an_element_left_awake_is_put_to_sleep_and_woken():
    """A reset of the processor alone: the first wake pulse is not heard, whatever lies in the output buffer."""
    found = part()
    expected = signer(found).public_xy
    found._wake()
    found.output = b""
    assert signer(found).public_xy == expected


def test_another_address_is_asked_there_and_nowhere_else():
    """Byte 16 of the configuration gives the address; at another one nobody acknowledges."""
    found = part(address=0x35)
    assert len(signer(found).public_xy) == 64
    assert error(ElementSigner, found, SLOT, 0x60, found.clock)[0] == "element.silent"


# The line is bad.


def test_a_damaged_answer_is_read_again_and_nothing_is_executed_twice():
    """Microchip, "I2C Transmission from the ATECC608": outputs can be read repeatedly. One wake, one execution each."""
    found = part()
    element = signer(found)
    found.done, before, found.damage_answers = [], found.wakes, 0
    element.element._wake()
    found.damage_answers = 2
    assert element.element._run(("Info", 0, 0, b"", 4)) == b"\x00\x00\x60\x03"
    assert found.done == [0x30] and found.wakes == before + 1 and not found.damage_answers


def test_a_line_that_damages_every_answer_ends_after_a_bounded_number_of_tries():
    """3 wakes and no more; the error says damaged, not silent."""
    found = part()
    element = signer(found)
    before, found.damage_answers = found.wakes, 1000
    assert error(element.sign, b"m")[0] == "element.damaged"
    assert found.wakes == before + 3
    found.damage_answers = 0
    assert verify(element.public_xy, b"m", element.sign(b"m"))


def test_a_damaged_command_is_answered_by_status_ff_and_sent_again():
    """Status 0xFF: the command was not properly received; two of them are survived, three are not."""
    found = part()
    element = signer(found)
    found.damage_commands = 2
    assert verify(element.public_xy, b"m", element.sign(b"m"))
    found.damage_commands = 3
    code, detail = error(element.sign, b"m")
    assert (code, detail) == ("element.damaged", "Random 0xFF")


def test_while_it_is_busy_it_does_not_acknowledge_and_is_asked_again():
    """Sign takes 115 ms in clock mode M0 (cryptoauthlib); at ten times that it still ends, within 1.3 s it must."""
    found = part()
    element = signer(found)
    start = found.clock.now
    element.sign(b"m")
    quick = found.clock.now - start
    assert 158000 < quick < 200000, quick
    found.slower_ms = 250
    start = found.clock.now
    assert verify(element.public_xy, b"m", element.sign(b"m"))
    assert found.clock.now - start > 3 * 250000


def test_an_element_that_is_not_there_is_silent_soon():
    """Nobody acknowledges: three wakes of 1.5 ms, not three times the watchdog."""
    found = part()
    element = signer(found)
    found.there = False
    start = found.clock.now
    assert error(element.sign, b"m") == ("element.silent", "")
    assert found.clock.now - start < 20000


def test_a_bus_too_fast_for_the_wake_pulse_finds_nobody():
    """60 us of SDA low are eight bits at 133 kHz; at 400 kHz they are 20 us and wake nothing."""
    found = part()
    found.hz = 400000
    assert error(signer, found)[0] == "element.silent"
    found.hz = 100000
    assert len(signer(found).public_xy) == 64


def test_a_watchdog_that_strikes_in_between_costs_one_try():
    """Asleep in the middle, the digest is lost: the whole operation starts again and signs the right digest."""
    for opcode in (0x1B, 0x16, 0x41):
        found = part()
        element = signer(found)
        before, found.faint_after = found.wakes, opcode
        assert verify(element.public_xy, b"m", element.sign(b"m")), opcode
        assert found.wakes == before + 2 and found.faint_after is None


def test_the_watchdog_strikes_a_host_that_dawdles():
    """The simulator itself: 1.3 s after the wake it sleeps, and Sign without a digest is refused."""
    found = part()
    element = signer(found).element
    element._wake()
    element._run(("Nonce", 0x43, 0, b"\x11" * 32, 0))
    found.clock.now += WATCHDOG_US
    assert error(element._run, ("Sign", 0xA0, SLOT, b"", 64))[0] == "element.silent"
    element._wake()
    assert error(element._run, ("Sign", 0xA0, SLOT, b"", 64)) == ("element.refused", "Sign 0x0F")


def test_the_watchdogs_warning_costs_one_try():
    """Status 0xEE: not enough time left for this command; wake again and repeat."""
    found = part()
    element = signer(found)
    before, found.fail_with = found.wakes, [NO_TIME_LEFT]
    assert verify(element.public_xy, b"m", element.sign(b"m"))
    assert found.wakes == before + 2


# It says no.


def test_a_status_ends_as_its_meaning_says():
    """Data sheet, status codes: 03, 0F and 01 are answers; 05 and 08 are tried three times; 07 is a broken part."""
    found = part()
    element = signer(found)
    for status, tries, code in (
        (PARSE, 1, "element.refused"),
        (REFUSED, 1, "element.refused"),
        (0x01, 1, "element.refused"),
        (OK, 1, "element.refused"),
        (SELF_TEST, 1, "element.failed"),
        (ECC_FAULT, 3, "element.failed"),
        (0x08, 3, "element.failed"),
    ):
        before, found.fail_with = found.wakes, [status] * 9
        assert error(element.sign, b"m") == (code, "Random 0x%02X" % status)
        assert found.wakes - before == tries, status
    found.fail_with = [ECC_FAULT, ECC_FAULT]
    assert verify(element.public_xy, b"m", element.sign(b"m"))


def test_a_part_that_fails_its_self_test_at_wake_says_so():
    """Cryptoauthlib, hal_check_wake: status 07 instead of 11. It looks for C4 40 behind; the CRC would be 40 C2."""
    found = part()
    found.self_test_fails = True
    assert error(signer, found) == ("element.failed", "SelfTest 0x07")


def test_a_slot_without_a_key_is_refused():
    """Slot 3 is configured but GenKey never ran: GenKey in public mode answers 0x0F."""
    found = part()
    assert error(ElementSigner, found, 3, 0x60, found.clock) == ("element.refused", "GenKey 0x0F")


# Its configuration.


def changed(at, bits):
    """What the signer says of an element whose configuration byte `at` has `bits` turned."""
    found = part()
    found.config[at] ^= bits
    return error(signer, found)


def test_each_wrong_bit_of_the_slot_is_named():
    """ATECC508A data sheet, tables of SlotConfig and KeyConfig: low bytes at 20 + 2 n and 96 + 2 n, here n = 2."""
    for at, bits, name in (
        (86, UNLOCKED, "LockValue"),
        (87, UNLOCKED, "LockConfig"),
        (100, 0x01, "KeyConfig.Private"),
        (100, 0x02, "KeyConfig.PubInfo"),
        (100, 0x08, "KeyConfig.KeyType"),
        (100, 0x40, "KeyConfig.ReqRandom"),
        (100, 0x80, "KeyConfig.ReqAuth"),
        (101, 0x10, "KeyConfig.PersistentDisable"),
        (24, 0x01, "SlotConfig.ReadKey"),
        (24, 0x20, "SlotConfig.LimitedUse"),
        (24, 0x40, "SlotConfig.EncryptRead"),
        (24, 0x80, "SlotConfig.IsSecret"),
        (25, 0x40, "SlotConfig.WriteConfig"),
    ):
        assert changed(at, bits) == ("element.config", "%s, slot 2" % name)
    assert changed(6, 0x30) == ("element.config", "Revision")


def test_bits_that_do_not_matter_here_do_not_matter():
    """ECDH and internal signatures allowed (as in Microchip's TNGTLS, slot 0: 85 20), Lockable off, other slots."""
    found = part()
    found.config[24] |= 0x06
    found.config[100] &= 0xDF
    found.config[20:24] = b"\x00\x00\x00\x00"
    assert unfit(bytes(found.config), SLOT) == "" and len(signer(found).public_xy) == 64


def test_an_element_as_delivered_is_no_signer():
    """Both zones unlocked: LockConfig is named, and nothing is changed."""
    found = Part(Clock())
    before = bytes(found.config)
    assert error(ElementSigner, found, 0, 0x60, found.clock) == ("element.config", "LockConfig, slot 0")
    assert bytes(found.config) == before and not found.keys


def test_provisioning_locks_and_a_second_time_changes_nothing():
    """Slots 2 and 3 get 81 20 and 33 00; neighbours in the same words keep theirs; then everything is locked."""
    found = Part(Clock())
    before = bytes(found.config)
    element = Element(found, 0x60, found.clock)
    provision(element, (2, 3))
    assert bytes(found.config[24:28]) == b"\x81\x20\x81\x20"
    assert bytes(found.config[100:104]) == b"\x33\x00\x33\x00"
    assert found.config[86:88] == b"\x00\x00"
    assert bytes(found.config[:24]) == before[:24] and bytes(found.config[28:86]) == before[28:86]
    after = bytes(found.config)
    provision(element, (2, 3))
    assert bytes(found.config) == after
    assert error(provision, element, (5,)) == ("element.config", "KeyConfig.Private, slot 5")


def test_provisioning_that_is_cut_anywhere_can_be_done_again():
    """Power gone, or the answer lost, after the first, second, ... command that writes or locks."""
    for opcode in (0x12, LOCK):
        for lost in (False, True):
            found = Part(Clock())
            element = Element(found, 0x60, found.clock)
            if lost:
                found.faint_after = opcode
                provision(element, (SLOT,))
            else:
                for _ in range(3):
                    found.power_on()
                    found.cut_after = opcode
                    try:
                        provision(element, (SLOT,))
                    except FixtureError as wrong:
                        assert wrong.code == "element.silent"
                found.power_on()
                provision(element, (SLOT,))
            assert unfit(bytes(found.config), SLOT) == ""


def test_a_configuration_that_is_not_what_was_meant_is_not_locked():
    """Lock compares a CRC over the zone (data sheet, Lock): one bit that differs, and it refuses."""
    found = Part(Clock())
    element = Element(found, 0x60, found.clock)
    config = element.config()
    wrong = config[:60] + bytes((config[60] ^ 1,)) + config[61:]
    assert error(element.lock_config, wrong) == ("element.refused", "Lock 0x0F")
    assert found.config[87] == UNLOCKED
    element.lock_config(config)
    assert found.config[87] == 0


def test_a_key_is_made_once_and_kept():
    """SlotLocked: neither `new_key` nor GenKey itself replaces the key; another slot can get one (a rotation)."""
    found = part()
    element = signer(found)
    assert error(new_key, element.element, SLOT) == ("element.config", "SlotLocked, slot 2")
    assert error(element.element.make_key, SLOT) == ("element.refused", "GenKey 0x0F")
    assert signer(found).public_xy == element.public_xy
    other = new_key(element.element, 3)
    assert other != element.public_xy == signer(found).public_xy


def test_a_lost_answer_to_lock_is_no_failure():
    """Asleep right after Lock was executed: it is locked, so `new_key` ends well."""
    found = Part(Clock())
    element = Element(found, 0x60, found.clock)
    provision(element, (SLOT,))
    found.faint_after = LOCK
    assert new_key(element, SLOT) == signer(found).public_xy
    assert not found.config[88] >> SLOT & 1


# The counter.


def test_the_counter_goes_up_by_one_and_is_there_after_a_restart():
    """Counter: 0 as delivered (FF FF FF FF 00 00 00 00), then 1, 2, 3; the other one is another."""
    found = part()
    epochs = counter(found)
    assert epochs.read() == 0
    assert [epochs.increment() for _ in range(3)] == [1, 2, 3]
    found.power_off()
    found.power_on()
    assert counter(found).read() == 3 and counter(found).increment() == 4
    assert counter(found, 1).read() == 0


def test_a_cut_between_increment_and_use_loses_a_number_and_gives_none_twice():
    """Power gone as soon as it is executed: the number that nobody heard is skipped."""
    found = part()
    given = [counter(found).increment()]
    for _ in range(5):
        found.cut_after = COUNTER
        # Counter reads first: let that pass, then cut.
        epochs = counter(found)
        epochs.read = lambda: given[-1]
        try:
            given.append(epochs.increment())
        except FixtureError as wrong:
            assert wrong.code == "element.silent"
        found.power_on()
        given.append(counter(found).increment())
    assert all(given[place] < given[place + 1] for place in range(len(given) - 1)), given
    assert given == [1, 3, 5, 7, 9, 11]


def test_a_lost_answer_raises_the_counter_once():
    """Asleep after executing: it is read before it is raised again, so no number is lost and none is given twice."""
    found = part()
    epochs = counter(found)
    real, reads = epochs.read, []

    def read():
        value = real()
        if not reads:
            found.faint_after = COUNTER
        reads.append(value)
        return value

    epochs.read = read
    assert epochs.increment() == 1 and reads == [0, 1]
    assert found.counters[0] == 1


def test_a_damaged_increment_is_sent_again():
    """Status 0xFF means nothing was executed: three tries, and one of them counts."""
    found = part()
    for wrong in (1, 2):
        found.damage_commands = wrong
        before = found.counters[0]
        assert counter(found).increment() == before + 1 == found.counters[0]


def test_the_end_of_the_counter_is_an_error_not_a_zero():
    """2 097 151 is the last (cryptoauthlib, COUNTER_MAX_VALUE)."""
    found = part()
    found.counters[0] = MOST - 1
    assert counter(found).increment() == MOST == 2097151
    assert error(counter(found).increment) == ("element.counter", MOST)
    assert counter(found).read() == MOST


def test_a_counter_that_contradicts_itself_is_not_believed():
    """An element that answers less than before, or jumps: another part on the bus, or a peer that answers for it."""
    for lie in (-1, 5):
        found = part()
        found.counters[0] = 7
        epochs = counter(found)
        epochs.element.count = lambda _number, step=0, _tries=3, lie=lie: 7 + step * lie
        assert error(epochs.increment) == ("element.counter", 7 + lie)


def test_a_counter_that_stays_is_an_error():
    """It says the same number three times although it says it counted: no number is given."""
    found = part()
    epochs = counter(found)
    epochs.element.count = lambda _number, _step=0, _tries=3: 7
    assert error(epochs.increment)[0] == "element.counter"


def test_epochs_go_on_from_the_element_though_the_flash_is_set_back():
    """Design section 6: a counter that cannot go back. A flash that is five boots ahead is caught up with once; then an
    old image of it, or an empty one, never gives a number again.
    """
    with Folder() as path:
        for _ in range(5):
            Chronicle(None, Keep(path))
        found = part()
        assert Chronicle(None, Keep(path), counter(found)).epoch == 6 == found.counters[0]
        assert Chronicle(None, Keep(path), counter(found)).epoch == 7
    with Folder() as path:
        assert Chronicle(None, Keep(path), counter(found)).epoch == 8


def test_the_application_takes_the_element_where_a_slot_is_configured():
    """Signer and counter of the board's bus; a board without one says so in a sentence."""

    class Settings:
        element_slot = SLOT

    class Board:
        def __init__(self, found):
            self.i2c = lambda: found

    found = part()
    signs, counts = _signer(Settings, Board(SlowBus(found)))
    assert verify(signs.public_xy, b"m", signs.sign(b"m")) and counts.increment() == 1
    try:
        _signer(Settings, None)
    except BadSettings as wrong:
        assert "element_slot" in wrong.detail
    else:
        raise AssertionError("a board without a bus was taken")
