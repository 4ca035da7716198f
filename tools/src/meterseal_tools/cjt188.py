"""`meterseal cjt188 decode`: a captured CJ/T 188 telegram as a table or as JSON, volumes as exact decimal text.

FILE is hex text with or without blanks, or the raw bytes; `-` is standard input. An answer to 901F is shown with its
registers, any other sound frame with its fields. Exit codes: 0 decoded, 1 the telegram is refused or is the meter's
own refusal, 66 no such file, 2 misuse.
"""

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from meterseal_tools.mbus import NO_INPUT, REFUSED, telegram_bytes
from meterseal_wire.telegram.cjt188 import ABNORMAL, CURRENT, FROM_METER, METERS, Frame, parse_frame
from meterseal_wire.telegram.cjt188_errors import Cjt188Error
from meterseal_wire.telegram.cjt188_reading import VOLUMES, Reading, decode
from meterseal_wire.telegram.mbus_value import decimal_text

app = typer.Typer(help="CJ/T 188 telegrams.", no_args_is_help=True)


@app.callback()
def cjt188() -> None:
    """CJ/T 188 telegrams: what a water or gas meter's bytes say."""


def described(data: bytes) -> dict[str, Any]:
    """A telegram as plain values: its frame, and its registers where it is a reading. Raises Cjt188Error."""
    frame = parse_frame(data)
    found = _frame(frame)
    if frame.control & ABNORMAL or (frame.control & FROM_METER and frame.identifier == CURRENT):
        found.update(_reading(decode(data)))
    return found


def _frame(frame: Frame) -> dict[str, Any]:
    return {
        "kind": METERS.get(frame.meter, f"kind {frame.meter:02X}"),
        "address": frame.digits(),
        "control": f"{frame.control:02X}",
        "from_meter": bool(frame.control & FROM_METER),
        "identifier": None if frame.identifier is None else f"{frame.identifier:04X}",
        "serial": frame.serial,
        "data": frame.data.hex(),
    }


def _reading(reading: Reading) -> dict[str, Any]:
    settled = reading.settlement
    return {
        "current_m3": decimal_text(*reading.current),
        "settlement_m3": None if settled is None else decimal_text(*settled),
        "unit": VOLUMES[reading.units[0]][0],
        "clock": reading.clock,
        "status": reading.status.hex(),
    }


def table(found: dict[str, Any]) -> Table:
    """The same for people, a line a field."""
    shown = Table(title=f"{found['kind']} · {found['address']}")
    shown.add_column("field")
    shown.add_column("value", overflow="fold")
    for name, value in found.items():
        shown.add_row(name, "-" if value is None else str(value))
    return shown


@app.command("decode")
def decode_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="hex text or raw bytes; - for standard input")],
    json_out: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Decode one telegram: who speaks, and the registers of a reading."""
    try:
        found = described(telegram_bytes(file))
    except OSError as error:
        print(f"cjt188 decode: {file}: {error.strerror}. Give a telegram's file, or -.", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    except Cjt188Error as error:
        if json_out:
            print(json.dumps({"error": error.code, "at": error.at, "why": error.why}))
        print(f"cjt188 decode: {file} is refused: {error}.", file=sys.stderr)
        raise typer.Exit(REFUSED) from None
    if json_out:
        print(json.dumps(found, indent=2))
    else:
        Console().print(table(found), markup=False)
