"""Start the application on a board with a microcontroller: settings from SETTINGS on its flash.

The watchdog starts with the application: settings that cannot be used leave the board at its prompt, to be mended;
anything that breaks later ends the application, nobody feeds the watchdog any more, and the board starts again.
"""

import asyncio

from board import Board

from meterseal_fixture.errors import BadSettings, FixtureError
from meterseal_fixture.main import run
from meterseal_fixture.settings import Settings, read_settings

SETTINGS = "/state/settings.json"


async def work(board: Board, settings: Settings) -> None:
    """The application, and what keeps the board going."""
    await asyncio.gather(board.feed(), board.keep_network(settings), run(board, settings))


def start() -> None:
    """Run until something breaks."""
    try:
        settings = read_settings(SETTINGS)
        asyncio.run(work(Board(settings), settings))
    except BadSettings as wrong:
        print("Settings: %s." % wrong.detail)
    except FixtureError as broken:
        print("The fixture stops: %s." % broken)


start()
