"""The operator's desk: the tray, the order that waits for its start, and what cards and buttons do.

A prepared order keeps plan, mode, operator and positions; a start runs it with the tray, as often as it is wanted. A
position whose meter is left out takes it from the tray.
"""

from meterseal_fixture.errors import FixtureError, Refused
from meterseal_fixture.order import Order, read_order
from meterseal_fixture.scanner import COMMAND, METER, POSITION
from meterseal_fixture.tray import Tray
from meterseal_wire import kinds
from meterseal_wire.point import STATIC

# Nobody can take a training run for a verification, in either language.
MODES = {kinds.VERIFY: "verify", kinds.TRAINING: "TRAINING 培训", kinds.CHECK: "check"}


class Desk:
    """Belongs to `station`; `tray` is the one that is filled now."""

    def __init__(self, station, places: int) -> None:
        self.station = station
        self.places = places
        self.prepared: dict[str, object] | None = None
        self._prepared_mode = self._mode = 0
        self._tray, self._after = Tray(places), Tray(places)
        self._taken = False

    @property
    def tray(self) -> Tray:
        """Where the next scan goes."""
        return self._after if self._taken else self._tray

    def status(self) -> dict[str, object]:
        """Its part of the status: the tray that is filled now, the mode of the run or of what is prepared."""
        found: dict[str, object] = {"tray": self.tray.rows()}
        mode = self._mode or self._prepared_mode
        if mode:
            found["mode"] = MODES[mode]
        return found

    # What the operator does.

    def prepare(self, fields: dict[str, object]) -> None:
        """Keep an order for `start`; Refused as `order` would, its tray aside."""
        stand_in = {number: "PREPARED.%016d" % number for number in range(1, self.places + 1)}
        self._prepared_mode = self._order(fields, stand_in).mode
        self.prepared = fields
        self.station.changed()

    def start(self) -> None:
        """Order a run of what is prepared, with the tray. Refused `start.nothing`, or as any order is."""
        if self.prepared is None:
            raise Refused("start.nothing")
        self.station.order(self.prepared)

    def pressed(self, button: str) -> None:
        """START or STOP of the two buttons: as the cards, and what is refused goes to the panel."""
        try:
            self.scanned(COMMAND, button)
        except FixtureError as refusal:
            self.station.panel.complain(refusal.code, refusal.detail)

    def scanned(self, kind: str, value: object) -> None:
        """What the scanner read: `scanner.read_scan`'s pair."""
        if kind == METER:
            number = self.tray.put(str(value))
            self.station.panel.tell("scanned", position=number, meter=value)
        elif kind == POSITION:
            self.tray.go_to(int(str(value)))
        else:
            actions = {
                "START": self.start,
                "STOP": self.station.stop,
                "CLEAR": self._clear,
                "BACK": self._back,
            }
            actions[str(value)]()
        self.station.changed()

    def _clear(self) -> None:
        if not self._taken:
            self._tray = Tray(self.places)
        self._after = Tray(self.places)

    def _back(self) -> None:
        self.tray.back()

    # What becomes of an order.

    def read(self, fields: dict[str, object]) -> Order:
        """The order with its meters from the tray; the tray is the run's from here on."""
        order = self._order(fields, self._tray.meters)
        self._mode = order.mode
        self._taken = any(position.read_by == kinds.BY_MARK for position in order.positions)
        return order

    def _order(self, fields: dict[str, object], tray: dict[int, str]) -> Order:
        order = read_order(fields, self.places, tray)
        if order.plan.method != STATIC and not self.station.front.stamps:
            raise Refused("plan.stamps", order.plan.method)
        return order

    def signed(self) -> None:
        """The attempt is signed: its tray is done with, and what was scanned meanwhile is the tray."""
        if self._taken:
            self._tray, self._after, self._taken = self._after, Tray(self.places), False

    def ended(self) -> None:
        """The run is over. Without an attempt its tray stands as it was."""
        self._taken, self._mode = False, 0
