"""The registry's log (RFC 9162): a leaf is a statement's 32-byte identity and nothing else.

Held in memory beside the store: entries in leaf order, the tree over them, and the pool of parsed statements that
decisions read. Everything here follows the store; a leaf exists only after its transaction returned.
"""

import threading
from dataclasses import dataclass, field

from meterseal_protocol import receipt
from meterseal_protocol.evidence import Entry, Place
from meterseal_protocol.merkle import Tree, include, leaf_hash
from meterseal_protocol.statement import Statement
from meterseal_registry.errors import NotFound
from meterseal_registry.store.contract import Row
from meterseal_wire import labels as L
from meterseal_wire.statement import Author, build


@dataclass
class Log:
    """Rows by leaf and by identity, the tree, and parsed entries (certificates have none)."""

    rows: list[Row] = field(default_factory=list)
    by_identity: dict[bytes, int] = field(default_factory=dict)
    pool: list[Entry] = field(default_factory=list)
    attempts: dict[Place, Statement] = field(default_factory=dict)
    hashes: list[bytes] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)
    lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self.rows)

    def add(self, row: Row, entry: Entry | None) -> None:
        """A row that is durable; `entry` is None for a certificate, which no decision reads."""
        self.rows.append(row)
        self.by_identity[row.identity] = row.leaf
        self.hashes.append(leaf_hash(row.identity))
        self.tree.append(row.identity)
        if entry is not None:
            self.pool.append(entry)
            if entry.statement.typ == L.KIND_ATTEMPT:
                self.attempts[entry.place] = entry.statement

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
            return receipt.issue(author, identity, include(self.hashes, row.leaf, size), row.entered_s)

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
