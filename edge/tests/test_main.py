"""The wired edge: what the loop does when the store fails, and what a user reads when it cannot start."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from edge.tests.site import SmallRegistry, on_port, served, wait_until

from meterseal_edge import main
from meterseal_edge.errors import BadSettings, StoreFailed
from meterseal_edge.events import Parcel
from meterseal_edge.pages.app import make_app
from meterseal_edge.settings import load
from meterseal_protocol.checkpoint import read
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.world import World
from meterseal_tools.broker import start_broker
from meterseal_tools.services import Service, free_port, write_settings
from meterseal_wire.encode import encode


def prepared(folder: Path, world: World, **changes: Any) -> Path:
    """Key, anchors, grants and a settings file; by default neither broker nor registry is there."""
    if not (folder / "edge.key").exists():
        world.keys["edge"].save(folder / "edge.key")
        (folder / "anchors.cbor").write_bytes(world.anchors_file)
        (folder / "grants").mkdir()
        for number, raw in enumerate(world.grants.values()):
            (folder / "grants" / f"{number}.cose").write_bytes(raw)
    fields = {
        "folder": folder / "edge",
        "port": 1,
        "site": "YUHANG1",
        "edge": "EDGE1",
        "key": folder / "edge.key",
        "anchors": folder / "anchors.cbor",
        "grants": folder / "grants",
        "registry": "http://127.0.0.1:9",
        "page_port": free_port(),
        "registry_poll_s": 1,
    }
    return write_settings(folder / "edge.json", **{**fields, **changes})


def start(path: Path) -> subprocess.CompletedProcess[str]:
    """The edge as a command, to its end."""
    command = [sys.executable, "-m", "meterseal_edge", str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


class ScriptedInbox:
    """Stands at the inbox's place: gives batches, remembers answers, ends the loop when there are no more."""

    def __init__(self, batches: list[list[Parcel]], stop: threading.Event) -> None:
        self.batches, self.stop = batches, stop
        self.calls: list[str] = []

    def take(self, _most: int, _wait_s: float) -> list[Parcel]:
        """The next batch; nothing once, then the end."""
        if self.batches:
            return self.batches.pop(0)
        self.stop.set()
        return []

    def renew(self) -> None:
        """A new connection brings everything unacknowledged again."""
        self.calls.append("renew")

    def acknowledge(self, parcel: Parcel) -> None:
        """PUBACK."""
        self.calls.append(f"puback {parcel.message_id}")

    def send_custody(self, fixture: str, _raw: bytes) -> None:
        """Custody."""
        self.calls.append(f"custody {fixture}")


