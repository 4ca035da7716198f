"""What a bench's sensors say: 4 to 20 mA transmitters on ADS1115 converters, by a table; no hardware is named here.

A front end reads them, or a fixture that counts with its own counters (`meterseal_fixture.counters`).

A transmitter's current makes 0.4 to 2.0 V on 100 ohms. The converter (I2C, four inputs, 16 bits, 62.5 uV a step) is
told to convert one input, and asked when it has: `step` does one of the two and never waits, so no edge waits for a
sensor.

Promise: a value that is not known is None, and whoever asks gets no answer. A broken wire (below 3.6 mA), a transmitter
that reports a fault (NAMUR NE 43) or is beyond its range (the converter is full at 20.48 mA), a converter that does not
answer, and a value older than STALE_TICKS are not known.

Between inlet and outlet of the meters' row, temperature and pressure are taken as linear. That is a bench's own
property: whoever calibrates it shows that it holds, or gives the same sensor for both.

Source: TI ADS1115 data sheet (registers 0 and 1, single shot). No ADS1115 was here.
"""

FLOW, AIR_MK, AIR_10PA, HUMIDITY, REF_MK, REF_10PA, IN_MK, IN_10PA, OUT_MK, OUT_10PA = QUANTITIES = range(10)
CONVERSION, CONFIG = 0, 1
# Start; single shot; +-2.048 V; 860 samples a second; no comparator. The input goes into bits 14 to 12.
START = 0x8000 | 0x0400 | 0x0100 | 0x00E0 | 0x0003
INPUT_TO_GROUND = 0x4000
CONVERT_TICKS = 3000
STALE_TICKS = 3_000_000
AT_4_MA, AT_20_MA, LEAST, FULL = 6400, 32000, 5760, 32760
UNKNOWN = -1


class Sensors:
    """Values by `table`: a quantity to (address of its converter, input 0 to 3, value at 4 mA, value at 20 mA).

    `bus` is an I2C (readfrom_mem_into, writeto_mem), `now()` ticks of 1 us, `positions` those of the whole bench, whose
    row these sensors stand at both ends of. Flow in mL/h, temperatures in mK above 273 150, pressures in 10
    Pa, permille.
    """

    def __init__(self, bus, table, now, positions: int) -> None:
        self._bus, self._table, self._now = bus, table, now
        self.positions = positions
        self._order = sorted(table)
        self._at = 0
        self._since = UNKNOWN
        self._seen: dict[int, tuple[int, int]] = {}
        self._two = bytearray(2)

    def step(self) -> None:
        """Start a conversion, or fetch one that is done; call it often."""
        if not self._order:
            return
        quantity = self._order[self._at]
        try:
            if self._since == UNKNOWN:
                self._start(self._table[quantity])
            elif self._now() - self._since >= CONVERT_TICKS:
                self._fetch(quantity)
        except OSError:
            self._next()

    def _start(self, row: tuple[int, int, int, int]) -> None:
        address, channel = row[:2]
        word = START | INPUT_TO_GROUND | channel << 12
        self._bus.writeto_mem(address, CONFIG, bytes((word >> 8, word & 0xFF)))
        self._since = self._now()

    def _fetch(self, quantity: int) -> None:
        self._bus.readfrom_mem_into(self._table[quantity][0], CONVERSION, self._two)
        self._seen[quantity] = (self._two[0] << 8 | self._two[1], self._now())
        self._next()

    def _next(self) -> None:
        self._at, self._since = (self._at + 1) % len(self._order), UNKNOWN

    def value(self, quantity: int) -> int | None:
        """What it is now, rounded half up; None where it is not known."""
        raw, when = self._seen.get(quantity, (0, 0))
        if not LEAST <= raw < FULL or self._now() - when > STALE_TICKS:
            return None
        low, high = self._table[quantity][2:]
        value: int = low + (2 * (high - low) * (raw - AT_4_MA) + AT_20_MA - AT_4_MA) // (
            2 * (AT_20_MA - AT_4_MA)
        )
        return value

    def unknown(self) -> int:
        """The first quantity of the table that has no value now; UNKNOWN where all have one."""
        missing = [quantity for quantity in self._order if self.value(quantity) is None]
        return missing[0] if missing else UNKNOWN

    def state(self, flow: int | None = None) -> list[int] | None:
        """The words of `S` behind its ticks, for all positions of the bench; None where one value is not known.
        `flow` is the flow where no sensor measures it.
        """
        found = [self.value(quantity) for quantity in QUANTITIES]
        found[FLOW] = found[FLOW] if flow is None else flow
        known = [value for value in found if value is not None]
        if len(known) < len(found):
            return None
        said = known[:IN_MK]
        for number in range(self.positions):
            said.append(_between(known[IN_MK], known[OUT_MK], number, self.positions - 1))
            said.append(_between(known[IN_10PA], known[OUT_10PA], number, self.positions - 1))
        return said


def _between(first: int, last: int, number: int, steps: int) -> int:
    """`number` steps of `steps` from first to last, rounded half up."""
    return first + (2 * (last - first) * number + steps) // (2 * steps) if steps else (first + last + 1) // 2
