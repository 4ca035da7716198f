"""The tests that run inside MicroPython: all of them pass there, and their runner tells a failure from a pass."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MICROPYTHON = Path(sys.executable).parent / "micropython"
TESTS = ROOT / "firmware/tests"
SEARCH = f".frozen:{ROOT}/protocol/src:{ROOT}/firmware/src:{ROOT}/firmware/boards/unix"
TIMEOUT_S = 900


def run(folder: Path) -> tuple[int, list[str]]:
    """Exit code and lines of the runner that lies in `folder`, inside MicroPython."""
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=4m", str(folder / "run.py")],
        env={"MICROPYPATH": f"{SEARCH}:{folder}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_every_test_of_the_fixture_passes_inside_micropython(
    record_property: Callable[[str, object], None],
) -> None:
    """As many as stand in the files, counted here by CPython's own parser; the runner's last line is its sum."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted(TESTS.glob("test_*.py"))]
    defined = [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    tests = [name for name in defined if name.startswith("test_")]
    code, lines = run(TESTS)
    assert len(tests) > 100
    assert (code, lines[-1]) == (0, f"{len(tests)} passed, 0 failed"), lines
    record_property("said", f"fixture inside MicroPython: {lines[-1]}")


@pytest.mark.parametrize(
    "source,last",
    [
        ("def test_good():\n    assert 1\n\ndef test_bad():\n    assert 0\n", "1 passed, 1 failed"),
        ("def test_bad():\n    raise ValueError(1)\n", "0 passed, 1 failed"),
        ("def helps():\n    assert 1\n", "0 passed, 0 failed"),
    ],
)
def test_the_runner_ends_with_1_when_a_test_fails_or_none_is_there(
    tmp_path: Path, source: str, last: str
) -> None:
    """House rule: no test that cannot fail. A file with a failing test, one that raises, and one without any."""
    shutil.copy(TESTS / "run.py", tmp_path)
    (tmp_path / "test_planted.py").write_text(source, "utf-8")
    code, lines = run(tmp_path)
    assert code == 1 and lines[-1] == last