def test_a_store_that_fails_stops_acknowledging_and_what_comes_again_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design section 13: disk full: stops acknowledging, says so on its page and in /readyz; queues are kept."""
    monkeypatch.setattr(main, "STORE_PAUSE_S", 0)
    world = World()
    edge = main.build(load(prepared(tmp_path, world)))
    edge.state.broker(True)
    fixture = ModelFixture(world.author("W1"))
    parcel = Parcel("W1", encode([[fixture.boot().raw]]), 1, 1)
    stop, port = threading.Event(), edge.settings.page_port
    inbox = ScriptedInbox([[parcel]], stop)
    edge.inbox = edge.ingest.inbox = inbox  # type: ignore[assignment]
    honest = edge.store.append
    monkeypatch.setattr(edge.store, "append", failing)
    with on_port(make_app(edge.state, edge.store, edge.checkpointer.checkpoint), port):
        web = httpx.Client(base_url=f"http://127.0.0.1:{port}")
        assert web.get("/readyz").status_code == 200
        main.ingest_loop(edge, stop)
        assert inbox.calls == ["renew"]
        assert web.get("/readyz").status_code == 503
        assert web.get("/readyz").json() == {"ready": False, "broker": True, "store": False}
        assert web.get("/api/summary").json()["alarms"][0]["code"] == "edge.store"
        monkeypatch.setattr(edge.store, "append", honest)
        stop.clear()
        inbox.batches.append([parcel])
        main.ingest_loop(edge, stop)
        assert inbox.calls == ["renew", "custody W1", "puback 1"]
        assert web.get("/readyz").status_code == 200
        web.close()
    assert edge.store.counts() == (1, 0, 0)
    assert edge.outbox.wake.is_set()
    edge.store.close()
    edge.lock.close()


def failing(*_: object) -> int:
    """A full disk."""
    raise StoreFailed("nothing was stored: database or disk is full")


def test_with_a_real_broker_everything_arrives_after_the_store_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design section 13, with mosquitto: nobody offers twice; the broker gives again what was not acknowledged."""
    monkeypatch.setattr(main, "STORE_PAUSE_S", 0)
    world, stop, failures = World(), threading.Event(), 3
    with start_broker(tmp_path / "broker") as broker:
        edge = main.build(load(prepared(tmp_path, world, port=broker.port, mqtt_version=broker.mqtt_version)))
        honest = edge.store.append

        def sometimes(*arguments: Any) -> int:
            nonlocal failures
            failures -= 1
            return failing() if failures >= 0 else honest(*arguments)

        monkeypatch.setattr(edge.store, "append", sometimes)
        edge.inbox.start()
        wait_until(lambda: bool(edge.state.snapshot()["broker"]), "the subscription")
        thread = threading.Thread(target=main.ingest_loop, args=(edge, stop), daemon=True)
        thread.start()
        fixture = ModelFixture(world.author("W1"))
        fixture.boot()
        for number in range(19):
            fixture.event("tick", str(number))
        for item in fixture.signed:
            edge.inbox.client.publish("ms/1/YUHANG1/W1/up", encode([[item.raw]]), 1)
        wait_until(lambda: edge.store.counts() == (20, 0, 0), "everything durable")
        wait_until(lambda: bool(edge.state.snapshot()["accepting"]), "accepting again")
        assert failures < 0
        stop.set()
        thread.join(10)
        edge.inbox.stop()
        edge.store.close()
        edge.lock.close()


def test_a_second_edge_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Two writers would give one leaf number twice; the lock ends with the process, even when it is killed."""
    path = prepared(tmp_path, World())
    edge = main.build(load(path))
    with pytest.raises(BadSettings, match="another edge runs"):
        main.build(load(path))
    edge.store.close()
    edge.lock.close()
    again = main.build(load(path))
    again.store.close()
    again.lock.close()


def test_what_is_held_is_shown_from_the_start(tmp_path: Path) -> None:
    """After a restart the page tells each known fixture's place before the fixture has said a word."""
    world = World()
    edge = main.build(load(prepared(tmp_path, world)))
    fixture = ModelFixture(world.author("W1"))
    stop = threading.Event()
    items = [fixture.boot(), fixture.event("a", "b")]
    edge.inbox = edge.ingest.inbox = ScriptedInbox(  # type: ignore[assignment]
        [[Parcel("W1", encode([[item.raw] for item in items]), 1, 1)]], stop
    )
    main.ingest_loop(edge, stop)
    edge.store.close()
    edge.lock.close()
    again = main.build(load(tmp_path / "edge.json"))
    [view] = again.state.snapshot()["fixtures"]
    assert (view["fixture"], view["epoch"], view["seq"], view["stored"]) == ("W1", 1, 1, 2)
    assert view["last_s"] > 1_700_000_000
    again.store.close()
    again.lock.close()


def spoil_key_mode(folder: Path) -> None:
    """A key that others may read."""
    (folder / "edge.key").chmod(0o644)


def spoil_key(folder: Path) -> None:
    """A key file of the wrong size."""
    (folder / "edge.key").write_bytes(bytes(31))


def spoil_anchors(folder: Path) -> None:
    """Anchors that are no CBOR."""
    (folder / "anchors.cbor").write_bytes(b"\xff")


