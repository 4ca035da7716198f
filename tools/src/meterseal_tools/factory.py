"""`meterseal factory`: so many fixtures against a broker and an edge on this machine, and what it took.

For whoever sizes a box: run it there, with as many lines as the factory has, at the rate at which they will speak.
Without --rate it is the most that the box takes. The clock starts after the first message of each fixture. Exit codes:
0 all has custody, 1 not, 2 misuse.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.testing.world import SITE
from meterseal_tools.load.box import Box
from meterseal_tools.load.lines import Line, factory_world, line_names
from meterseal_tools.load.sender import NoCustody, Sender, Told
from meterseal_tools.services import ServiceFailed

FAILED = 1
KIB = 1024


def command(
    lines: Annotated[int, typer.Option(min=1, max=1000, help="How many fixtures.")] = 40,
    statements: Annotated[int, typer.Option(min=3, max=100_000, help="Of each fixture.")] = 500,
    positions: Annotated[int, typer.Option(min=1, max=20, help="Meters in one run.")] = 20,
    a_message: Annotated[int, typer.Option(min=1, max=100, help="Statements in one MQTT message.")] = 4,
    rate: Annotated[
        float, typer.Option(min=0, help="Statements a second in all; 0: as fast as it goes.")
    ] = 0,
) -> None:
    """Load a broker and an edge on this machine with fixtures that sign for real, and say what it took."""
    console = Console()
    world = factory_world(lines)
    made = [Line(world, name, positions, a_message) for name in line_names(lines)]
    with console.status(f"signing {lines} x {statements} statements"):
        for line in made:
            line.make(statements)
    try:
        with tempfile.TemporaryDirectory() as folder, Box(Path(folder), world) as box:
            sender = Sender(box.broker.host, box.broker.port, SITE, made)
            with console.status("sending"):
                sender.warm_up()
                told = sender.run(rate)
            sender.check(world.ring("edge"))
            sender.close()
            show(console, told, made, box)
            lost = sum(line.statements for line in made) - box.durable()
    except (NoCustody, ServiceFailed, ProtocolError) as error:
        console.print(f"[red]{error}")
        raise typer.Exit(FAILED) from None
    if lost:
        console.print(f"[red]{lost} statements have custody and are not in the store: report this as a fault")
        raise typer.Exit(FAILED)


def show(console: Console, told: Told, made: list[Line], box: Box) -> None:
    """The figures."""
    table = Table(show_header=False)
    meters = sum((line.statements - 1) // 2 * line.positions for line in made)
    share = told.statements / sum(line.statements for line in made)
    size = sum(len(parcel) for line in made for parcel, _ in line.parcels)
    rows = (
        ("fixtures, statements, meters", f"{len(made)}, {sum(line.statements for line in made)}, {meters}"),
        ("bytes a meter on the wire", f"{size / meters:.0f}"),
        ("broker", box.broker.kind),
        ("statements a second", f"{told.rate:.0f}"),
        ("meters a second", f"{meters * share / told.seconds:.0f}"),
        ("publication to custody, half of all", f"{told.wait_s(0.5) * 1000:.0f} ms"),
        ("publication to custody, 99 of 100", f"{told.wait_s(0.99) * 1000:.0f} ms"),
        ("parcels offered again", f"{told.offered_again}"),
        ("memory of the edge", f"{box.rss_kib() / KIB:.0f} MiB"),
    )
    for row in rows:
        table.add_row(*row)
    console.print(table)
