"""Wires a board to the six loops. Nothing is decided here."""

import asyncio
import gc

from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.down import Down
from meterseal_fixture.errors import BadSettings
from meterseal_fixture.keep import Keep
from meterseal_fixture.link import Link
from meterseal_fixture.meters import MeterBus
from meterseal_fixture.offer import Offer
from meterseal_fixture.panel import Panel
from meterseal_fixture.pulses import FrontEnd
from meterseal_fixture.settings import Settings
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
from meterseal_fixture.startup import sign_first
from meterseal_fixture.station import Station
from meterseal_wire.statement import Author

# Collected often, what lives stays together, and a whole statement still finds a block of its size (measured: without
# it a result of twenty positions needs a heap of 512 KiB, with it 320).
GARBAGE_BYTES = 24576


async def run(board, settings: Settings) -> None:
    """Run the fixture on `board` until something breaks; raises what broke."""
    gc.threshold(GARBAGE_BYTES)
    gc.collect()
    heap_code = gc.mem_alloc()
    author = Author(settings.fixture, settings.bench, _signer(board.secret()))
    panel = Panel(board.serial(settings.panel))
    front = FrontEnd(board.serial(settings.capture))
    bus = MeterBus(board.serial(settings.mbus))
    front_board = await front.describe()
    if settings.positions >= front.channels:
        raise BadSettings(
            "settings", "'positions' is %d, the front end has fewer channels" % settings.positions
        )
    chronicle = Chronicle(author, Keep(board.folder, edge=settings.edge_key))
    down = Down(settings, chronicle, verify, board.log)
    link = Link(settings, down.take, board.log, None, lambda: {"entered": chronicle.keep.entered()})
    offer = Offer(settings, chronicle, down, link)
    station = Station(settings, (front, bus), chronicle, panel, offer)
    station.heap_code = heap_code
    sign_first(station, board, front_board)
    await asyncio.gather(
        panel.speak(),
        panel.listen(station),
        station.run(),
        offer.run(station),
        offer.show_live(panel),
        link.run(),
    )


def _signer(secret: bytes) -> SoftwareSigner:
    try:
        return SoftwareSigner(secret)
    except ValueError:
        raise BadSettings("settings", "the key is none that this signer can use; make a new one")
