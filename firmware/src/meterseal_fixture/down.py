"""What comes down from the edge: custody that may free, beacons that an attempt may cite, time that was asked for
(question.py), and arrays: parts of an update, plans, tenants (delivery.py). Nothing is believed before its signature,
and nothing is verified or freed while gates are open (design section 6: flash stalls).

A registry's receipt deletes: it names a statement, and one that is not held deletes nothing.

Custody frees only if it names this fixture's own key, and its head is the very statement that stands here at that
place: an edge that lost its memory, or speaks to somebody else, frees nothing.

A refusal counts only if it names the oldest statement that custody does not cover, by the hash of what is offered
there, and a place that is not beyond it: an edge that holds that statement names a later one. What follows from it is
done by startup.py, between two runs.

The newest beacon is kept in flash, so a bench whose edge is away for days still has one to cite after a restart. It
bounds a test's time from below whatever its age; how old is too old the rules say, so the operator is told (offer.py).
"""

from meterseal_fixture.belief import believe
from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.delivery import Delivery, is_part
from meterseal_fixture.errors import Disbelieved, NotKept
from meterseal_fixture.question import Question
from meterseal_fixture.settings import Settings
from meterseal_fixture.shelf import Shelf
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.receipt import entered, is_receipt
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

PARCEL_BYTES = 65536
MOST_WAITING = 16
KEPT = b"beacon"


class Down:
    """Takes parcels as they come, and acts on them when `act` is called; `beacon` is the newest one's identity,
    `beacon_number` its number once one came since the start, `kept_number` that of one from before it, `refused` place
    and SHA-256 of what the edge refused and nobody has dealt with yet.
    """

    def __init__(self, settings: Settings, chronicle: Chronicle, verify, log) -> None:
        edge, registry = settings.edge_key, settings.registry_key
        self.keys = {L.KIND_CUSTODY: edge, L.KIND_TIME: edge, L.KIND_REFUSED: edge, L.KIND_BEACON: registry}
        self.registry_key = registry
        self.chronicle = chronicle
        self.verify = verify
        self.log = log
        self.beacon: bytes | None = None
        self.beacon_number = self.kept_number = None
        self._shelf = Shelf(chronicle.keep.folder + "/beacon", 1)
        self.dropped = 0
        self.waiting: list[bytes] = []
        self.delivery = Delivery(None, self._drop)
        self.question = Question()
        self.refused: tuple[tuple[int, int], bytes] | None = None
        self.set_time = None  # the board's, where it has a calendar clock

    @property
    def heard(self) -> bool:
        """True once a beacon came since the start."""
        return self.beacon_number is not None

    def recall(self) -> None:
        """The beacon that was kept before the last restart, where there is one that still verifies."""
        raw = self._shelf.get(KEPT)
        try:
            typ, fields = believe(raw, self.keys, self.verify) if raw else (0, {})
        except Disbelieved as wrong:
            self._drop(wrong)
            return
        if typ == L.KIND_BEACON:
            self.kept_number, self.beacon = fields[L.NUMBER], identity(raw)

    def take(self, parcel: bytes) -> None:
        """A message on the down topic; kept in memory until `act`. A damaged one is counted and dropped."""
        try:
            statements = scan(parcel, PARCEL_BYTES)
            if not isinstance(statements, list) or not all(
                isinstance(raw, bytes) or is_part(raw) for raw in statements
            ):
                raise Disbelieved("down.disbelieved", "no array of statements")
        except (WireError, Disbelieved) as wrong:
            self._drop(wrong)
            return
        for part in statements:
            if isinstance(part, list):
                self.delivery.take(part)
        # The newest custody covers all before it, so of too many the oldest may go.
        held = [raw for raw in statements if isinstance(raw, bytes)]
        self.waiting = (self.waiting + held)[-MOST_WAITING:]

    def act(self) -> list[tuple[int, int]]:
        """Verify and obey all that waits; the places (epoch, seq) up to which statements were covered."""
        covered = []
        while self.waiting:
            raw = self.waiting.pop(0)
            try:
                if is_receipt(raw):
                    self._enter(raw)
                    continue
                typ, fields = believe(raw, self.keys, self.verify)
                if typ == L.KIND_BEACON:
                    self._new_beacon(raw, fields)
                elif typ == L.KIND_CUSTODY:
                    covered.append(self._cover(fields))
                elif typ == L.KIND_TIME:
                    self._new_time(fields)
                elif typ == L.KIND_REFUSED:
                    self._new_refusal(fields)
            except (Disbelieved, WireError) as wrong:
                self._drop(wrong)
        return covered

    def _enter(self, raw: bytes) -> None:
        name, signed, signature = entered(raw)
        if not self.verify(self.registry_key, signed, signature):
            raise Disbelieved("down.disbelieved", "receipt")
        self.chronicle.keep.enter(name)

    def _new_beacon(self, raw: bytes, fields) -> None:
        held = max(self.beacon_number or 0, self.kept_number or 0) if self.beacon else -1
        self.beacon_number, self.kept_number = max(held, fields[L.NUMBER]), None
        if fields[L.NUMBER] > held:
            self.beacon = identity(raw)
            try:
                self._shelf.put(KEPT, raw)
            except NotKept as wrong:
                # It is held all the same; the next one is tried again.
                self.log("beacon", str(wrong))

    def _new_time(self, fields) -> None:
        seconds = self.question.answered(fields, self.chronicle.author.thumbprint)
        if self.set_time:
            self.set_time(seconds)

    def _cover(self, fields) -> tuple[int, int]:
        epoch, seq = fields[L.EPOCH], fields[L.SEQ]
        if fields[L.KEY] != self.chronicle.author.thumbprint:
            raise Disbelieved("down.disbelieved", "custody for another key")
        if self.chronicle.keep.identity_at(epoch, seq) != fields[L.HEAD]:
            raise Disbelieved("down.disbelieved", "custody for a head that is not held")
        self.chronicle.keep.cover(epoch, seq)
        return epoch, seq

    def _new_refusal(self, fields) -> None:
        if fields[L.KEY] != self.chronicle.author.thumbprint:
            raise Disbelieved("down.disbelieved", "refused for another key")
        keep = self.chronicle.keep
        found = keep.suspect()
        named = (fields[L.EPOCH], fields[L.SEQ])
        if not found or sha256(found[1]) != fields[L.STATEMENT] or not keep.covered() < named <= found[0]:
            raise Disbelieved("down.disbelieved", "refused, but not what is offered next")
        self.refused = (found[0], fields[L.STATEMENT])

    def _drop(self, wrong: Exception) -> None:
        self.dropped += 1
        self.log("disbelieved", str(wrong))
