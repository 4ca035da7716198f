"""`meterseal rig`: a simulated bench alone, for a fixture on the desk.

Prints the three serial lines that the fixture opens and serves them until Ctrl-C.
"""

import signal
import threading
from enum import StrEnum
from typing import Annotated

import typer

from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.rig import Rig
from meterseal_tools.sim.specimens import good
from meterseal_wire import kinds

FIRST_SERIAL = 10_000_001
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
) -> None:
    """Start a bench with good meters, print its serial lines, and serve them until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with Rig(BenchSpec(MEDIA[medium], positions, seed), speed) as rig:
        fill(rig, seed)
        print("\n".join(describe(rig)), flush=True)
        stop.wait()


def fill(rig: Rig, seed: int) -> None:
    """Mount a good meter at every position, the catalogue's types of the bench's medium in turn."""
    types = [data for data in CATALOGUE.values() if data.medium == rig.bench.spec.medium]
    for position in range(1, rig.bench.spec.positions + 1):
        serial = str(FIRST_SERIAL + seed * 100 + position)
        rig.mount(position, good(types[position % len(types)], serial, register=position))


def describe(rig: Rig) -> list[str]:
    """The rig in lines of text: the paths to open, then each meter with the address by which it is selected."""
    lines = [
        f"capture {rig.capture_line.path}",
        f"mbus    {rig.mbus_line.path}",
        f"panel   {rig.panel_line.path}",
    ]
    for position, meter in sorted(rig.bench.meters.items()):
        lines.append(
            f"position {position}: {meter.serial}, bus {meter.secondary_address.hex()}, {meter.data.telegram}"
        )
    return [*lines, "Ctrl-C ends it."]
