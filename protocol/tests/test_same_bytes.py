"""MicroPython and CPython make the same bytes of the same statements, and pass the same tests."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import cbor2
import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src"
MICROPYTHON = Path(sys.executable).with_name("micropython")


def output(program: Path, script: Path) -> list[str]:
    """Lines that a script prints under an interpreter; the portable core and the portable tests are on its path."""
    path = f"{SOURCE}:{TESTS / 'portable'}"
    settings = {"MICROPYPATH": f".frozen:{path}", "PYTHONPATH": path, "PATH": "/usr/bin:/bin"}
    command = [str(program), str(script)]
    done = subprocess.run(command, env=settings, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """What CPython prints for the fixed set."""
    return output(Path(sys.executable), TESTS / "portable" / "same_bytes.py")


def test_both_interpreters_make_the_same_bytes(printed: list[str]) -> None:
    """Design section 12: the same files run on device and server; dicts are unordered there and ordered here."""
    assert output(MICROPYTHON, TESTS / "portable" / "same_bytes.py") == printed


def test_an_independent_decoder_reads_every_line(printed: list[str]) -> None:
    """cbor2 as stranger: each message is one CBOR item; a tagged one holds header and payload that are CBOR too."""
    messages = [bytes.fromhex(line) for line in printed if line.startswith("d284")]
    kinds = tomllib.loads((TESTS.parent / "spec" / "labels.toml").read_text("utf-8"))["kind"]
    assert len(messages) == len(
        kinds
    )  # one of each, and one of another suite in the place of the certificate
    for raw in messages:
        protected, unprotected, payload, signature = cbor2.loads(raw).value
        assert cbor2.loads(protected)[1] == (-19 if raw == messages[-1] else -9)
        assert unprotected == {}
        assert isinstance(cbor2.loads(payload), dict)
        assert len(signature) == 64


def test_every_portable_test_passes_inside_micropython() -> None:
    """As many as stand in the files, counted here by CPython's own parser; the runner's last line is its sum."""
    files = sorted((TESTS / "portable").glob("test_*.py"))
    trees = [ast.parse(path.read_text("utf-8")) for path in files]
    defined = [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    tests = [name for name in defined if name.startswith("test_")]
    assert len(tests) > 100
    assert output(MICROPYTHON, TESTS / "run_portable.py")[-1] == f"{len(tests)} passed, 0 failed"
