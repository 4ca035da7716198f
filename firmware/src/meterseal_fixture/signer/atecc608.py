"""A Microchip ATECC608 on I2C: it makes the key, never gives it away, signs with it, and counts only upwards.

Sources: the public data sheets of the ATECC608B's pre-configured variants (TNGTLS, TFLXTLS: I2C, packets, status
codes), that of the ATECC508A (configuration zone, Counter), and cryptoauthlib (modes, execution times, wake).

Each operation is one waking period: wake, commands, sleep. So the watchdog, which puts the element to sleep about
1.3 s after a wake, never strikes in between, and whatever goes wrong, the next try starts from nothing. A damaged
answer is read again, which executes nothing; only where that does not help the whole operation is done again, three
times in all. A count is therefore raised by a rule of its own: see `ElementCounter`.

Every method ends with its value or with a FixtureError: `element.silent` nobody answers, `element.damaged` command or
answer arrive damaged each time, `element.refused` the element says no (detail: command and status), `element.failed`
its arithmetic, self-test or random source fails, `element.config` it is not configured as needed (detail: the data
sheet's name of the field), `element.counter` its counter is at its end or contradicts itself.

The bus must run at 100 kHz or slower: the wake pulse is SDA held low by the zeros of address 0, at least 60 us.
What the element does not do for us: see docs/explanation/keys-on-the-device.md.
"""

import time
from hashlib import sha256

from meterseal_fixture.errors import FixtureError

ADDRESS = 0x60
RESET, SLEEP, COMMAND = b"\x00", b"\x01", b"\x03"  # word addresses
WAKE_US = 1500
WAKE_ANSWER = b"\x04\x11\x33\x43"
SELF_TEST_ANSWER = (
    b"\x04\x07"  # cryptoauthlib looks for C4 40 behind it, which is not its CRC (40 C2): either is one
)
POLL_MS, LONGEST_MS = 2, 1300
TRIES, READINGS = 3, 3
SMALLEST, LARGEST = 4, 75  # bytes of an answer: count, at least a status, CRC

OPCODES = {
    "Read": 0x02,
    "Write": 0x12,
    "Nonce": 0x16,
    "Lock": 0x17,
    "Random": 0x1B,
    "Counter": 0x24,
    "Info": 0x30,
    "GenKey": 0x40,
    "Sign": 0x41,
}
# Statuses: computation failed, random source failed, awake (it had fallen asleep), watchdog near, CRC wrong.
TRY_AGAIN = {
    0x05: "element.failed",
    0x08: "element.failed",
    0x11: "element.silent",
    0xEE: "element.silent",
    0xFF: "element.damaged",
}
SELF_TEST = 0x07

# A command here is (name, first parameter, second, data, bytes of its answer, 0 for a status alone).
WHOLE_BLOCK = 0x80  # of Read and Write: 32 bytes, else 4
PASS_TO_DIGEST_BUFFER = 0x43
SIGN_DIGEST_BUFFER = 0xA0
CREATE, PUBLIC = 0x04, 0x00
FRESH_RANDOM = ("Random", 0, 0, b"", 32)

# The configuration zone, 128 bytes.
FAMILY = 0x60  # third byte of Info's revision
SLOT_CONFIG, KEY_CONFIG = 20, 96  # two bytes a slot, low byte first
LOCK_VALUE, LOCK_CONFIG, SLOT_LOCKED = 86, 87, 88
LOCKED = 0x00
OURS_SLOT, OURS_KEY = (
    0x2081,
    0x0033,
)  # secret, signs external messages, GenKey; P-256, public key given, lockable
LAST_COUNT = 2097151


def crc16(data: bytes) -> bytes:
    """Two bytes, low byte first: polynomial 0x8005, start 0, least significant bit of each byte first."""
    value = 0
    for byte in data:
        for shift in range(8):
            carry = (value >> 15) ^ (byte >> shift & 1)
            value = (value << 1 & 0xFFFF) ^ (0x8005 if carry else 0)
    return bytes((value & 0xFF, value >> 8))


