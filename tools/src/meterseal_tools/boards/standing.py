"""How a board stands against an image: which slot starts, whether it is the image, and what the other one holds.

The slot that starts is the one that the cell names (slot_cell.py). The other one is information: the version before
an update, one that was given up, or one under way. Only what its own manifest does not name is told as extra there.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from meterseal_tools.boards import slot_cell
from meterseal_tools.boards.compare import Difference, Kind, differences, digest_found
from meterseal_tools.boards.image import MANIFEST, SLOTS, Image, slot_image
from meterseal_tools.boards.slot_cell import FILLING, SlotCell


@dataclass(frozen=True)
class Contents:
    """A board's files: their sizes by path, and how to get hash and content of one."""

    sizes: Mapping[str, int]
    hash_of: Callable[[str], bytes]
    content_of: Callable[[str], bytes]


@dataclass(frozen=True)
class OtherSlot:
    """The slot that does not start: prefix, the cell's word for it, its manifest's version and counter ("" and 0 where
    there is none), the digest of what lies there, and whether all of it is as its manifest says.
    """

    slot: str
    state: str
    version: str
    counter: int
    digest: bytes
    whole: bool


@dataclass(frozen=True)
class Standing:
    """`slot` starts next, `on_trial` or not; `differences` are to be explained, `digest` is what lies in that slot."""

    slot: str
    on_trial: bool
    counter: int
    differences: list[Difference]
    digest: bytes
    other: OtherSlot | None


def standing(image: Image, contents: Contents) -> Standing:
    """Compare the slot that starts with the image, and look at the other one."""
    cell = cell_of(contents)
    found = differences(image, contents.sizes, contents.hash_of, cell.running)
    beside = SLOTS[1 - SLOTS.index(cell.running)]
    other, named = _other(cell, beside, contents)
    left = [one for one in found if one.kind is not Kind.EXTRA or one.path not in named]
    digest = digest_found(contents.sizes, contents.hash_of, cell.running)
    return Standing(cell.running, cell.running != cell.good, cell.counter, left, digest, other)


def cell_of(contents: Contents) -> SlotCell:
    """What the board's cell says; a side of another size is damaged and not read."""
    sides = [path for path in slot_cell.PATHS if contents.sizes.get(path) == slot_cell.SIZE]
    return slot_cell.read({path: contents.content_of(path) for path in sides})


def _other(cell: SlotCell, slot: str, contents: Contents) -> tuple[OtherSlot | None, set[str]]:
    # Also: which of its files have a reason to be there. An update under way has no manifest yet.
    there = {path for path in contents.sizes if path.startswith(slot)}
    if not there:
        return None, set()
    state = cell.state if slot == cell.other else "good"
    manifest = slot + MANIFEST
    image = slot_image(contents.content_of(manifest)) if manifest in there else None
    digest = digest_found(contents.sizes, contents.hash_of, slot)
    if image is None:
        return OtherSlot(slot, state, "", 0, digest, False), there if state == FILLING else set()
    named = {slot + file.path for file in image.files} | {manifest}
    whole = there == named and all(_same(contents, slot, image))
    return OtherSlot(slot, state, image.version, image.counter, digest, whole), named


def _same(contents: Contents, slot: str, image: Image) -> Iterable[bool]:
    return (contents.hash_of(slot + file.path) == file.sha256 for file in image.files)
