"""`meterseal rules`: a rule pack as a table for a metrologist, and what differs between two.

A pack is named (`jjg162`) or a file, canonical CBOR (.cbor) or YAML (.yaml). Exit codes: 0 shown, or no difference;
1 the two differ; 65 not a usable pack; 66 no such file.
"""

import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table

from meterseal_protocol.errors import BadPack
from meterseal_protocol.rules import Pack, load_pack, shipped
from meterseal_protocol.rules.pack import compile_pack
from meterseal_protocol.rules.schema import FIELDS, ROWS, WATER_FLOWS
from meterseal_wire.scan import scan

DIFFERENT, NOT_USABLE, NO_INPUT = 1, 65, 66
PACK_BYTES = 65536
WIDTH = 100
WORDS = {
    "en": {
        "limits": "legal limits",
        "house_limits": "house limits (the maker's own, no judge reads them)",
        "points": "points, in the order in which they run",
        "same_sign": "where all errors have one sign",
        "air_temperature": "air temperature",
        "limited_use": "limited use",
        "checked": "checked",
        "draft": "draft",
        "what": "what",
        "value": "value",
        "source": "source",
        "state": "state",
        "media": ("water", "gas"),
        "same": "no difference",
        "rule": {
            "one_within": "one at least within its share of the limit",
            "all_within": "all within the figure",
        },
        "parts": {
            "class_tenths": "class",
            "from": "from",
            "to": "to",
            "limit_ppm": "limit ±",
            "warm_limit_ppm": "warm ±",
            "at": "flow",
            "least": "least ×",
            "most": "greatest ×",
            "target": "target ×",
            "rule": "rule",
            "share": "share",
            "most_ppm": "figure ±",
            "most_qmax_ml_per_h": "up to qmax",
            "least_mk": "least",
            "most_mk": "greatest",
            "what": "what",
            "years": "years",
        },
    },
    "zh": {
        "limits": "最大允许误差（法定）",
        "house_limits": "内控限（厂家自定，不参与判定）",
        "points": "流量点（按测量顺序）",
        "same_sign": "各点误差同号时",
        "air_temperature": "室温",
        "limited_use": "限期使用",
        "checked": "已核对",
        "draft": "草案",
        "what": "项目",
        "value": "值",
        "source": "出处",
        "state": "状态",
        "media": ("水", "燃气"),
        "same": "没有差别",
        "rule": {"one_within": "至少一点在限值的该份额以内", "all_within": "各点均不超过该值"},
        "parts": {
            "class_tenths": "等级",
            "from": "自",
            "to": "至",
            "limit_ppm": "限 ±",
            "warm_limit_ppm": "热水 ±",
            "at": "流量",
            "least": "最小 ×",
            "most": "最大 ×",
            "target": "目标 ×",
            "rule": "规则",
            "share": "份额",
            "most_ppm": "值 ±",
            "most_qmax_ml_per_h": "最大流量不超过",
            "least_mk": "最低",
            "most_mk": "最高",
            "what": "对象",
            "years": "年",
        },
    },
}
# A name's ending, what its number is divided by, and the unit that it then has.
UNITS = (
    ("_ppm", 10_000, "%"),
    ("_permille", 10, "% RH"),
    ("_10pa_per_min", 100, "kPa/min"),
    ("_10pa", 100, "kPa"),
    ("difference_mk", 1000, "K"),
    ("sensor_temperature_mk", 1000, "K"),
    ("_mk", 1000, "°C"),
    ("_ml_per_h", 1_000_000, "m³/h"),
    ("_ms", 1000, "s"),
    ("_volume_ul", 1_000_000, "L"),
    ("_ug_per_ml", 1000, "kg/m³"),
    ("_kg_per_m3", 1, "kg/m³"),
    ("_pa", 1, "Pa"),
    ("_beacon_age_s", 86_400, "d"),
    ("_s", 1, "s"),
    ("_hours", 1, "h"),
    ("_days", 1, "d"),
    ("_years", 1, "a"),
    ("_l", 1, "L"),
    ("_dn", 1, "DN"),
    ("class_tenths", 10, ""),
)
UNBOUNDED = 2**53

app = typer.Typer(no_args_is_help=True, help="Rule packs: show one as a table, compare two.")
Source = Annotated[str, typer.Argument(help="a shipped pack's name, or a .cbor or .yaml file")]
Language = Annotated[str, typer.Option(help="en or zh")]


@app.command()
def show(pack: Source, language: Language = "en") -> None:
    """Show a rule pack as a table, with the source and state of every value."""
    words, found = _words(language), load_named(pack)
    document, console = scan(found.raw, PACK_BYTES), Console(width=max(WIDTH, Console().width))
    values = document["values"]
    drafts = sum(not item["checked"] for items in values.values() for item in _items(items))
    every = sum(len(_items(items)) for items in values.values())
    console.print(f"[bold]{found.name}[/]  {document['edition']}  {words['media'][found.medium - 1]}")
    console.print(f"SHA-256 {found.digest.hex()}")
    console.print(f"{every - drafts} {words['checked']}, {drafts} {words['draft']}\n")
    for name in ROWS:
        if values[name]:
            console.print(_rows_table(name, values[name], words))
    console.print(_singles_table(values, words, language))


