"""Put the edge together and run it: one process, three threads beside the page.

A thread that ends by itself is a fault of ours: its trace is logged, the process ends with 70, and whoever watches
over services starts it again. An edge that looks well and takes nothing would be worse.
"""

import logging
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import uvicorn

from meterseal_edge import continuity, log_lines
from meterseal_edge.beacon import BeaconKeeper
from meterseal_edge.checkpoint import Checkpointer
from meterseal_edge.clock import Clock
from meterseal_edge.custody import Promiser
from meterseal_edge.dispatch import Dispatch
from meterseal_edge.errors import EdgeError, PeopleFailed, StoreFailed
from meterseal_edge.events import Parcel
from meterseal_edge.examine import Examined
from meterseal_edge.examiners import AHEAD, Beside, Here
from meterseal_edge.folder import STORE, take_folder
from meterseal_edge.inbox import Inbox
from meterseal_edge.ingest import Ingest
from meterseal_edge.keybook import Keybook
from meterseal_edge.mark import Mark
from meterseal_edge.metrics import Metrics, TimedExaminer, TimedLog, metrics_route
from meterseal_edge.offers import FOLDER, Offers
from meterseal_edge.outbox import Outbox
from meterseal_edge.pages.app import Site, make_app
from meterseal_edge.pages.door import Door
from meterseal_edge.pages.log_pages import log_routes
from meterseal_edge.pages.people_pages import people_routes, viewer_of
from meterseal_edge.people.copied import restored_lately
from meterseal_edge.people.desk import Desk
from meterseal_edge.people.post import Post
from meterseal_edge.presence import Presence
from meterseal_edge.published import Cosigning, Published
from meterseal_edge.quarantine import Quarantine
from meterseal_edge.refusal import Refuser
from meterseal_edge.runs import catalogue
from meterseal_edge.runs.catalogue import open_catalogue
from meterseal_edge.runs.figures import Judge
from meterseal_edge.runs.packs import known_packs
from meterseal_edge.runs.views import Views
from meterseal_edge.settings import Settings, load
from meterseal_edge.sightings import Sightings
from meterseal_edge.site.layout import IDENTITIES
from meterseal_edge.site.pins import Pins
from meterseal_edge.state import FixtureView, State
from meterseal_edge.store.contract import Store
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_edge.surroundings import Surroundings
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.note_key import NoteSigner
from meterseal_wire.statement import Author

log = logging.getLogger("meterseal.edge")
WAIT_S = 0.2
STORE_PAUSE_S = 5
STOP_S = 10
USAGE, FAULT = 64, 70  # sysexits.h: EX_USAGE, EX_SOFTWARE


@dataclass
class Edge:
    """The wired edge: what `main` runs and tests drive."""

    settings: Settings
    state: State
    store: Store
    inbox: Inbox
    ingest: Ingest
    outbox: Outbox
    beacons: BeaconKeeper
    dispatch: Dispatch
    checkpointer: Checkpointer
    lock: BinaryIO
    mark: Mark
    metrics: Metrics
    views: Views
    desk: Desk | None


