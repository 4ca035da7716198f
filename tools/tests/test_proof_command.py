"""`meterseal proof`: made from files, checked from the anchors alone, in both languages. Exit codes by kind."""

import copy
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.world import WATER_BENCH, World
from meterseal_tools.cli import app


def run(*arguments: object) -> Result:
    """`meterseal proof ...`, whatever its end."""
    return CliRunner().invoke(app, ["proof", *map(str, arguments)])


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Anchors, the grants that lead to the water bench, and two statements of one place."""
    world = World()
    honest = ModelFixture(world.author(WATER_BENCH))
    first = honest.boot()
    clone = copy.deepcopy(honest)
    (tmp_path / "anchors.cbor").write_bytes(world.anchors_file)
    (tmp_path / "delegation.cose").write_bytes(world.grants["delegation"])
    (tmp_path / "fixture.cose").write_bytes(world.grants[f"fixture {WATER_BENCH}"])
    (tmp_path / "boot.cose").write_bytes(first.raw)
    (tmp_path / "a.cose").write_bytes(honest.event("a", "1").raw)
    (tmp_path / "b.cose").write_bytes(clone.event("b", "2").raw)
    return tmp_path


def make(desk: Path, *statements: str) -> Result:
    """Make a fork's proof from these files."""
    named = [part for name in statements for part in ("--statement", desk / name)]
    grants = [part for name in ("delegation", "fixture") for part in ("--grant", desk / f"{name}.cose")]
    return run("make", "fork", "--out", desk / "p.cbor", "--anchors", desk / "anchors.cbor", *named, *grants)


def test_a_fork_is_made_into_a_file_and_checked_without_a_server(desk: Path) -> None:
    """Who, where, in Chinese and English."""
    assert make(desk, "a.cose", "b.cose").exit_code == 0
    found = run("verify", desk / "p.cbor", "--anchors", desk / "anchors.cbor")
    assert found.exit_code == 0
    assert "W1 signed two statements that exclude each other at epoch 1, statement 1: a fork" in found.output
    assert "分叉" in found.output


def test_what_proves_nothing_is_not_written(desk: Path) -> None:
    """Two honest statements: exit code 1, one sentence, no file."""
    found = make(desk, "boot.cose", "a.cose")
    assert found.exit_code == 1
    assert "this proves nothing" in found.stderr and found.stderr.count("\n") == 1
    assert not (desk / "p.cbor").exists()


def test_a_changed_file_proves_nothing(desk: Path) -> None:
    """The last byte of the last signature."""
    make(desk, "a.cose", "b.cose")
    raw = bytearray((desk / "p.cbor").read_bytes())
    raw[raw.index((desk / "b.cose").read_bytes()) + 100] ^= 1
    (desk / "p.cbor").write_bytes(bytes(raw))
    found = run("verify", desk / "p.cbor", "--anchors", desk / "anchors.cbor")
    assert found.exit_code in (1, 65) and found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "file, anchors, code",
    [
        ("gone.cbor", "anchors.cbor", 66),
        ("a.cose", "anchors.cbor", 1),
        ("a.cose", "gone.cbor", 66),
        ("a.cose", "b.cose", 65),
        ("junk", "anchors.cbor", 65),
    ],
)
def test_wrong_files_have_exit_codes_of_their_own(desk: Path, file: str, anchors: str, code: int) -> None:
    """No such file 66, not what it should be 65, proves nothing 1; one sentence each."""
    (desk / "junk").write_bytes(b"\xff")
    found = run("verify", desk / file, "--anchors", desk / anchors)
    assert found.exit_code == code
    assert found.stderr.count("\n") == 1