@app.command()
def diff(first: Source, second: Source, language: Language = "en") -> None:
    """Compare two rule packs value by value; exit code 1 where they differ."""
    words, left, right = _words(language), load_named(first), load_named(second)
    old, new = dict(_lines(left, language)), dict(_lines(right, language))
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if not changed:
        print(words["same"])
        return
    table = Table(title=f"{left.name} → {right.name}")
    for column in (words["what"], left.name, right.name):
        table.add_column(column, overflow="fold")
    for name in changed:
        table.add_row(name, old.get(name, "–"), new.get(name, "–"))
    Console(width=max(WIDTH, Console().width)).print(table)
    raise typer.Exit(DIFFERENT)


def _words(language: str) -> dict[str, Any]:
    if language not in WORDS:
        raise typer.BadParameter("the language is en or zh")
    return WORDS[language]


def load_named(source: str) -> Pack:
    """The pack of that name, or in that file; ends the command in one sentence where there is none."""
    try:
        if source in shipped():
            return load_pack(source)
        raw = Path(source).read_bytes()
        if source.endswith((".yaml", ".yml")):
            raw = compile_pack(yaml.safe_load(raw))
        return Pack.load(raw)
    except OSError:
        names = ", ".join(shipped())
        print(f"rules: there is no pack or file {source}; the packs that ship are {names}", file=sys.stderr)
        raise typer.Exit(NO_INPUT) from None
    except (BadPack, yaml.YAMLError, UnicodeDecodeError) as error:
        code = error.code if isinstance(error, BadPack) else "rules.pack"
        why = " ".join(str(error).split())
        print(f"rules: {source} is no usable pack ({code}): {why}", file=sys.stderr)
        raise typer.Exit(NOT_USABLE) from None


def _items(found: Any) -> list[dict[str, Any]]:
    return found if isinstance(found, list) else [found]


def shown(name: str, value: Any) -> str:
    """A value as a metrologist reads it: exact, in the unit that the field's name ends in."""
    if isinstance(value, int) and not isinstance(value, bool):
        if value >= UNBOUNDED:
            return "∞"
        ending = next((row for row in UNITS if name.endswith(row[0])), ("", 1, ""))
        return f"{_exact(Fraction(value, ending[1]))} {ending[2]}".strip()
    if isinstance(value, list) and len(value) == 2 and FIELDS.get(name, {}).get("rule") != "counts":
        return _exact(Fraction(*value)) if all(isinstance(part, int) for part in value) else str(value)
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)


def _exact(value: Fraction) -> str:
    """A fraction as a decimal where it ends within six places, else as a fraction."""
    scaled = value * 1_000_000
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    whole, rest = divmod(abs(scaled.numerator), 1_000_000)
    text = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if value < 0 else text


def _rows_table(name: str, rows: list[dict[str, Any]], words: dict[str, Any]) -> Table:
    table = Table(title=words[name], title_justify="left")
    for part in ROWS[name]:
        table.add_column(words["parts"][part])
    table.add_column(words["source"])
    table.add_column(words["state"])
    for row in rows:
        cells = [_cell(part, row["value"][part], words) for part in ROWS[name]]
        table.add_row(*cells, row["source"], _state(row, words))
    return table


def _cell(part: str, value: Any, words: dict[str, Any]) -> str:
    """A part of a row; flows by their symbols as the regulations write them, same-sign rules in words."""
    if part in ("from", "to", "at"):
        return str(value).replace("q", "Q") if value in WATER_FLOWS else str(value)
    return str(words["rule"][value]) if part == "rule" else shown(part, value)


def _singles_table(values: dict[str, Any], words: dict[str, Any], language: str) -> Table:
    table = Table(title_justify="left")
    for column in (words["what"], words["value"], words["source"], words["state"]):
        table.add_column(column, overflow="fold")
    for name, field in FIELDS.items():
        if name in values:
            item = values[name]
            table.add_row(field[language], shown(name, item["value"]), item["source"], _state(item, words))
    return table


def _state(item: dict[str, Any], words: dict[str, Any]) -> str:
    return str(words["checked"]) if item["checked"] else f"[yellow]{words['draft']}[/]"


def _lines(pack: Pack, language: str) -> Iterator[tuple[str, str]]:
    """Every value of a pack as (what, value with source and state)."""
    document, words = scan(pack.raw, PACK_BYTES), _words(language)
    yield words["source"], document["edition"]
    for name, found in document["values"].items():
        title = FIELDS[name][language] if name in FIELDS else words[name]
        for number, item in enumerate(_items(found), 1):
            parts = item["value"] if name in ROWS else {name: item["value"]}
            text = ", ".join(
                f"{words['parts'][part]} {_cell(part, parts[part], words)}"
                if name in ROWS
                else shown(part, parts[part])
                for part in ROWS.get(name, parts)
            )
            place = f"{title} {number}" if name in ROWS else title
            yield place, f"{text} ({item['source']}, {words['checked' if item['checked'] else 'draft']})"
