"""`meterseal rig`: a simulated bench alone, for a fixture on the desk.

Prints the serial lines that the fixture opens and serves them until Ctrl-C. It holds the other end of the panel's line:
what the fixture says there is printed, and a line that is typed goes to the fixture.
"""

import json
import signal
import sys
import threading
from enum import StrEnum
from typing import Annotated

import typer

from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.rig import FRONT_POSITIONS, Rig
from meterseal_tools.sim.specimens import good
from meterseal_wire import kinds

FIRST_SERIAL = 10_000_001
LOOK_S = 0.2
app = typer.Typer(help="A simulated bench on three serial lines, for a fixture on the desk.")


class Medium(StrEnum):
    """What flows."""

    WATER = "water"
    GAS = "gas"


MEDIA = {Medium.WATER: kinds.WATER, Medium.GAS: kinds.GAS}


@app.callback(invoke_without_command=True)
def command(
    medium: Annotated[Medium, typer.Option(help="what flows on the bench")] = Medium.WATER,
    positions: Annotated[int, typer.Option(min=1, max=31, help="how many meters stand in line")] = 8,
    speed: Annotated[int, typer.Option(min=1, max=2000, help="bench seconds in a second")] = 60,
    seed: Annotated[int, typer.Option(help="the same seed gives the same meters and edges")] = 1,
    fronts: Annotated[int, typer.Option(min=1, max=4, help="counting front ends, seven positions each")] = 1,
) -> None:
    """Start a bench with good meters, print its serial lines, and serve them until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    if fronts > 1 and positions > FRONT_POSITIONS * fronts:
        raise typer.BadParameter(f"{positions} positions need more front ends of {FRONT_POSITIONS}")
    with Rig(BenchSpec(MEDIA[medium], positions, seed), speed, fronts=fronts) as rig:
        fill(rig, seed)
        print("\n".join(describe(rig)), flush=True)
        threading.Thread(target=listen, args=(rig,), daemon=True).start()
        shown = 0
        while not stop.wait(LOOK_S):
            shown += tell(rig, shown)


def listen(rig: Rig) -> None:
    """Send what is typed to the fixture, line by line, until the input ends."""
    for typed in sys.stdin:
        rig.panel_line.send(typed.encode())


def tell(rig: Rig, shown: int) -> int:
    """Print what the fixture said since the first `shown` messages of both sides; how many there are more."""
    fresh = rig.panel.transcript[shown:]
    for side, message in fresh:
        if side == "from":
            print(json.dumps(message, ensure_ascii=False), flush=True)
    return len(fresh)


def fill(rig: Rig, seed: int) -> None:
    """Mount a good meter at every position, the catalogue's types of the bench's medium in turn."""
    types = [data for data in CATALOGUE.values() if data.medium == rig.bench.spec.medium]
    for position in range(1, rig.bench.spec.positions + 1):
        serial = str(FIRST_SERIAL + seed * 100 + position)
        rig.mount(position, good(types[position % len(types)], serial, register=position))


def describe(rig: Rig) -> list[str]:
    """The rig in lines of text: the paths to open, then each meter with the address by which it is selected."""
    lines = [
        f"capture {' '.join(line.path for line in rig.capture_lines)}",
        f"mbus    {rig.mbus_line.path}",
        f"panel   {rig.panel_line.path}",
    ]
    for position, meter in sorted(rig.bench.meters.items()):
        lines.append(
            f"position {position}: {meter.serial}, bus {meter.secondary_address.hex()}, {meter.data.telegram}"
        )
    return [*lines, "Ctrl-C ends it."]
