"""A firmware image: a folder whose files go onto the board as they lie, and `manifest.cbor`, which names them all.

The manifest is a deterministic CBOR map {1: version, 2: board, 3: rollback counter, 4: [[path, size, SHA-256]...]
sorted by path, 5: digest}. The digest follows the recipe at the head of firmware's startup.py, so it is the one that
the fixture signs at each boot. The manifest itself does not go onto the board.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

MANIFEST, LOADER, STATE = "manifest.cbor", "main.py", "state/"
SLOT, _ = SLOTS = ("a/", "b/")
PACKAGES = ("meterseal_fixture", "meterseal_wire")
VERSION, BOARD, COUNTER, FILES, DIGEST = 1, 2, 3, 4, 5
LARGEST = 1 << 20


class BadImage(Exception):
    """The image folder cannot be used; one sentence."""


@dataclass(frozen=True)
class File:
    """A file's path on the board (no leading slash), its size in bytes and its SHA-256."""

    path: str
    size: int
    sha256: bytes


@dataclass(frozen=True)
class Image:
    """What was built. `digest` is what the fixture's boot statement will say."""

    folder: Path
    version: str
    board: str
    counter: int
    files: tuple[File, ...]
    digest: bytes

    def content(self, file: File) -> bytes:
        """The file's bytes, once more compared with the manifest."""
        data = (self.folder / file.path).read_bytes()
        if sha256(data).digest() != file.sha256:
            raise BadImage(f"{self.folder / file.path} changed under our hands; build the image again")
        return data


def digest_of(files: Iterable[File]) -> bytes:
    """The recipe of startup.py over the two packages in the slot: path, zero byte, SHA-256 of the content."""
    digest = sha256()
    for file in sorted(files, key=lambda one: one.path):
        inside = file.path.removeprefix(SLOT)
        if inside != file.path and _counts(inside):
            digest.update(inside.encode() + b"\x00" + file.sha256)
    return digest.digest()


def _counts(path: str) -> bool:
    first, *folders = path.split("/")
    hidden = any(folder[:1] in (".", "_") for folder in folders[:-1])
    return first in PACKAGES and bool(folders) and not hidden and path.endswith((".py", ".mpy"))


def load(folder: Path) -> Image:
    """The image in a folder, every file compared with the manifest; BadImage says what is wrong."""
    path = folder / MANIFEST
    if not path.is_file():
        raise BadImage(f"there is no {path}; give the folder that `meterseal firmware build` made")
    try:
        image = _image(folder, scan(path.read_bytes(), LARGEST))
    except (WireError, KeyError, TypeError, ValueError):
        raise BadImage(f"{path} is no manifest of a firmware image; build the image again") from None
    for file in image.files:
        _check(folder, file)
    if digest_of(image.files) != image.digest:
        raise BadImage(f"the digest in {path} is not that of its files; build the image again")
    return image


def slot_image(raw: bytes) -> Image | None:
    """What a slot's own manifest says, with the paths inside the slot; None where it is none. Nothing is compared."""
    try:
        return _image(Path(), scan(raw, LARGEST))
    except (WireError, KeyError, TypeError, ValueError):
        return None


def _image(folder: Path, fields: Any) -> Image:
    files = tuple(File(str(path), int(size), bytes(sha)) for path, size, sha in fields[FILES])
    paths = [file.path for file in files]
    if paths != sorted(set(paths)) or not files or len(fields) != DIGEST:
        raise ValueError
    texts = (str(fields[VERSION]), str(fields[BOARD]))
    return Image(folder, *texts, int(fields[COUNTER]), files, bytes(fields[DIGEST]))


def _check(folder: Path, file: File) -> None:
    allowed = file.path == LOADER or file.path.startswith(SLOT)
    if not allowed or any(part in ("", ".", "..") for part in file.path.split("/")) or "\\" in file.path:
        raise BadImage(
            f"the manifest names {file.path!r}; an image holds {LOADER} and files below {SLOT} only"
        )
    try:
        data = (folder / file.path).read_bytes()
    except OSError:
        raise BadImage(
            f"{folder / file.path} is named by the manifest and missing; build the image again"
        ) from None
    if len(data) != file.size or sha256(data).digest() != file.sha256:
        raise BadImage(f"{folder / file.path} is not what the manifest says; build the image again")