def build(settings: Settings) -> Edge:
    """Open the store, read keys and grants, wire the stations."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    lock = take_folder(settings.folder)
    state = State(settings.edge, settings.site)
    keys = Keybook(settings.anchors.read_bytes(), settings.folder / "grants", settings.site)
    if settings.grants is not None:
        keys.learn_folder(settings.grants)
    author = Author(settings.edge, settings.site, PrivateKey.load(settings.key))
    store = SqliteStore(settings.folder / STORE)
    inbox = Inbox(settings, state)
    pins = Pins(settings.folder / IDENTITIES if settings.tls_certificate else None, state)
    metrics = Metrics(state, store, inbox.parcels.qsize, Surroundings(settings))
    edge_log, mark = TimedLog(store, metrics), Mark(settings.folder)
    number = continuity.begin(store, edge_log, mark, author.thumbprint)
    edge_log.on_growth = mark.grown
    if continuity.restored_lately(store, int(time.time())):
        state.alarm("", "edge.restored", f"its log is number {number} since then, under a new key")
    recall(store, keys, state)
    quarantine = Quarantine(store, settings.quarantine, keys.names)
    examiner = TimedExaminer(Beside(keys, settings.workers) if settings.workers else Here(keys), metrics)
    promiser = Promiser(author, edge_log)
    refuser = Refuser(promiser, keys)
    ingest = Ingest(inbox, examiner, edge_log, promiser, quarantine, state, pins, refuser)
    outbox = Outbox(settings, store, keys, inbox)
    dispatch = Dispatch(inbox, Clock(author, keys), Offers(settings.folder / FOLDER))
    greet(inbox, outbox, dispatch)
    beacons = BeaconKeeper(settings, keys, inbox, state)
    checkpointer = Checkpointer(author, edge_log, mark, number)
    views = runs_of(settings, store, keys)
    desk = desk_of(settings, views, state)
    parts = (inbox, ingest, outbox, beacons, dispatch, checkpointer)
    return Edge(settings, state, store, *parts, lock, mark, metrics, views, desk)


def greet(inbox: Inbox, outbox: Outbox, dispatch: Dispatch) -> None:
    """Let those hear of fixtures who have something for them: receipts first, since they make room there."""

    def online(presence: Presence) -> None:
        outbox.catch_up(presence.fixture, presence.entered)
        dispatch.online(presence)

    inbox.on_online, inbox.on_offline, inbox.on_live = online, dispatch.offline, dispatch.live


def runs_of(settings: Settings, store: Store, keys: Keybook) -> Views:
    """The index of runs beside the store, and the judge over what is known here."""
    listed = open_catalogue(settings.folder / catalogue.FILE, store, keys.name_of)
    return Views(listed, Judge(keys, known_packs(settings.packs)))


def desk_of(settings: Settings, views: Views, state: State) -> Desk | None:
    """People's desk where the settings have one. A file of people that is damaged does not keep statements out."""
    try:
        desk = Desk.open(settings, views.catalogue, views.judge, state.acknowledge)
    except PeopleFailed as error:
        log.warning("%s", error)
        state.alarm("", error.code, str(error))
        return None
    if desk is not None:
        views.signed, views.said = desk.sayings.signed, desk.sayings.shown
        if restored_lately(desk.trail.roll):
            state.alarm(
                "", "edge.people_restored", "its accounts are closed; `meterseal edge person reset` opens one"
            )
    return desk


def recall(store: Store, keys: Keybook, state: State) -> None:
    """Show from the start what is held of each fixture that is known."""
    for chain in store.chains():
        holder = keys.fixture(chain.key)
        if holder is not None:
            epoch, seq = chain.head.epoch, chain.head.seq
            state.known(FixtureView(holder.name, False, epoch, seq, chain.statements, chain.last_s))


def ingest_loop(edge: Edge, stop: threading.Event) -> None:
    """Batches until `stop`: while one is written to disk, the next ones are examined already."""
    ahead: deque[list[Parcel]] = deque()
    examiner = edge.ingest.examiner
    while ahead or not stop.is_set():
        while len(ahead) < AHEAD and not stop.is_set():
            parcels = edge.inbox.take(edge.settings.batch, 0 if ahead else WAIT_S)
            if not parcels:
                break
            examiner.start(parcels)
            ahead.append(parcels)
        if ahead and not settled(edge, ahead.popleft(), examiner.finish(), stop):
            while ahead:
                ahead.popleft()
                examiner.finish()


