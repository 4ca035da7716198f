"""Where the firmware and its interpreter are found, and one life of a process."""

import os
import subprocess
from pathlib import Path

from meterseal_tools.sim.fixture import FirmwarePaths, FixtureProcess, firmware_paths, interpreter

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_firmware_of_this_repository_is_found():
    """Contract: the unix board's main file, and protocol/src, firmware/src, firmware/boards/unix in that order."""
    found = firmware_paths()
    assert found.main == REPOSITORY / "firmware/boards/unix/main.py"
    folders = ("protocol/src", "firmware/src", "firmware/boards/unix")
    assert found.search == tuple(REPOSITORY / folder for folder in folders)


def test_the_interpreter_is_micropython():
    """It says so itself."""
    code = "import sys; print(sys.implementation.name)"
    said = subprocess.run([interpreter(), "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert said.stdout.strip() == "micropython"


def test_a_fixture_gets_its_heap_its_search_path_and_its_settings(tmp_path):
    """A heap of 300k, asyncio from the frozen modules, the folders given, one argument; its output in the log."""
    program = "import asyncio, gc, sys\nprint(gc.mem_free() + gc.mem_alloc() < 300 * 1024, sys.path[1:], sys.argv[1])"
    (tmp_path / "main.py").write_text(program)
    paths = FirmwarePaths(tmp_path / "main.py", (Path("/one"), Path("/two")))
    process = FixtureProcess(tmp_path / "settings.json", tmp_path / "log", "300k", paths)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert process.ended() == 0
    assert process.last_words() == f"True ['.frozen', '/one', '/two'] {tmp_path / 'settings.json'}\n"


def test_a_killed_fixture_has_ended_by_sigkill(tmp_path):
    """-9, and gone when kill returns."""
    (tmp_path / "main.py").write_text("while True:\n    pass\n")
    process = FixtureProcess(
        tmp_path / "s", tmp_path / "log", "256k", FirmwarePaths(tmp_path / "main.py", ())
    )
    assert process.ended() is None
    process.kill()
    assert process.ended() == -9
