"""`meterseal keys`: new keys are 0600, never overwritten, and no secret is printed."""

import stat
from pathlib import Path

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
