"""Who may say what here: keys from grants that are themselves entries of the log."""

from dataclasses import dataclass, field

from meterseal_protocol.errors import BadKey
from meterseal_protocol.grant import Grants
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import Statement
from meterseal_registry.errors import BadEntry, NotPermitted
from meterseal_registry.log import Log
from meterseal_wire import kinds
from meterseal_wire import labels as L

FIXTURE_KINDS = (L.KIND_BOOT, L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_ABANDONED, L.KIND_EVENT)
EDGE_KINDS = (L.KIND_CHECKPOINT, L.KIND_REFUSED, L.KIND_SIGHTING)
PERSON_KINDS = (L.KIND_SIGNOFF, L.KIND_MARKS, L.KIND_CORRECTION, L.KIND_NOTICE)
ALLOWED = {
    kinds.DELEGATION: (L.KIND_GRANT, L.KIND_WITHDRAWAL, L.KIND_SAMPLING),
    kinds.FIXTURE: FIXTURE_KINDS,
    kinds.EDGE: EDGE_KINDS,
    kinds.PERSON: PERSON_KINDS,
    kinds.SUPERVISOR: (L.KIND_SIGNOFF, L.KIND_REMEASUREMENT),
}


@dataclass
class Authorities:
    """Keys and the kind of grant that names each; anchors may sign grants alone."""

    anchors: list[PublicKey]
    ring: KeyRing = field(default_factory=KeyRing)
    kinds_of: dict[bytes, set[int]] = field(default_factory=dict)
    _cached: tuple[int, Grants] | None = None

    def __post_init__(self) -> None:
        for anchor in self.anchors:
            self.ring.add(anchor)
            self.kinds_of.setdefault(anchor.thumbprint, set()).add(kinds.DELEGATION)

    def learn(self, statement: Statement) -> None:
        """Take the key that an entered grant names."""
        if statement.typ != L.KIND_GRANT or L.SUBJECT_KEY not in statement.payload:
            return
        key = PublicKey.from_cose(statement.payload[L.SUBJECT_KEY])
        self.ring.add(key)
        self.kinds_of.setdefault(key.thumbprint, set()).add(statement.payload[L.GRANT])

    def permit(self, statement: Statement, key: PublicKey) -> None:
        """NotPermitted unless this key's grant lets it submit this kind; BadEntry for a grant to no key at all."""
        held = self.kinds_of.get(key.thumbprint, set())
        if not any(statement.typ in ALLOWED.get(kind, ()) for kind in held):
            names = ", ".join(sorted(kinds.GRANT_NAMES[kind] for kind in held)) or "none"
            raise NotPermitted(f"a {statement.kind} is not for a key with these grants: {names}")
        if statement.typ == L.KIND_GRANT and L.SUBJECT_KEY in statement.payload:
            try:
                PublicKey.from_cose(statement.payload[L.SUBJECT_KEY])
            except BadKey as error:
                raise BadEntry(f"the grant names no key: {error}") from None

    def grants(self, log: Log) -> Grants:
        """The authority chain over every grant and withdrawal in the log, built again when one was added."""
        entries = log.catalogue.authority
        if self._cached is None or self._cached[0] != len(entries):
            self._cached = (len(entries), Grants(list(entries), self.anchors))
        return self._cached[1]
