"""Whose key is whose: fixtures' keys from grants, each grant verified up to an anchor.

The edge asks only *who is this*; whether a grant covers a test is the judge's business. Grants come from a folder
at the start and from the registry while it can be reached.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import KeyRing, PublicKey
from meterseal_protocol.statement import Statement
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

LARGE = 1 << 22


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a key: grant kind, name and site."""

    kind: int
    name: str
    site: str


NAME_LABEL = {kinds.FIXTURE: L.FIXTURE, kinds.EDGE: L.EDGE, kinds.REGISTRY: L.REGISTRY}


class Keybook:
    """Keys and their holders. Safe to use from several threads: a new ring replaces the old one whole."""

    def __init__(self, anchors: bytes) -> None:
        self._lock = threading.Lock()
        self._grants: dict[bytes, bytes] = {}
        self._anchors = [PublicKey.from_cose(key) for key in scan(anchors, LARGE)]
        self.ring = KeyRing()
        self.holders: dict[bytes, Holder] = {}
        self._rebuild()

    def learn(self, grants: Iterable[bytes]) -> int:
        """Add grants; those that do not verify wait for their parents. The number of holders afterwards."""
        with self._lock:
            before = len(self._grants)
            for raw in grants:
                self._grants[raw] = raw
            if len(self._grants) != before:
                self._rebuild()
            return len(self.holders)

    def learn_folder(self, folder: Path) -> int:
        """Add every *.cose of a folder."""
        return self.learn(path.read_bytes() for path in sorted(folder.glob("*.cose")))

    def _rebuild(self) -> None:
        ring = KeyRing()
        for anchor in self._anchors:
            ring.add(anchor)
        holders: dict[bytes, Holder] = {}
        waiting = list(self._grants)
        while waiting:
            left = [raw for raw in waiting if not _believe(raw, ring, holders)]
            if len(left) == len(waiting):
                break
            waiting = left
        self.ring, self.holders = ring, holders


def _believe(raw: bytes, ring: KeyRing, holders: dict[bytes, Holder]) -> bool:
    try:
        statement = verify(raw, ring).statement
    except (ProtocolError, WireError):
        return False
    if statement.typ == L.KIND_GRANT and L.SUBJECT_KEY in statement.payload:
        key = PublicKey.from_cose(statement.payload[L.SUBJECT_KEY])
        ring.add(key)
        holders[key.thumbprint] = _holder(statement)
    return True


def _holder(statement: Statement) -> Holder:
    payload = statement.payload
    kind = payload[L.GRANT]
    name = payload.get(NAME_LABEL.get(kind, -1), "")
    return Holder(kind, name, payload.get(L.SITE, ""))
