"""`meterseal plan`: make a fixture's plan from a rule pack and a type grant, show one, sign the grant that lets it run.

`make` takes points, order, bands and repeats from the pack: no option changes them, since the judge counts a row by its
place in the pack. Options are house values: more than the rules ask for, never less, and no judge reads them. The same
input gives the same bytes. `grant` is for the authority: a `rules` grant that names plans (127), which
`meterseal edge plan put` and every fixture want to see.

Exit codes: 0 done; 64 misuse; 65 pack, type or plan that can't be used; 66 no such file; 73 the file is there already.
"""

import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from meterseal_protocol.errors import BadPack
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.rules import House, plan_for
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.variants import OWN
from meterseal_tools.grants.handed import sign
from meterseal_tools.one_sentence import in_one_sentence, write_new
from meterseal_tools.rules import load_named, shown
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.point import REFERENCE_METER, STATIC
from meterseal_wire.scan import scan

USAGE = 64
PLAN_BYTES, MS, DAY_S = 8192, 1000, 86400
METHODS = {"flying": REFERENCE_METER, "static": STATIC}
MODES = {"verify": kinds.VERIFY, "training": kinds.TRAINING, "check": kinds.CHECK}
WORDS: dict[str, dict[Any, Any]] = {
    "en": {
        "plan": "plan",
        "rules": "rules",
        "method": "method",
        REFERENCE_METER: "flying start, reference meter",
        STATIC: "static start and stop, meters read at rest",
        "mode": "only in mode",
        "run_in": "run-in",
        "steady": "steady flow",
        "within": "within",
        "none": "none",
        "columns": ("point", "flow", "band", "least counts", "least volume", "settling", "repeats"),
        "of": {REFERENCE_METER: "of the meter", STATIC: "of the reference"},
    },
    "zh": {
        "plan": "方案",
        "rules": "规则",
        "method": "方法",
        REFERENCE_METER: "动态法（标准表，双时间测量）",
        STATIC: "静态启停法（静止读数）",
        "mode": "仅限模式",
        "run_in": "预运行",
        "steady": "流量稳定",
        "within": "限时",
        "none": "无",
        "columns": ("流量点", "流量", "范围", "最少脉冲", "最小体积", "调整时间", "次数"),
        "of": {REFERENCE_METER: "被检表", STATIC: "标准表"},
    },
}

app = typer.Typer(no_args_is_help=True, help="Plans: make one from a pack and a type, show it, grant it.")
PackName = Annotated[
    str, typer.Argument(metavar="PACK", help="a shipped pack's name, or a .cbor or .yaml file")
]
Out = Annotated[Path, typer.Option(help="the file to write; never overwritten")]
Language = Annotated[str, typer.Option(help="en or zh")]
Seconds = Annotated[float, typer.Option(help="seconds; a house value, never less than the rules'")]


@app.command()
def make(
    pack: PackName,
    types: Annotated[
        list[Path], typer.Argument(metavar="TYPE...", help="the type grant; behind a variant, what it varies")
    ],
    *,
    out: Out,
    method: Annotated[str, typer.Option(help="flying or static")] = "flying",
    mode: Annotated[str, typer.Option(help="the only mode it may be run in: verify, training, check")] = "",
    run_in: Seconds = 0,
    settle: Seconds = 0,
    stable: Seconds = 0,
    within: Seconds = 0,
    volume: Annotated[str, typer.Option(help="times the rules' least volume, as 1.5 or 3/2")] = "1",
    language: Language = "en",
) -> None:
    """Make the plan of a meter type by a method, and show it."""
    words = _words(language)
    alone = _one_of(MODES, mode, "mode") if mode else None
    house = House(_ms(run_in), _ms(settle), _ms(stable), _ms(within), _fraction(volume), alone)
    with in_one_sentence("plan make"):
        found = plan_for(load_named(pack), _type(types), _one_of(METHODS, method, "method"), house)
    write_new("plan", out, found)
    _show(found, words)


@app.command()
def show(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="the plan document, CBOR")],
    language: Language = "en",
) -> None:
    """Show a plan: what a fixture will do, point by point, and the digest by which it is granted and ordered."""
    words = _words(language)
    with in_one_sentence("plan show"):
        document = plan.read_bytes()
        _fields(document)
    _show(document, words)


