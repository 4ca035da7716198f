"""What comes down from the edge: custody that may free, beacons that an attempt may cite, time, which is accepted
and used for nothing: a fixture's clock decides nothing. Nothing is believed
before its signature, and nothing is verified or freed while gates are open (design section 6: flash stalls).

A registry's receipt deletes: it names a statement, and one that is not held deletes nothing.

Custody frees only if it names this fixture's own key, and its head is the very statement that stands here at that
place: an edge that lost its memory, or speaks to somebody else, frees nothing.
"""

from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.delivery import Delivery, is_part
from meterseal_fixture.errors import Disbelieved
from meterseal_fixture.settings import Settings
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.kinds import check_payload
from meterseal_wire.receipt import entered, is_receipt
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity, sig_structure, split
from meterseal_wire.suites import DEFAULT

PARCEL_BYTES = 65536
MOST_WAITING = 16


def believe(raw: bytes, keys: dict[int, bytes], verify):
    """(typ, payload) of a statement signed by the key that `keys` has for its kind; else Disbelieved.

    `verify(public_xy, message, signature)` says True or False.
    """
    try:
        protected, unprotected, payload, signature = split(raw)
        typ = _typ(scan(protected))
        if unprotected or payload is None or typ not in keys:
            raise Disbelieved("down.disbelieved", "kind %s" % typ)
        # A respelled signature would give a beacon a second identity, and an attempt one that nobody finds.
        if len(signature) != DEFAULT.signature_bytes or not DEFAULT.is_canonical(signature):
            raise Disbelieved("down.disbelieved", "signature")
        if not verify(keys[typ], sig_structure(protected, payload), signature):
            raise Disbelieved("down.disbelieved", "signature")
        fields = scan(payload)
        check_payload(typ, fields)
    except WireError as wrong:
        raise Disbelieved("down.disbelieved", str(wrong))
    return typ, fields


def _typ(header) -> int:
    # A fixture can verify the first suite alone. A critical header is one that we would have to understand: none.
    if not isinstance(header, dict) or header.get(L.HEADER_ALG) != DEFAULT.alg or L.HEADER_CRIT in header:
        raise Disbelieved("down.disbelieved", "header")
    typ = header.get(L.HEADER_TYP)
    return typ if isinstance(typ, int) else 0


class Down:
    """Takes parcels as they come, and acts on them when `act` is called; `beacon` is the newest one's identity."""

    def __init__(self, settings: Settings, chronicle: Chronicle, verify, log) -> None:
        edge, registry = settings.edge_key, settings.registry_key
        self.keys = {L.KIND_CUSTODY: edge, L.KIND_TIME: edge, L.KIND_BEACON: registry}
        self.registry_key = registry
        self.chronicle = chronicle
        self.verify = verify
        self.log = log
        self.beacon: bytes | None = None
        self.beacon_number: int | None = None
        self.dropped = 0
        self.waiting: list[bytes] = []
        self.delivery = Delivery(None)

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
            except (Disbelieved, WireError) as wrong:
                self._drop(wrong)
        return covered

    def _enter(self, raw: bytes) -> None:
        name, signed, signature = entered(raw)
        if not self.verify(self.registry_key, signed, signature):
            raise Disbelieved("down.disbelieved", "receipt")
        self.chronicle.keep.enter(name)

    def _new_beacon(self, raw: bytes, fields) -> None:
        if self.beacon_number is None or fields[L.NUMBER] > self.beacon_number:
            self.beacon_number = fields[L.NUMBER]
            self.beacon = identity(raw)

    def _cover(self, fields) -> tuple[int, int]:
        epoch, seq = fields[L.EPOCH], fields[L.SEQ]
        if fields[L.KEY] != self.chronicle.author.thumbprint:
            raise Disbelieved("down.disbelieved", "custody for another key")
        if self.chronicle.keep.identity_at(epoch, seq) != fields[L.HEAD]:
            raise Disbelieved("down.disbelieved", "custody for a head that is not held")
        self.chronicle.keep.cover(epoch, seq)
        return epoch, seq

    def _drop(self, wrong: Exception) -> None:
        self.dropped += 1
        self.log("disbelieved", str(wrong))
