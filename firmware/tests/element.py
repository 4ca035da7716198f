"""A simulated ATECC608B on I2C with a clock of its own: strict about wake, watchdog, CRC, counts, locks and rights.

Written from the same public sources as the driver, but by another way: its CRC works on reflected bytes, its
configuration rules stand at each command. Times are cryptoauthlib's for clock divider M0. What a test may do to it:
the attributes below `# What goes wrong`.
"""

from hashlib import sha256

from meterseal_fixture.signer.curve_p256 import N, multiply_base

NOT_ACKNOWLEDGED = 19  # ENODEV, as MicroPython's ports raise it
ASLEEP, IDLE, AWAKE = "asleep", "idle", "awake"
MS = 1000
WATCHDOG_US, WAKE_US, PULSE_US = 1300 * MS, 1500, 60
TIMES_MS = {
    0x02: 5,
    0x12: 45,
    0x16: 20,
    0x17: 35,
    0x1B: 23,
    0x24: 25,
    0x30: 5,
    0x40: 115,
    0x41: 115,
}
OK, PARSE, ECC, SELF_TEST, REFUSED, WATCHDOG, CRC = 0x00, 0x03, 0x05, 0x07, 0x0F, 0xEE, 0xFF
UNLOCKED, LOCKED = 0x55, 0x00
MOST = 2097151
# As delivered: serial number 01 23 .. EE, revision, I2C address C0, slots and keys of the ATECC508A's data sheet.
DELIVERED = bytes.fromhex(
    "0123a1b200006003c3d4e5f6ee016100c0000000"
    "832087208f20c48f8f8f8f8f9f8faf8f"
    + "00" * 14
    + "af8f"
    + "ffffffff00000000" * 2
    + "00" * 16
    + "00005555ffff000000000000"
    + "3300" * 3
    + "1c00" * 5
    + "3c00" * 7
    + "1c00"
)


def crc(data):
    """CRC-16 with 0x8005 over bytes whose bits are mirrored, most significant bit first; low byte first."""
    value = 0
    for byte in data:
        mirrored = 0
        for bit in range(8):
            mirrored |= (byte >> bit & 1) << (7 - bit)
        value ^= mirrored << 8
        for _ in range(8):
            value = value << 1 ^ 0x8005 if value & 0x8000 else value << 1
        value &= 0xFFFF
    return value.to_bytes(2, "little")


def framed(body):
    """An answer: count, body, CRC."""
    whole = bytes((len(body) + 3,)) + body
    return whole + crc(whole)


class Clock:
    """Simulated time in microseconds; sleeping is how it passes."""

    def __init__(self):
        self.now = 0

    def sleep_us(self, count):
        self.now += count

    def sleep_ms(self, count):
        self.now += count * MS


class Refuses(Exception):
    """The status that a command ends with."""


