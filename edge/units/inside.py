"""docs/how-to/set-up-an-edge.md, step by step, by a real systemd: `make units` runs this inside a copy of the machine.

Here are two users, Debian's own mosquitto.service with our drop-in, and a fixture that shows a certificate. Only the
fixture's keys are the test's, as is the registry.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from edge.tests.secured import Caller, enrolled
from edge.tests.site import SmallRegistry, served, wait_until

from meterseal_edge.site.layout import Layout, give
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.world import World
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import split

COPY = Path("/run/meterseal-copy")  # scripts/boot_copy makes it
FOLDER, SYSTEM = Path("/var/lib/meterseal"), Path("/etc/systemd/system")
HOST, PORT, REGISTRY_PORT, PAGE = "edge.yuhang1.example", 8883, 8900, "http://127.0.0.1:8080"
EDGE, BROKER, RENEW, BACKUP = "meterseal-edge", "mosquitto", "meterseal-renew", "meterseal-backup"
TIMERS = (f"{RENEW}.timer", f"{BACKUP}.timer")
EDGE_USER, BROKER_USER = "meterseal", "mosquitto"


def command(*words: object, good: int = 0) -> str:
    """What a command of the how-to prints; AssertionError with all it said where it ends otherwise."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == good, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def meterseal(*words: object, good: int = 0) -> str:
    """The same with the project's own command."""
    return command(sys.executable, "-m", "meterseal_tools", *words, good=good)


def systemctl(*words: object) -> str:
    """The same with systemd's."""
    return command("systemctl", "--no-pager", *words)


def told(unit: str, name: str) -> str:
    """One property of a unit."""
    return systemctl("show", "--value", f"--property={name}", unit).strip()


def process(unit: str) -> int:
    """Number of a unit's main process; 0 where none runs."""
    return int(told(unit, "MainPID"))


