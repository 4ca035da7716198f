"""An image onto one board. Killed, unplugged or refused at any point, it goes on from there when it is run again.

What it leaves is one layout, whatever updates came before: slot `a` is the image and the good one, slot `b` is gone.
Of `state/` only the slots' cell is written; its rollback counter goes up with the image's and never down, unless a
person insists.

The loader is taken away before anything else changes and comes back last, so a board that was left half-way starts
nothing. Files of the slot that are not in the image go, and so does boot.py, which would run before the loader;
anything else that nobody built is named and left for a person. At the end the whole board is compared again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from meterseal_tools.boards import slot_cell
from meterseal_tools.boards.compare import Difference, Kind, differences
from meterseal_tools.boards.identity import at, public_key
from meterseal_tools.boards.image import LOADER, SLOT, SLOTS, File, Image
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.standing import Contents, cell_of
from meterseal_tools.boards.words import BoardError

SAME, FLASHED = "same", "flashed"
BOOT = "boot.py"
MOST_RETURNS = 5
Tell = Callable[[int, int], None]
Wait = Callable[[str], bool]


@dataclass(frozen=True)
class Flashed:
    """What came of a board: `same` (nothing to do) or `flashed`."""

    unique_id: str
    outcome: str
    public_xy: bytes


def write(link: BoardLink, image: Image, tell: Tell, force_older: bool = False) -> str:
    """Make the board what the image says; `tell` hears bytes done and to do. SAME or FLASHED.

    BoardError `older` for an image below the board's rollback counter; `force_older` takes it, and lowers the counter.
    """
    sizes = link.sizes()
    cell = cell_of(Contents(sizes, link.hash, link.read))
    if image.counter < cell.counter and not force_older:
        raise BoardError("older", link.port, f"{image.counter} < {cell.counter}")
    found = differences(image, sizes, link.hash)
    if not found and cell.is_flashed(image.counter):
        return SAME
    for path in _to_remove(found, sizes):
        link.remove(path)
    link.remove_tree(SLOTS[1].rstrip("/"))
    if not cell.is_flashed(image.counter):
        link.make_folders(slot_cell.PATHS)
        link.put(*cell.flashed(image.counter))
    _send(link, image, found, tell)
    left = differences(image, link.sizes(), link.hash)
    if left:
        raise BoardError("differs", link.port, ", ".join(map(str, left)))
    return FLASHED


def _send(link: BoardLink, image: Image, found: list[Difference], tell: Tell) -> None:
    wanted = _to_write(image, found)
    link.make_folders(file.path for file in wanted)
    done, total = 0, sum(file.size for file in wanted)
    tell(done, total)
    for file in wanted:
        link.put(file.path, image.content(file))
        done += file.size
        tell(done, total)


def _to_remove(found: list[Difference], sizes: dict[str, int]) -> Iterator[str]:
    if LOADER in sizes:
        yield LOADER
    for one in found:
        if one.kind is Kind.EXTRA and (one.path.startswith(SLOT) or one.path == BOOT):
            yield one.path


def _to_write(image: Image, found: list[Difference]) -> list[File]:
    wanted = {one.path for one in found if one.kind is not Kind.EXTRA} | {LOADER}
    files = [file for file in image.files if file.path in wanted]
    return sorted(files, key=lambda file: file.path == LOADER)


def flash(port: str, image: Image, tell: Tell, wait: Wait, force_older: bool = False) -> Flashed:
    """Flash the board on a port; when it goes away, `wait(port)` is asked whether it came back."""
    first, returns = "", 0
    while True:
        try:
            with BoardLink(port) as link:
                found = link.unique_id()
                if first and found != first:
                    raise BoardError("other_board", port, found)
                first = found
                outcome = write(link, image, tell, force_older)
                public = public_key(at(link))
                link.start()
                return Flashed(found, outcome, public)
        except BoardError as error:
            returns += 1
            if error.code != "gone" or returns > MOST_RETURNS or not wait(port):
                raise
