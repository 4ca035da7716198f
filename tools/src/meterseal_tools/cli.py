"""The `meterseal` command: a table of verbs, one file each."""

import typer

from meterseal_tools import (
    audit,
    check,
    cjt188,
    demo,
    desk_board,
    edge,
    factory,
    firmware,
    flash,
    inspect,
    keys,
    log,
    mbus,
    people,
    proof,
    provision,
    rig,
    rules,
    vectors,
    verify_board,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="MeterSeal: a meter is tested once; anyone can prove it, in a second and offline.",
)
app.command("demo")(demo.command)
app.command("desk-board")(desk_board.command)
app.command("check")(check.command)
app.command("audit")(audit.command)
app.command("inspect")(inspect.command)
app.command("factory")(factory.command)
app.command("flash")(flash.command)
app.command("provision")(provision.command)
app.command("verify-board")(verify_board.command)
app.add_typer(mbus.app, name="mbus")
app.add_typer(cjt188.app, name="cjt188")
app.add_typer(edge.app, name="edge")
app.add_typer(firmware.app, name="firmware")
app.add_typer(keys.app, name="keys")
app.add_typer(log.app, name="log")
app.add_typer(people.app, name="people")
app.add_typer(proof.app, name="proof")
app.add_typer(rig.app, name="rig")
app.add_typer(rules.app, name="rules")
app.add_typer(vectors.app, name="vectors")


def main() -> None:
    """Run the command line."""
    app()
