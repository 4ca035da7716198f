"""A small image of real firmware files, and simulated boards to put it on."""

import shutil
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from typer.testing import CliRunner, Result

from meterseal_tools.boards.image import MANIFEST, File, digest_of
from meterseal_tools.cli import app
from meterseal_tools.sim.fixture import firmware_paths
from meterseal_tools.sim.repl_board import ReplBoard, Store
from meterseal_wire.encode import encode

LOADER = b"import sys\nsys.path.insert(0, '/a')\n"
EXTRA = 10_000  # bytes of a file that takes several writes


def run(*arguments: object, typed: str = "") -> Result:
    """`meterseal ...`, whatever its end, on a wide terminal."""
    return CliRunner().invoke(app, list(map(str, arguments)), input=typed, env={"COLUMNS": "200"})


def firmware_file(name: str) -> Path:
    """A file of firmware/src/meterseal_fixture."""
    return firmware_paths().search[1] / "meterseal_fixture" / name


def make_image(folder: Path, version: str = "0.1.0") -> Path:
    """An image with the real signer, a loader, and a file that needs several writes."""
    signer = folder / "a/meterseal_fixture/signer"
    signer.mkdir(parents=True)
    for path in firmware_file("signer").glob("*.py"):
        shutil.copy(path, signer)
    (folder / "a/meterseal_fixture/__init__.py").write_text(f'VERSION = "{version}"\n')
    shutil.copy(firmware_file("errors.py"), folder / "a/meterseal_fixture")
    (folder / "a/meterseal_wire").mkdir()
    (folder / "a/meterseal_wire/__init__.py").write_bytes(b"#" * EXTRA)
    for name in ("suites.py", "encode.py", "errors.py", "labels.py", "digest.py"):
        shutil.copy(firmware_paths().search[0] / "meterseal_wire" / name, folder / "a/meterseal_wire")
    (folder / "main.py").write_bytes(LOADER)
    return write_manifest(folder, version)


def write_manifest(folder: Path, version: str = "0.1.0") -> Path:
    """The manifest over what lies in the folder now; gives the folder."""
    rows = []
    for path in folder.rglob("*"):
        if path.is_file() and path.name != MANIFEST:
            data = path.read_bytes()
            rows.append([path.relative_to(folder).as_posix(), len(data), sha256(data).digest()])
    rows.sort()
    digest = digest_of(File(*row) for row in rows)
    (folder / MANIFEST).write_bytes(encode({1: version, 2: "unix", 3: 1, 4: rows, 5: digest}))
    return folder


class Bench:
    """Boards in a temporary folder, plugged in until `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()

    def board(self, number: int = 1, blocks: int = 0) -> ReplBoard:
        """A board with a folder as its root, or with `blocks` of littlefs."""
        store = Store(self.folder / f"board{number}{'.bin' if blocks else ''}", blocks)
        board = ReplBoard(self.folder / f"ttyACM{number}", store, f"{number:016x}")
        return self._stack.enter_context(board)

    def close(self) -> None:
        """Unplug them all."""
        self._stack.close()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the manifest and the fixture's own state."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST and "state" not in path.parts
    }
