"""The command line as a whole: its verbs, its help, its exit code for a verb that does not exist."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from typer.testing import CliRunner

from meterseal_tools.cli import app, main

VERBS = ("demo", "check", "audit", "inspect", "mbus", "cjt188", "keys", "log", "rig")


def test_help_says_what_it_is_for_and_lists_every_verb() -> None:
    """The contract's table of verbs, and the project's one sentence."""
    done = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"})
    assert done.exit_code == 0
    assert "a meter is tested once; anyone can prove it, in a second and offline" in done.output
    listed = {line.strip("│ ").split()[0] for line in done.output.splitlines() if line.strip("│ ")}
    assert set(VERBS) <= listed


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    """`meterseal VERB --help` ends well and begins with its usage."""
    done = CliRunner().invoke(app, [verb, "--help"])
    assert done.exit_code == 0
    assert f"{verb} " in done.output.splitlines()[1]


@pytest.mark.parametrize(
    "arguments", [["bless"], ["check"], ["audit"], ["inspect"], ["check", "a", "--colour"]]
)
def test_misuse_is_exit_2_and_no_traceback(arguments: list[str]) -> None:
    """Click's convention: 2 for an unknown verb, a missing argument, an unknown option."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert "Usage:" in done.output and "Traceback" not in done.output


def test_python_dash_m_and_the_installed_command_are_the_same_program() -> None:
    """pyproject.toml names the script; `python -m meterseal_tools` runs the same function."""
    script = next(iter(entry_points(group="console_scripts", name="meterseal")))
    assert script.load() is main
    command = [sys.executable, "-m", "meterseal_tools", "bless"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "No such command 'bless'" in done.stderr
