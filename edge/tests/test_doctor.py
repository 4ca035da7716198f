"""Each fault that the doctor knows, produced for real on a site that `edge init` made."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from edge.tests.conftest import Box
from edge.tests.secured import Caller, enrolled, made_site, running
from edge.tests.secured_edge import Factory, factory
from edge.tests.site import on_port, served, wait_until
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from meterseal_edge.backup import back_up, manifest_path
from meterseal_edge.doctor import disk
from meterseal_edge.doctor.checkup import checkup
from meterseal_edge.doctor.faults import BROKEN, FAULTS, SOON, Fault
from meterseal_edge.folder import STORE
from meterseal_edge.mark import Mark, Signed
from meterseal_edge.people.roll import FILE, Roll
from meterseal_edge.people.trail import Trail, open_trail
from meterseal_edge.settings import load
from meterseal_edge.site import authority, identities, renewal, revocation
from meterseal_edge.site.layout import put
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

DAY_S = 86400


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Factory]:
    """A site with anchors and grants, no process running."""
    found = Factory(tmp_path)
    yield found
    found.close()


def faults(ward: Factory) -> dict[str, Fault]:
    """What the doctor finds, by code; the last of each."""
    return {one.code: one for one in checkup(ward.layout.settings)}


def filled(ward: Factory, count: int = 3, received_s: int | None = None) -> ModelFixture:
    """W1's statements in the site's store, as its edge would have put them there."""
    box = Box(ward.layout.state)
    box.store.close()
    box.world = ward.world
    box.reopen()
    fixture = ModelFixture(ward.world.author("W1"))
    fixture.boot()
    for number in range(count - 1):
        fixture.event("tick", str(number))
    box.offer(*fixture.signed)
    box.store.close()
    if received_s is not None:
        edit(ward, "UPDATE statement SET received_s = ?", received_s)
        edit(ward, "UPDATE chain SET last_s = ?", received_s)
    return fixture


def edit(ward: Factory, query: str, *values: object) -> None:
    """Change the store from outside."""
    with closing(sqlite3.connect(ward.layout.state / STORE, isolation_level=None)) as db:
        db.execute(query, values)


def test_a_healthy_edge_has_nothing(tmp_path: Path) -> None:
    """Broker, edge and registry run, a fixture has spoken, a backup was made today: no line, for that would be ignored
    tomorrow.
    """
    with factory(tmp_path) as (found, broker):
        (tmp_path / "backups").mkdir()
        found.change(backups=str(tmp_path / "backups"))
        found.edge.start()
        caller, fixture = found.connect(broker, "W1"), ModelFixture(found.world.author("W1"))
        caller.say("ms/1/YUHANG1/W1/up", encode([[fixture.boot().raw]]))
        with served(found.registry, found.registry_port):
            wait_until(lambda: found.summary()["entered"] == 1, "the receipt")
            back_up(load(found.layout.settings), tmp_path / "backups" / "today.sqlite")
            assert checkup(found.layout.settings) == []
            assert found.summary()["broker"] is True  # the doctor did not take the edge's place at the broker


def test_what_does_not_run_is_said(ward: Factory) -> None:
    """Nothing was started: edge, broker, registry; worst first."""
    found = checkup(ward.layout.settings)
    assert {"edge.down", "broker.away", "registry.away"} <= {one.code for one in found}
    assert [one.level for one in found] == sorted((one.level for one in found), reverse=True)


def test_settings_that_cannot_be_used_are_a_fault_of_their_own(tmp_path: Path) -> None:
    """The first thing that a person gets wrong."""
    (tmp_path / "edge.json").write_text('{"folder": "x"}')
    [one] = checkup(tmp_path / "edge.json")
    assert one.code == "settings" and 'lacks "port"' in one.lines[1]


def no_tls(ward: Factory) -> None:
    ward.change(tls_authority=None, tls_certificate=None, tls_key=None)


def key_for_all(ward: Factory) -> None:
    (ward.layout.edge / "edge.key").chmod(0o644)


def tls_key_for_all(ward: Factory) -> None:
    (ward.layout.edge / "tls.key").chmod(0o640)


def no_key(ward: Factory) -> None:
    (ward.layout.edge / "edge.key").unlink()


def no_certificate(ward: Factory) -> None:
    (ward.layout.edge / "tls.pem").unlink()


def key_of_another(ward: Factory) -> None:
    other = made_site(ward.folder / "other")
    shutil.copy(other.edge / "tls.key", ward.layout.edge / "tls.key")


def pair_of_another_site(ward: Factory) -> None:
    other = made_site(ward.folder / "other")
    for name in ("tls.key", "tls.pem"):
        shutil.copy(other.edge / name, ward.layout.edge / name)


def certificate_for(ward: Factory, days: int) -> None:
    path = ward.layout.edge / "tls.pem"
    old = renewal.same(renewal.read(path))
    wish = authority.Wish(old.subject, old.key, old.use, days=days)
    put(path, authority.Authority.opened(ward.layout).issue(wish).public_bytes(authority.PEM))


def ends_in_a_week(ward: Factory) -> None:
    certificate_for(ward, 7)


def ended(ward: Factory) -> None:
    certificate_for(ward, 0)


def no_anchors(ward: Factory) -> None:
    (ward.layout.edge / "anchors.cbor").unlink()


def damaged_anchors(ward: Factory) -> None:
    (ward.layout.edge / "anchors.cbor").write_bytes(b"\xa0")


def ungranted_key(ward: Factory) -> None:
    (ward.layout.edge / "edge.key").unlink()
    PrivateKey.generate().save(ward.layout.edge / "edge.key")


def no_grants(ward: Factory) -> None:
    shutil.rmtree(ward.layout.edge / "grants")


def no_list(ward: Factory) -> None:
    ward.layout.identities.write_text("{")


def damaged_store(ward: Factory) -> None:
    filled(ward)
    path = ward.layout.state / STORE
    raw = bytearray(path.read_bytes())
    raw[4096:] = b"\x55" * len(raw[4096:])
    path.write_bytes(raw)


def older_store(ward: Factory) -> None:
    filled(ward, 3)
    mark = Mark(ward.layout.state)
    mark.begin(Signed(1, 4, bytes(32), 0, bytes(32)))
    mark.close()


def lost_store(ward: Factory) -> None:
    older_store(ward)
    (ward.layout.state / STORE).unlink()


def full_quarantine(ward: Factory) -> None:
    filled(ward)
    ward.change(quarantine=10)
    for number in range(8):
        edit(ward, "INSERT INTO quarantine VALUES (?, x'', 'G1', 'chain.gap', 'why', 1)", bytes([number]))


def old_outbox(ward: Factory) -> None:
    filled(ward, received_s=int(time.time()) - 25 * 3600)


def unnamed_backups(ward: Factory) -> None:
    ward.change(backups=None)


def no_backup(ward: Factory) -> None:
    """As `edge init` leaves it, until the first night."""


def old_backup(ward: Factory) -> None:
    filled(ward)
    file = ward.layout.backups / "old.sqlite"
    back_up(load(ward.layout.settings), file)
    head, digest, made_s, *rest = scan(manifest_path(file).read_bytes(), 4096)
    manifest_path(file).write_bytes(encode([head, digest, made_s - 3 * DAY_S, *rest]))


def never_heard(ward: Factory) -> None:
    filled(ward)
    enrolled(ward.layout, "G1", ward.world.keys["G1"])


def long_silent(ward: Factory) -> None:
    filled(ward, received_s=int(time.time()) - 5 * DAY_S)
    enrolled(ward.layout, "W1", ward.world.keys["W1"])


def acted(ward: Factory) -> Path:
    """The people's file after an act."""
    settings = load(ward.layout.settings)
    settings.folder.mkdir(parents=True, exist_ok=True)
    with closing(open_trail(settings.folder, PrivateKey.load(settings.key)).roll) as roll:
        Trail(roll, PrivateKey.load(settings.key)).write(0, "person added", {})
    assert not {"people.older", "people.damaged"} & set(faults(ward))
    return settings.folder / FILE


