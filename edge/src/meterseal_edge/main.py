"""Put the edge together and run it: one process, three threads beside the page."""

import logging
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from meterseal_edge.beacon import BeaconKeeper
from meterseal_edge.custody import Promiser
from meterseal_edge.errors import EdgeError, StoreFailed
from meterseal_edge.inbox import Inbox
from meterseal_edge.ingest import Ingest
from meterseal_edge.keybook import Keybook
from meterseal_edge.log import EdgeLog
from meterseal_edge.outbox import Outbox
from meterseal_edge.pages.app import make_app
from meterseal_edge.quarantine import Quarantine
from meterseal_edge.settings import Settings, load
from meterseal_edge.state import State
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey
from meterseal_wire.statement import Author

log = logging.getLogger("meterseal.edge")
WAIT_S = 0.5
STORE_PAUSE_S = 5
STOP_S = 10


@dataclass
class Edge:
    """The wired edge: what `main` runs and tests drive."""

    settings: Settings
    state: State
    store: SqliteStore
    inbox: Inbox
    ingest: Ingest
    outbox: Outbox
    beacons: BeaconKeeper


def build(settings: Settings) -> Edge:
    """Open the store, read keys and grants, wire the stations."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    state = State(settings.edge, settings.site)
    keys = Keybook(settings.anchors.read_bytes(), settings.folder / "grants")
    if settings.grants is not None:
        keys.learn_folder(settings.grants)
    store = SqliteStore(settings.folder / "edge.sqlite")
    edge_log = EdgeLog(store)
    inbox = Inbox(settings, state)
    author = Author(settings.edge, settings.site, PrivateKey.load(settings.key))
    quarantine = Quarantine(store, settings.quarantine)
    ingest = Ingest(inbox, keys, edge_log, Promiser(author, edge_log), quarantine, state)
    outbox = Outbox(settings, store, keys, state)
    return Edge(settings, state, store, inbox, ingest, outbox, BeaconKeeper(settings, keys, inbox, state))


def ingest_loop(edge: Edge, stop: threading.Event) -> None:
    """Batches until `stop`. A store that fails ends the session: what was not acknowledged comes again."""
    while not stop.is_set():
        parcels = edge.inbox.take(edge.settings.batch, WAIT_S)
        if not parcels:
            continue
        try:
            edge.ingest.keep(parcels)
        except StoreFailed as error:
            log.warning("%s", error)
            edge.state.accepting(False)
            edge.state.alarm("", error.code, str(error))
            stop.wait(STORE_PAUSE_S)
            edge.inbox.renew()
        else:
            edge.state.accepting(True)
            edge.outbox.wake.set()


def run(edge: Edge) -> None:
    """Serve until SIGTERM or SIGINT, then stop in order: no new parcels, last batch, page."""
    stop = threading.Event()
    loops: list[Callable[[threading.Event], None]] = [
        lambda stopped: ingest_loop(edge, stopped),
        edge.outbox.run,
        edge.beacons.run,
    ]
    threads = [threading.Thread(target=loop, args=(stop,), daemon=True) for loop in loops]
    server = uvicorn.Server(
        uvicorn.Config(
            make_app(edge.state, edge.store),
            host=edge.settings.page_host,
            port=edge.settings.page_port,
            log_level="warning",
            timeout_graceful_shutdown=2,
        )
    )
    edge.inbox.start()
    for thread in threads:
        thread.start()
    try:
        server.run()
    finally:
        stop.set()
        edge.outbox.wake.set()
        for thread in threads:
            thread.join(timeout=STOP_S)
        edge.inbox.stop()
        edge.store.close()


def main() -> int:
    """Entry point: the path of a settings file is the only argument."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if len(sys.argv) != 2:
        print("usage: python -m meterseal_edge settings.json", file=sys.stderr)
        return 64
    try:
        run(build(load(Path(sys.argv[1]))))
    except KeyboardInterrupt:
        log.info("stopped; what was not acknowledged comes again")
    except (EdgeError, ProtocolError, OSError) as error:
        print(f"edge: {error}", file=sys.stderr)
        return 1
    return 0
