"""`make bench`: every bench beside this file, a table, and build/bench.json.

A bench is a file with `rows()`. With --only, one of them runs and replaces only its rows in build/bench.json.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from row import Row

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / "build" / "bench.json"
NO_BENCH = {"__main__", "row", "capture", "speed", "forms", "peer_cwt", "drain", "backlog"}
BENCHES = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in NO_BENCH)


def show(rows: list[Row]) -> None:
    """The table, goals that were missed in red."""
    table = Table(Column("bench", no_wrap=True), "value", "limit", "ratio", "goal", "met", "note")
    for row in rows:
        bound = "" if row.goal is None else f"{'≤' if row.at_most else '≥'} {row.goal:g}"
        cells = ["" if number is None else f"{number:.4g}" for number in (row.limit, row.ratio)]
        met = {None: "", True: "yes", False: "[red]no[/]"}[row.met]
        table.add_row(row.name, f"{row.value:.4g} {row.unit}", *cells, bound, met, row.note)
    console = Console()
    Console(width=console.width if console.is_terminal else 140).print(table)


def keep(rows: list[Row]) -> None:
    """Write the rows; rows of other benches stay as they were."""
    earlier = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else []
    replaced = {row.name.partition(".")[0] for row in rows}
    kept = [row for row in earlier if row["name"].partition(".")[0] not in replaced]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(kept + [row.as_json() for row in rows], indent=1) + "\n", "utf-8")


def main() -> int:
    """Run, show, keep."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=BENCHES, help="one package's benches")
    only = parser.parse_args().only
    rows = [row for name in BENCHES if only in (None, name) for row in importlib.import_module(name).rows()]
    show(rows)
    keep(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
