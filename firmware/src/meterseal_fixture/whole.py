"""Is a slot whole: has each of its files the hash that the slot's own manifest says, and is there no other file?

The loader asks before it runs anything, at every start, so it is built from this file too. It reads the manifest
without the wire's decoder, which lies in the very slot that is asked about: what it does not understand is not whole.

Promise: a slot with a damaged, missing or additional file does not start. When the good one is damaged, the other one
starts if it is whole and its rollback counter is not below the floor; then it is the good one, so that an update may
fill the damaged one, and the next boot signs that it happened.

Not covered: whoever can write the flash can write the manifest too; an interpreter or a loader that is damaged.
"""

import os
from hashlib import sha256

from meterseal_fixture.errors import NotKept
from meterseal_fixture.slots import Slots

MANIFEST = "manifest.cbor"
COUNTER, FILES = 3, 4
BLOCK = 1024
FOLDER = 0x4000
UNSIGNED, BYTES, TEXT, ARRAY, MAP = 0, 2, 3, 4, 5
UNREADABLE = (OSError, ValueError, TypeError, KeyError, IndexError, RuntimeError)


def whole_slot(slots: Slots) -> str:
    """The loader's question: the slot to start now, "" where none can. What it starts, it has hashed."""
    name = slots.choose()
    if counter_of(slots.folder(name)) is not None:
        return name
    if name != slots.good:
        return slots.good if counter_of(slots.folder(slots.good)) is not None else ""
    counter = counter_of(slots.folder(slots.other))
    if counter is None or counter < slots.counter:
        return ""
    try:
        slots.fall_back()
    except NotKept:
        return ""
    return slots.good


def counter_of(folder: str):
    """The rollback counter of the version in a slot; None unless the slot is whole."""
    try:
        with open("%s/%s" % (folder, MANIFEST), "rb") as file:
            raw = file.read()
        fields, end = _item(raw, 0)
        hashes = {path: digest for path, _, digest in fields[FILES]}
        if end != len(raw) or sorted(walk(folder)) != sorted(list(hashes) + [MANIFEST]):
            return None
        for path, digest in hashes.items():
            if hash_of("%s/%s" % (folder, path)) != digest:
                return None
        return fields[COUNTER] + 0
    except UNREADABLE:
        return None


def _item(raw: bytes, at: int):
    """(value, place behind it) of the CBOR item at `at`: what a manifest is made of, and nothing else."""
    kind, size = raw[at] >> 5, raw[at] & 31
    at += 1
    if size > 23:
        width = 1 << (size - 24)
        if width > 4:
            raise ValueError
        size = int.from_bytes(raw[at : at + width], "big")
        at += width
    if kind == UNSIGNED:
        return size, at
    if kind in (BYTES, TEXT):
        found = raw[at : at + size]
        return (found if kind == BYTES else found.decode()), at + size
    if kind not in (ARRAY, MAP):
        raise ValueError
    items = []
    for _ in range(size if kind == ARRAY else 2 * size):
        value, at = _item(raw, at)
        items.append(value)
    return (items if kind == ARRAY else dict(zip(items[::2], items[1::2]))), at


def walk(folder: str, inside: str = "") -> list[str]:
    """Paths below `folder` of all files; none where it does not exist."""
    found: list[str] = []
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return found
    for entry in entries:
        if entry[1] == FOLDER:
            found += walk("%s/%s" % (folder, entry[0]), "%s%s/" % (inside, entry[0]))
        else:
            found.append(inside + entry[0])
    return found


def hash_of(path: str) -> bytes:
    """SHA-256 of a file, 32 bytes."""
    digest, block = sha256(), bytearray(BLOCK)
    view = memoryview(block)
    with open(path, "rb") as file:
        count = file.readinto(block)
        while count:
            digest.update(view[:count])
            count = file.readinto(block)
    found: bytes = digest.digest()
    return found
