"""Who holds a key: the subjects of grants that reach an anchor, and what each may therefore sign.

A grant is believed only under an anchor or under the subject of a delegation that is believed itself: a fixture's
key can sign what a fixture says, and never a grant. Whether a grant covers a given test is the judge's business
(grant.py); here it is only *whose key is this*.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError

NAMES = {kinds.FIXTURE: L.FIXTURE, kinds.EDGE: L.EDGE, kinds.REGISTRY: L.REGISTRY}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a key: the grant's kind, the name it gives, and the site (empty where it has none)."""

    kind: int
    name: str
    site: str


class Holders:
    """Keys that grants name, found from `anchors`. `ring` has all of them, `of_kind` those of one
    kind of grant, `authorities` those that may sign grants: anchors and delegations.
    """

    def __init__(self, anchors: Sequence[PublicKey]) -> None:
        self.ring = KeyRing()
        self.authorities = KeyRing()
        self._of_kind: dict[int, KeyRing] = {}
        self._held: dict[bytes, list[Holder]] = {}
        for anchor in anchors:
            self.ring.add(anchor)
            self.authorities.add(anchor)

    def learn(self, grants: Iterable[bytes]) -> list[bytes]:
        """Believe grants in whichever order they come; gives back those that nobody believed vouches for."""
        waiting = list(grants)
        while True:
            left = [raw for raw in waiting if not self._believe(raw)]
            if len(left) == len(waiting):
                return left
            waiting = left

    def of(self, thumbprint: bytes, kind: int) -> Holder | None:
        """The holder of a key by a grant of `kind`, None where there is none."""
        return next((holder for holder in self._held.get(thumbprint, ()) if holder.kind == kind), None)

    def kinds_of(self, thumbprint: bytes) -> set[int]:
        """Kinds of grant that name a key."""
        return {holder.kind for holder in self._held.get(thumbprint, ())}

    def of_kind(self, kind: int) -> KeyRing:
        """Keys named by grants of one kind."""
        return self._of_kind.setdefault(kind, KeyRing())

    def __len__(self) -> int:
        return len(self._held)

    def _believe(self, raw: bytes) -> bool:
        try:
            statement = verify(raw, self.authorities).statement
            if statement.typ != L.KIND_GRANT:
                return False
            self._take(statement)
        except (ProtocolError, WireError):
            return False
        return True

    def _take(self, statement: Statement) -> None:
        payload = statement.payload
        if L.SUBJECT_KEY not in payload:
            return
        key, kind = PublicKey.from_cose(payload[L.SUBJECT_KEY]), payload[L.GRANT]
        self.ring.add(key)
        self.of_kind(kind).add(key)
        if kind == kinds.DELEGATION:
            self.authorities.add(key)
        holder = Holder(kind, payload.get(NAMES.get(kind, -1), ""), payload.get(L.SITE, ""))
        held = self._held.setdefault(key.thumbprint, [])
        if holder not in held:
            held.append(holder)