def ready() -> bool:
    """What the edge's page says of its readiness."""
    try:
        return httpx.get(f"{PAGE}/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def durable() -> int:
    """Statements in the edge's store."""
    return int(httpx.get(f"{PAGE}/api/summary").json()["durable"])


def journal(unit: str) -> list[dict[str, object]]:
    """What a unit said, oldest first, as journald keeps it."""
    lines = command("journalctl", "--no-pager", "--output=json", f"--unit={unit}").splitlines()
    return [json.loads(line) for line in lines]


class Bench:
    """One enrolled fixture: it offers a statement until custody covers it."""

    def __init__(self, world: World, name: str) -> None:
        self.name, self.fixture = name, ModelFixture(world.author(name))
        self.shown = enrolled(Layout(FOLDER), name, world.keys[name])
        self.caller: Caller | None = None

    def connect(self) -> None:
        """Connect, again where there was a connection."""
        if self.caller is not None:
            self.caller.close()
        self.caller = Caller(Layout(FOLDER), PORT, self.shown)
        assert self.caller.let_in()
        self.caller.listen(f"ms/1/YUHANG1/{self.name}/down")

    def say(self) -> None:
        """Sign the next statement, offer it, and wait for its custody."""
        assert self.caller is not None
        caller, signed = (
            self.caller,
            self.fixture.event("tick", "1") if self.fixture.epoch else self.fixture.boot(),
        )
        caller.say(f"ms/1/YUHANG1/{self.name}/up", encode([[signed.raw]]))
        place = (self.fixture.epoch, self.fixture.seq)
        wait_until(lambda: place in self._covered(), f"custody for {place}")

    def _covered(self) -> set[tuple[int, int]]:
        assert self.caller is not None
        payloads = [split(raw)[2] for _, parcel in self.caller.heard for raw in scan(parcel, 65536)]
        told = [scan(payload) for payload in payloads if payload]  # a receipt's is detached
        return {(one[L.EPOCH], one[L.SEQ]) for one in told if isinstance(one, dict) and L.HEAD in one}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """Steps 1 to 5 of the page, and a fixture that is connected."""
    assert COPY.exists(), "run this with `make units`, which boots a machine for it"
    world = World()
    with Path("/etc/hosts").open("a") as hosts:
        hosts.write(f"\n127.0.0.1 {HOST}\n")
    command("useradd", "--system", "--home-dir", FOLDER, "--shell", "/usr/sbin/nologin", EDGE_USER)
    anchors = Path("/run/anchors.cbor")
    anchors.write_bytes(world.anchors_file)
    meterseal(
        *(
            "edge",
            "init",
            FOLDER,
            "--site",
            "YUHANG1",
            "--edge",
            "EDGE1",
            "--host",
            HOST,
            "--host",
            "127.0.0.1",
        ),
        *("--registry", f"http://127.0.0.1:{REGISTRY_PORT}", "--anchors", anchors),
        *("--edge-user", EDGE_USER, "--broker-user", BROKER_USER),
    )
    layout = Layout(FOLDER)
    (layout.edge / "edge.key").unlink()
    world.keys["edge"].save(layout.edge / "edge.key")  # the one that the test's authority granted
    for number, raw in enumerate(world.grants.values()):
        (layout.edge / "grants" / f"{number}.cose").write_bytes(raw)
    give(layout.edge, EDGE_USER)
    shutil.copytree(FOLDER / "systemd", SYSTEM, dirs_exist_ok=True)
    systemctl("daemon-reload")
    systemctl("restart", BROKER)
    systemctl("enable", "--now", EDGE, *TIMERS)
    wait_until(ready, "readiness")
    found = Bench(world, "W1")
    with served(SmallRegistry(world), REGISTRY_PORT):
        found.connect()
        yield found


def test_a_statement_is_kept_and_backed_up_and_the_doctor_finds_nothing(bench: Bench) -> None:
    """Step 4, after the first night: exit code 0 says that nothing is wrong."""
    bench.say()
    bench.say()
    assert durable() == 2
    wait_until(lambda: httpx.get(f"{PAGE}/api/summary").json()["entered"] == 2, "both in the registry")
    systemctl("start", BACKUP)
    assert told(BACKUP, "Result") == "success"
    [copy] = (FOLDER / "backups").glob("EDGE1-*.sqlite")
    assert copy.owner() == EDGE_USER
    assert meterseal("edge", "verify-store", copy).startswith("2 statements hold")
    meterseal("edge", "doctor", FOLDER / "edge/edge.json")


@pytest.mark.parametrize("unit, user", [(EDGE, EDGE_USER), (BROKER, BROKER_USER)])
def test_each_runs_as_its_user_without_any_right(bench: Bench, unit: str, user: str) -> None:
    """The kernel's own words, not systemd's: proc(5), status; no capability, no new ones, a filter of system calls."""
    assert bench.name
    place = Path(f"/proc/{process(unit)}")
    status = dict(
        line.split(":\t", 1) for line in (place / "status").read_text().splitlines() if ":\t" in line
    )
    assert place.owner() == user or place.stat().st_uid == 0
    assert status["Uid"].split()[0] == command("id", "--user", user).strip()
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize(
    "unit, user, own", [(EDGE, EDGE_USER, "edge/state"), (BROKER, BROKER_USER, "broker/data")]
)
def test_each_writes_its_own_folder_alone_and_never_sees_the_authority(
    bench: Bench, unit: str, user: str, own: str
) -> None:
    """Tried from within the unit's own file system, as its user and, for what is read-only, as root."""
    assert bench.name
    inside = ("nsenter", f"--target={process(unit)}", "--mount", "--")
    as_user = (*inside, "setpriv", f"--reuid={user}", "--clear-groups", "--")
    command(*as_user, "touch", FOLDER / own / "probe")
    command(*inside, "rm", FOLDER / own / "probe")
    command(*inside, "touch", "/etc/probe", good=1)
    command(*inside, "touch", FOLDER / "probe", good=1)
    assert "ca.key" in command("ls", FOLDER / "authority")
    assert "ca.key" not in command(*inside, "ls", FOLDER / "authority")


def test_a_killed_edge_is_started_again_with_all_it_had(bench: Bench) -> None:
    """Restart=always; the store is on disk, so what had custody is there."""
    before, first = durable(), process(EDGE)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: process(EDGE) not in (0, first), "another process")
    wait_until(ready, "readiness")
    assert durable() == before
    bench.say()
    assert durable() == before + 1


