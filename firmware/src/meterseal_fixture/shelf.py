"""A few small items that came from above and must outlive a power cut, the newest of them, by a key of up to 32 bytes.

Promise: after a cut at any moment each key gives the item that was put last, or the one before it, or none where
there was none: an item is written under another name, read back, and renamed. Nothing is promised of what the flash
loses by itself; so whoever takes an item from here verifies it again.

A file's name says its number, its key and the first bytes of its SHA-256, so a start reads names alone.
"""

import os

from meterseal_fixture.errors import NotKept
from meterseal_wire.digest import sha256

PART = "part"
NUMBER = 8
ITEM_BYTES = 8192
NAME = 8


class Shelf:
    """At most `most` items in `folder`, which is made by the first one."""

    def __init__(self, folder: str, most: int) -> None:
        self.folder, self.most = folder, most
        self._names = sorted(name for name in _listed(folder) if name.count("-") == 2)
        for name in self._names[:]:
            if [other for other in self._names if other > name and _key(other) == _key(name)]:
                self._remove(name)

    def keys(self) -> list[bytes]:
        """The keys, that of the oldest item first."""
        return [bytes.fromhex(_key(name)) for name in self._names]

    def names(self) -> list[str]:
        """Of each item the first bytes of its SHA-256 in hex, oldest first."""
        return [name.rsplit("-", 1)[1] for name in self._names]

    def get(self, key: bytes) -> bytes:
        """The item of a key; empty where there is none, or none that can be read."""
        for name in self._names:
            if _key(name) == key.hex():
                try:
                    with open("%s/%s" % (self.folder, name), "rb") as file:
                        item: bytes = file.read()
                    return item
                except OSError:
                    return b""
        return b""

    def put(self, key: bytes, item: bytes) -> None:
        """Keep an item as the newest, in the place of its key's older one; the oldest goes where it is one too many.

        NotKept where the flash does not take it; then everything is as it was.
        """
        older = [name for name in self._names if _key(name) == key.hex()]
        if older and older[0].endswith(name_of(item)) and self.get(key) == item:
            return
        number = int(self._names[-1].split("-")[0]) + 1 if self._names else 1
        name = "%08d-%s-%s" % (number, key.hex(), name_of(item))
        self._write(name, item)
        self._names.append(name)
        for one in older:
            self._remove(one)
        while len(self._names) > self.most:
            self._remove(self._names[0])

    def drop(self, key: bytes) -> None:
        """Forget the item of a key."""
        for name in [name for name in self._names if _key(name) == key.hex()]:
            self._remove(name)

    def _write(self, name: str, item: bytes) -> None:
        part = "%s/%s" % (self.folder, PART)
        try:
            _make(self.folder)
            with open(part, "wb") as file:
                file.write(item)
                file.flush()
            with open(part, "rb") as file:
                same = file.read() == item
            if same:
                os.rename(part, "%s/%s" % (self.folder, name))
        except OSError as wrong:
            raise NotKept("keep.not_kept", "%s: %s" % (self.folder, wrong))
        if not same:
            raise NotKept("keep.not_kept", self.folder)

    def _remove(self, name: str) -> None:
        # A file that stays is found again at the next start, older than what took its place.
        self._names.remove(name)
        try:
            os.remove("%s/%s" % (self.folder, name))
        except OSError:
            return


def name_of(item: bytes) -> str:
    """The first bytes of an item's SHA-256 in hex: how it is called upwards, and in its file's name."""
    return sha256(item)[:NAME].hex()


def _key(name: str) -> str:
    return name.split("-")[1]


def _listed(folder: str) -> list[str]:
    try:
        return list(os.listdir(folder))
    except OSError:
        return []


def _make(folder: str) -> None:
    try:
        os.stat(folder)
    except OSError:
        os.mkdir(folder)
