"""What a pack document must look like; BadPack, with a code and the field, where it does not.

Single values stand in fields.toml with their rule, tables of rows in `ROWS` below. Refused: fields that are unknown
(`rules.field`), missing, or named with another unit (`rules.unit`); zones of a class that leave a gap (`rules.gap`)
or overlap (`rules.overlap`); bands upside down; another density table than this software's.
"""

import tomllib
from collections.abc import Mapping
from fractions import Fraction
from importlib.resources import files
from typing import Any

from meterseal_protocol.errors import BadPack
from meterseal_protocol.metrology import DENSITY_DIGEST
from meterseal_wire import kinds

HEAD = ("name", "edition", "medium", "values")
WATER_FLOWS, GAS_FLOWS = ("q1", "q2", "q3", "q4"), ("qmin", "qt", "qmax")
SYMBOLS = {kinds.WATER: WATER_FLOWS, kinds.GAS: GAS_FLOWS}
ONE_WITHIN, ALL_WITHIN = "one_within", "all_within"

FIELDS: dict[str, dict[str, Any]] = tomllib.loads(
    files("meterseal_protocol.rules").joinpath("fields.toml").read_text("utf-8")
)
"""Single values by name: rule, media, judge (whether one reads it), zh, en."""

_ZONE = {
    "class_tenths": "count",
    "from": "flow",
    "to": "flow",
    "limit_ppm": "count",
    "warm_limit_ppm": "count",
}
ROWS: dict[str, dict[str, str]] = {
    "limits": _ZONE,
    "house_limits": _ZONE,
    "points": {"at": "flow", "least": "fraction", "most": "fraction", "target": "fraction"},
    "same_sign": {
        "class_tenths": "count",
        "from": "flow",
        "rule": "rule",
        "share": "fraction",
        "most_ppm": "count",
    },
    "air_temperature": {"most_qmax_ml_per_h": "count", "least_mk": "count", "most_mk": "count"},
    "limited_use": {"what": "text", "years": "count"},
}
"""Tables by name: the parts of a row and their rules. House limits are a maker's own, and no judge reads them."""
_MAY_BE_EMPTY = ("air_temperature", "house_limits", "limited_use", "same_sign")


def check(document: Any) -> dict[str, Any]:
    """The bare values of a pack document by field, or BadPack."""
    if not isinstance(document, dict) or set(document) != set(HEAD):
        raise BadPack(f"a pack has exactly the fields {', '.join(HEAD)}", "rules.field")
    medium, values = document["medium"], document["values"]
    if not isinstance(document["name"], str) or not isinstance(document["edition"], str):
        raise BadPack("name and edition are text", "rules.field")
    if not isinstance(medium, int) or medium is True or medium not in SYMBOLS or not isinstance(values, dict):
        raise BadPack("medium is 1 (water) or 2 (gas), and values is a map", "rules.field")
    singles = {name: row["rule"] for name, row in FIELDS.items() if medium in row["media"]}
    _check_names(values, (*singles, *ROWS), "the pack")
    found: dict[str, Any] = {
        name: _bare(values[name], {name: rule}, medium, name)[name] for name, rule in singles.items()
    }
    for name, row in ROWS.items():
        if not isinstance(values[name], list) or not (values[name] or name in _MAY_BE_EMPTY):
            raise BadPack(f"{name} is a list of values", "rules.field")
        found[name] = [_bare(item, row, medium, name) for item in values[name]]
    _check_zones("limits", found["limits"], medium)
    _check_zones("house_limits", found["house_limits"], medium)
    _check_rows(found)
    return found


def _check_names(found: Mapping[str, Any], wanted: tuple[str, ...], where: str) -> None:
    for name in found:
        if name in wanted:
            continue
        stem = str(name).rpartition("_")[0]
        meant = [known for known in wanted if stem and known.startswith(f"{stem}_") and known not in found]
        hint = f"; its unit must be that of {meant[0]}" if meant else ""
        raise BadPack(f"{where} has an unknown field {name}{hint}", "rules.unit" if meant else "rules.field")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise BadPack(f"{where} lacks {missing[0]}", "rules.field")


def _bare(item: Any, rules: Mapping[str, str], medium: int, name: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BadPack(f"{name} needs value, source and checked", "rules.field")
    _check_names(item, ("value", "source", "checked"), name)
    if not isinstance(item["source"], str) or not isinstance(item["checked"], bool):
        raise BadPack(f"{name}: source is text and checked is true or false", "rules.field")
    parts = {name: item["value"]} if list(rules) == [name] else item["value"]
    if not isinstance(parts, dict):
        raise BadPack(f"{name} is a map", "rules.field")
    _check_names(parts, tuple(rules), name)
    for part, rule in rules.items():
        if not _fits(parts[part], rule, medium):
            raise BadPack(f"{name}: {part} is not a {rule}", "rules.field")
    return parts


def _fits(value: Any, rule: str, medium: int) -> bool:
    if rule == "count":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if rule == "fraction":
        pair = isinstance(value, list) and len(value) == 2 and all(_fits(part, "count", 0) for part in value)
        return pair and value[1] > 0
    if rule in ("counts", "texts"):
        return isinstance(value, list) and all(_fits(part, rule[:-1], medium) for part in value)
    if rule == "flow":
        return value in SYMBOLS[medium]
    if rule == "rule":
        return value in (ONE_WITHIN, ALL_WITHIN)
    return isinstance(value, str)


def _check_zones(name: str, zones: list[dict[str, Any]], medium: int) -> None:
    symbols = SYMBOLS[medium]
    for accuracy_class in sorted({zone["class_tenths"] for zone in zones}):
        where = f"{name} of class {accuracy_class} tenths"
        at = symbols[0]
        for zone in (zone for zone in zones if zone["class_tenths"] == accuracy_class):
            start, due = symbols.index(zone["from"]), symbols.index(at)
            if start != due:
                code, what = ("rules.gap", "a gap") if start > due else ("rules.overlap", "an overlap")
                raise BadPack(
                    f"{where} have {what}: a zone starts at {zone['from']} where {at} was due", code
                )
            at = zone["to"]
            if symbols.index(at) <= start:
                raise BadPack(f"{where}: the zone from {zone['from']} is empty", "rules.gap")
        if at != symbols[-1]:
            raise BadPack(f"{where} have a gap from {at} to {symbols[-1]}", "rules.gap")


def _check_rows(found: Mapping[str, Any]) -> None:
    """What rows say of each other: bands the right way up, classes that exist, ranges that ascend."""
    for row in found["points"]:
        low, target, high = (Fraction(*row[name]) for name in ("least", "target", "most"))
        if not low <= target <= high:
            raise BadPack(f"points: the target at {row['at']} lies outside of its band", "rules.field")
    classes = {row["class_tenths"] for row in found["limits"]}
    for name in ("same_sign", "house_limits"):
        strange = {row["class_tenths"] for row in found[name]} - classes
        if strange:
            raise BadPack(f"{name} has class {min(strange)} tenths, which has no limits", "rules.field")
    reach = [row["most_qmax_ml_per_h"] for row in found["air_temperature"]]
    if reach != sorted(set(reach)):
        raise BadPack("air_temperature: rows ascend, each with a greater most_qmax_ml_per_h", "rules.overlap")
    if found.get("density_table", DENSITY_DIGEST.hex()) != DENSITY_DIGEST.hex():
        raise BadPack(
            "the pack was made for another table of water density than this software has", "rules.field"
        )