def packet(opcode: int, first: int, second: int, data: bytes = b"") -> bytes:
    """Count, opcode, parameters, data and CRC of a command, without its word address."""
    body = bytes((7 + len(data), opcode, first, second & 0xFF, second >> 8)) + data
    return body + crc16(body)


def unfit(config: bytes, slot: int) -> str:
    """The field that keeps `slot` from being our signing key, by its name in the data sheet; empty when it is fit.

    Wanted: both zones locked; a P-256 private key that cannot be read, and cannot be written by anybody who knows
    it (PrivWrite); that signs messages from outside without condition, and whose public key can be asked for.
    """
    rights = int.from_bytes(config[SLOT_CONFIG + 2 * slot :][:2], "little")
    kind = int.from_bytes(config[KEY_CONFIG + 2 * slot :][:2], "little")
    for holds, name in (
        (config[LOCK_CONFIG] == LOCKED, "LockConfig"),
        (config[LOCK_VALUE] == LOCKED, "LockValue"),
        (kind & 0x01, "KeyConfig.Private"),
        (kind & 0x02, "KeyConfig.PubInfo"),
        (kind & 0x1C == 0x10, "KeyConfig.KeyType"),
        (not kind & 0x40, "KeyConfig.ReqRandom"),
        (not kind & 0x80, "KeyConfig.ReqAuth"),
        (not kind & 0x1000, "KeyConfig.PersistentDisable"),
        (rights & 0x01, "SlotConfig.ReadKey"),
        (not rights & 0x20, "SlotConfig.LimitedUse"),
        (not rights & 0x40, "SlotConfig.EncryptRead"),
        (rights & 0x80, "SlotConfig.IsSecret"),
        (not rights & 0x4000, "SlotConfig.WriteConfig"),
    ):
        if not holds:
            return name
    return ""


class _Again(FixtureError):
    """A try that failed in a way that the next may not."""


