"""`meterseal verify-board`: is what lies on a board what was built? Over the port, or from a dump of its flash.

Over the port the board hashes its own files, so a board that lies can lie here; the dump is read by this computer.
Exit codes: 0 the same, 1 it differs (every file is named), 64 misuse, 74 the board or the dump could not be read.
"""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from meterseal_tools.boards import dump
from meterseal_tools.boards.compare import Difference, Kind, differences, digest_found
from meterseal_tools.boards.image import BadImage, Image, load
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.words import BoardError

DIFFERS, USAGE, UNREADABLE = 1, 64, 74
KINDS = {Kind.MISSING: "缺失 missing", Kind.CHANGED: "不同 changed", Kind.EXTRA: "多余 nobody built it"}


def over_port(image: Image, port: str) -> tuple[list[Difference], bytes]:
    """Differences and digest, hashed by the board itself; BoardError where it cannot be asked."""
    with BoardLink(port) as link:
        sizes = link.sizes()
        hashes = {path: link.hash(path) for path in sizes if not path.startswith("state/")}
        link.start()
    return differences(image, sizes, hashes.__getitem__), digest_found(sizes, hashes.__getitem__)


def in_dump(image: Image, path: Path, block_size: int) -> tuple[list[Difference], bytes]:
    """Differences and digest of a dumped littlefs image; BadDump where it cannot be read."""
    files = dump.contents(path, block_size)
    sizes = {name: len(content) for name, content in files.items()}
    hashes = dump.hashes(files)
    return differences(image, sizes, hashes.__getitem__), digest_found(sizes, hashes.__getitem__)


def show(image: Image, found: list[Difference], digest: bytes, console: Console) -> None:
    """The answer, every file that differs, both digests."""
    head = "[red]不一致 differs" if found else "[green]一致 the same"
    console.print(f"{head}[/] {image.version} {image.board}", highlight=False)
    for one in found:
        console.print(f"  {one.path}  {KINDS[one.kind]}", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"镜像 built    {image.digest.hex()}\n板上 on board {digest.hex()}", highlight=False, soft_wrap=True
    )


def command(
    image: Annotated[Path, typer.Argument(help="folder that `meterseal firmware build` made")],
    *,
    port: Annotated[str, typer.Option(help="the board's serial port")] = "",
    image_file: Annotated[Path | None, typer.Option(help="a dump of the board's littlefs instead")] = None,
    block_size: Annotated[
        int, typer.Option(min=128, help="littlefs block of the dump, in bytes")
    ] = dump.BLOCK,
) -> None:
    """Prove what is on a board. Exit 0 the same, 1 differs, 64 misuse, 74 could not be read."""
    if bool(port) == (image_file is not None):
        end(USAGE, "请给出 --port 或 --image-file", "give either --port or --image-file")
    try:
        built = load(image)
        if image_file:
            found, digest = in_dump(built, image_file, block_size)
        else:
            found, digest = over_port(built, port)
    except BadImage as error:
        end(USAGE, "镜像不可用", str(error))
    except dump.BadDump as error:
        end(UNREADABLE, "无法读取转储", str(error))
    except BoardError as error:
        end(UNREADABLE, error.zh, str(error))
    show(built, found, digest, Console())
    raise typer.Exit(DIFFERS if found or digest != built.digest else 0)


def end(code: int, chinese: str, english: str) -> NoReturn:
    """Both sentences on standard error, and the exit code."""
    print(f"verify-board: {chinese}\nverify-board: {english}", file=sys.stderr)
    raise typer.Exit(code)
