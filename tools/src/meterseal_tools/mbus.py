"""`meterseal mbus decode`: a captured M-Bus telegram as a table or as JSON, values as exact decimal text.

FILE is hex text with or without blanks, or the raw bytes; `-` is standard input. It may hold several telegrams, as a
meter sends whose records fill more than one; JSON is then a list. Exit codes: 0 decoded, 1 a telegram is refused or is
the meter's own error, 66 no such file, 2 misuse.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from meterseal_wire.telegram.errors import MBusError
from meterseal_wire.telegram.mbus import split_frame
from meterseal_wire.telegram.mbus_record import Record
from meterseal_wire.telegram.mbus_telegram import Identity, Telegram, decode

REFUSED, NO_INPUT = 1, 66

app = typer.Typer(help="M-Bus telegrams.", no_args_is_help=True)


@app.callback()
def mbus() -> None:
    """M-Bus telegrams (EN 13757): what a meter's bytes say."""


def telegram_bytes(source: str) -> bytes:
    """The bytes of a file or of standard input (`-`); hex text is turned into what it spells. OSError if unreadable."""
    raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    try:
        return bytes.fromhex(raw.decode("ascii"))
    except ValueError:
        return raw


def telegrams(data: bytes) -> list[Telegram]:
    """Every telegram in `data`, one behind the other; MBusError where one of them is none."""
    found: list[Telegram] = []
    at = 0
    while at < len(data) or not found:
        split = split_frame(data, at)
        end = len(data) if split is None else split[1]
        found.append(decode(data[at:end]))
        at = end
    return found


def as_json(telegram: Telegram) -> dict[str, Any]:
    """A telegram as plain values: address, identity and records; numbers as exact decimal text."""
    return {
        "address": telegram.address,
        "control": telegram.control,
        "ci": telegram.ci,
        "identity": _identity(telegram.identity),
        "records": [_record(record) for record in telegram.records],
        "more_follow": telegram.more_follow,
    }


def _identity(identity: Identity) -> dict[str, Any]:
    secondary = identity.secondary
    return {
        "manufacturer": identity.manufacturer,
        "id": identity.id,
        "version": identity.version,
        "medium": identity.medium_name,
        "medium_code": identity.medium,
        "access": identity.access,
        "status": f"{identity.status:02X}",
        "signature": None if identity.signature is None else f"{identity.signature:04X}",
        "secondary": None if secondary is None else secondary.hex(),
    }


def _record(record: Record) -> dict[str, Any]:
    return {
        "function": record.function,
        "storage": record.storage,
        "tariff": record.tariff,
        "device": record.device,
        "unit": record.unit,
        "quantity": record.quantity,
        "value": record.value_text(),
        "modifiers": record.modifiers,
        "error": record.error,
    }


def table(telegram: Telegram) -> Table:
    """The records as a table; the title names the meter, s/t/d are storage, tariff and device."""
    who = telegram.identity
    name = " ".join(filter(None, [who.manufacturer, who.id]))
    found = Table(title=f"{name} · {who.medium_name} · address {telegram.address} · access {who.access}")
    for heading in ("function", "s/t/d", "quantity"):
        found.add_column(heading)
    found.add_column("value", justify="right", overflow="fold", min_width=20)
    found.add_column("unit")
    found.add_column("note", overflow="fold")
    for record in telegram.records:
        note = "; ".join(filter(None, [record.error, *record.modifiers]))
        place = f"{record.storage}/{record.tariff}/{record.device}"
        found.add_row(record.function, place, record.quantity, record.value_text(), record.unit, note)
    return found


@app.command("decode")
def decode_file(
    file: Annotated[str, typer.Argument(metavar="FILE", help="hex text or raw bytes; - for standard input")],
    json_out: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Decode telegrams: who answers, and every record with its exact value."""
    try:
        found = telegrams(telegram_bytes(file))
    except OSError as error:
        print(f"mbus decode: {file}: {error.strerror}. Give a telegram's file, or -.", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    except MBusError as error:
        if json_out:
            print(json.dumps({"error": error.code, "at": error.at, "why": error.why}, ensure_ascii=False))
        print(f"mbus decode: {file} is refused: {error}.", file=sys.stderr)
        raise typer.Exit(REFUSED) from None
    if json_out:
        every = [as_json(telegram) for telegram in found]
        print(json.dumps(every if len(every) > 1 else every[0], ensure_ascii=False, indent=2))
        return
    for telegram in found:
        Console().print(table(telegram), markup=False)
