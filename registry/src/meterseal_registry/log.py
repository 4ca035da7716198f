"""The registry's log (RFC 9162): a leaf is a statement's 32-byte identity and nothing else.

Held in memory beside the store: entries in leaf order, the tree over them, and the catalogue of parsed statements
that decisions read. Everything here follows the store; a leaf exists only after its transaction returned.
"""

import threading
from dataclasses import dataclass, field, replace

from meterseal_protocol import receipt
from meterseal_protocol.evidence import Entry, EvidenceIndex
from meterseal_registry.catalogue import Catalogue
from meterseal_registry.errors import NotFound
from meterseal_registry.store.contract import Row
from meterseal_registry.subtrees import Subtrees
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


@dataclass
class Log:
    """Rows by leaf and by identity, the tree, and parsed entries (certificates have none) with their evidence."""

    rows: list[Row] = field(default_factory=list)
    by_identity: dict[bytes, int] = field(default_factory=dict)
    tree: Subtrees = field(default_factory=Subtrees)
    catalogue: Catalogue = field(default_factory=Catalogue)
    evidence: EvidenceIndex = field(default_factory=EvidenceIndex)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self.rows)

    @property
    def pool(self) -> list[Entry]:
        """Parsed entries in leaf order."""
        return self.catalogue.pool

    @property
    def latest_s(self) -> int:
        """When the last entry was made; 0 for an empty log."""
        return self.rows[-1].entered_s if self.rows else 0

    def add(self, row: Row, entry: Entry | None) -> None:
        """A row that is durable; `entry` is None for a certificate, which no decision reads."""
        self.rows.append(row)
        self.by_identity[row.identity] = row.leaf
        self.tree.append(row.identity)
        if entry is not None:
            self.catalogue.add(entry, row.evidence)
            self.evidence.add(entry, row.evidence)

    def add_evidence(self, identity: bytes, evidence: tuple[bytes, ...], since: int) -> None:
        """Evidence of an entry that came after it, durable since the log had `since` leaves."""
        leaf = self.by_identity[identity]
        self.rows[leaf] = replace(self.rows[leaf], evidence=evidence, since=since)
        self.evidence.add_items(identity, evidence)

    def find(self, identity: bytes) -> Row:
        """The row of an identity; NotFound otherwise."""
        leaf = self.by_identity.get(identity)
        if leaf is None:
            raise NotFound(f"no entry {identity.hex()[:16]}… is in this log")
        return self.rows[leaf]

    def receipt(self, author: Author, identity: bytes, size: int | None = None) -> bytes:
        """COSE receipt of one entry against the tree of `size` leaves (now, where None)."""
        with self.lock:
            row = self.find(identity)
            size = self.size if size is None else size
            if not row.leaf < size <= self.size:
                raise NotFound(f"entry {row.leaf} is not among the first {size} of {self.size} leaves")
            return receipt.issue(author, identity, self.tree.include(row.leaf, size), row.entered_s)

    def checkpoint(self, author: Author, time_s: int) -> bytes:
        """Signed tree head of the log as it stands."""
        with self.lock:
            payload = {
                L.ORIGIN: f"registry/{author.issuer}",
                L.LOG_SIZE: self.size,
                L.LOG_ROOT: self.tree.root(),
                L.TIME_S: time_s,
            }
        return build(author, L.KIND_CHECKPOINT, payload)
