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
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.verify import verify
from meterseal_wire import labels as L
from meterseal_wire.chain import DUPLICATE, FORK, GAP, GENESIS, LINKED, Head, link
from meterseal_wire.digest import sha256
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan
from meterseal_wire.tree import tree_hash

log = logging.getLogger("meterseal.edge.ingest")
PARCEL_BYTES = 65536
SAYS = {
    GAP: "{}/{} does not follow {}, which is held: something between has not arrived yet",
    FORK: "{}/{} contradicts the chain that is held up to {}: two histories under one key; stop this fixture",
}
FULL = "its quarantine is full: nothing more of it is acknowledged until it is emptied; it keeps its queue"


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
        refused, full = self.quarantine.fit(batch.refused, {parcel.fixture for parcel in parcels})
        durable = self.log.append(batch.fresh, refused, int(time.time()))
        covered = [self.promiser.promise(key, fixture) for key, fixture in batch.touched.items()]
        for promise in covered:
            self.inbox.send_down(promise.fixture, [promise.raw])
        for parcel in parcels:
            answer = self.inbox.hold_back if parcel.fixture in full else self.inbox.acknowledge
            answer(parcel)
        batch.alarms += [(fixture, "edge.quarantine", FULL) for fixture in sorted(full)]
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
            speaker = holder.name if holder else "no fixture of this site"
            why = f"the key of {speaker} spoke on the topic of {parcel.fixture}"
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
        held = batch.heads.get(candidate.key) or self.log.head(candidate.key)
        verdict = self.verdict(candidate, held, batch)
        if verdict == LINKED:
            batch.heads[candidate.key] = Head(chain[0], chain[1], candidate.statement.identity)
            batch.places[candidate.key, chain[0], chain[1]] = candidate.statement.identity
            batch.fresh.append(candidate)
        if verdict in (LINKED, DUPLICATE):
            batch.touched[candidate.key] = candidate.fixture
            return
        why = SAYS[verdict].format(chain[0], chain[1], f"{held.epoch}/{held.seq}" if held else "nothing")
        raw = candidate.statement.raw
        batch.refused.append(Refused(raw, candidate.key, candidate.fixture, f"chain.{verdict}", why))

    def verdict(self, candidate: Candidate, held: Head | None, batch: Batch) -> str:
        """LINKED, DUPLICATE, GAP or FORK by wire's rule, but where that rule sees too little.

        Two things contradict nothing and only wait: a boot that cites a head which has not arrived yet, and what lies
        before the place where this edge's part of the chain begins.
        """
        statement = candidate.statement
        assert statement.chain is not None
        place = statement.chain[:2]
        known = batch.places.get((candidate.key, *place)) or self.log.identity_at(candidate.key, *place)
        if held is None:
            return self.beginning(candidate, batch)
        found = str(link(held, statement.chain, statement.identity, known))
        waits = cites_later(statement, held) or place < self.log.begins(candidate.key, held)
        return GAP if found == FORK and known is None and waits else found

    def beginning(self, candidate: Candidate, batch: Batch) -> str:
        """LINKED for a key's first boot of all, or for the oldest thing that its fixture still has; else GAP.

        A fixture that comes to a new edge begins in the middle of its chain, and custody covers everything before
        the place it names. Fixtures offer oldest first and again from the beginning, so what was refused once, and
        comes again while nothing earlier was offered, is the oldest. A full quarantine would not know.
        """
        statement, fixture = candidate.statement, candidate.fixture
        assert statement.chain is not None
        if statement.chain[1:] == (0, GENESIS):
            return LINKED
        kept = self.log.store.refusals(fixture)
        refused = [item.raw for item in batch.refused if item.fixture == fixture]
        earlier = any(is_before(raw, statement) for raw in (*kept, *refused))
        oldest = statement.raw in kept and not earlier and len(kept) < self.quarantine.bound
        return LINKED if oldest else GAP

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


def cites_later(statement: Statement, held: Head) -> bool:
    """True for a boot that cites a last head after the one held: something between has not arrived."""
    cited = statement.payload.get(L.LAST_HEAD) if statement.typ == L.KIND_BOOT else None
    return cited is not None and tuple(cited) > (held.epoch, held.seq)


def is_before(raw: bytes, statement: Statement) -> bool:
    """True if `raw` reads as a statement under the same kid at an earlier place."""
    try:
        other = read(raw)
    except (ProtocolError, WireError):
        return False
    return bool(
        other.kid == statement.kid and other.chain and statement.chain and other.chain < statement.chain
    )


def unpack(parcel: Parcel, batch: Batch) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """(statement, evidence) pairs of a parcel; a damaged parcel is refused whole, with the byte."""
    try:
        items = scan(parcel.payload, PARCEL_BYTES)
    except WireError as error:
        damaged = parcel.payload[:PARCEL_BYTES]
        batch.refused.append(Refused(damaged, b"", parcel.fixture, error.code, str(error)))
        return []
    if not isinstance(items, list) or not all(_is_item(item) for item in items):
        why = "a parcel is an array of [statement, evidence ...]"
        batch.refused.append(Refused(parcel.payload, b"", parcel.fixture, "edge.parcel", why))
        return []
    return [(item[0], tuple(item[1:])) for item in items]


def _is_item(item: object) -> bool:
    return isinstance(item, list) and bool(item) and all(isinstance(part, bytes) for part in item)
