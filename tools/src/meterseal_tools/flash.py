"""`meterseal flash`: a firmware image onto many boards at once, each with a row, a record and a label.

Exit codes: 0 all good, 1 some failed, 64 misuse (a wrong image, no port). Run it again after any failure: what is on
a board already and right is not sent twice.
"""

import shutil
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from serial.tools.list_ports import comports  # type: ignore[import-untyped]

from meterseal_tools.boards import records
from meterseal_tools.boards.flashing import FLASHED, SAME, flash
from meterseal_tools.boards.identity import fingerprint
from meterseal_tools.boards.image import BadImage, Image, load
from meterseal_tools.boards.records import Record
from meterseal_tools.boards.words import BoardError

FAILED, USAGE = 1, 64
BACK_S, LOOK_S = 60.0, 0.2
# USB makers of boards: Espressif, Raspberry Pi, MicroPython. Serial bridges carry M-Bus converters as well as boards,
# and a converter must not be sent Ctrl-C: those need --port.
MAKERS = (0x303A, 0x2E8A, 0xF055)
UF2 = (".uf2",)
OUTCOMES = {FLASHED: "[green]已写入 flashed", SAME: "[green]已是最新 already the same"}


def board_ports(found: Iterable[Any]) -> list[str]:
    """The ports whose USB maker is one of boards, sorted."""
    return sorted(port.device for port in found if port.vid in MAKERS)


def came_back(port: str, patience_s: float = BACK_S) -> bool:
    """Wait for a port to be there again; False when it is not in time."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        time.sleep(LOOK_S)
        if Path(port).exists():
            return True
    return False


def base_steps(base: Path, ports: list[str], board: str) -> list[str]:
    """What a person does to put MicroPython itself on empty boards: a line a port. Nothing is run."""
    if base.suffix in UF2:
        return [f"hold BOOTSEL, plug the board in, copy {base} onto the drive that appears"] * max(
            len(ports), 1
        )
    tool = shutil.which("esptool") or shutil.which("esptool.py")
    if tool is None:
        raise BadImage(
            "esptool is not installed; run: pip install esptool (a program of its own, under the GPL)"
        )
    offset = "0x1000" if board == "esp32" else "0x0"
    return [f"{tool} --port {port} write-flash --erase-all {offset} {base}" for port in ports]


def one_board(port: str, image: Image, tell: Any, folder: Path | None, force_older: bool) -> Record:
    """Flash one board and say what came of it; a label into `folder` where the board has a key."""
    try:
        done = flash(port, image, tell, came_back, force_older)
    except (BoardError, BadImage) as error:
        code = error.code if isinstance(error, BoardError) else "image"
        return Record(records.now(), port, "", image.version, image.digest.hex(), "", code, str(error))
    name = records.thumbprint(done.public_xy)
    if name and folder:
        records.write_label(folder, done.unique_id, image.version, name)
    facts = (done.unique_id, image.version, image.digest.hex(), name.hex(), done.outcome)
    return Record(records.now(), port, *facts)


def many(
    ports: list[str], image: Image, console: Console, kept: Path | None, force_older: bool
) -> list[Record]:
    """All boards at once, a row each; every record is appended as soon as its board is done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[end]}"),
    )
    labels = kept.parent / records.LABELS if kept else None
    with Progress(*columns, console=console) as progress:
        rows = {port: progress.add_task(port, total=None, end="") for port in ports}

        def work(port: str) -> Record:
            def tell(done: int, total: int) -> None:
                progress.update(rows[port], completed=done, total=total)

            record = one_board(port, image, tell, labels, force_older)
            if kept:
                record.append(kept)
            end = OUTCOMES.get(record.outcome, f"[red]失败 failed: {record.outcome}")
            progress.update(rows[port], end=end)
            return record

        with ThreadPoolExecutor(len(ports)) as pool:
            return list(pool.map(work, ports))


def show(found: list[Record], console: Console) -> None:
    """A line a board: what came of it, and the fingerprint or the reason."""
    for record in found:
        console.print(f"{record.port} {record.unique_id} {record.outcome}", highlight=False, markup=False)
        if record.fingerprint:
            console.print(f"  {fingerprint(bytes.fromhex(record.fingerprint))}", highlight=False)
        if record.why:
            console.print(f"  {record.why}", highlight=False, markup=False)


def command(
    image: Annotated[Path, typer.Argument(help="folder that `meterseal firmware build` made")],
    *,
    port: Annotated[
        list[str] | None, typer.Option(help="a board's serial port; give it once a board")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="every board that is plugged in by USB")] = False,
    kept: Annotated[
        Path | None, typer.Option("--records", help="append a JSON line a board; labels go beside it")
    ] = None,
    base: Annotated[
        Path | None, typer.Option(help="show how to put this MicroPython on empty boards")
    ] = None,
    force_older: Annotated[
        bool,
        typer.Option("--force-older", help="take an image below the board's rollback counter, and lower it"),
    ] = False,
) -> None:
    """Put a firmware image on boards. Exit 0 all good, 1 some failed, 64 misuse."""
    if bool(port) == every:
        end("请给出 --port 或 --all", "give either --port, once a board, or --all")
    ports = list(dict.fromkeys(port)) if port else board_ports(comports())
    if not ports:
        end("没有找到电路板", "no board is plugged in; name the --port of boards behind a serial bridge")
    console = Console()
    try:
        what = load(image)
        if base:
            console.print("\n".join(base_steps(base, ports, what.board)), soft_wrap=True, markup=False)
            return
    except BadImage as error:
        end("镜像或基础固件不可用", str(error))
    found = many(ports, what, console, kept, force_older)
    show(found, console)
    raise typer.Exit(FAILED if any(record.outcome not in OUTCOMES for record in found) else 0)


def end(chinese: str, english: str) -> NoReturn:
    """Both sentences on standard error, and misuse as the exit code."""
    print(f"flash: {chinese}\nflash: {english}", file=sys.stderr)
    raise typer.Exit(USAGE)