def settled(edge: Edge, parcels: list[Parcel], examined: Examined, stop: threading.Event) -> bool:
    """One batch from examined to acknowledged. A store that fails ends the session: what was not acknowledged comes
    again, and what was taken ahead with it.
    """
    try:
        edge.ingest.keep(parcels, examined)
    except StoreFailed as error:
        log.warning("%s", error)
        edge.state.accepting(False)
        edge.state.alarm("", error.code, str(error))
        stop.wait(STORE_PAUSE_S)
        edge.inbox.renew()
        return False
    edge.state.accepting(True)
    edge.outbox.wake.set()
    return True


def publisher(edge: Edge) -> Published | None:
    """What signs the log's head for anybody, where there is a key for it."""
    if edge.settings.log_key is None:
        return None
    signer = NoteSigner(edge.checkpointer.origin, PrivateKey.load(edge.settings.log_key))
    quorum = edge.settings.quorum or len(edge.settings.witnesses)
    return Published(edge.ingest.log, signer, edge.settings.folder, quorum)


def run(edge: Edge) -> int:
    """Serve until SIGTERM or SIGINT, then stop in order: no new parcels, last batch, page. 70 if a thread broke."""
    stop, broken = threading.Event(), threading.Event()
    published = publisher(edge)
    routes = [*log_routes(edge.ingest.log, published), metrics_route(edge.metrics), *people_routes(edge.desk)]
    site = Site(edge.views, viewer_of(edge.desk), routes)
    app = make_app(edge.state, edge.store, edge.checkpointer.checkpoint, site)
    server = uvicorn.Server(
        uvicorn.Config(app, http=Door, log_config=None, log_level="warning", timeout_graceful_shutdown=2)
    )
    door = socket.create_server((edge.settings.page_host, edge.settings.page_port))

    def watched(loop: Callable[[threading.Event], None]) -> None:
        try:
            loop(stop)
        finally:
            if not stop.is_set():
                broken.set()
                server.should_exit = True

    loops = [
        lambda stopped: ingest_loop(edge, stopped),
        edge.outbox.run,
        edge.beacons.run,
        edge.mark.run,
        edge.dispatch.run,
    ]
    if edge.ingest.pins is not None:
        loops.append(edge.ingest.pins.run)
    if published is not None and edge.settings.witnesses:
        loops += [Cosigning(published, at.url, at.key, edge.state).run for at in edge.settings.witnesses]
        author = edge.checkpointer.author
        loops.append(Sightings(published, author, edge.outbox, edge.settings.folder).run)
    if edge.desk is not None:
        loops.append(Post(edge.desk.sayings, edge.outbox).run)
    threads = [threading.Thread(target=watched, args=(loop,), daemon=True) for loop in loops]
    edge.inbox.start()
    for thread in threads:
        thread.start()
    try:
        server.run(sockets=[door])
    finally:
        stop.set()
        wake(edge)
        for thread in threads:
            thread.join(timeout=STOP_S)
        edge.inbox.stop()
        door.close()
        close(edge)
    return FAULT if broken.is_set() else 0


def wake(edge: Edge) -> None:
    """Let loops that wait for work see that there will be none."""
    edge.outbox.wake.set()
    if edge.desk is not None:
        edge.desk.sayings.fresh.set()


def close(edge: Edge) -> None:
    """Release every file, the lock last."""
    edge.ingest.examiner.close()
    edge.views.catalogue.close()
    if edge.desk is not None:
        edge.desk.close()
    edge.store.close()
    edge.mark.close()
    edge.lock.close()


def main() -> int:
    """Entry point: the path of a settings file is the only argument."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if len(sys.argv) != 2:
        print("usage: python -m meterseal_edge settings.json", file=sys.stderr)
        return USAGE
    style = log_lines.TEXT
    try:
        settings = load(Path(sys.argv[1]))
        style = settings.log
        log_lines.begin(style)
        return run(build(settings))
    except KeyboardInterrupt:
        log.info("stopped; what was not acknowledged comes again")
        return 0
    except (EdgeError, ProtocolError, OSError) as error:
        log_lines.cannot_start(style, error)
        return 1