def test_a_killed_broker_is_started_again_and_everybody_comes_back(bench: Bench) -> None:
    """The same for the distribution's unit with our drop-in; the edge connects by itself."""
    before, first = durable(), process(BROKER)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: process(BROKER) not in (0, first), "another process")
    wait_until(ready, "readiness")
    bench.connect()
    bench.say()
    assert durable() == before + 1


def test_it_stops_when_it_is_asked_to(bench: Bench) -> None:
    """SIGTERM ends it with code 0, long before systemd would kill it; nothing that had custody is gone."""
    before = durable()
    systemctl("stop", EDGE)
    assert (told(EDGE, "Result"), told(EDGE, "ExecMainStatus")) == ("success", "0")
    systemctl("start", EDGE)
    wait_until(ready, "readiness")
    assert durable() == before
    bench.say()


def test_certificates_are_renewed_under_the_running_services(bench: Bench) -> None:
    """The timers are set; the service, told that all ends soon, renews for both, and both go on with the new ones."""
    for timer in TIMERS:
        assert told(timer, "ActiveState") == "active" and told(timer, "NextElapseUSecRealtime")
    files = [FOLDER / "edge/tls.pem", FOLDER / "broker/broker.pem"]
    before = [path.read_bytes() for path in files]
    start = told(RENEW, "ExecStart").split("argv[]=")[1].split(" ;")[0]
    assert start.endswith("--within 30d")
    drop = SYSTEM / f"{RENEW}.service.d/soon.conf"
    drop.parent.mkdir()
    drop.write_text(f"[Service]\nExecStart=\nExecStart={start.replace('30d', '9999d')}\n")
    systemctl("daemon-reload")
    systemctl("start", RENEW)
    assert told(RENEW, "Result") == "success"
    assert [path.read_bytes() == old for path, old in zip(files, before, strict=True)] == [False, False]
    assert [path.owner() for path in files] == [EDGE_USER, BROKER_USER]
    systemctl("restart", EDGE)
    wait_until(ready, "readiness")
    bench.connect()
    bench.say()


def test_the_journal_has_one_object_a_line_and_no_secret(bench: Bench) -> None:
    """Structured logs: what the edge says is JSON; no key of this site stands anywhere in the journal."""
    assert bench.name
    said = [str(one["MESSAGE"]) for one in journal(EDGE) if one.get("_COMM", "").startswith("python")]  # type: ignore[attr-defined]
    assert said and all(isinstance(json.loads(line), dict) for line in said)
    whole = json.dumps(journal(EDGE) + journal(BROKER))
    for path in (*FOLDER.rglob("*.key"),):
        content = path.read_bytes()
        assert content.hex() not in whole
        assert "PRIVATE KEY" not in whole


def test_a_unit_that_may_not_write_its_state_does_not_get_ready(bench: Bench) -> None:
    """A planted fault: were ReadWritePaths not what lets it write, the tests above would prove nothing."""
    assert bench.name
    drop = SYSTEM / f"{EDGE}.service.d/planted.conf"
    drop.parent.mkdir()
    drop.write_text("[Service]\nReadWritePaths=\n")
    systemctl("daemon-reload")
    systemctl("restart", "--no-block", EDGE)
    wait_until(lambda: int(told(EDGE, "NRestarts")) > 0 and not ready(), "a start that fails")
    drop.unlink()
    systemctl("daemon-reload")
    systemctl("restart", EDGE)
    wait_until(ready, "readiness")
