"""A small image of real firmware files, and simulated boards to put it on."""

import os
import shutil
import subprocess
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

from typer.testing import CliRunner, Result

from meterseal_tools.boards.image import MANIFEST, File, digest_of
from meterseal_tools.cli import app
from meterseal_tools.sim.fixture import firmware_paths, interpreter
from meterseal_tools.sim.repl_board import ReplBoard, Store
from meterseal_tools.sim.repl_chip import Chip
from meterseal_wire.encode import encode

LOADER = b"import sys\nsys.path.insert(0, '/a')\n"
EXTRA = 10_000  # bytes of a file that takes several writes


def run(*arguments: object, typed: str = "") -> Result:
    """`meterseal ...`, whatever its end, on a wide terminal."""
    return CliRunner().invoke(app, list(map(str, arguments)), input=typed, env={"COLUMNS": "200"})


def firmware_file(name: str) -> Path:
    """A file of firmware/src/meterseal_fixture."""
    return firmware_paths().search[1] / "meterseal_fixture" / name


def make_image(folder: Path, version: str = "0.1.0", counter: int = 1) -> Path:
    """An image with the real signer and board layer, a loader, and a file that needs several writes."""
    signer = folder / "a/meterseal_fixture/signer"
    signer.mkdir(parents=True)
    for path in firmware_file("signer").glob("*.py"):
        shutil.copy(path, signer)
    (folder / "a/meterseal_fixture/__init__.py").write_text(f'VERSION = "{version}"\n')
    for name in ("errors.py", "settings.py"):
        shutil.copy(firmware_file(name), folder / "a/meterseal_fixture")
    for name in ("esp32s3/board.py", "chip/chip.py", "chip/buttons.py", "chip/choice.py", "chip/screen.py"):
        shutil.copy(firmware_paths().main.parents[1] / name, folder / "a")
    (folder / "a/meterseal_wire").mkdir()
    (folder / "a/meterseal_wire/__init__.py").write_bytes(b"#" * EXTRA)
    for name in ("suites.py", "encode.py", "errors.py", "labels.py", "digest.py"):
        shutil.copy(firmware_paths().search[0] / "meterseal_wire" / name, folder / "a/meterseal_wire")
    (folder / "main.py").write_bytes(LOADER)
    return write_manifest(folder, version, counter)


def make_whole_board_image(folder: Path) -> Path:
    """The same with all that the board layer imports, for a program on the board that asks it for the element's bus."""
    make_image(folder)
    for name in ("capability.py", "counters.py", "pulses.py"):
        shutil.copy(firmware_file(name), folder / "a/meterseal_fixture")
    for name in ("esp32s3/counting.py", "chip/sensors.py"):
        shutil.copy(firmware_paths().main.parents[1] / name, folder / "a")
    shutil.copy(firmware_paths().search[0] / "meterseal_wire/capture.py", folder / "a/meterseal_wire")
    return write_manifest(folder)


def write_manifest(folder: Path, version: str = "0.1.0", counter: int = 1) -> Path:
    """The manifests over what lies in the folder now, the slot's own and that of all; gives the folder."""
    digest = digest_of(File(*row) for row in _rows(folder))
    for below in (folder / "a", folder):
        (below / MANIFEST).unlink(missing_ok=True)
        rows = _rows(below)
        (below / MANIFEST).write_bytes(encode({1: version, 2: "unix", 3: counter, 4: rows, 5: digest}))
    return folder


def _rows(folder: Path) -> list[tuple[str, int, bytes]]:
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    return [(name, len(files[name]), sha256(files[name]).digest()) for name in sorted(files)]


class Bench:
    """Boards in a temporary folder, plugged in until `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stack = ExitStack()

    def board(self, number: int = 1, blocks: int = 0, element: bool = False) -> ReplBoard:
        """A board with a folder as its root, or with `blocks` of littlefs; with a secure element as delivered."""
        store = Store(self.folder / f"board{number}{'.bin' if blocks else ''}", blocks)
        paths = firmware_paths()
        search = (paths.main.parents[2] / "tests", *paths.search)
        chip = Chip(f"{number:016x}", self.folder / f"element{number}.json" if element else None, search)
        board = ReplBoard(self.folder / f"ttyACM{number}", store, chip)
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


def slots_say(root: Path, program: str) -> str:
    """Run a program in MicroPython with `slots`, the firmware's own over a board's folder, a running; its output."""
    search = ":".join([".frozen", *map(str, firmware_paths().search)])
    text = f"from meterseal_fixture.slots import Slots\nslots = Slots({str(root)!r}, 'a')\n{program}"
    done = subprocess.run(
        [str(interpreter()), "-c", text],
        env={**os.environ, "MICROPYPATH": search},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
