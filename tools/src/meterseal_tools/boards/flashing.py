"""An image onto one board. Killed, unplugged or refused at any point, it goes on from there when it is run again.

The loader is taken away before the first other file changes and comes back last, so a board that was left half-way
starts nothing. Files of the slot that are not in the image go, and so does boot.py, which would run before the
loader; anything else that nobody built is named and left for a person. At the end the whole board is compared again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from meterseal_tools.boards.compare import Difference, Kind, differences
from meterseal_tools.boards.identity import public_key
from meterseal_tools.boards.image import LOADER, SLOT, File, Image
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.words import BoardError

SAME, FLASHED = "same", "flashed"
BOOT = "boot.py"
MOST_RETURNS = 5
Tell = Callable[[int, int], None]
Open = Callable[[str], BoardLink]
Wait = Callable[[str], bool]


@dataclass(frozen=True)
class Flashed:
    """What came of a board: `same` (nothing to do) or `flashed`."""

    unique_id: str
    outcome: str
    public_xy: bytes


def write(link: BoardLink, image: Image, tell: Tell) -> str:
    """Make the board what the image says; `tell` hears bytes done and to do. SAME or FLASHED."""
    sizes = link.sizes()
    found = differences(image, sizes, link.hash)
    if not found:
        return SAME
    for path in _to_remove(found, sizes):
        link.remove(path)
    wanted = _to_write(image, found)
    link.make_folders(file.path for file in wanted)
    done, total = 0, sum(file.size for file in wanted)
    tell(done, total)
    for file in wanted:
        link.put(file.path, image.content(file))
        done += file.size
        tell(done, total)
    left = differences(image, link.sizes(), link.hash)
    if left:
        raise BoardError("differs", link.port, ", ".join(map(str, left)))
    return FLASHED


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


def flash(port: str, image: Image, tell: Tell, wait: Wait, opened: Open = BoardLink) -> Flashed:
    """Flash the board on a port; when it goes away, `wait(port)` is asked whether it came back."""
    first, returns = "", 0
    while True:
        try:
            with opened(port) as link:
                found = link.unique_id()
                if first and found != first:
                    raise BoardError("other_board", port, found)
                first = found
                outcome = write(link, image, tell)
                public = public_key(link)
                link.start()
                return Flashed(found, outcome, public)
        except BoardError as error:
            returns += 1
            if error.code != "gone" or returns > MOST_RETURNS or not wait(port):
                raise
