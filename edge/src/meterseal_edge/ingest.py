"""Station 6: received, verified, durable, covered, acknowledged. One batch, one fsync, one promise a fixture.

The order is the promise (design section 6): size, envelope and signature (examine.py), chain, write with fsync and
log in one transaction, commit, custody signed, custody published, PUBACK. A crash anywhere before the commit loses
nothing, because nothing was acknowledged; a crash after it only repeats custody, because duplicates are covered again.
"""

import logging
import time
from dataclasses import dataclass, field

from meterseal_edge.custody import Promiser
from meterseal_edge.events import Candidate, Covered, Durable, Parcel, Refused
from meterseal_edge.examine import Alarm, Examined
from meterseal_edge.examiners import Examiner
from meterseal_edge.inbox import Inbox
from meterseal_edge.log import EdgeLog
from meterseal_edge.quarantine import Quarantine
from meterseal_edge.refusal import Refuser
from meterseal_edge.site.pins import Pins
from meterseal_edge.state import State
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.statement import read
from meterseal_wire.chain import DUPLICATE, FORK, GAP, GENESIS, LINKED, Head, link
from meterseal_wire.errors import WireError

log = logging.getLogger("meterseal.edge.ingest")
SAYS = {
    GAP: "{}/{} does not follow {}, which is held: something between has not arrived yet",
    FORK: "{}/{} contradicts the chain that is held up to {}: two histories under one key; stop this fixture",
}
CROWDED = "names that no grant gives, {} among them, have filled the quarantine that they share; see who may publish"
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
    alarms: list[Alarm] = field(default_factory=list)


@dataclass
class Ingest:
    """Everything station 6 needs, put together once in `main`."""

    inbox: Inbox
    examiner: Examiner
    log: EdgeLog
    promiser: Promiser
    quarantine: Quarantine
    state: State
    pins: Pins | None = None
    refuser: Refuser | None = None

    def keep(self, parcels: list[Parcel], examined: Examined | None = None) -> list[Covered]:
        """Take one batch from bytes to custody; raises StoreFailed before anything is acknowledged.

        `examined` is what its parcels hold, where somebody else has looked already.
        """
        if examined is None:
            self.examiner.start(parcels)
            examined = self.examiner.finish()
        batch = self.admit(examined)
        refused, full = self.quarantine.fit(batch.refused, {parcel.fixture for parcel in parcels})
        durable = self.log.append(batch.fresh, refused, int(time.time()))
        covered = [self.promiser.promise(key, fixture) for key, fixture in batch.touched.items()]
        for promise in covered:
            self.inbox.send_custody(promise.fixture, promise.raw)
        if self.refuser is not None:
            self.refuse(batch.refused)
        for parcel in parcels:
            answer = self.inbox.hold_back if parcel.fixture in full else self.inbox.acknowledge
            answer(parcel)
        known = self.quarantine.known()
        batch.alarms += [(fixture, "edge.quarantine", FULL) for fixture in sorted(full & known)]
        if full - known:
            batch.alarms.append(("", "edge.strangers", CROWDED.format(min(full - known))))
        self.tell(durable, batch, covered)
        return covered

    def refuse(self, refused: list[Refused]) -> None:
        """Say what arrived damaged; what it does to the queue of a fixture is told in refusal.py."""
        assert self.refuser is not None
        for one in refused:
            answer = self.refuser.answer(one)
            if answer:
                self.inbox.send_down(one.fixture, answer)

    def admit(self, examined: Examined) -> Batch:
        """Place each statement in its chain; pure but for the heads that it reads."""
        batch = Batch(alarms=examined.alarms)
        if self.pins is not None:
            self.pins.look()
        for one in examined.found:
            if isinstance(one, Refused):
                batch.refused.append(one)
            elif self.pins is not None and (why := self.pins.refusal(one.key, one.fixture)):
                batch.refused.append(Refused(one.raw, one.key, one.fixture, *why))
            else:
                self.linked(one, batch)
        return batch

    def linked(self, candidate: Candidate, batch: Batch) -> None:
        """Fresh, duplicate or quarantined, by the chain rule; what the batch already holds counts as held."""
        epoch, seq, _ = candidate.chain
        held = batch.heads.get(candidate.key) or self.log.head(candidate.key)
        verdict = self.verdict(candidate, held, batch)
        if verdict == LINKED:
            batch.heads[candidate.key] = Head(epoch, seq, candidate.identity)
            batch.places[candidate.key, epoch, seq] = candidate.identity
            batch.fresh.append(candidate)
        if verdict in (LINKED, DUPLICATE):
            batch.touched[candidate.key] = candidate.fixture
            return
        why = SAYS[verdict].format(epoch, seq, f"{held.epoch}/{held.seq}" if held else "nothing")
        refused = Refused(candidate.raw, candidate.key, candidate.fixture, f"chain.{verdict}", why)
        batch.refused.append(refused)

    def verdict(self, candidate: Candidate, held: Head | None, batch: Batch) -> str:
        """LINKED, DUPLICATE, GAP or FORK by wire's rule, but where that rule sees too little.

        Two things contradict nothing and only wait: a boot that cites a head which has not arrived yet, and what lies
        before the place where this edge's part of the chain begins.
        """
        if held is None:
            return self.beginning(candidate, batch)
        if candidate.chain == (held.epoch, held.seq + 1, held.identity):
            return LINKED  # nearly always; nothing can stand at a place after the head
        place = candidate.chain[:2]
        known = batch.places.get((candidate.key, *place)) or self.log.identity_at(candidate.key, *place)
        found = str(link(held, candidate.chain, candidate.identity, known))
        later = candidate.cites is not None and candidate.cites > (held.epoch, held.seq)
        waits = later or place < self.log.begins(candidate.key, held)
        return GAP if found == FORK and known is None and waits else found

    def beginning(self, candidate: Candidate, batch: Batch) -> str:
        """LINKED for a key's first boot of all, or for the oldest thing that its fixture still has; else GAP.

        A fixture that comes to a new edge begins in the middle of its chain, and custody covers everything before
        the place it names. Fixtures offer oldest first and again from the beginning, so what was refused once, and
        comes again while nothing earlier was offered, is the oldest. A full quarantine would not know.
        """
        if candidate.chain[1:] == (0, GENESIS):
            return LINKED
        kept = self.log.store.refusals(candidate.fixture)
        refused = [item.raw for item in batch.refused if item.fixture == candidate.fixture]
        earlier = any(is_before(raw, candidate) for raw in (*kept, *refused))
        oldest = candidate.raw in kept and not earlier and len(kept) < self.quarantine.bound
        return LINKED if oldest else GAP

    def tell(self, durable: list[Durable], batch: Batch, covered: list[Covered]) -> None:
        """Counts and alarms for the page."""
        self.state.stored(durable)
        for promise in covered:
            self.state.covered(promise)
        for refused in batch.refused:
            log.warning("%s: %s: %s", refused.fixture, refused.code, refused.why)
            self.state.refused(refused.code)
            self.state.alarm(refused.fixture, refused.code, refused.why)
        for alarm in batch.alarms:
            self.state.alarm(*alarm)


def is_before(raw: bytes, candidate: Candidate) -> bool:
    """True if `raw` reads as a statement under the same kid at an earlier place."""
    try:
        other = read(raw)
    except (ProtocolError, WireError):
        return False
    return bool(
        other.kid == candidate.key[: len(other.kid)] and other.chain and other.chain < candidate.chain
    )
