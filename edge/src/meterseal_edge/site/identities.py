"""Who is enrolled at a site under which signing key, and who is revoked: a small JSON file in the edge's state folder.

    {"rows": [{"name": "W1", "key": "<64 hex digits>", "serials": ["<hex>", ...], "revoked_s": 0}]}

`key` is the thumbprint of the key that signs statements, `serials` those of all certificates that were issued for it.
A row is never taken away: a revoked key stays known as revoked.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meterseal_edge.errors import BadSite
from meterseal_edge.site.layout import put

THUMBPRINT = 32


@dataclass(frozen=True, slots=True)
class Row:
    """One key under one name; `revoked_s` is when it was revoked (Unix seconds), 0 while it is not."""

    name: str
    key: bytes
    serials: tuple[int, ...]
    revoked_s: int = 0


@dataclass(frozen=True, slots=True)
class Identities:
    """All rows. `named(key, name)` is the row of a key under a name; None where it was never enrolled."""

    rows: tuple[Row, ...] = ()

    def named(self, key: bytes, name: str) -> Row | None:
        """The row of this key under this name."""
        return next((row for row in self.rows if row.key == key and row.name == name), None)

    def live(self, name: str) -> list[Row]:
        """Rows under a name that are not revoked."""
        return [row for row in self.rows if row.name == name and not row.revoked_s]

    def is_revoked(self, key: bytes) -> bool:
        """True if the key was revoked under any name: a key that was stolen is stolen."""
        return any(row.key == key and row.revoked_s for row in self.rows)

    def revoked_names(self) -> list[str]:
        """Names under which nothing is left that is not revoked, sorted."""
        names = {row.name for row in self.rows}
        return sorted(name for name in names if not self.live(name))

    def revoked_serials(self) -> list[int]:
        """Certificates that the broker must refuse."""
        return sorted(serial for row in self.rows if row.revoked_s for serial in row.serials)

    def issued(self, name: str, key: bytes, serial: int) -> "Identities":
        """With one more certificate for a key under a name."""
        known = self.named(key, name)
        if known is None:
            return Identities((*self.rows, Row(name, key, (serial,))))
        grown = replace(known, serials=(*known.serials, serial))
        return Identities(tuple(grown if row is known else row for row in self.rows))

    def revoked(self, name: str, at_s: int) -> "Identities":
        """With everything under a name revoked; what was revoked before keeps its time."""
        rows = (
            replace(row, revoked_s=row.revoked_s or at_s) if row.name == name else row for row in self.rows
        )
        return Identities(tuple(rows))


def load(path: Path) -> Identities:
    """The file's rows; BadSite where there is none or it is damaged."""
    try:
        told = json.loads(path.read_text("utf-8"))
        return Identities(tuple(_rows(told["rows"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadSite(f"{path} cannot be read: {error}. Put back its newest copy, or enrol again") from None


def save(path: Path, identities: Identities) -> None:
    """Write the file whole."""
    rows = [
        {
            "name": row.name,
            "key": row.key.hex(),
            "serials": [f"{serial:x}" for serial in row.serials],
            "revoked_s": row.revoked_s,
        }
        for row in identities.rows
    ]
    put(path, (json.dumps({"rows": rows}, indent=1, ensure_ascii=False) + "\n").encode())


def _rows(told: list[dict[str, Any]]) -> Iterable[Row]:
    for row in told:
        key, revoked_s = bytes.fromhex(row["key"]), row["revoked_s"]
        if len(key) != THUMBPRINT or not isinstance(row["name"], str) or not isinstance(revoked_s, int):
            raise ValueError(f"a row is out of shape: {row['name']!r}")
        yield Row(row["name"], key, tuple(int(serial, 16) for serial in row["serials"]), revoked_s)
