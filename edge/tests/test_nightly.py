"""Backups by the calendar: named by the time, the oldest go, and nothing goes for a backup that was not made."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from edge.tests.plant import Plant

from meterseal_edge.backup import manifest_path, read_manifest
from meterseal_edge.errors import BadBackup
from meterseal_edge.folder import STORE
from meterseal_edge.nightly import back_up_tonight
from meterseal_edge.people.copied import people_path
from meterseal_edge.settings import Settings, load
from meterseal_protocol.keys import KeyRing, PrivateKey


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of an edge with ten statements, and a folder for backups with three older ones and other things in it."""
    plant = Plant(tmp_path)
    plant.open()
    plant.work(10)
    plant.close()
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in (1, 2, 3):
        old = folder / f"EDGE1-2026010{day}T000000Z.sqlite"
        for path in (old, manifest_path(old), people_path(old)):
            path.write_bytes(b"old")
    (folder / "EDGE1-20260101T000001Z.sqlite").write_bytes(b"no manifest")
    (folder / "EDGE2-20260101T000000Z.sqlite").write_bytes(b"another edge's")
    (folder / "EDGE2-20260101T000000Z.sqlite.manifest").write_bytes(b"another edge's")
    (folder / "notes.txt").write_text("mine")
    plant.path.write_text(json.dumps(json.loads(plant.path.read_text()) | {"backups": str(folder)}))
    return load(plant.path)


def left(settings: Settings) -> set[str]:
    """Names in the folder."""
    assert settings.backups is not None
    return {path.name for path in settings.backups.iterdir()}


OTHERS = {
    "EDGE1-20260101T000001Z.sqlite",
    "EDGE2-20260101T000000Z.sqlite",
    "EDGE2-20260101T000000Z.sqlite.manifest",
    "notes.txt",
}


def test_the_newest_stay_and_what_is_no_such_backup_is_left_alone(settings: Settings) -> None:
    """Three older ones and a new one, two stay: that of 3 January and the new one."""
    made = back_up_tonight(settings, keep=2)
    assert [path.name for path in made.gone] == [
        "EDGE1-20260101T000000Z.sqlite",
        "EDGE1-20260102T000000Z.sqlite",
    ]
    kept = {"EDGE1-20260103T000000Z.sqlite" + end for end in ("", ".manifest", ".people")}
    assert left(settings) == OTHERS | kept | {made.file.name, made.file.name + ".manifest"}
    assert made.manifest.head.size == 11


def test_nothing_goes_where_no_backup_could_be_made(settings: Settings) -> None:
    """A store that is damaged: the older backups are what there is."""
    before = left(settings)
    (settings.folder / STORE).write_bytes(b"nothing that SQLite knows" * 100)
    with pytest.raises(BadBackup, match="no backup was made"):
        back_up_tonight(settings, keep=1)
    assert left(settings) == before


def test_without_a_folder_it_says_what_to_set(settings: Settings) -> None:
    """Design section 13."""
    with pytest.raises(BadBackup, match="set `backups`"):
        back_up_tonight(replace(settings, backups=None), keep=1)


def test_the_command_that_the_unit_runs(settings: Settings, tmp_path: Path) -> None:
    """`meterseal edge backup SETTINGS --keep 1`, and the backup holds."""
    command = [
        sys.executable,
        "-m",
        "meterseal_tools",
        "edge",
        "backup",
        str(tmp_path / "edge.json"),
        "--keep",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("removed, older than the 1") == 3
    assert settings.backups is not None
    [manifest] = [name for name in left(settings) - OTHERS if name.endswith(".manifest")]
    made = settings.backups / manifest.removesuffix(".manifest")
    ring = KeyRing()
    ring.add(PrivateKey.load(settings.key).public)
    assert read_manifest(made, ring).head.size == 11
