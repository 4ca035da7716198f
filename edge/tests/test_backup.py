"""Backup while the edge runs, restore when it is stopped, and what an older store may not do."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from edge.tests.plant import Plant, tree_root
from edge.tests.site import Site, served, wait_until

from meterseal_edge import continuity
from meterseal_edge.backup import back_up, manifest_path, read_manifest
from meterseal_edge.errors import BadBackup, BadSettings, RolledBack
from meterseal_edge.folder import STORE, take_folder
from meterseal_edge.log import EdgeLog
from meterseal_edge.mark import NAME, Mark, peek
from meterseal_edge.recount import Recount
from meterseal_edge.restore import recount, restore
from meterseal_edge.store.sqlite import SqliteStore
from meterseal_protocol.checkpoint import read
from meterseal_protocol.errors import BadProof
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.proof import TRUNCATION, build, verify_proof
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_tools.broker import start_broker
from meterseal_tools.services import ServiceFailed
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    """An edge that has taken 300 statements: more than one tile."""
    found = Plant(tmp_path)
    found.open()
    found.work(300)
    yield found
    found.close()


def test_a_backup_of_a_running_edge_holds_and_says_what_it_holds(plant: Plant, tmp_path: Path) -> None:
    """Issue 6 point 2. 301 statements; the root is computed here from the fixture's own identities."""
    file = tmp_path / "b.sqlite"
    made = back_up(plant.settings, file)
    plant.work(5)
    assert (made.head.origin, made.head.size) == ("edge/EDGE1", 301)
    assert made.head.root == tree_root(plant, 301)
    assert read_manifest(file, plant.box.world.ring("edge")) == made
    assert recount(plant.settings, file)[1] == []
    assert file.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.glob("b.*")) == ["b.sqlite", "b.sqlite.manifest"]


def test_a_backup_taken_while_statements_pour_in_is_one_instant(plant: Plant, tmp_path: Path) -> None:
    """sqlite.org/backup.html: one step of all pages is one read transaction. The copy's statements are a beginning."""
    stop = threading.Event()

    def pour() -> None:
        while not stop.is_set():
            plant.work(3)

    writer = threading.Thread(target=pour)
    writer.start()
    try:
        backups = [tmp_path / f"b{number}" for number in range(4)]
        sizes = [back_up(plant.settings, file).head.size for file in backups]
    finally:
        stop.set()
        writer.join()
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0] >= 301
    for file, size in zip(backups, sizes, strict=True):
        found, faults = recount(plant.settings, file)
        assert (found.size, faults, found.root) == (size, [], tree_root(plant, size))


