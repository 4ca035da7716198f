"""The unix board from outside: what it says and how it ends when it cannot start or go on."""

import json
import os
import subprocess
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meterseal_tools.sim.fixture import firmware_paths, interpreter

WAIT_S = 30


class Lines:
    """Three ptys, raw, whose master sides the test holds."""

    def __init__(self) -> None:
        pairs = [os.openpty() for _ in range(3)]
        self.masters = [master for master, _ in pairs]
        self._slaves = [slave for _, slave in pairs]
        self.paths = [os.ttyname(slave) for slave in self._slaves]
        for slave in self._slaves:
            tty.setraw(slave)

    def hang_up(self) -> None:
        """Close every end."""
        while self.masters:
            os.close(self.masters.pop())
            os.close(self._slaves.pop())


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Ptys that are closed after the test."""
    found = Lines()
    yield found
    found.hang_up()


@pytest.fixture
def settings(tmp_path: Path, lines: Lines) -> dict[str, Any]:
    """Settings that are right, with a key of 32 bytes and mode 0600."""
    key = tmp_path / "key"
    key.touch(0o600)
    key.write_bytes(bytes(31) + b"\x01")
    capture, mbus, panel = lines.paths
    return {
        "fixture": "W1",
        "site": "YUHANG1",
        "bench": "WATER-1",
        "folder": str(tmp_path),
        "capture": capture,
        "mbus": mbus,
        "panel": panel,
        "host": "127.0.0.1",
        "port": 1,
        "edge_key": "01" * 64,
        "registry_key": "02" * 64,
        "positions": 8,
    }


def start(*arguments: str) -> subprocess.Popen[str]:
    """The unix board's main on MicroPython with these arguments."""
    paths = firmware_paths()
    search = ":".join([".frozen", *map(str, paths.search)])
    command = [str(interpreter()), str(paths.main), *arguments]
    environment = {**os.environ, "MICROPYPATH": search}
    return subprocess.Popen(
        command, env=environment, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and what it said on stderr: never a traceback."""
    try:
        _, said = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
    assert "Traceback" not in said
    return process.returncode, said


def start_with(settings: dict[str, Any], folder: Path) -> subprocess.Popen[str]:
    """Start on a settings file with this content."""
    path = folder / "settings.json"
    path.write_text(json.dumps(settings))
    return start(str(path))


def test_a_wrong_call_says_how_to_call() -> None:
    """README: exit code 64 for a wrong call."""
    code, said = ended(start())
    assert code == 64 and "settings file" in said


def test_settings_that_cannot_be_used_name_what_to_correct(settings: dict[str, Any], tmp_path: Path) -> None:
    """README: exit code 78, one sentence with the file's or field's name."""
    code, said = ended(start("nowhere.json"))
    assert code == 78 and "nowhere.json" in said
    code, said = ended(start_with({**settings, "port": "1883"}, tmp_path))
    assert code == 78 and "'port'" in said
    code, said = ended(start_with({**settings, "panel": "/dev/no-such-line"}, tmp_path))
    assert code == 78 and "/dev/no-such-line" in said


@pytest.mark.parametrize("fault,word", [("open", "0600"), ("short", "32 bytes"), ("gone", "no key")])
def test_a_key_that_is_open_short_or_gone_is_refused(
    settings: dict[str, Any], tmp_path: Path, fault: str, word: str
) -> None:
    """House rule: keys are 0600. The sentence never shows the key."""
    key = tmp_path / "key"
    if fault == "open":
        key.chmod(0o644)
    elif fault == "short":
        key.write_bytes(b"\x01" * 31)
    else:
        key.unlink()
    code, said = ended(start_with(settings, tmp_path))
    assert code == 78 and word in said and "01" * 4 not in said


def test_a_front_end_that_does_not_answer_ends_the_start(settings: dict[str, Any], tmp_path: Path) -> None:
    """README: exit code 74 for a serial line that broke; nobody answers on the capture line."""
    code, said = ended(start_with(settings, tmp_path))
    assert code == 74 and "front_end.silent" in said


def test_a_line_that_is_closed_ends_the_fixture(
    settings: dict[str, Any], tmp_path: Path, lines: Lines
) -> None:
    """README: exit code 74; so no fixture outlives its rig."""
    process = start_with(settings, tmp_path)
    os.read(lines.masters[0], 1)  # it has asked its first question
    lines.hang_up()
    code, said = ended(process)
    assert code == 74 and ("line.lost" in said or "front_end.silent" in said)
