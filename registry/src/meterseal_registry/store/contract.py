"""What a store promises. One interface; `sqlite.py` is the back end of this version.

`append` and `add_evidence` are all or nothing; when one raises StoreFailed, nothing was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as stored: leaf, identity, the statement's bytes, when it was entered and its evidence items.

    `since` is 0 for evidence that came with its statement, else the number of leaves when it came.
    """

    leaf: int
    identity: bytes
    raw: bytes
    entered_s: int
    evidence: tuple[bytes, ...] = ()
    since: int = 0


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as stored: its log identity, meter, the result it rests on, place in the status list, status."""

    identity: bytes
    meter: str
    result: bytes
    index: int
    status: int


class Store(Protocol):
    """Entries in log order, certificates with their status."""

    def append(self, rows: list[Row], issued: Issued | None = None) -> None:
        """Write rows with their evidence, and a certificate's status, in one transaction."""

    def add_evidence(self, leaf: int, evidence: tuple[bytes, ...], since: int) -> None:
        """Write the evidence of an entry that came without any, when the log had `since` leaves."""

    def rows(self) -> Iterator[Row]:
        """Every entry in log order, evidence included."""

    def set_status(self, index: int, status: int) -> None:
        """Change one certificate's status."""

    def statuses(self) -> list[int]:
        """Every certificate's status in the order of its index."""

    def issued(self, meter: str) -> list[Issued]:
        """A meter's certificates in the order of their index."""

    def close(self) -> None:
        """Release the files."""
