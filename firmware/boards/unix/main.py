"""Start the application on the unix board: `micropython -X heapsize=2m main.py settings.json`.

Exit codes: 64 wrong call, 78 settings that cannot be used, 74 a serial line or the store that broke.
"""

import asyncio
import sys

from board import Board

from meterseal_fixture.errors import BadSettings, FixtureError
from meterseal_fixture.main import run
from meterseal_fixture.settings import read_settings

USAGE, BROKEN, UNUSABLE = 64, 74, 78


def start(arguments: list[str]) -> int:
    """Run until something breaks; the exit code."""
    if len(arguments) != 2:
        sys.stderr.write("Give one argument: the path of the settings file.\n")
        return USAGE
    try:
        settings = read_settings(arguments[1])
        asyncio.run(run(Board(settings), settings))
    except BadSettings as wrong:
        sys.stderr.write("Settings: %s.\n" % wrong.detail)
        return UNUSABLE
    except FixtureError as broken:
        sys.stderr.write("The fixture stops: %s.\n" % broken)
    return BROKEN


sys.exit(start(sys.argv))
