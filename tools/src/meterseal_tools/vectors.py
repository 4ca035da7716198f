"""`meterseal vectors verify`: run folders of test vectors, our own and the public suites, and say what fails.

Files are known by what stands in them: our own cases (protocol/spec/vectors), cbor/test-vectors, cose-wg/Examples,
C2SP/wycheproof, transparency-dev/merkle, the Token Status List draft, rscada/libmbus. Without an argument: the
vectors of the specification and the public halves that this repository holds. Exit codes: 0 all hold, 1 one fails,
66 no vectors found.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import meterseal_protocol
from meterseal_protocol.testing import suites, telegrams, vectors
from meterseal_protocol.testing.suites import Case

FAILED, NO_INPUT = 1, 66
PROTOCOL = Path(meterseal_protocol.__file__).parents[2]
SHIPPED = (PROTOCOL / "spec" / "vectors", PROTOCOL / "tests" / "data")
app = typer.Typer(no_args_is_help=True, help="Test vectors, our own and the public suites.")


@app.callback()
def group() -> None:
    """Test vectors, our own and the public suites."""


@app.command()
def verify(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="folders or files; default: those of the repository")
    ] = None,
) -> None:
    """Run every vector that is found and print a line a suite."""
    held, failed = Counter[str](), list[tuple[Case, str]]()
    try:
        for case in found_in(folders or list(SHIPPED)):
            wrong = case.check()
            held[case.suite] += wrong is None
            failed += [(case, wrong)] if wrong is not None else []
    except OSError as error:
        print(f"vectors verify: {error}; name a folder that can be read", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    if not held:
        print("vectors verify: no vectors were found; name the folder that holds them", file=sys.stderr)
        raise typer.Exit(NO_INPUT)
    _print(held, failed)
    raise typer.Exit(FAILED if failed else 0)


def found_in(folders: list[Path]) -> Iterator[Case]:
    """Every case below these folders, in the order of the files' names; OSError where one is not there."""
    for folder in folders:
        if not folder.exists():
            raise FileNotFoundError(f"there is no {folder}")
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file():
                yield from vectors.cases(path)
                yield from suites.cases(path)
                yield from telegrams.cases(path)


def _print(held: Counter[str], failed: list[tuple[Case, str]]) -> None:
    wrong, console = Counter(case.suite for case, _ in failed), Console()
    table = Table()
    for column in ("suite", "hold", "fail"):
        table.add_column(column, justify="left" if column == "suite" else "right")
    for suite in sorted(held):
        table.add_row(suite, str(held[suite]), str(wrong[suite]))
    console.print(table)
    for case, why in failed:
        console.print(f"{case.suite}: {case.name}: {why}", markup=False, highlight=False)
    total = sum(held.values())
    console.print(f"vectors: {total} hold, {len(failed)} fail")
