"""The `meterseal` command: a table of verbs, one file each. A verb's file is loaded when the verb is called.

Who stands in front of a meter and asks `meterseal check` does not wait for the edge, the registry and the flasher.
"""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

COMMANDS = (
    "demo",
    "desk-board",
    "check",
    "audit",
    "inspect",
    "factory",
    "flash",
    "provision",
    "verify-board",
)
GROUPS = (
    "mbus",
    "cjt188",
    "edge",
    "firmware",
    "grant",
    "keys",
    "log",
    "people",
    "plan",
    "proof",
    "rig",
    "rules",
    "vectors",
)


class Verbs(TyperGroup):
    """Finds a verb by its file's name: `command` in it where the verb is one, `app` where it has verbs of its own."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """Every verb, in the order of the help."""
        return [*COMMANDS, *GROUPS]

    def get_command(self, _ctx: Any, cmd_name: str) -> "TyperCommand | TyperGroup | None":
        """The verb, or None for a word that is none."""
        if cmd_name not in (*COMMANDS, *GROUPS):
            return None
        module: Any = import_module(f"meterseal_tools.{cmd_name.replace('-', '_')}")
        found = get_group(module.app) if cmd_name in GROUPS else alone(module.command)
        found.name = cmd_name
        return found


def alone(function: Any) -> TyperCommand:
    """A verb that has no others below it."""
    holder = typer.Typer(add_completion=False)
    holder.command()(function)
    found = get_command(holder)
    assert isinstance(found, TyperCommand)
    return found


app = typer.Typer(
    cls=Verbs,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="MeterSeal: a meter is tested once; anyone can prove it, in a second and offline.",
)


@app.callback()
def whole() -> None:
    """MeterSeal: a meter is tested once; anyone can prove it, in a second and offline."""


def main() -> None:
    """Run the command line."""
    app()
