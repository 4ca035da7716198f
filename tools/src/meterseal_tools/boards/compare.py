"""What is on a board against what was built: missing, changed, and what nobody built.

Everything on the board is looked at but `state/`, which is the fixture's own. So a boot.py, or a module beside the
loader that would be imported before the slot's own, is `extra`, and named; so is a file of the slot that does not run
which that slot's own manifest does not name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from meterseal_tools.boards.image import SLOT, STATE, File, Image, digest_of


class Kind(StrEnum):
    """How a file differs."""

    MISSING = "missing"
    CHANGED = "changed"
    EXTRA = "extra"


@dataclass(frozen=True)
class Difference:
    """One file that is not as built."""

    kind: Kind
    path: str

    def __str__(self) -> str:
        return f"{self.path} ({self.kind})"


def differences(
    image: Image, sizes: Mapping[str, int], hash_of: Callable[[str], bytes], slot: str = SLOT
) -> list[Difference]:
    """All differences in the order of the paths, the image's slot being compared with `slot`; whatever else is not the
    image's is extra. `hash_of` is asked only where the size is right.
    """
    built = {_in(slot, file.path): file for file in image.files}
    found = []
    for path, file in built.items():
        if path not in sizes:
            found.append(Difference(Kind.MISSING, path))
        elif sizes[path] != file.size or hash_of(path) != file.sha256:
            found.append(Difference(Kind.CHANGED, path))
    extra = (path for path in sizes if path not in built and not path.startswith(STATE))
    found += [Difference(Kind.EXTRA, path) for path in extra]
    return sorted(found, key=lambda one: one.path)


def digest_found(sizes: Mapping[str, int], hash_of: Callable[[str], bytes], slot: str = SLOT) -> bytes:
    """The firmware digest of what lies in a slot, as the fixture itself would compute it."""
    inside = {path: path.removeprefix(slot) for path in sizes if path.startswith(slot)}
    return digest_of(File(SLOT + name, sizes[path], hash_of(path)) for path, name in inside.items())


def _in(slot: str, path: str) -> str:
    return slot + path.removeprefix(SLOT) if path.startswith(SLOT) else path
