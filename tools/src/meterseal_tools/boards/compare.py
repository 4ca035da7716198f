"""What is on a board against what was built: missing, changed, and what nobody built.

Everything on the board is looked at but `state/`, which is the fixture's own. So a second slot, a boot.py, or a module
beside the loader that would be imported before the slot's own is `extra`, and named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from meterseal_tools.boards.image import STATE, File, Image, digest_of


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


def differences(image: Image, sizes: Mapping[str, int], hash_of: Callable[[str], bytes]) -> list[Difference]:
    """All differences in the order of the paths; `hash_of` is asked only where the size is right."""
    found = []
    for file in image.files:
        if file.path not in sizes:
            found.append(Difference(Kind.MISSING, file.path))
        elif sizes[file.path] != file.size or hash_of(file.path) != file.sha256:
            found.append(Difference(Kind.CHANGED, file.path))
    built = {file.path for file in image.files}
    extra = (path for path in sizes if path not in built and not path.startswith(STATE))
    found += [Difference(Kind.EXTRA, path) for path in extra]
    return sorted(found, key=lambda one: one.path)


def digest_found(sizes: Mapping[str, int], hash_of: Callable[[str], bytes]) -> bytes:
    """The firmware digest of what lies there, as the fixture itself would compute it."""
    return digest_of(
        File(path, size, hash_of(path)) for path, size in sizes.items() if not path.startswith(STATE)
    )
