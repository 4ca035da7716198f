"""`meterseal desk-board`: real MicroPython behind a pty, for whoever has no board on the desk.

It is driven as a board is: `flash`, `provision`, `verify-board` and mpremote open its port. Its files lie in a folder
and stay. Not in it: boot.py and main.py are not run, so the application starts by a command of its own; no radio, no
pins.
"""

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from meterseal_tools.sim.repl_board import ReplBoard, Store


def command(
    folder: Annotated[Path, typer.Argument(help="where the board's port and its files lie; made if missing")],
) -> None:
    """Plug in a board that is a program, print its port, and serve it until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    folder.mkdir(parents=True, exist_ok=True)
    where = folder.resolve()
    with ReplBoard(where / "port", Store(where / "files")) as board:
        print(f"port  {board.port}\nfiles {board.store.path}\nCtrl-C unplugs it.", flush=True)
        stop.wait()