def no_anchors(folder: Path) -> None:
    """Anchors that are not there."""
    (folder / "anchors.cbor").unlink()


def spoil_store(folder: Path) -> None:
    """A store that is no database."""
    (folder / "edge").mkdir()
    (folder / "edge" / "edge.sqlite").write_bytes(b"no database at all, and longer than a header" * 50)


def spoil_settings(folder: Path) -> None:
    """A misspelled field."""
    fields = json.loads((folder / "edge.json").read_text())
    (folder / "edge.json").write_text(json.dumps({**fields, "colour": 1}))


@pytest.mark.parametrize(
    "spoil, says",
    [
        (spoil_key_mode, "chmod 600"),
        (spoil_key, "32 bytes"),
        (spoil_anchors, "anchors file"),
        (no_anchors, "anchors.cbor"),
        (spoil_store, "cannot be opened"),
        (spoil_settings, '"colour", which is no setting'),
    ],
)
def test_what_keeps_the_edge_from_starting_is_one_sentence_and_exit_code_1(
    tmp_path: Path, spoil: Any, says: str
) -> None:
    """Design section 13: wrong file, wrong key: one sentence that says what and what to do; never a traceback."""
    path = prepared(tmp_path, World())
    spoil(tmp_path)
    done = start(path)
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("edge: ")


def test_without_exactly_one_argument_the_usage_is_told() -> None:
    """sysexits.h: EX_USAGE is 64."""
    done = subprocess.run(
        [sys.executable, "-m", "meterseal_edge"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (64, "usage: python -m meterseal_edge settings.json\n")


def test_the_edge_lives_without_broker_and_registry_and_stops_when_told(tmp_path: Path) -> None:
    """Healthy is not ready: /healthz says that it runs, /readyz that it takes statements. SIGTERM ends it with 0.

    House rule: keys are never logged and never in argv.
    """
    world = World()
    path = prepared(tmp_path, world)
    port = json.loads(path.read_text())["page_port"]
    edge = Service("meterseal_edge", path, f"http://127.0.0.1:{port}/healthz").start()
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 503
    answer = httpx.get(f"http://127.0.0.1:{port}/checkpoint")
    assert answer.headers["content-type"] == "application/cose"
    head, _ = read(answer.content, world.ring("edge"))
    assert (head.origin, head.size) == ("edge/EDGE1", 0)
    process = edge._process
    assert process is not None
    arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "Traceback" not in edge.last_words()
    secret = (tmp_path / "edge.key").read_bytes()
    for told in (arguments, edge.log.read_bytes()):
        assert secret not in told
        assert secret.hex().encode() not in told


def test_a_page_port_that_is_taken_ends_the_edge_with_a_message(tmp_path: Path) -> None:
    """Two services on one port: the second says so and ends; it does not run on without a page."""
    registry = SmallRegistry(World())
    port = free_port()
    with served(registry, port):
        path = prepared(tmp_path, registry.world, page_port=port)
        done = start(path)
    assert done.returncode == 1
    assert done.stderr.startswith("edge: ")
    assert "Address already in use" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_loop_that_breaks_ends_the_process_with_70(tmp_path: Path) -> None:
    """main.py: an edge that looks well and takes nothing would be worse. sysexits.h: EX_SOFTWARE is 70."""
    path = prepared(tmp_path, World())
    edge = main.build(load(path))

    def broken(stop: threading.Event) -> None:
        raise ZeroDivisionError("a fault of ours")

    edge.outbox.run = broken  # type: ignore[method-assign]
    seen: list[type[BaseException]] = []
    before = threading.excepthook
    threading.excepthook = lambda arguments: seen.append(arguments.exc_type)
    try:
        assert main.run(edge) == main.FAULT == 70
    finally:
        threading.excepthook = before
    assert seen == [ZeroDivisionError]
