"""What the demo plays, as data: sixteen meters, what is wrong with some, and the answer each must get.

A meter keeps the id of its captured telegram where it is the first of its type; the others count on from it.
"""

from dataclasses import dataclass

from meterseal_tools.sim import specimens
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.meter import Meter
from meterseal_tools.world import MAKER

GOOD, PAST_LIMIT, ONE_SIDED, SILENT, ADJUSTED = "good", "past_limit", "one_sided", "silent", "adjusted"
MAKERS_OF = {
    GOOD: specimens.good,
    PAST_LIMIT: specimens.past_limit,
    ONE_SIDED: specimens.one_sided,
    SILENT: specimens.silent,
    ADJUSTED: specimens.past_limit,
}


@dataclass(frozen=True)
class Seat:
    """One meter: where it stands, what it is, how it behaves, what must come of it after how many tries."""

    fixture: str
    position: int
    kind: str
    serial: str
    character: str
    expected: str
    because: tuple[str, ...] = ()
    tries: int = 1
    note: str = ""

    @property
    def meter_id(self) -> str:
        """The id everybody calls it by."""
        return f"{MAKER}.{self.serial}"

    def make(self) -> Meter:
        """The simulated meter, its register as far on as its serial says, so no two start alike."""
        register = int(self.serial) % 5000
        return MAKERS_OF[self.character](CATALOGUE[self.kind], self.serial, register)


PASS, FAIL = "granted", "refused"
CUT, DARK = "first run cut short by the operator", "first run lost to a power cut"
SEATS = (
    Seat("W1", 1, "itron_cyble", "10020380", GOOD, PASS),
    Seat("W1", 2, "itron_bm", "11490378", GOOD, PASS),
    Seat("W1", 3, "ram", "00025776", PAST_LIMIT, FAIL, ("error.limit",), 1, "past its limit at Q2"),
    Seat("W1", 4, "padpuls", "12345670", ONE_SIDED, FAIL, ("error.same_sign",), 1, "all errors of one sign"),
    Seat("W1", 5, "waterstar", "04990254", SILENT, FAIL, ("position.ended",), 0, "silent on the bus"),
    Seat("W1", 6, "siemens", "08021382", GOOD, FAIL, ("meter.unknown_type",), 1, "type never approved"),
    Seat("W1", 7, "itron_bm", "11490379", ADJUSTED, PASS, (), 2, "failed, was adjusted, passed"),
    Seat("W1", 8, "ram", "00025777", GOOD, PASS),
    Seat("G1", 1, "lgb", "12082058", GOOD, PASS, (), 2, CUT),
    Seat("G1", 2, "lgb", "12082059", GOOD, PASS, (), 2, CUT),
    Seat("G1", 3, "lgb", "12082060", GOOD, PASS, (), 2, CUT),
    Seat("G1", 4, "lgb", "12082061", GOOD, PASS, (), 2, CUT),
    Seat("G1", 5, "els", "12345678", GOOD, PASS, (), 2, DARK),
    Seat("G1", 6, "els", "12345679", GOOD, PASS, (), 2, DARK),
    Seat("G1", 7, "els", "12345680", GOOD, PASS, (), 2, DARK),
    Seat("G1", 8, "els", "12345681", GOOD, PASS, (), 2, DARK),
)


def seats_of(fixture: str) -> tuple[Seat, ...]:
    """The meters on one bench."""
    return tuple(seat for seat in SEATS if seat.fixture == fixture)
