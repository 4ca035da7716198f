"""What a board starts first: the good slot, or the one on trial. It lies in the root, and no update touches it.

`meterseal firmware build` joins it with errors.py, cell.py and slots.py into one file, so that it needs no slot.
A version on trial that ends, however it ends, is started anew until its starts are used up; a good one that breaks
shows why.
"""

import sys

import machine

from meterseal_fixture.slots import Slots

ROOT = __file__.rsplit("/", 1)[0] if "/" in __file__ else ""


def again() -> None:
    """Restart the board; on the unix port end with 1, as a board that was reset would not come back."""
    if hasattr(machine, "reset"):
        machine.reset()
    sys.exit(1)


def start() -> None:
    """Choose a slot, put it first on the path, import its `start`."""
    slots = Slots(ROOT)
    name = slots.choose()
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
