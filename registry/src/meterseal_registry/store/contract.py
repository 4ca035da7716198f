"""What a store promises. One interface; `sqlite.py` is the back end of this version.

`append` is all or nothing and gives leaves without gaps; when it raises StoreFailed, nothing was written.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as stored: leaf, identity, the statement's bytes, when it was entered and its evidence items."""

    leaf: int
    identity: bytes
    raw: bytes
    entered_s: int
    evidence: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate as stored: its log identity, meter, the result it rests on, place in the status list, status."""

    identity: bytes
    meter: str
    result: bytes
    index: int
    status: int


class Store(Protocol):
    """Entries in log order, the meters they name, certificates with their status."""

    def append(
        self, rows: list[Row], meters: dict[bytes, tuple[str, ...]], issued: Issued | None = None
    ) -> None:
        """Write rows with their evidence, the meters each names and a certificate's status, in one transaction."""

    def rows(self) -> Iterator[Row]:
        """Every entry in log order, evidence included."""

    def naming(self, meter: str) -> list[bytes]:
        """Identities of the entries that name a meter, in log order."""

    def set_status(self, index: int, status: int) -> None:
        """Change one certificate's status."""

    def issued(self) -> list[Issued]:
        """Every certificate in the order of its index."""

    def close(self) -> None:
        """Release the files."""
