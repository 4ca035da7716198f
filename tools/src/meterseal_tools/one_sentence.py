"""How a verb that makes files ends where something is wrong: one line, and an exit code by kind (sysexits.h)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from meterseal_protocol.errors import ProtocolError
from meterseal_wire.errors import WireError

NOT_USABLE, NO_INPUT, CANNOT_CREATE = 65, 66, 73


@contextmanager
def in_one_sentence(verb: str) -> Iterator[None]:
    """What goes wrong inside becomes one line: 66 where a file can't be read, else 65."""
    try:
        yield
    except (ProtocolError, WireError, ValueError) as error:
        print(f"{verb}: {' '.join(str(error).split())}", file=sys.stderr)
        raise typer.Exit(NOT_USABLE) from None
    except OSError as error:
        print(f"{verb}: {error}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None


def write_new(verb: str, path: Path, content: bytes) -> None:
    """A new file; 73 where it can't be made, or is there already."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        print(f"{verb}: {path} is not written: {error.strerror}; give another name", file=sys.stderr)
        raise typer.Exit(CANNOT_CREATE) from None
