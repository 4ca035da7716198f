"""What a store promises. One interface; `sqlite.py` is the back end of this version.

`append` is all or nothing: when it returns, statements, evidence, refusals, log order and the roots over the tiles
that were filled are on disk; when it raises StoreFailed, none of them is. A refusal of what `append` now takes in is
forgotten in the same step. `enter` keeps receipts. Everything else reads; all of it may raise StoreFailed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from meterseal_edge.events import Candidate, Refused
from meterseal_wire.chain import Head


@dataclass(frozen=True, slots=True)
class Stored:
    """A durable statement as the outbox sends it: leaf, signer's thumbprint, identity, bytes and its evidence."""

    leaf: int
    key: bytes
    identity: bytes
    raw: bytes
    evidence: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A durable statement as the pages read it: leaf, signer's thumbprint, bytes (None once retention let them go),
    when it came, and whether a receipt covers it.
    """

    leaf: int
    key: bytes
    raw: bytes | None
    received_s: int
    entered: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """What is held of one key: its thumbprint, number of statements, when the newest came, the head, and epoch and
    seq of the oldest.
    """

    key: bytes
    statements: int
    last_s: int
    head: Head
    begins: tuple[int, int]


class Root(NamedTuple):
    """The root over a whole tile of the log: hash number `place` of `level` (C2SP tlog-tiles), level 1 or higher."""

    level: int
    place: int
    hash: bytes


class Store(Protocol):
    """Durable statements in log order, with heads, quarantine and receipts."""

    def append(
        self, fresh: list[Candidate], refused: list[Refused], received_s: int, roots: Sequence[Root] = ()
    ) -> int:
        """Write all of it in one transaction; the leaf of the first fresh statement."""

    def head(self, key: bytes) -> Head | None:
        """The newest linked statement of a key."""

    def begins(self, key: bytes) -> tuple[int, int] | None:
        """Epoch and seq of the oldest statement of a key."""

    def identity_at(self, key: bytes, epoch: int, seq: int) -> bytes | None:
        """Identity stored at one place of a key's chain."""

    def identities(self, start: int, end: int) -> list[bytes]:
        """Identities of the leaves from `start` up to `end`."""

    def roots(self, level: int, start: int, end: int) -> list[bytes]:
        """Hashes of a level, 1 or higher, from place `start` up to `end`."""

    def chains(self) -> list[Chain]:
        """What is held of each key."""

    def unentered(self, after: int, most: int) -> list[Stored]:
        """The oldest statements without a registry receipt whose leaf is above `after`."""

    def enter(self, receipts: list[tuple[int, bytes]]) -> None:
        """Keep receipts (leaf, bytes): these statements are entered."""

    def receipts(self, key: bytes, after: tuple[int, int], most: int) -> list[bytes]:
        """Receipts of a key's statements after a place, oldest first, up to the first that has none yet."""

    def counts(self) -> tuple[int, int, int]:
        """(durable, entered, quarantined)."""

    def quarantined(self, fixture: str) -> int:
        """How many refusals of one fixture are kept."""

    def refusals(self, fixture: str) -> list[bytes]:
        """The refused bytes of one fixture."""

    def kept(self, start: int, end: int) -> list[Kept]:
        """Statements of the leaves from `start` up to `end`."""

    def evidence(self, leaf: int) -> tuple[bytes, ...]:
        """Evidence items of a leaf; none where there are none, or where retention let them go."""

    def waits_since(self) -> int | None:
        """When the oldest statement without a registry receipt came (Unix seconds); None where none waits."""

    def note(self, name: str) -> bytes | None:
        """What was noted under a name."""

    def write_note(self, name: str, value: bytes) -> None:
        """Note something under a name, in the place of what was noted before."""

    def close(self) -> None:
        """Release the files."""