def test_what_stands_at_the_backups_place_is_never_overwritten(plant: Plant, tmp_path: Path) -> None:
    """A backup is somebody's only copy."""
    (tmp_path / "b").write_bytes(b"precious")
    with pytest.raises(BadBackup, match="is there already"):
        back_up(plant.settings, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == b"precious"


def test_a_backups_head_and_the_edges_own_heads_prove_nothing_against_it(
    plant: Plant, tmp_path: Path
) -> None:
    """proof.md, truncation: of two heads of one log the later in time is not the smaller. Neither is here, in any
    order of clocks: the manifest has the time of the newest head before it.
    """
    heads = [plant.heads.checkpoint()]
    back_up(plant.settings, tmp_path / "b")
    raw = manifest_path(tmp_path / "b").read_bytes()
    at = raw.index(b"\xd2")  # tag 18, COSE_Sign1, after the array's and the byte string's heads
    manifest = raw[at : at + len(heads[0])]
    plant.work(1)
    heads += [manifest, plant.heads.checkpoint()]
    grants = [plant.box.world.grants[name] for name in ("delegation", "edge")]
    for first in heads:
        for second in heads:
            with pytest.raises(BadProof):
                verify_proof(build(TRUNCATION, grants, [first, second]), plant.box.world.anchors)


def test_heads_keep_their_order_when_the_clock_goes_back(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """proof.md, truncation: an honest edge whose clock is set back must not look like one whose log shrank."""
    ring = plant.box.world.ring("edge")
    monkeypatch.setattr("meterseal_edge.mark.time.time", lambda: 2_000_000_000.0)
    early = read(plant.heads.checkpoint(), ring)[0]
    plant.work(1)
    monkeypatch.setattr("meterseal_edge.mark.time.time", lambda: 1_900_000_000.0)
    late = read(plant.heads.checkpoint(), ring)[0]
    assert (early.size, early.time_s, late.size, late.time_s) == (301, 2_000_000_000, 302, 2_000_000_000)
    plant.close()
    plant.open()
    assert read(plant.heads.checkpoint(), ring)[0].time_s == 2_000_000_000


def test_restore_refuses_while_an_edge_holds_the_folder(plant: Plant, tmp_path: Path) -> None:
    """Issue 6: one store, one edge."""
    back_up(plant.settings, tmp_path / "b")
    with closing(take_folder(plant.settings.folder)), pytest.raises(BadSettings, match="another edge runs"):
        restore(plant.settings, tmp_path / "b")


def test_a_backup_that_lacks_nothing_goes_on_under_the_same_key(plant: Plant, tmp_path: Path) -> None:
    """Nothing was signed for that it lacks: same log, same key, no declaration; the old file is kept aside."""
    back_up(plant.settings, tmp_path / "b")
    plant.close()
    (plant.settings.folder / STORE).write_bytes(b"rubbish" * 1000)
    done = restore(plant.settings, tmp_path / "b")
    assert (done.size, done.log, done.declared, done.missing) == (301, 1, False, 0)
    assert done.aside is not None
    assert (done.aside / STORE).read_bytes() == b"rubbish" * 1000
    plant.open()
    plant.work(2)
    assert plant.box.log.tip() == (303, tree_root(plant, 303))
    assert peek(plant.settings.folder) == (
        1,
        303,
        tree_root(plant, 303),
        0,
        plant.box.world.keys["edge"].thumbprint,
    )


def older(plant: Plant, tmp_path: Path) -> bytes:
    """A backup, eleven more statements, and the file of before put back by hand, as people do. The last tree head."""
    back_up(plant.settings, tmp_path / "b")
    plant.work(11)
    head = plant.heads.checkpoint()
    plant.close()
    for ending in ("-wal", "-shm"):
        (plant.settings.folder / f"{STORE}{ending}").unlink(missing_ok=True)
    (plant.settings.folder / STORE).write_bytes((tmp_path / "b").read_bytes())
    return head


def test_an_older_store_does_not_start(plant: Plant, tmp_path: Path) -> None:
    """Issue 6 point 2: detected, never silent. 312 were signed for, 301 are there."""
    older(plant, tmp_path)
    with pytest.raises(RolledBack, match=r"301 statements of log 1, signed for 312 of log 1.*restore"):
        plant.open()


def test_the_older_store_would_start_if_nobody_compared(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted bug, design section 1 item 11: without the comparison the same key signs a second tree of 312 leaves."""
    raw = older(plant, tmp_path)
    monkeypatch.setattr(continuity, "compare", lambda *_: None)
    plant.open()
    other = ModelFixture(plant.box.world.author("G1"))
    other.boot()
    for number in range(10):
        other.event("tick", str(number))
    plant.box.offer(*other.signed, fixture="G1")
    grants = [plant.box.world.grants[name] for name in ("delegation", "edge")]
    proved = verify_proof(build(TRUNCATION, grants, [raw, plant.heads.checkpoint()]), plant.box.world.anchors)
    assert (proved.name, proved.at) == ("EDGE1", (312, 312))


def test_an_older_backup_needs_a_new_key_and_begins_a_new_log(plant: Plant, tmp_path: Path) -> None:
    """decisions: the old key never signs again; the new log has an origin of its own, so no two heads contradict."""
    old_head = older(plant, tmp_path)
    old_settings = plant.settings
    with pytest.raises(BadBackup, match=r"holds 301 statements and the edge has signed for 312.*new key"):
        restore(plant.settings, tmp_path / "b")
    plant.new_key()
    done = restore(plant.settings, tmp_path / "b")
    assert (done.size, done.log, done.declared, done.missing) == (301, 2, True, 11)
    plant.open()
    assert plant.number == 2
    head = read(plant.heads.checkpoint(), plant.box.world.ring("edge"))[0]
    assert (head.origin, head.size, head.root) == ("edge/EDGE1/2", 301, tree_root(plant, 301))
    known = plant.box.world.grants
    grants = [raw for name, raw in known.items() if name == "delegation" or name.startswith("edge")]
    with pytest.raises(BadProof):
        verify_proof(build(TRUNCATION, grants, [old_head, plant.heads.checkpoint()]), plant.box.world.anchors)
    plant.box.offer(*plant.fixture.signed[301:])
    assert plant.box.log.tip() == (312, tree_root(plant, 312))
    assert recount(plant.settings, plant.settings.folder / STORE)[1] == []
    plant.close()
    with (
        closing(SqliteStore(plant.settings.folder / STORE)) as store,
        closing(Mark(plant.settings.folder)) as mark,
        pytest.raises(RolledBack, match="ended when a backup was restored"),
    ):
        continuity.begin(store, EdgeLog(store), mark, PrivateKey.load(old_settings.key).thumbprint)
    plant.open()


def test_a_declared_restore_is_repeated_with_a_third_key_and_a_third_log(
    plant: Plant, tmp_path: Path
) -> None:
    """Numbers of logs never come again, whichever backup is restored; no ended key signs again."""
    older(plant, tmp_path)
    plant.new_key()
    restore(plant.settings, tmp_path / "b")
    plant.open()
    plant.work(0)
    plant.close()
    with pytest.raises(BadBackup, match="new key"):
        restore(plant.settings, tmp_path / "b")
    plant.new_key()
    assert restore(plant.settings, tmp_path / "b").log == 3
    plant.open()


@pytest.mark.parametrize("loss", ["gone", "damaged"])
def test_without_its_mark_a_store_does_not_start_and_a_backup_of_it_is_restored_declared(
    plant: Plant, tmp_path: Path, loss: str
) -> None:
    """Nobody can tell whether such a store is the newest, so it counts as older."""
    plant.close()
    path = plant.settings.folder / NAME
    path.unlink() if loss == "gone" else path.write_bytes(b"\xa5" * path.stat().st_size)
    with pytest.raises(RolledBack, match="missing or damaged"):
        plant.open()
    back_up(plant.settings, tmp_path / "b")
    plant.new_key()
    done = restore(plant.settings, tmp_path / "b")
    assert (done.declared, done.missing, done.log) == (True, None, 2)
    plant.open()


def test_one_torn_slot_of_the_mark_is_outlived_by_the_other(plant: Plant) -> None:
    """mark.py: slots are written in turn; the older one lacks the last batch only, which a start allows for."""
    plant.work(4)
    plant.close()
    path = plant.settings.folder / NAME
    raw = bytearray(path.read_bytes())
    newest = 0 if raw[8:16] > raw[4104:4112] else 4096
    raw[newest + 20] ^= 1
    path.write_bytes(raw)
    found = peek(plant.settings.folder)
    assert found is not None
    assert found.size == 301
    plant.open()
    assert plant.mark.signed is not None
    assert plant.mark.signed.size == 305


def test_another_history_of_the_same_length_does_not_start(plant: Plant) -> None:
    """The mark has the root, not only the size: 301 other statements are refused too."""
    plant.close()
    (plant.settings.folder / STORE).unlink()
    with closing(SqliteStore(plant.settings.folder / STORE)) as store:
        plant.box.store, plant.box.log = store, EdgeLog(store)
        plant.box.ingest.log = plant.box.log
        other = ModelFixture(plant.box.world.author("W1"))
        other.boot()
        for number in range(300):
            other.event("tock", str(number))
        plant.box.offer(*other.signed)
    with pytest.raises(RolledBack, match="not those that the edge has signed for"):
        plant.open()
    plant.box.store.close()


def test_a_deleted_store_is_not_taken_for_a_new_edge(plant: Plant) -> None:
    """The mark outlives the file."""
    plant.close()
    for ending in ("", "-wal", "-shm"):
        (plant.settings.folder / f"{STORE}{ending}").unlink(missing_ok=True)
    with pytest.raises(RolledBack, match="0 statements of log 1, signed for 301"):
        plant.open()


def damaged_copies(file: Path) -> Iterator[tuple[str, bytes]]:
    """A backup cut short, with one bit of a statement turned, and with another's content."""
    raw = file.read_bytes()
    yield "cut", raw[: len(raw) // 2]
    for at in range(5000, len(raw), len(raw) // 7):
        yield f"bit {at}", raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :]
    yield "other", b"SQLite format 3\0" + bytes(4080)


def test_no_damaged_backup_replaces_anything(plant: Plant, tmp_path: Path) -> None:
    """Issue 6: verified before it replaces; the manifest's digest covers every bit."""
    file = tmp_path / "b"
    back_up(plant.settings, file)
    plant.close()
    before = (plant.settings.folder / STORE).read_bytes()
    for _, raw in damaged_copies(file):
        bad = tmp_path / "bad"
        bad.write_bytes(raw)
        manifest_path(bad).write_bytes(manifest_path(file).read_bytes())
        with pytest.raises(BadBackup):
            restore(plant.settings, bad)
    assert (plant.settings.folder / STORE).read_bytes() == before
    assert list(plant.settings.folder.glob("aside-*")) == []
    plant.open()


def test_a_backup_needs_the_manifest_of_this_edge(plant: Plant, tmp_path: Path) -> None:
    """A manifest signed by anybody else, or none, is no word of this edge."""
    file = tmp_path / "b"
    back_up(plant.settings, file)
    manifest = manifest_path(file).read_bytes()
    manifest_path(file).unlink()
    with pytest.raises(BadBackup, match="cannot be read"):
        restore(plant.settings, file)
    for raw in (b"", b"\x83", manifest[:-60], manifest.replace(b"EDGE1", b"EDGE2", 1)):
        manifest_path(file).write_bytes(raw)
        with pytest.raises(BadBackup, match="does not hold"):
            restore(plant.settings, file)


def test_a_backup_with_a_right_digest_and_a_wrong_statement_is_still_refused(
    plant: Plant, tmp_path: Path
) -> None:
    """The digest is for accidents; whoever makes a new one meets the statements' own signatures."""
    file = tmp_path / "b"
    back_up(plant.settings, file)
    plant.close()
    with closing(sqlite3.connect(file)) as db, db:
        [raw] = db.execute("SELECT raw FROM statement WHERE leaf = 40").fetchone()
        db.execute("UPDATE statement SET raw = ? WHERE leaf = 40", (raw[:-1] + bytes([raw[-1] ^ 1]),))
    told = scan(manifest_path(file).read_bytes(), 4096)
    manifest_path(file).write_bytes(encode([told[0], sha256(file.read_bytes()).digest(), told[2]]))
    with pytest.raises(BadBackup, match="leaf 40: "):
        restore(plant.settings, file)
    plant.open()


def meterseal(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    command = [sys.executable, "-m", "meterseal_tools", "edge", *[str(one) for one in arguments]]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_whole_way_on_a_running_edge_with_a_broker(tmp_path: Path) -> None:
    """Issue 6 point 2, from the command line: backup beside the edge, an older store refused, a declared restore, and
    fixtures that offer again get custody of the new key for what the old store had lost.
    """
    with start_broker(tmp_path / "broker") as broker:
        site = Site(tmp_path, broker)
        fixture = ModelFixture(site.world.author("W1"))
        fixture.boot()
        for number in range(20):
            fixture.event("tick", str(number))
        settings, file, store = site.edge.settings, tmp_path / "b.sqlite", tmp_path / "edge" / STORE
        site.edge.start()
        for item in fixture.signed[:15]:
            site.offer("W1", item)
        wait_until(lambda: site.summary()["durable"] == 15, "fifteen durable")
        assert meterseal("backup", settings, file).returncode == 0
        for item in fixture.signed[15:]:
            site.offer("W1", item)
        wait_until(lambda: site.summary()["durable"] == 21, "all durable")
        assert meterseal("verify-store", settings).returncode == 0
        assert "another edge runs" in meterseal("restore", settings, file).stderr
        site.edge.stop()
        store.write_bytes(file.read_bytes())
        with pytest.raises(ServiceFailed, match="older than what the edge has signed for"):
            site.edge.start()
        assert "Traceback" not in site.edge.last_words()
        assert "new key" in meterseal("restore", settings, file).stderr
        key = PrivateKey.generate()
        key.save(tmp_path / "edge-2.key")
        settings.write_text(settings.read_text().replace("edge.key", "edge-2.key"))
        done = meterseal("restore", settings, file)
        assert "Declared: 6 statements" in done.stdout, done.stderr
        site.edge.start()
        assert "edge.restored" in [alarm["code"] for alarm in site.summary()["alarms"]]
        with served(site.registry, site.registry_port):
            for item in fixture.signed:
                site.offer("W1", item)
            wait_until(lambda: site.summary()["entered"] == 21, "everything entered")
        site.close()
    found = Recount(store)
    assert ([*found.faults()], found.size) == ([], 21)