class Element:
    """The commands. `i2c` has machine.I2C's writeto and readfrom_into; `clock` has sleep_ms and sleep_us."""

    def __init__(self, i2c, address: int = ADDRESS, clock=time) -> None:
        self._i2c, self._address, self._clock = i2c, address, clock

    # What it says.

    def revision(self) -> bytes:
        """4 bytes; the third is 0x60 in this family."""
        return self.talk((("Info", 0, 0, b"", 4),))

    def random(self) -> bytes:
        """32 bytes of the element's random source; FF FF 00 00 repeated until the configuration is locked."""
        return self.talk((FRESH_RANDOM,))

    def config(self) -> bytes:
        """The configuration zone, 128 bytes."""
        return b"".join([self.talk((("Read", WHOLE_BLOCK, block << 3, b"", 32),)) for block in range(4)])

    def serial(self) -> bytes:
        """The 9 bytes that no other element has."""
        config = self.config()
        return config[:4] + config[8:13]

    def public_xy(self, slot: int) -> bytes:
        """X || y, 64 bytes, of the private key in `slot`."""
        return self.talk((("GenKey", PUBLIC, slot, b"", 64),))

    def sign(self, slot: int, digest: bytes) -> bytes:
        """R || s, 64 bytes, over 32 bytes of digest. The random source is seeded afresh first."""
        load = ("Nonce", PASS_TO_DIGEST_BUFFER, 0, digest, 0)
        return self.talk((FRESH_RANDOM, load, ("Sign", SIGN_DIGEST_BUFFER, slot, b"", 64)))

    def count(self, number: int, step: int = 0, tries: int = TRIES) -> int:
        """Counter 0 or 1, after raising it by `step` (0 or 1)."""
        return int.from_bytes(self.talk((("Counter", step, number, b"", 4),), tries), "little")

    # What changes it for ever.

    def write_word(self, at: int, word: bytes) -> None:
        """4 bytes of the unlocked configuration zone, `at` a multiple of 4."""
        self.talk((("Write", 0, at >> 2, word, 0),))

    def lock_config(self, expected: bytes) -> None:
        """Lock the configuration zone, if it holds exactly `expected` (128 bytes): the element compares its CRC."""
        self._lock(0x00, int.from_bytes(crc16(expected), "little"), LOCK_CONFIG, 0xFF)

    def lock_data(self) -> None:
        """Lock the data zone, whatever it holds."""
        self._lock(0x81, 0, LOCK_VALUE, 0xFF)

    def lock_slot(self, slot: int) -> None:
        """Keep the key in `slot` for ever: GenKey cannot replace it any more."""
        self._lock(0x02 | slot << 2, 0, SLOT_LOCKED + slot // 8, 1 << slot % 8)

    def _lock(self, mode: int, summary: int, at: int, bits: int) -> None:
        try:
            self.talk((("Lock", mode, summary, b"", 0),))
        except FixtureError:
            if self.config()[at] & bits:  # else it was locked, and only the answer was lost
                raise

    def make_key(self, slot: int) -> bytes:
        """A new private key in `slot`, made inside; its public key."""
        return self.talk((("GenKey", CREATE, slot, b"", 64),))

    # How it is talked to.

    def talk(self, commands, tries: int = TRIES) -> bytes:
        """Run commands in one waking period; the last one's answer without count and CRC, empty for a status."""
        last = _Again("element.silent")
        for _ in range(tries):
            try:
                self._wake()
                answer = b""
                for command in commands:
                    answer = self._run(command)
                return answer
            except _Again as trouble:
                last = trouble
            finally:
                self._send(SLEEP)  # not heard: the watchdog does the same
        raise last

    def _wake(self) -> None:
        self._pulse()
        self._clock.sleep_us(WAKE_US)
        answer = bytearray(SMALLEST)
        if not self._read(answer):
            raise _Again("element.silent")
        if answer[:2] == SELF_TEST_ANSWER:
            raise FixtureError("element.failed", "SelfTest 0x07")
        if answer != WAKE_ANSWER:
            raise _Again("element.damaged")

    def _pulse(self) -> None:
        try:
            # 1, not 0: no general call, should a peer on the bus listen to address 0.
            self._i2c.writeto(0, b"\x01")
        except OSError:
            return  # nobody acknowledges address 0; its zeros were the pulse

    def _run(self, command) -> bytes:
        name, first, second, data, size = command
        if not self._send(COMMAND + packet(OPCODES[name], first, second, data)):
            raise _Again("element.silent")
        answer = self._answer()
        if answer == b"\x00" and not size:
            return b""
        if len(answer) == 1:
            _judge(name, answer[0])
        if len(answer) != size:
            raise _Again("element.damaged", name)
        return answer

    def _answer(self) -> bytes:
        """Wait until the element is no longer busy; what lies between count and CRC."""
        waited = 0
        while not self._send(RESET):
            if waited >= LONGEST_MS:
                raise _Again("element.silent")
            self._clock.sleep_ms(POLL_MS)
            waited += POLL_MS
        for _ in range(READINGS):
            count = bytearray(1)
            if not self._read(count):
                raise _Again("element.silent")
            if SMALLEST <= count[0] <= LARGEST:
                rest = bytearray(count[0] - 1)
                if self._read(rest):
                    whole = bytes(count) + bytes(rest)
                    if crc16(whole[:-2]) == whole[-2:]:
                        return whole[1:-2]
            self._send(RESET)
        raise _Again("element.damaged")

    def _send(self, data: bytes) -> bool:
        try:
            self._i2c.writeto(self._address, data)
        except OSError:
            return False
        return True

    def _read(self, into: bytearray) -> bool:
        try:
            self._i2c.readfrom_into(self._address, into)
        except OSError:
            return False
        return True


class ElementSigner:
    """Signs with the key in `slot`. FixtureError "element.config" when the slot is not what `unfit` asks for."""

    def __init__(self, i2c, slot: int = 0, address: int = ADDRESS, clock=time) -> None:
        self.element, self.slot = Element(i2c, address, clock), slot
        _demand(self.element, slot)
        self.public_xy = self.element.public_xy(slot)

    def sign(self, message: bytes) -> bytes:
        """64 bytes r || s over SHA-256 of `message`; about 0.2 s, during which nothing else runs."""
        return self.element.sign(self.slot, sha256(message).digest())


class ElementCounter:
    """One of the element's two counters, as epoch counter: 0 to 2 097 151, enough for 100 boots a day for 57 years.

    Promise: a number that `increment` gave is never given again, also after a cut at any moment, because the element
    has stored it before it answers. A cut between the two loses a number. Where an answer is lost, the counter is
    read before anything is raised again, so a bad line does not eat numbers.
    """

    def __init__(self, i2c, number: int = 0, address: int = ADDRESS, clock=time) -> None:
        self.element, self.number = Element(i2c, address, clock), number

    def read(self) -> int:
        """The number given last, 0 when there was none."""
        return self.element.count(self.number)

    def increment(self) -> int:
        """The next number, stored in the element; "element.counter" at the end or where it did not go up by one."""
        before = self.read()
        if before >= LAST_COUNT:
            raise FixtureError("element.counter", before)
        last = FixtureError("element.counter", before)
        for _ in range(TRIES):
            try:
                now = self.element.count(self.number, 1, 1)
            except _Again as trouble:
                last = trouble
                now = self.read()
            if now != before:
                if now != before + 1:
                    raise FixtureError("element.counter", now)
                return now
        raise last


def provision(element: Element, slots) -> None:
    """Configure each of `slots` for a signing key and lock both zones: once in an element's life, and for ever.

    After a cut it may be called again. Keys are made afterwards, by `new_key`.
    """
    config = element.config()
    if config[LOCK_CONFIG] != LOCKED:
        for slot in slots:
            config = _put(element, config, SLOT_CONFIG + 2 * slot, OURS_SLOT)
            config = _put(element, config, KEY_CONFIG + 2 * slot, OURS_KEY)
        element.lock_config(config)
        config = element.config()
    if config[LOCK_VALUE] != LOCKED:
        for slot in slots:
            if unfit(config, slot) != "LockValue":
                raise FixtureError("element.config", "%s, slot %d" % (unfit(config, slot), slot))
        element.lock_data()
    for slot in slots:
        _demand(element, slot)


def new_key(element: Element, slot: int) -> bytes:
    """Make a key in a provisioned slot and keep it for ever; its public key, 64 bytes.

    "element.config" with SlotLocked when the slot has such a key already. A cut in between leaves a key that nobody
    knows of; called again, it makes another.
    """
    _demand(element, slot)
    if not element.config()[SLOT_LOCKED + slot // 8] >> slot % 8 & 1:
        raise FixtureError("element.config", "SlotLocked, slot %d" % slot)
    public_xy = element.make_key(slot)
    element.lock_slot(slot)
    return public_xy


def _judge(name: str, status: int) -> None:
    detail = "%s 0x%02X" % (name, status)
    if status in TRY_AGAIN:
        raise _Again(TRY_AGAIN[status], detail)
    raise FixtureError("element.failed" if status == SELF_TEST else "element.refused", detail)


def _put(element: Element, config: bytes, at: int, value: int) -> bytes:
    """Write 16 bits of the configuration, leaving the other slot of the same word; the configuration then."""
    config = config[:at] + value.to_bytes(2, "little") + config[at + 2 :]
    word = at & ~3
    element.write_word(word, config[word : word + 4])
    return config


def _demand(element: Element, slot: int) -> None:
    if element.revision()[2] != FAMILY:
        raise FixtureError("element.config", "Revision")
    fault = unfit(element.config(), slot)
    if fault:
        raise FixtureError("element.config", "%s, slot %d" % (fault, slot))