def lost_people(ward: Factory) -> None:
    acted(ward).unlink()


def older_people(ward: Factory) -> None:
    path = acted(ward)
    path.unlink()
    with closing(Roll(path)):
        pass


def damaged_people(ward: Factory) -> None:
    acted(ward).write_bytes(b"no file of SQLite" * 300)


CASES: list[tuple[str, Callable[[Factory], None], str]] = [
    ("tls.none", no_tls, "in the clear"),
    ("mode", key_for_all, r"edge\.key can be read by others"),
    ("mode", tls_key_for_all, r"tls\.key can be read by others"),
    ("key.missing", no_key, r"edge\.key is missing"),
    ("tls.files", no_certificate, r"tls\.pem can't be used"),
    ("tls.key", key_of_another, r"tls\.key is not the key of"),
    ("tls.foreign", pair_of_another_site, "was not issued by"),
    ("tls.soon", ends_in_a_week, "run meterseal edge renew"),
    ("tls.ended", ended, "is not valid now"),
    ("anchors", no_anchors, "No such file"),
    ("anchors", damaged_anchors, "array of one COSE_Key or more"),
    ("grant.edge", ungranted_key, r"give edge\.cosekey to the authority"),
    ("grant.edge", no_grants, r"give edge\.cosekey to the authority"),
    ("grant.fixtures", no_grants, "No fixture of site YUHANG1"),
    ("identities", no_list, r"identities\.json cannot be read"),
    ("store.damaged", damaged_store, "run meterseal edge restore"),
    ("store.older", older_store, "3 statements, 4 signed for"),
    ("store.older", lost_store, "0 statements, 4 signed for"),
    ("people.older", lost_people, "0 acts of 1"),
    ("people.older", older_people, "0 acts of 1"),
    ("people.damaged", damaged_people, "run meterseal edge restore"),
    ("quarantine", full_quarantine, r"of G1 is nearly full \(8 of 10\)"),
    ("outbox", old_outbox, "waited 25 hours"),
    ("backup.unnamed", unnamed_backups, "set `backups`"),
    ("backup.none", no_backup, "There is no backup in"),
    ("backup.old", old_backup, "is 3 days old"),
    ("fixture.silent", never_heard, "G1 is known and silent .it never said anything"),
    ("fixture.silent", long_silent, r"W1 is known and silent \(5 days\)"),
]


