"""What a board starts first: the good slot, or the one on trial. It lies in the root, and no update touches it.

`meterseal firmware build` joins it with errors.py, cell.py, slots.py and whole.py into one file, so that it needs no
slot. Nothing is run that was not hashed at this very start. A version on trial that ends, however it ends, is started
anew until its starts are used up; a good one that breaks shows why.
"""

import sys

import machine

from meterseal_fixture.slots import Slots
from meterseal_fixture.whole import whole_slot

ROOT = __file__.rsplit("/", 1)[0] if "/" in __file__ else ""
STOP = """\
没有一个槽完整，未启动；请用线缆重新烧录（meterseal flash）。
No slot is whole that may start, so nothing was started; flash the board by cable (meterseal flash)."""


def again() -> None:
    """Restart the board; on the unix port end with 1, as a board that was reset would not come back."""
    if hasattr(machine, "reset"):
        machine.reset()
    sys.exit(1)


def stop() -> None:
    """Say why nothing runs and stay at the prompt; on the unix port end with 1."""
    print(STOP)
    if not hasattr(machine, "reset"):
        sys.exit(1)


def start() -> None:
    """Choose a slot, put it first on the path, import its `start`."""
    slots = Slots(ROOT)
    name = whole_slot(slots)
    if not name:
        stop()
        return
    sys.path.insert(0, slots.folder(name))
    try:
        __import__("start")
    except Exception as broken:  # whatever a version on trial raises is a failed start
        if name == slots.good:
            raise
        sys.print_exception(broken)
    if name != slots.good:
        again()


start()
