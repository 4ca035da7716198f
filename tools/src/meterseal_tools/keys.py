"""`meterseal keys`: make a key, show its thumbprint. Key files are 0600; no secret is ever printed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey

CANNOT_CREATE, NO_INPUT = 73, 66
app = typer.Typer(no_args_is_help=True, help="Make keys and show their thumbprints.")


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="where the new key file shall stand; never overwritten")],
) -> None:
    """Make a P-256 key file (0600) and print its thumbprint."""
    key = PrivateKey.generate()
    try:
        key.save(path)
    except (OSError, ProtocolError) as error:
        print(f"keys new: {error}", file=sys.stderr)
        raise typer.Exit(CANNOT_CREATE) from None
    print(describe(key))


@app.command()
def show(path: Annotated[Path, typer.Argument(help="a key file")]) -> None:
    """Print the thumbprint and public key of a key file."""
    try:
        key = PrivateKey.load(path)
    except (OSError, ProtocolError) as error:
        print(f"keys show: {error}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    print(describe(key))


def describe(key: PrivateKey) -> str:
    """Thumbprint (RFC 9679) and public x || y of a key, in hex."""
    return f"thumbprint {key.thumbprint.hex()}\npublic     {key.public_xy.hex()}"