@pytest.mark.parametrize("code,broken,says", CASES)
def test_each_fault_is_found_by_its_name_and_was_not_there_before(
    ward: Factory, code: str, broken: Callable[[Factory], None], says: str
) -> None:
    """Issue 6 point 9: the likeliest faults, and the cure in both languages."""
    assert code.startswith("backup") or code not in faults(ward)
    broken(ward)
    chinese, english = faults(ward)[code].lines
    assert re.search(says, english)
    assert re.search("[\u4e00-\u9fff]", chinese)


def test_no_fault_is_found_in_a_store_that_an_edge_left_in_order(ward: Factory) -> None:
    """Recent statements, nothing refused: the store's faults do not appear by themselves."""
    filled(ward)
    codes = set(faults(ward))
    assert not codes & {"store.damaged", "store.older", "quarantine", "outbox", "disk.full", "disk.wal"}


# The broker, by a real one.


def test_a_broker_of_another_name_authority_or_time_is_told_apart(tmp_path: Path) -> None:
    """Each has another cure: the setting, the authority's file, the renewal."""
    with factory(tmp_path, "localhost") as (found, broker):
        assert "broker.away" not in faults(found) and not [
            code for code in faults(found) if code.startswith("tls")
        ]
        found.change(host="127.0.0.1")
        assert "tls.name" in faults(found)
        found.change(host="localhost", tls_authority=str(made_site(tmp_path / "other").authority_certificate))
        assert "tls.untrusted" in faults(found)
        found.change(tls_authority=str(found.layout.authority_certificate))
        path = found.layout.broker / "broker.pem"
        old = renewal.same(renewal.read(path))
        wish = authority.Wish(old.subject, old.key, old.use, old.hosts, 0)
        put(path, authority.Authority.opened(found.layout).issue(wish).public_bytes(authority.PEM))
        broker.stop()
        broker.start()
        assert "expired" in faults(found)["tls.untrusted"].lines[1]


def test_a_broker_that_refuses_the_edges_certificate_is_said(tmp_path: Path) -> None:
    """The edge's own certificate was revoked by mistake."""
    with factory(tmp_path) as (found, broker):
        serial = renewal.read(found.layout.edge / "tls.pem").serial_number
        row = identities.Row("edge", bytes(32), (serial,), 1)
        revocation.write_revocations(found.layout, identities.Identities((row,)))
        broker.stop()
        broker.start()
        assert "revoked" in faults(found)["tls.refused"].lines[1].lower()


def test_a_broker_on_another_port_is_away(tmp_path: Path) -> None:
    """The commonest of all: the port, or a firewall."""
    with factory(tmp_path) as (found, broker):
        assert "broker.away" not in faults(found)
        found.change(port=9)
        assert "127.0.0.1:9" in faults(found)["broker.away"].lines[1]
        assert broker.process.poll() is None


# The registry and the clock.


def registry_at(ahead_s: int) -> Starlette:
    """A registry whose clock is ahead of this machine's."""

    async def beacon(_request: Request) -> Response:
        at = datetime.fromtimestamp(time.time() + ahead_s, UTC)
        return Response(b"", headers={"date": format_datetime(at, usegmt=True)})

    return Starlette(routes=[Route("/beacon", beacon)])


@pytest.mark.parametrize("ahead_s,far", [(0, False), (-60, False), (3600, True), (-3600, True)])
def test_a_clock_far_from_the_registrys_is_said_with_the_seconds(
    ward: Factory, ahead_s: int, far: bool
) -> None:
    """RFC 9110 section 6.6.1: Date is when the answer was made. Both directions."""
    with on_port(registry_at(ahead_s), ward.registry_port, date_header=False):
        found = faults(ward)
    assert ("clock" in found) is far
    assert "registry.away" not in found
    if far:
        [seconds] = re.findall(r"is (\d+) s away", found["clock"].lines[1])
        assert abs(int(seconds) - 3600) < 30


