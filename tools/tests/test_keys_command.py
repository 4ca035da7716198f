"""`meterseal keys`: new keys are 0600, never overwritten, and no secret is printed."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from meterseal_tools.cli import app


def run(*arguments: object) -> tuple[int, str]:
    """(exit code, output) of `meterseal keys ...`."""
    done = CliRunner().invoke(app, ["keys", *map(str, arguments)])
    return done.exit_code, done.output


def test_a_new_key_is_for_its_owner_alone_and_its_secret_is_not_shown(tmp_path: Path) -> None:
    """Design: key files are 0600 and never logged."""
    path = tmp_path / "a.key"
    code, text = run("new", path)
    assert code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().hex() not in text
    assert run("show", path) == (0, text)


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    """A key that is gone takes its device's identity with it."""
    path = tmp_path / "a.key"
    run("new", path)
    before = path.read_bytes()
    code, text = run("new", path)
    assert code == 73
    assert "never overwritten" in text
    assert path.read_bytes() == before


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """0644 is one mode too many: the sentence says what to do."""
    path = tmp_path / "a.key"
    run("new", path)
    path.chmod(0o644)
    code, text = run("show", path)
    assert code == 66
    assert "chmod 600" in text


@pytest.mark.parametrize(
    "called, name", [("1", "ESP256"), ("sm2", "SM2"), ("2", "SM2"), ("Ed25519", "Ed25519")]
)
def test_a_key_may_be_of_any_suite_by_number_or_name(tmp_path: Path, called: str, name: str) -> None:
    """Design section 5: three suites; `show` reads from the file which one it is."""
    path = tmp_path / "a.key"
    code, text = run("new", path, "--suite", called)
    assert code == 0
    assert text.splitlines()[0].split()[2] == name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes()[-32:].hex() not in text
    assert run("show", path) == (0, text)


def test_a_key_is_of_the_first_suite_unless_told_otherwise(tmp_path: Path) -> None:
    """ESP256: what a fixture signs with, and 32 bytes of file as before."""
    code, text = run("new", tmp_path / "a.key")
    assert (code, text.splitlines()[0]) == (0, "suite      1 ESP256")
    assert len((tmp_path / "a.key").read_bytes()) == 32


@pytest.mark.parametrize("called", ["4", "0", "rsa", "P-256", "", "ESP256 "])
def test_a_suite_that_is_not_there_is_named_and_nothing_is_made(tmp_path: Path, called: str) -> None:
    """One sentence that says which there are; exit code 2, as for any wrong use."""
    code, text = run("new", tmp_path / "a.key", "--suite", called)
    assert code == 2
    assert "there is no suite" in text
    assert "1 or ESP256, 2 or SM2, 3 or Ed25519" in text
    assert list(tmp_path.iterdir()) == []


def test_a_public_half_and_anchors_are_new_files_of_keys_that_can_be_read(tmp_path: Path) -> None:
    """Exit 73 where the file is there, 66 where there is no such key, 65 where it is none; one sentence each."""
    key, out = tmp_path / "k", tmp_path / "k.cosekey"
    assert run("new", key)[0] == 0
    assert run("public", key, out)[0] == 0
    content = out.read_bytes()
    assert run("public", key, out)[0] == 73 and out.read_bytes() == content
    assert run("public", tmp_path / "none", tmp_path / "x")[0] == 66
    assert run("anchors", tmp_path / "a", out, tmp_path / "none")[0] == 66
    code, said = run("anchors", tmp_path / "a", key)
    assert code == 65 and said.count("\n") == 1
    assert not (tmp_path / "a").exists()
