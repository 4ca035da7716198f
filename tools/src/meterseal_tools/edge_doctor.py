"""`meterseal edge doctor SETTINGS`: what is wrong with an edge and the cure, two lines a fault, Chinese and English.

Exit codes: 0 nothing found, 1 something wants care soon, 2 something is broken.
"""

import typer

from meterseal_edge.doctor.checkup import checkup
from meterseal_tools.edge_store import SettingsFile

GOOD = "未发现问题 nothing wrong was found"
MARKS = {1: "!", 2: "X"}


def doctor(settings: SettingsFile) -> None:
    """Find what is wrong with an edge, running or stopped, and say what to do. Exit 0 nothing, 1 soon, 2 broken."""
    found = checkup(settings)
    for one in found:
        chinese, english = one.lines
        print(f"{MARKS[one.level]} {one.code}: {chinese}")
        print(f"{MARKS[one.level]} {one.code}: {english}")
    if not found:
        print(GOOD)
    raise typer.Exit(max((one.level for one in found), default=0))
