"""What an operator has put in the folder `down`, for fixtures to get: plans, tenants, and one firmware a board.

| file | holds |
|---|---|
| `{digest of the document}.plan` | `["plan", rules grant, plan document]`, as it goes down |
| `{digest of the grant}.tenant` | `["tenant", tenant grant, [delegation, ...]]`, as it goes down |
| `{board}.firmware` | `["firmware", manifest, firmware grant, [[path, bytes], ...], put]` |

A plan for the same document and a firmware for the same board take the older one's place. `put` is the second in which
a firmware was put, so that a version that a fixture has given up is sent again only when somebody puts it again.

A file is written under another name and renamed, so a reader sees whole files alone. One that cannot be read is passed
over, and named by `damaged`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from meterseal_edge.errors import BadOffer
from meterseal_edge.granting import (
    BOARD,
    DIGEST,
    FIRMWARE,
    IMAGE_BYTES,
    ITEM_BYTES,
    MANIFEST_BYTES,
    PLAN,
    TENANT,
    VERSION,
    Firmware,
    Item,
)
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.statement import read
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

FOLDER = "down"
MOST = {PLAN: 16, TENANT: 8}  # what a fixture's shelves hold (its granted.py)
FILE_BYTES = IMAGE_BYTES + 2 * MANIFEST_BYTES
NAME_BYTES = 8
SHAPES = {
    PLAN: (str, bytes, bytes),
    TENANT: (str, bytes, list),
    FIRMWARE: (str, bytes, bytes, list, int),
}


@dataclass(frozen=True, slots=True)
class Granted:
    """A plan or tenant as it goes down. `name` is what a fixture calls it: the first bytes of its SHA-256 in hex."""

    kind: str
    name: str
    item: Item
    file: str


@dataclass
class Offers:
    """The folder, read again where something in it has changed."""

    folder: Path
    granted: list[Granted] = field(default_factory=list)
    firmware: dict[str, Firmware] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    _seen: tuple[tuple[str, int, int], ...] = ()

    def look(self) -> bool:
        """Read the folder; True where it changed since the last look."""
        paths = [path for path in self.folder.glob("*.*") if path.suffix[1:] in SHAPES]
        stats = sorted((path.stat().st_mtime_ns, path.stat().st_size, path.name) for path in paths)
        seen = tuple((name, changed, size) for changed, size, name in stats)
        if seen == self._seen:
            return False
        self._seen, self.granted, self.firmware, self.damaged = seen, [], {}, []
        for name, _, _ in seen:
            self._take(self.folder / name)
        return True

    def _take(self, path: Path) -> None:
        kind = path.suffix[1:]
        try:
            item = scan(path.read_bytes(), FILE_BYTES)
            _check(kind, item)
            if kind == FIRMWARE:
                found = _firmware(item)
                self.firmware[found.board] = found
            else:
                self.granted.append(Granted(kind, name_of(item), item, path.name))
        except (OSError, WireError, ProtocolError, KeyError, TypeError, ValueError):
            self.damaged.append(path.name)

    def wanted(self, kind: str, goes: Callable[[Granted], bool] = bool) -> list[Granted]:
        """The newest of a kind that go, as many as a fixture's shelf holds, oldest first."""
        return [one for one in self.granted if one.kind == kind and goes(one)][-MOST[kind] :]

    def grants(self) -> list[bytes]:
        """Every grant in the folder, and the delegations that came along."""
        above = [raw for one in self.granted if one.kind == TENANT for raw in one.item[2]]
        return [
            *above,
            *(one.item[1] for one in self.granted),
            *(one.grant for one in self.firmware.values()),
        ]


def put(folder: Path, item: Item, now_s: int) -> Path:
    """Lay an item, as `granting` gave it, into the folder; its file."""
    folder.mkdir(parents=True, exist_ok=True)
    if item[0] == FIRMWARE:
        item = [*item, now_s]
        name = re.sub(r"[^A-Za-z0-9.-]", "-", _firmware(item).board)
    else:
        name = sha256(item[2] if item[0] == PLAN else item[1])[:NAME_BYTES].hex()
    path = folder / f"{name}.{item[0]}"
    part = path.with_suffix(".part")
    part.write_bytes(encode(item))
    part.replace(path)
    return path


def drop(folder: Path, name: str, kind: str) -> None:
    """Take a file of that kind out of the folder; BadOffer where there is none of that name."""
    path = folder / f"{Path(name).name.removesuffix('.' + kind)}.{kind}"
    if not path.is_file():
        raise BadOffer(f"there is no {path.name} in {folder}; list what there is")
    path.unlink()


def name_of(item: Item) -> str:
    """What a fixture calls an item that it holds."""
    return sha256(encode(item))[:NAME_BYTES].hex()


def _check(kind: str, item: Any) -> None:
    shape = SHAPES[kind]
    right = isinstance(item, list) and len(item) == len(shape) and all(map(isinstance, item, shape))
    if not right or item[0] != kind or (kind != FIRMWARE and len(encode(item)) > ITEM_BYTES):
        raise ValueError(kind)


def _firmware(item: Item) -> Firmware:
    _, manifest, grant, rows, put_s = item
    image = scan(manifest, MANIFEST_BYTES)
    board = read(grant).payload[L.BOARD]
    if board.split("/")[0] != image[BOARD]:
        raise ValueError(board)
    return Firmware(board, image[VERSION], image[DIGEST], manifest, grant, dict(rows), put_s)
