"""The tray: which scanned meter stands at which position, until an attempt has taken it.

Positions are filled in order from 1. From the moment a run is ordered until its attempt is signed the tray belongs to
it: what is scanned meanwhile goes into the tray after it. A run that is given up leaves its tray as it was.
"""

from meterseal_fixture.errors import Refused

WILD_MBUS, WILD_CJT = 0xFF, 0xAA


class Tray:
    """Meters of `places` positions."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.meters: dict[int, str] = {}
        self._order: list[int] = []
        self._at = 1
        self._replace = False

    def put(self, meter: str) -> int:
        """Put a meter in the next position, its number; Refused `scan.double` or `scan.full`."""
        number = self._at
        while number in self.meters and not self._replace:
            number += 1
        if meter in [one for place, one in self.meters.items() if place != number]:
            raise Refused("scan.double", meter)
        if number > self.places:
            raise Refused("scan.full", self.places)
        if number in self._order:
            self._order.remove(number)
        self.meters[number] = meter
        self._order.append(number)
        self._at, self._replace = number + 1, False
        return number

    def go_to(self, number: int) -> None:
        """The next meter goes to this position, whatever stands there; then on from it. Refused `scan.position`."""
        if not 0 < number <= self.places:
            raise Refused("scan.position", number)
        self._at, self._replace = number, True

    def back(self) -> None:
        """Take out the meter that came last; its position is the next one again."""
        if self._order:
            number = self._order.pop()
            del self.meters[number]
            self._at, self._replace = number, False

    def rows(self) -> list[list[object]]:
        """[position, meter] in ascending order."""
        return [[number, self.meters[number]] for number in sorted(self.meters)]


def bus_of(bus: bytes, meter: str) -> bytes:
    """The meter's own bus address where the order leaves its number open: FF FF FF FF at the begin of an M-Bus
    secondary address, AA in the address bytes of CJ/T 188 (its second byte onward). The serial's last digits go there,
    two a byte, the last ones first. Refused `scan.serial` where the serial has too few digits at its end.
    """
    if bus[:4] == bytes((WILD_MBUS,) * 4):
        first, wild = 0, 4
    elif bus[1] == WILD_CJT:
        first, wild = 1, 0
        while first + wild < len(bus) and bus[first + wild] == WILD_CJT:
            wild += 1
    else:
        return bus
    digits = meter[-2 * wild :]
    if len(digits) != 2 * wild or not digits.isdigit():
        raise Refused("scan.serial", meter)
    number = bytes(int(digits[at : at + 2], 16) for at in range(2 * wild - 2, -2, -2))
    return bus[:first] + number + bus[first + wild :]
