"""Two ways in which a fixture ends without anybody pulling its plug, and how the next start tells of them.

A task that hangs while the others go on: a board's watchdog does not see that, since the loop still comes round. So
`watch` looks whether a run still takes its steps (`bench.StopButton`), and raises `task.stuck` where it does not.
Then, as after every other fault of the program's own, the application ends: `parting` writes one line beside the store,
nobody feeds the board's watchdog any more, and the next start signs what the line says as an `event`. A loop that
stands still altogether is the watchdog's: the boot statement has the reset's cause, and an `event` stands beside it.

A line that flash does not take is lost; the boot statement and the abandoned attempt are there all the same.
"""

import asyncio
import os
import time

from meterseal_fixture.errors import FixtureError

STUCK_MS = 120000
LOOK_MS = 1000
IDLE = "idle"
FILE = "/parting"
LINE = 200


class Stuck(FixtureError):
    """A run takes no step any more: a fault of the program, so the application ends."""

    code = "task.stuck"


async def watch(station, stuck_ms: int = STUCK_MS, look_ms: int = LOOK_MS) -> None:
    """Look for ever; Stuck with the state in which the station's run hangs. The closed bench may take its own time."""
    longest = stuck_ms + station.front.longest_ms(station.settings.closed_bench_s)
    while True:
        await asyncio.sleep_ms(look_ms)
        if station.state == IDLE:
            station.button.alive()
        elif time.ticks_diff(time.ticks_ms(), station.button.seen) > longest:
            raise Stuck("task.stuck", station.state)


def part(folder: str, cause: FixtureError) -> None:
    """Write down what ended the application; nothing where flash does not take it."""
    try:
        with open(folder + FILE, "w") as file:
            file.write(str(cause)[:LINE])
    except OSError:
        return


def parting(folder: str) -> tuple[str, str] | None:
    """(code, detail) of what ended the application last time, once; None where nothing did."""
    try:
        with open(folder + FILE) as file:
            line = file.read(LINE)
        os.remove(folder + FILE)
    except (OSError, ValueError):
        return None
    code, _, detail = line.partition(" ")
    return (code, detail) if code else None
