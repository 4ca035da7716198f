"""Wires a board to the seven loops. Nothing is decided here."""

import asyncio
import gc

import meterseal_fixture
from meterseal_fixture.chronicle import Chronicle
from meterseal_fixture.cjt188_bus import CjtBus
from meterseal_fixture.down import Down
from meterseal_fixture.errors import BadSettings, FixtureError
from meterseal_fixture.flow import Controller, Hand, ModbusFlow
from meterseal_fixture.granted import Granted
from meterseal_fixture.joined import Joined
from meterseal_fixture.keep import Keep
from meterseal_fixture.link import Link
from meterseal_fixture.meters import MeterBus
from meterseal_fixture.offer import Offer
from meterseal_fixture.panel import Panel
from meterseal_fixture.papers import Papers
from meterseal_fixture.presence import presence
from meterseal_fixture.pulses import FrontEnd
from meterseal_fixture.scanner import Scanner
from meterseal_fixture.settings import BY_HAND, OWN, Settings
from meterseal_fixture.signer.atecc608 import ElementCounter, ElementSigner
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
from meterseal_fixture.slots import here
from meterseal_fixture.startup import begin_anew, sign_first, tell_update
from meterseal_fixture.station import IDLE, Station
from meterseal_fixture.update import Staging, confirm_when_healthy
from meterseal_fixture.vital import part, watch
from meterseal_wire.statement import Author

# Collected often, what lives stays together, and a whole statement still finds a block of its size (measured: without
# it a result of twenty positions needs a heap of 512 KiB, with it 320).
GARBAGE_BYTES = 24576
# So long the panel has to say why the application ends.
SPOKEN_MS = 500


async def run(board, settings: Settings) -> None:
    """Run the fixture on `board` until something breaks; raises what broke."""
    gc.threshold(GARBAGE_BYTES)
    gc.collect()
    heap_code = gc.mem_alloc()
    signer, counter = _signer(settings, board)
    author = Author(settings.fixture, settings.bench, signer)
    panel = Panel(board.serial(settings.panel))
    front = _front(settings, board, panel)
    bus = _bus(settings, board)
    front_board = await front.describe()
    if front.stamps and settings.positions >= front.channels:
        raise BadSettings(
            "settings", "'positions' is %d, the front end has fewer channels" % settings.positions
        )
    chronicle = Chronicle(author, Keep(board.folder, edge=settings.edge_key), counter)
    down = Down(settings, chronicle, verify, board.log)
    down.recall()
    papers = down.delivery.papers = Papers(settings.tls) if settings.tls else None
    down.delivery.granted = Granted(board.folder, settings, verify)
    down.question.entropy = board.entropy
    down.set_time = getattr(board, "set_time", None)
    board_text = "%s/%s" % (board.name, front_board)
    slots = here(meterseal_fixture.__file__)

    def told() -> dict[str, object]:
        return presence(station, slots, board_text)

    link = Link(settings, down.take, board.log, papers, told)
    offer = Offer(settings, chronicle, down, link)
    station = Station(settings, (front, bus), chronicle, panel, offer)
    station.heap_code = heap_code

    def may_write() -> bool:
        return not station.bench.counting

    if slots and settings.authority_key:
        authority = (settings.authority_key, verify)
        down.delivery.staging = Staging(slots, board_text, authority, may_write)
    sign_first(station, board, front_board, slots)
    await station.to_normal()
    loops = _operators(settings, board, station)
    loops += [
        _confirm(slots, link, down, station),
        begin_anew(station, board, front_board, slots),
        panel.speak(),
        panel.listen(station),
        station.run(),
        offer.run(station),
        offer.show_live(panel),
        link.run(),
        watch(station),
    ]
    try:
        await asyncio.gather(*loops)
    except FixtureError as cause:
        # A version on trial that gives up has an event of its own.
        if not cause.code.startswith("update."):
            part(board.folder, cause)
        raise


def _operators(settings: Settings, board, station: Station):
    """The loops of scanner, own counters, buttons and lamps, where the board has them."""
    loops = []
    if settings.scanner:
        scanner = Scanner(board.serial(settings.scanner), station.desk, station.panel, settings.makers)
        loops.append(scanner.run())
    if hasattr(station.front, "tend"):
        loops.append(station.front.tend())
    if hasattr(board, "operate"):
        loops.append(board.operate(station.desk))
    elif settings.buttons or settings.display:
        raise BadSettings(
            "settings", "this board has no buttons and no display; remove 'buttons' and 'display'"
        )
    return loops


def _front(settings: Settings, board, panel: Panel):
    """The front end at the capture line, several as one where 'capture' names several lines, or the board's own
    counters.
    """
    flow = _flow(settings, board, panel)
    if settings.capture == OWN:
        if not hasattr(board, "counters"):
            raise BadSettings(
                "settings", "this board has no counters of its own; name a front end's line in 'capture'"
            )
        return board.counters(settings, flow)
    fronts = [FrontEnd(board.serial(line), flow=flow) for line in settings.capture.split()]
    return fronts[0] if len(fronts) == 1 else Joined(fronts)


def _flow(settings: Settings, board, panel: Panel):
    if not settings.flow_line:
        return None
    if settings.flow_line == BY_HAND:
        return Hand(panel)
    unit, register, ml_per_h, words = settings.flow
    return ModbusFlow(board.serial(settings.flow_line), Controller(unit, register, ml_per_h, words))


def _bus(settings: Settings, board):
    line = board.serial(settings.mbus)
    return CjtBus(line, board.folder) if settings.meters == "cjt188" else MeterBus(line)


async def _confirm(slots, link: Link, down: Down, station: Station) -> None:
    """A version on trial is good once the edge was heard, and says so; one that hears nobody ends the application."""
    before = down.chronicle.keep.covered()

    def answered() -> bool:
        return down.heard or down.chronicle.keep.covered() > before

    def idle() -> bool:
        return station.state == IDLE

    try:
        confirmed = await confirm_when_healthy(slots, link, answered, idle, station.settings.trial_s)
    except FixtureError as unheard:
        station.panel.complain(unheard.code, unheard.detail)
        await asyncio.sleep_ms(SPOKEN_MS)
        raise
    if confirmed:
        tell_update(station, slots)


def _signer(settings: Settings, board):
    """(signer, epoch counter or None): the secure element's where one is configured, else the key file's."""
    if settings.element_slot is not None:
        if not hasattr(board, "i2c"):
            raise BadSettings("settings", "this board has no secure element; remove 'element_slot'")
        bus = board.i2c()
        return ElementSigner(bus, settings.element_slot), ElementCounter(bus)
    try:
        return SoftwareSigner(board.secret()), None
    except ValueError:
        raise BadSettings("settings", "the key is none that this signer can use; make a new one")
