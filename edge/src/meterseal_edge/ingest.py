"""Station 6: received, verified, durable, covered, acknowledged. One batch, one fsync, one promise a fixture.

The order is the promise (design section 6): size and envelope, signature, chain, write with fsync and log in one
transaction, commit, custody signed, custody published, PUBACK. A crash anywhere before the commit loses nothing,
because nothing was acknowledged; a crash after it only repeats custody, because duplicates are covered again.
"""

import logging
import time
from dataclasses import dataclass, field

from meterseal_edge.custody import Promiser
from meterseal_edge.events import Candidate, Covered, Durable, Parcel, Refused
from meterseal_edge.inbox import Inbox
from meterseal_edge.keybook import Keybook
from meterseal_edge.log import EdgeLog
from meterseal_edge.quarantine import Quarantine
from meterseal_edge.state import State
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.chain import DUPLICATE, LINKED, Head, link
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.tree import tree_hash

log = logging.getLogger("meterseal.edge.ingest")
PARCEL_BYTES = 65536


@dataclass
class Batch:
    """What became of one batch of parcels: `fresh` is to be written, `touched` gets custody.

    `heads` and `places` are what the fresh ones add to the chains that the store holds.
    """

    fresh: list[Candidate] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    touched: dict[bytes, str] = field(default_factory=dict)
    heads: dict[bytes, Head] = field(default_factory=dict)
    places: dict[tuple[bytes, int, int], bytes] = field(default_factory=dict)
    alarms: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Ingest:
    """Everything station 6 needs, put together once in `main`."""

    inbox: Inbox
    keys: Keybook
    log: EdgeLog
    promiser: Promiser
    quarantine: Quarantine
    state: State

    def keep(self, parcels: list[Parcel]) -> list[Covered]:
        """Take one batch from bytes to custody; raises StoreFailed before anything is acknowledged."""
        batch = self.admit(parcels)
        durable = self.log.append(batch.fresh, batch.refused, int(time.time()))
        covered = [self.promiser.promise(key, fixture) for key, fixture in batch.touched.items()]
        for promise in covered:
            self.inbox.send_down(promise.fixture, [promise.raw])
        for parcel in parcels:
            if not self.quarantine.is_full(parcel.fixture):
                self.inbox.acknowledge(parcel)
        self.tell(durable, batch, covered)
        return covered

    def admit(self, parcels: list[Parcel]) -> Batch:
        """Envelope, signature, topic and chain; pure but for the heads and keys it reads."""
        batch = Batch()
        for parcel in parcels:
            for raw, evidence in unpack(parcel, batch):
                candidate = self.verified(parcel, raw, evidence, batch)
                if candidate is not None:
                    self.linked(candidate, batch)
        return batch

    def verified(
        self, parcel: Parcel, raw: bytes, evidence: tuple[bytes, ...], batch: Batch
    ) -> Candidate | None:
        """The candidate if a fixture's key signed it on that fixture's own topic, else None and a refusal."""
        try:
            found = verify(raw, self.keys.ring)
        except (ProtocolError, WireError) as error:
            batch.refused.append(Refused(raw, b"", parcel.fixture, error.code, str(error)))
            return None
        key = found.key.thumbprint
        holder = self.keys.fixture(key)
        if holder is None or holder.name != parcel.fixture:
            why = (
                f"the key of {holder.name if holder else 'no fixture'} spoke on the topic of {parcel.fixture}"
            )
            batch.refused.append(Refused(raw, key, parcel.fixture, "edge.topic", why))
            return None
        if found.statement.chain is None:
            why = f"a {found.statement.kind} is not a fixture's to say"
            batch.refused.append(Refused(raw, key, parcel.fixture, "edge.kind", why))
            return None
        if evidence and not covers(found.statement, evidence):
            batch.alarms.append(
                (parcel.fixture, "edge.evidence", "evidence that the statement does not cover")
            )
            evidence = ()
        return Candidate(found.statement, key, parcel.fixture, evidence)

    def linked(self, candidate: Candidate, batch: Batch) -> None:
        """Fresh, duplicate or quarantined, by the chain rule; what the batch already holds counts as held."""
        chain = candidate.statement.chain
        assert chain is not None
        place = (candidate.key, chain[0], chain[1])
        held = batch.heads.get(candidate.key) or self.log.head(candidate.key)
        known = batch.places.get(place) or self.log.identity_at(*place)
        verdict = link(held, chain, candidate.statement.identity, known)
        if verdict == LINKED:
            batch.heads[candidate.key] = Head(chain[0], chain[1], candidate.statement.identity)
            batch.places[place] = candidate.statement.identity
            batch.fresh.append(candidate)
        if verdict in (LINKED, DUPLICATE):
            batch.touched[candidate.key] = candidate.fixture
            return
        at = f"epoch {chain[0]} seq {chain[1]}"
        held_at = f"epoch {held.epoch} seq {held.seq}" if held else "nothing"
        why = f"{at} does not follow {held_at}, which is held"
        raw = candidate.statement.raw
        batch.refused.append(Refused(raw, candidate.key, candidate.fixture, f"chain.{verdict}", why))

    def tell(self, durable: list[Durable], batch: Batch, covered: list[Covered]) -> None:
        """Counts and alarms for the page."""
        self.state.stored(durable)
        for promise in covered:
            self.state.covered(promise)
        for refused in batch.refused:
            log.warning("%s: %s: %s", refused.fixture, refused.code, refused.why)
            self.state.alarm(refused.fixture, refused.code, refused.why)
        for alarm in batch.alarms:
            self.state.alarm(*alarm)


def covers(statement: Statement, evidence: tuple[bytes, ...]) -> bool:
    """True if the statement's plan digest or evidence root is that of `evidence`; an abandoned run covers none."""
    if statement.typ == L.KIND_ATTEMPT:
        return len(evidence) == 1 and sha256(evidence[0]) == statement.payload[L.PLAN]
    if statement.typ == L.KIND_RESULT:
        return bool(tree_hash(list(evidence)) == statement.payload[L.EVIDENCE_ROOT])
    return False


def unpack(parcel: Parcel, batch: Batch) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """(statement, evidence) pairs of a parcel; a damaged parcel is refused whole, with the byte."""
    try:
        items = scan(parcel.payload, PARCEL_BYTES)
    except WireError as error:
        batch.refused.append(Refused(parcel.payload, b"", parcel.fixture, error.code, str(error)))
        return []
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        why = "a parcel is an array of [statement, evidence ...]"
        batch.refused.append(Refused(parcel.payload, b"", parcel.fixture, "edge.parcel", why))
        return []
    return [(item[0], tuple(item[1:])) for item in items]


def _is_item(item: object) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(part, bytes) for part in item)