@app.command()
def grant(
    pack: PackName,
    plans: Annotated[list[Path], typer.Argument(metavar="PLAN...", help="the plans that it shall name")],
    *,
    key: Annotated[Path, typer.Option(help="the authority's key file; never printed")],
    issuer: Annotated[str, typer.Option(help="the authority's name in the registry, 16 characters at most")],
    number: Annotated[int, typer.Option(help="the grant's number", min=1)],
    out: Out,
    days: Annotated[int, typer.Option(help="for how long from now", min=1)] = 365,
) -> None:
    """Sign the rules grant that names these plans, all of this pack."""
    with in_one_sentence("plan grant"):
        rules, documents = load_named(pack), [path.read_bytes() for path in plans]
        for path, document in zip(plans, documents, strict=True):
            if _fields(document)[L.RULES] != rules.digest:
                raise BadPack(f"{path} is of other rules than {rules.name}; make it again from that pack")
        now = int(time.time())
        payload = {
            L.GRANT: kinds.RULES,
            L.NUMBER: number,
            L.WINDOW: [now, now + days * DAY_S],
            L.RULES: rules.digest,
            L.RULES_NAME: rules.name,
            L.PLANS: [sha256(document) for document in documents],
        }
        signed = sign(payload, issuer, PrivateKey.load(key))
    write_new("plan", out, signed)
    print(f"{out}: rules grant {number} of {issuer} for {len(documents)} plan(s) of {rules.name}")


def _words(language: str) -> dict[Any, Any]:
    found: dict[Any, Any] = _one_of(WORDS, language, "language")
    return found


def _one_of(table: dict[str, Any], name: str, what: str) -> Any:
    if name not in table:
        print(f"plan: there is no {what} {name}; give {', '.join(table)}", file=sys.stderr)
        raise typer.Exit(USAGE)
    return table[name]


def _ms(seconds: float) -> int:
    if seconds < 0:
        print("plan: a time is 0 seconds or more", file=sys.stderr)
        raise typer.Exit(USAGE)
    return round(seconds * MS)


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        print(f"plan: {text} is no number of times; give 1.5 or 3/2", file=sys.stderr)
        raise typer.Exit(USAGE) from None


def _type(paths: Sequence[Path]) -> dict[int, Any]:
    """The type with what it inherits. Nothing is verified here: a plan counts by the grant that names it."""
    line: list[Statement] = [read(path.read_bytes()) for path in paths]
    for path, statement in zip(paths, line, strict=True):
        if statement.typ != L.KIND_GRANT or statement.payload[L.GRANT] != kinds.TYPE:
            raise BadPack(f"{path} is no type grant; give the one of the meters that shall be tested")
    inherits = [statement.payload.get(L.VARIANT_OF) for statement in line]
    if inherits != [statement.identity for statement in line[1:]] + [None]:
        raise BadPack("behind a variant of a type give the grant that it varies, and nothing else")
    merged: dict[int, Any] = {}
    for statement in reversed(line):
        merged |= {label: value for label, value in statement.payload.items() if label not in OWN}
    return merged


def _fields(document: bytes) -> dict[int, Any]:
    """A plan's fields; BadPack where it is none."""
    fields = scan(document, PLAN_BYTES)
    rows = fields.get(L.PLAN_POINTS) if isinstance(fields, dict) else None
    if not isinstance(rows, list) or not isinstance(fields.get(L.RULES), bytes):
        raise BadPack("that is no plan document; make one with `meterseal plan make`")
    if not all(isinstance(row, list) and len(row) == len(WORDS["en"]["columns"]) - 2 for row in rows):
        raise BadPack("the plan's points are out of shape; make it again")
    return dict(fields)


def _show(document: bytes, words: dict[Any, Any]) -> None:
    fields, console = _fields(document), Console(width=max(100, Console().width))
    method = fields.get(L.METHOD, REFERENCE_METER)
    console.print(f"{words['plan']}  SHA-256 {sha256(document).hex()}", soft_wrap=True)
    console.print(f"{words['rules']}  SHA-256 {fields[L.RULES].hex()}", soft_wrap=True)
    console.print(f"{words['method']}  {words.get(method, method)}")
    if L.MODE in fields:
        names = {number: name for name, number in MODES.items()}
        console.print(f"{words['mode']}  {names.get(fields[L.MODE], fields[L.MODE])}")
    run_in = fields.get(L.RUN_IN)
    text = f"{shown('_ml_per_h', run_in[0])}, {shown('_ms', run_in[1])}" if run_in else words["none"]
    console.print(f"{words['run_in']}  {text}")
    window = fields.get(L.STABILITY)
    steady = (
        f"{shown('_ms', window[0])}, {words['within']} {shown('_ms', window[1])}" if window else words["none"]
    )
    console.print(f"{words['steady']}  {steady}")
    console.print(_points(fields, window[2] if window else [], words["columns"], words["of"].get(method, "")))


def _points(fields: dict[int, Any], bands: Sequence[Sequence[int]], columns: Sequence[str], of: str) -> Table:
    table = Table()
    for column in columns:
        table.add_column(f"{column} {of}" if column == columns[3] else column)
    for number, (flow, counts, volume_ul, settle_ms, repeats) in enumerate(fields[L.PLAN_POINTS]):
        band = " – ".join(shown("_ml_per_h", edge) for edge in bands[number]) if number < len(bands) else ""
        table.add_row(
            str(number + 1),
            shown("_ml_per_h", flow),
            band,
            str(counts),
            shown("_volume_ul", volume_ul),
            shown("_ms", settle_ms),
            str(repeats),
        )
    return table
