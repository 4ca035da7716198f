"""The edge's Merkle log (RFC 9162): the tree over the store's statements, in the store's order.

The leaf data is a statement's identity. The tree is rebuilt from the store at the start, so it can never hold a
leaf that is not durable; it grows only after the store's transaction returned.
"""

import threading

from meterseal_edge.events import Candidate, Durable, Refused
from meterseal_edge.store.contract import Store
from meterseal_protocol.merkle import Tree
from meterseal_wire.chain import Head


class EdgeLog:
    """Durable statements and the tree over them."""

    def __init__(self, store: Store) -> None:
        self._lock = threading.Lock()
        self.store = store
        self._tree = Tree()
        for identity in store.identities():
            self._tree.append(identity)

    def append(self, fresh: list[Candidate], refused: list[Refused], received_s: int) -> list[Durable]:
        """Durable first, in the log second; StoreFailed leaves both as they were."""
        if not fresh and not refused:
            return []
        first = self.store.append(fresh, refused, received_s)
        with self._lock:
            for candidate in fresh:
                self._tree.append(candidate.statement.identity)
        return [Durable(candidate, leaf) for leaf, candidate in enumerate(fresh, first)]

    def tip(self) -> tuple[int, bytes]:
        """(size, root) of the tree now."""
        with self._lock:
            return self._tree.size, self._tree.root()

    def head(self, key: bytes) -> Head | None:
        """The newest linked statement of a key."""
        return self.store.head(key)

    def begins(self, key: bytes, held: Head) -> tuple[int, int]:
        """Epoch and seq of the oldest statement of a key; those of `held` where nothing is stored yet."""
        return self.store.begins(key) or (held.epoch, held.seq)

    def identity_at(self, key: bytes, epoch: int, seq: int) -> bytes | None:
        """Identity stored at one place of a key's chain."""
        return self.store.identity_at(key, epoch, seq)