class Element:
    """The part, and the bus it hangs on: `writeto` and `readfrom_into` as machine.I2C has them."""

    def __init__(self, clock, address=0x60, seed=b"element", hz=100000):
        self.clock, self.address, self.seed, self.hz = clock, address, seed, hz
        self.config = bytearray(DELIVERED)
        self.keys = {}
        self.counters = [0, 0]
        self.state = ASLEEP
        self.drawn = self.busy_until = self.asleep_at = self.wakes = self.at = 0
        self.done = []  # opcodes executed, in order
        self.output, self.digest, self.temp = b"", None, None
        # What goes wrong.
        self.there = True
        self.damage_answers = 0  # so many readings of more than one byte come with a flipped bit
        self.damage_commands = 0  # so many commands arrive with a flipped bit
        self.fail_with = []  # statuses instead of executing
        self.faint_after = None  # after executing this opcode it falls asleep before it is read
        self.cut_after = None  # after executing this opcode power is gone
        self.slower_ms = 0
        self.self_test_fails = False

    # The bus.

    def writeto(self, address, data):
        self._pass()
        if address == 0:
            # Eight zeros and more: SDA is low for eight clocks.
            if self.there and self.state != AWAKE and 8 * 1000000 // self.hz >= PULSE_US:
                self._wake()
            raise OSError(NOT_ACKNOWLEDGED)
        self._hears(address)
        word, data = data[0], bytes(data[1:])
        assert word in (0, 1, 2, 3), "a word address that this part does not have: %d" % word
        assert word == 3 or not data, "bytes after a word address that takes none"
        if word == 0:
            self.at = 0
        elif word == 1:
            self._sleep()
        elif word == 2:
            self.state = IDLE
        else:
            self._take(data)

    def readfrom_into(self, address, buffer):
        self._pass()
        self._hears(address)
        for place in range(len(buffer)):
            buffer[place] = self.output[self.at] if self.at < len(self.output) else 0xFF
            self.at += 1
        if self.damage_answers and len(buffer) > 1:
            self.damage_answers -= 1
            buffer[len(buffer) // 2] ^= 0x10

    def power_off(self):
        self._sleep()
        self.there = False

    def power_on(self):
        self.there = True
        self.cut_after = None

    # Time and states.

    def _pass(self):
        self.clock.sleep_us(9 * 1000000 // self.hz)
        if self.state == AWAKE and self.clock.now >= self.asleep_at:
            self._sleep()

    def _wake(self):
        self.state = AWAKE
        self.wakes += 1
        self.asleep_at = self.clock.now + WATCHDOG_US
        self.busy_until = self.clock.now + WAKE_US
        self.output, self.at = framed(bytes((SELF_TEST if self.self_test_fails else 0x11,))), 0

    def _sleep(self):
        self.state = ASLEEP
        self.digest = self.temp = None
        self.output = b""

    def _hears(self, address):
        if (
            not self.there
            or address != self.address
            or self.state != AWAKE
            or self.clock.now < self.busy_until
        ):
            raise OSError(NOT_ACKNOWLEDGED)

    def _take(self, packet):
        if self.damage_commands:
            self.damage_commands -= 1
            packet = packet[:1] + bytes((packet[1] ^ 0x40,)) + packet[2:]
        self.at = 0
        opcode = packet[1] if len(packet) > 1 else 0
        took = TIMES_MS.get(opcode, 1) * MS + self.slower_ms * MS
        if len(packet) < 7 or packet[0] != len(packet) or crc(packet[:-2]) != packet[-2:]:
            body, took = bytes((CRC,)), MS
        elif self.clock.now + took >= self.asleep_at:
            body, took = bytes((WATCHDOG,)), MS
        elif self.fail_with:
            body = bytes((self.fail_with.pop(0),))
        else:
            body = self._execute(opcode, packet[2], packet[3] | packet[4] << 8, packet[5:-2])
        self.output = framed(body)
        self.busy_until = self.clock.now + took
        if opcode == self.cut_after:
            self.power_off()
        elif opcode == self.faint_after:
            self.faint_after = None
            self._sleep()

    # The commands.

    def _execute(self, opcode, first, second, data):
        table = {
            0x02: self._read,
            0x12: self._write,
            0x16: self._nonce,
            0x17: self._lock,
            0x1B: self._random,
            0x24: self._counter,
            0x30: self._info,
            0x40: self._genkey,
            0x41: self._sign,
        }
        try:
            need(opcode in table, PARSE)
            answer = table[opcode](first, second, data)
        except Refuses as refuses:
            return bytes(refuses.args)
        self.done.append(opcode)
        return answer or bytes((OK,))

    def _info(self, first, second, data):
        need(first == 0 and second == 0 and not data, PARSE)
        return bytes(self.config[4:8])

    def _random(self, first, second, data):
        need(first in (0, 1) and second == 0 and not data, PARSE)
        return b"\xff\xff\x00\x00" * 8 if self.config[87] else self._draw()

    def _read(self, first, second, data):
        need(first in (0x00, 0x80, 0x02, 0x82) and not data, PARSE)
        need(first & 3 == 0, REFUSED)  # data: nothing here may be read
        size = 32 if first & 0x80 else 4
        at = second << 2
        need(at % size == 0 and at + size <= 128, PARSE)
        return bytes(self.config[at : at + size])

    def _write(self, first, second, data):
        size = 32 if first & 0x80 else 4
        at = second << 2
        need(first in (0x00, 0x80) and at % size == 0 and at + size <= 128 and len(data) == size, PARSE)
        need(self.config[87] == UNLOCKED, REFUSED)
        need(at >= 16 and not at <= 84 < at + size, REFUSED)
        self.config[at : at + size] = data

    def _lock(self, first, second, data):
        need(not data and not first & 0x40, PARSE)
        if first & 3 == 0:
            need(self.config[87] == UNLOCKED, REFUSED)
            need(first & 0x80 or crc(self.config) == second.to_bytes(2, "little"), REFUSED)
            self.config[87] = LOCKED
        elif first & 3 == 1:
            need(self.config[87] == LOCKED and self.config[86] == UNLOCKED and first & 0x80, REFUSED)
            self.config[86] = LOCKED
        else:
            slot = first >> 2 & 0x0F
            need(self.config[87] == LOCKED and self._kind(slot) & 0x20 and not self._is_locked(slot), REFUSED)
            self.config[88 + slot // 8] &= 0xFF ^ 1 << slot % 8

    def _genkey(self, first, second, data):
        need(first in (0x00, 0x04) and second < 16 and not data, PARSE)
        need(self.config[87] == LOCKED and self._kind(second) & 0x1D == 0x11, REFUSED)
        if first == 0x04:
            need(self.config[86] == UNLOCKED or self._rights(second) & 0x2000, REFUSED)
            need(not self._is_locked(second), REFUSED)
            self.keys[second] = self._scalar()
        need(second in self.keys and self._kind(second) & 0x02, REFUSED)
        x, y = multiply_base(self.keys[second])
        return x.to_bytes(32, "big") + y.to_bytes(32, "big")

    def _nonce(self, first, second, data):
        need(first in (0x03, 0x43) and second == 0 and len(data) == 32, PARSE)
        if first & 0x40:
            self.digest = data
        else:
            self.temp = data

    def _sign(self, first, second, data):
        need(first in (0x80, 0xA0) and second < 16 and not data, PARSE)
        digest = self.digest if first & 0x20 else self.temp
        need(self.config[87] == self.config[86] == LOCKED and second in self.keys and digest, REFUSED)
        need(self._kind(second) & 0xC1 == 0x01 and self._rights(second) & 0x81 == 0x81, REFUSED)
        self.digest = self.temp = None
        r = s = 0
        while not (r and s):
            k = self._scalar()
            r = multiply_base(k)[0] % N
            s = pow(k, N - 2, N) * (int.from_bytes(digest, "big") + r * self.keys[second]) % N
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def _counter(self, first, second, data):
        need(first in (0, 1) and second in (0, 1) and not data, PARSE)
        need(self.config[87] == LOCKED and self.counters[second] + first <= MOST, REFUSED)
        self.counters[second] += first
        return self.counters[second].to_bytes(4, "little")

    # What they share.

    def _rights(self, slot):
        return self.config[20 + 2 * slot] | self.config[21 + 2 * slot] << 8

    def _kind(self, slot):
        return self.config[96 + 2 * slot] | self.config[97 + 2 * slot] << 8

    def _is_locked(self, slot):
        return not self.config[88 + slot // 8] >> slot % 8 & 1

    def _draw(self):
        self.drawn += 1
        return sha256(self.seed + self.drawn.to_bytes(4, "big")).digest()

    def _scalar(self):
        return int.from_bytes(self._draw(), "big") % (N - 1) + 1


def need(holds, status):
    """Refuse with `status` unless `holds`."""
    if not holds:
        raise Refuses(status)