def test_without_a_registry_a_clock_behind_the_newest_beacon_is_said(ward: Factory) -> None:
    """The page of the running edge holds it; here the page's answer says a beacon of the next hour."""

    async def summary(_request: Request) -> Response:
        told = {"beacon": {"number": 1, "time_s": int(time.time()) + 3600}}
        return Response(json.dumps(told), media_type="application/json")

    port = int(str(ward.settings["page_port"]))
    with on_port(Starlette(routes=[Route("/api/summary", summary)]), port):
        found = faults(ward)
    assert "beacon" in found["clock"].lines[1] and "edge.down" not in found


def test_a_registry_that_answers_with_a_fault_is_away(ward: Factory) -> None:
    """500 is no answer that an edge can use."""

    async def broken(_request: Request) -> Response:
        return Response(b"", 500)

    with on_port(Starlette(routes=[Route("/beacon", broken)]), ward.registry_port):
        assert "500" in faults(ward)["registry.away"].lines[1]


# The disk.

IN_A_SMALL_DISK = """
import sys
from pathlib import Path
from meterseal_edge.doctor.disk import disk
from meterseal_edge.settings import load
path = Path(sys.argv[1])
settings = load(path)
print([one.code for one in disk(settings)])
(settings.folder / "ballast").write_bytes(bytes(60 << 20))
print([one.code for one in disk(settings)])
"""


def test_a_disk_that_is_nearly_full_is_said(ward: Factory) -> None:
    """A real tmpfs of 300 MiB in a mount namespace of its own, empty and then nearly full."""
    mount = 'mount -t tmpfs -o size=300m none "$1" && exec "$2" -c "$3" "$4"'
    arguments = [str(ward.layout.state), sys.executable, IN_A_SMALL_DISK, str(ward.layout.settings)]
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['disk.full']"]


def test_a_write_ahead_log_that_cannot_shrink_is_said(ward: Factory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that never ends (a copy by hand, a forgotten shell) keeps SQLite from starting its log anew."""
    monkeypatch.setattr(disk, "WAL_BYTES", 4 << 20)
    filled(ward)
    store = SqliteStore(ward.layout.state / STORE)
    with closing(sqlite3.connect(ward.layout.state / STORE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM statement").fetchone()
        for number in range(60):
            store.write_note(f"note {number}", os.urandom(100_000))
        assert "disk.wal" in faults(ward)
    store.close()
    assert "disk.wal" not in faults(ward)


# The words.


def test_every_fault_has_both_languages_with_the_same_facts_and_a_test() -> None:
    """A fault without a cure is a riddle; each code occurs in this file."""
    tested = Path(__file__).read_text("utf-8")
    for code, (level, chinese, english) in FAULTS.items():
        assert level in {SOON, BROKEN}
        assert re.search("[\u4e00-\u9fff]", chinese) and not re.search("[\u4e00-\u9fff]", english)
        assert "：" in chinese and ": " in english  # what is wrong, and what to do
        assert "\n" not in chinese + english
        assert f'"{code}"' in tested


def test_no_secret_is_ever_said(ward: Factory) -> None:
    """House rule: keys are never shown; here every fault at once is rendered beside them."""
    for broken in (key_for_all, no_anchors, old_outbox, no_list, ends_in_a_week):
        broken(ward)
    said = "\n".join(line for one in checkup(ward.layout.settings) for line in one.lines)
    assert (ward.layout.edge / "edge.key").read_bytes().hex() not in said
    assert "PRIVATE" not in said


def test_the_doctor_changes_nothing(ward: Factory) -> None:
    """It may run at any time, beside anything."""

    def everything() -> dict[str, bytes]:
        files = (path for path in ward.layout.folder.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files if not path.name.endswith("-shm")}

    filled(ward)
    before = everything()
    checkup(ward.layout.settings)
    left = {name for name in everything() if not name.endswith("-wal")}
    assert left == {name for name in before if not name.endswith("-wal")}
    assert all(before[name] == content for name, content in everything().items() if name in before)


def test_with_the_broker_running_a_caller_is_not_disturbed(tmp_path: Path) -> None:
    """The handshake ends before a CONNECT, so the edge's session is its own."""
    layout = made_site(tmp_path / "site")
    with running(layout) as broker:
        edge = Caller(layout, broker.port, enrolled(layout, "W1"))
        assert edge.let_in()
        for _ in range(3):
            checkup(layout.settings)
        edge.say("ms/1/YUHANG1/W1/up")
        assert not edge.lost
        edge.close()
