"""The files in a dumped littlefs image, read with littlefs-python and never written."""

import importlib
from hashlib import sha256
from pathlib import Path
from typing import Any

BLOCK = 4096


class BadDump(Exception):
    """The dump cannot be read; one sentence."""


def contents(path: Path, block_size: int = BLOCK) -> dict[str, bytes]:
    """Every file of the image, by path without a leading slash; BadDump where it holds no littlefs."""
    try:
        littlefs: Any = importlib.import_module("littlefs")
    except ImportError:
        raise BadDump("littlefs-python is missing; run: pip install littlefs-python") from None
    try:
        data = path.read_bytes()
    except OSError:
        raise BadDump(f"there is no dump {path}") from None
    if not data or len(data) % block_size:
        raise BadDump(f"{path} is not a whole number of {block_size}-byte blocks; read the flash again")
    system = littlefs.LittleFS(block_size=block_size, block_count=len(data) // block_size, mount=False)
    system.context.buffer = bytearray(data)
    try:
        system.mount()
        return dict(_files(system))
    except (littlefs.LittleFSError, OSError) as error:
        raise BadDump(f"{path} is no littlefs image that can be read ({error})") from None


def _files(system: Any) -> list[tuple[str, bytes]]:
    found = []
    for folder, _, names in system.walk("/"):
        for name in names:
            full = f"{folder.rstrip('/')}/{name}"
            with system.open(full, "rb") as file:
                found.append((full[1:], bytes(file.read())))
    return found


def hashes(files: dict[str, bytes]) -> dict[str, bytes]:
    """SHA-256 of each."""
    return {path: sha256(content).digest() for path, content in files.items()}
