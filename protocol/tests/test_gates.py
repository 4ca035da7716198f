"""What other runners than pytest say of the suite itself: inside MicroPython, of coverage and of mutants.

Each is a command of its own, so that a person can run it; here it is started as they would.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(900)
Say = Callable[[str, object], None]


def run(*command: str, **environment: str) -> list[str]:
    """Lines of a command that ended well."""
    # A runner inside is not a worker of the runner outside.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout.splitlines()


def test_the_portable_core_passes_inside_micropython(record_property: Say) -> None:
    """Rule: the same file runs on both interpreters."""
    path = f".frozen:{ROOT}/protocol/src:{ROOT}/protocol/tests"
    micropython = str(Path(sys.executable).parent / "micropython")
    runner = "protocol/tests/run_portable.py"
    lines = run(micropython, "-X", "heapsize=4m", runner, MICROPYPATH=path)
    record_property("said", f"portable core inside MicroPython: {lines[-1]}")


def test_the_gates_and_the_portable_files_are_covered(record_property: Say) -> None:
    """Issue 4's acceptance: every branch of scanner and decide. Issue 5's: portable files under CPython."""
    lines = run("scripts/coverage")
    gates, portable = [line.split()[-1] for line in lines if line.startswith("TOTAL")]
    record_property("said", f"branch coverage of scanner and decide: {gates}")
    record_property("said", f"branch coverage of portable files under CPython: {portable}")


def test_every_mutant_that_survives_is_explained(record_property: Say) -> None:
    """Issue 4's acceptance: mutation testing of both, every survivor explained in a file."""
    lines = run(sys.executable, "scripts/mutate.py")
    record_property("said", lines[-1])
