"""`meterseal keys`: make a key, show it, give its public half away. Key files are 0600; no secret is printed."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey, PublicKey
from meterseal_tools.one_sentence import in_one_sentence, write_new
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan
from meterseal_wire.suites import DEFAULT, SUITES, Suite

CANNOT_CREATE, NO_INPUT, USAGE = 73, 66, 2
KEY_BYTES = 4096
NAMES = ", ".join(f"{suite.number} or {suite.name}" for suite in SUITES)
app = typer.Typer(
    no_args_is_help=True, help="Make keys, show their thumbprints, give their public halves away."
)


@app.command()
def new(
    path: Annotated[Path, typer.Argument(help="where the new key file shall stand; never overwritten")],
    suite: Annotated[str, typer.Option(help=f"signature and hash of the key: {NAMES}")] = DEFAULT.name,
) -> None:
    """Make a key file (0600) and print its thumbprint."""
    key = PrivateKey.generate(suite_called(suite))
    try:
        key.save(path)
    except (OSError, ProtocolError) as error:
        print(f"keys new: {error}", file=sys.stderr)
        raise typer.Exit(CANNOT_CREATE) from None
    print(describe(key))


@app.command()
def show(path: Annotated[Path, typer.Argument(help="a key file")]) -> None:
    """Print the suite, thumbprint and public key of a key file."""
    try:
        key = PrivateKey.load(path)
    except (OSError, ProtocolError) as error:
        print(f"keys show: {error}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    print(describe(key))


@app.command()
def public(
    path: Annotated[Path, typer.Argument(help="a key file")],
    out: Annotated[Path, typer.Argument(help="the public half, NAME.cosekey; never overwritten")],
) -> None:
    """Write the public half of a key (CBOR COSE_Key), for the authority that shall grant it."""
    with in_one_sentence("keys public"):
        key = PrivateKey.load(path).public
    write_new("keys public", out, bytes(encode(key.cose)))
    print(f"{out}: thumbprint {key.thumbprint.hex()}")


@app.command()
def anchors(
    out: Annotated[Path, typer.Argument(help="the file of anchors; never overwritten")],
    files: Annotated[list[Path], typer.Argument(metavar="COSEKEY...", help="public keys of national roots")],
) -> None:
    """Put public keys into one file of anchors: whoever has it trusts them, and nobody else, from outside."""
    with in_one_sentence("keys anchors"):
        keys = [read_public(file) for file in files]
    write_new("keys anchors", out, bytes(encode([key.cose for key in keys])))
    for key in keys:
        print(f"{out}: thumbprint {key.thumbprint.hex()}")


def read_public(path: Path) -> PublicKey:
    """The key in a file of a COSE_Key; OSError, WireError or ProtocolError where there is none."""
    return PublicKey.from_cose(scan(path.read_bytes()[:KEY_BYTES], KEY_BYTES))


def suite_called(text: str) -> Suite:
    """The suite of that number or name, in any case; ends the command where there is none."""
    for suite in SUITES:
        if text.lower() in (str(suite.number), suite.name.lower()):
            return suite
    print(f"keys new: there is no suite {text}; give {NAMES}", file=sys.stderr)
    raise typer.Exit(USAGE)


def describe(key: PrivateKey) -> str:
    """Suite, thumbprint (RFC 9679) and public key (its coordinates) in hex."""
    return (
        f"suite      {key.suite.number} {key.suite.name}\n"
        f"thumbprint {key.thumbprint.hex()}\n"
        f"public     {key.public_xy.hex()}"
    )
