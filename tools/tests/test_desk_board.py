"""The tutorial's section for whoever has no board: its own commands, in its order, by real processes."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from meterseal_tools.sim.fixture import interpreter

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/tutorials/bare-board.md"
SECTION = PAGE.read_text("utf-8").split("## Without a board", 1)[1]
METERSEAL = "from meterseal_tools.cli import main; main()"
SITE = (
    'fixture = "W1"\nsite = "HZ-01"\nbench = "B3"\nhost = "127.0.0.1"\nport = 9\npositions = 2\n'
    'capture = "{capture}"\nmbus = "{mbus}"\npanel = "{panel}"\nedge_key = "{key}"\nregistry_key = "{key}"\n'
)


def commands() -> list[str]:
    """Every line of the section's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", SECTION, re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def words(line: str, tmp_path: Path) -> list[str]:
    """The line's words as a process wants them: our Python, and the test's folder in the place of build/desk."""
    found = line.replace("build/desk", str(tmp_path)).split()
    names = {
        ".venv/bin/meterseal": [sys.executable, "-c", METERSEAL],
        ".venv/bin/micropython": [str(interpreter())],
    }
    return names.get(found[0], found[:1]) + found[1:]


def ran(line: str, tmp_path: Path) -> str:
    """What a command of the page prints; it must succeed."""
    given = line.replace("build/desk", str(tmp_path)) if line.startswith("sed") else words(line, tmp_path)
    done = subprocess.run(
        given, capture_output=True, text=True, check=False, cwd=tmp_path, shell=isinstance(given, str)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def left_running(line: str, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that the page leaves running, ended as Ctrl-C does."""
    given = words(line, tmp_path)
    with subprocess.Popen(given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """What it prints, line by line."""
    assert process.stdout
    return iter(process.stdout.readline, "")


def test_the_tutorial_can_be_followed_on_a_desk(tmp_path: Path) -> None:
    """From a board behind a pty to the boot that its own key signed, and an answer to what is typed."""
    mkdir, plug, bench, new, show, build, flash, verify, provision, mend, start = commands()
    assert mkdir == "mkdir -p build/desk"
    with left_running(bench, tmp_path) as rig:
        wires = dict(line.split(maxsplit=1) for line, _ in zip(lines_of(rig), range(3), strict=False))
        wires = {name: path.strip() for name, path in wires.items()}
        with left_running(plug, tmp_path) as board:
            assert "files" in [line.split()[0] for line, _ in zip(lines_of(board), range(2), strict=False)]
            ran(new, tmp_path)
            key = re.search(r"public +([0-9a-f]{128})", ran(show, tmp_path))
            assert key
            (tmp_path / "site.toml").write_text(SITE.format(key=key[1], **wires))
            ran(build, tmp_path)
            assert "flashed" in ran(flash, tmp_path)
            assert "the same" in ran(verify, tmp_path)
            assert "fingerprint" in ran(provision, tmp_path)
            assert (tmp_path / "line/boards.jsonl").is_file()
        ran(mend.replace("$PWD/", ""), tmp_path)
        with subprocess.Popen(words(start, tmp_path), stdout=subprocess.DEVNULL) as fixture:
            said = (json.loads(line) for line in lines_of(rig) if line.startswith("{"))
            assert next(said) == {"event": "boot", "epoch": 1, "seq": 0}
            assert rig.stdin
            rig.stdin.write('{"do": "stop"}\n')
            rig.stdin.flush()
            assert next(one for one in said if "error" in one)["error"] == "order.idle"
            fixture.kill()
