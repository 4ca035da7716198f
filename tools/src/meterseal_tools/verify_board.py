"""`meterseal verify-board`: is what lies on a board what was built? Over the port, or from a dump of its flash.

The slot that starts is compared with the image; the other one's version is shown beside it and judged by nobody.

Over the port the board hashes its own files, so a board that lies can lie here; the dump is read by this computer.
Exit codes: 0 the same, 1 it differs (every file is named), 64 misuse, 74 the board or the dump could not be read.
"""

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from meterseal_tools.boards import dump
from meterseal_tools.boards.compare import Kind
from meterseal_tools.boards.image import BadImage, Image, load
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.standing import Contents, OtherSlot, Standing, standing
from meterseal_tools.boards.words import BoardError

DIFFERS, USAGE, UNREADABLE = 1, 64, 74
STATES = {
    "good": "可回退 the one to go back to",
    "old": "旧版本 the version before",
    "filling": "正在接收 an update under way",
    "try": "试运行已用完 its trial is used up",
    "bad": "已放弃 given up",
}
KINDS = {Kind.MISSING: "缺失 missing", Kind.CHANGED: "不同 changed", Kind.EXTRA: "多余 nobody built it"}


def over_port(image: Image, port: str) -> Standing:
    """How it stands, hashed by the board itself; BoardError where it cannot be asked."""
    with BoardLink(port) as link:
        sizes = link.sizes()
        hashes = {path: link.hash(path) for path in sizes if not path.startswith("state/")}
        found = standing(image, Contents(sizes, hashes.__getitem__, link.read))
        link.start()
    return found


def in_dump(image: Image, path: Path, block_size: int) -> Standing:
    """How a dumped littlefs image stands; BadDump where it cannot be read."""
    files = dump.contents(path, block_size)
    sizes = {name: len(content) for name, content in files.items()}
    return standing(image, Contents(sizes, dump.hashes(files).__getitem__, files.__getitem__))


def same(image: Image, found: Standing) -> bool:
    """True if what starts is the image, and nothing lies there that nobody built."""
    return not found.differences and found.digest == image.digest


def show(image: Image, found: Standing, console: Console) -> None:
    """The answer, which slot starts, every file that differs, both digests, and the other slot."""
    head = "[green]一致 the same" if same(image, found) else "[red]不一致 differs"
    trial = " 试运行 on trial" if found.on_trial else ""
    console.print(f"{head}[/] {image.version} {image.board}", highlight=False)
    lines = [f"  {one.path}  {KINDS[one.kind]}" for one in found.differences]
    lines += [
        f"启动 starts   {found.slot}{trial}, 防回退 counter {found.counter}",
        f"镜像 built    {image.digest.hex()}",
        f"板上 on board {found.digest.hex()}",
    ]
    if found.other:
        lines.append(f"另一槽 other slot {about(found.other)}")
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def about(other: OtherSlot) -> str:
    """Slot, state, version, digest, and whether it is whole, in a line."""
    whole = "完整 whole" if other.whole else "不完整 not whole"
    version = f"{other.version or '?'}, counter {other.counter}"
    return f"{other.slot} {STATES[other.state]}: {version}, {whole}, {other.digest.hex()}"


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
            found = in_dump(built, image_file, block_size)
        else:
            found = over_port(built, port)
    except BadImage as error:
        end(USAGE, "镜像不可用", str(error))
    except dump.BadDump as error:
        end(UNREADABLE, "无法读取转储", str(error))
    except BoardError as error:
        end(UNREADABLE, error.zh, str(error))
    show(built, found, Console())
    raise typer.Exit(0 if same(built, found) else DIFFERS)


def end(code: int, chinese: str, english: str) -> NoReturn:
    """Both sentences on standard error, and the exit code."""
    print(f"verify-board: {chinese}\nverify-board: {english}", file=sys.stderr)
    raise typer.Exit(code)
