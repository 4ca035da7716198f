"""A rule pack: a regulation's numbers as data, each with its source and whether that source was checked.

YAML in, canonical CBOR out; the CBOR is what is loaded, hashed and named by a rules grant. The packs that ship are
drafts: what makes one count is the authority's grant over its digest.

Every value stands as {value, source, checked}. A field's name ends in its unit. Fractions are [numerator,
denominator]. Legal limits are `limits`; a maker's own tighter figure is `house_share`, which no judge reads. Fields
below the line in `_SINGLES` are kept for people and for later judges.

Refused: fields that are unknown, missing or in another unit; zones of a class that leave a gap or overlap; another
density table than this software's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Any

from meterseal_protocol.errors import BadPack
from meterseal_protocol.metrology import DENSITY_DIGEST
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_wire import kinds
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

PACK_BYTES = 65536
HEAD = ("name", "edition", "medium", "values")
WATER_FLOWS, GAS_FLOWS = ("q1", "q2", "q3", "q4"), ("qmin", "qt", "qmax")
SYMBOLS = {kinds.WATER: WATER_FLOWS, kinds.GAS: GAS_FLOWS}
ONE_WITHIN, ALL_WITHIN = "one_within", "all_within"

_BOTH = {
    "most_tries": "count",
    "most_beacon_age_s": "count",
    "install_within_days": "count",
    "least_assurance": "count",
    "most_leak_10pa_per_min": "count",
    "least_closed_s": "count",
    "most_zero_counts": "count",
    "repeats": "count",
    "settle_ms": "count",
    "least_counts": "count",
    "least_cycles": "count",
    "least_duration_ms": "count",
    "standard_share": "fraction",
    "point_share": "fraction",
    "sensor_temperature_mk": "count",
    "sensor_pressure_10pa": "count",
    "house_share": "fraction",
}
_SINGLES = {
    kinds.WATER: {
        **_BOTH,
        "q2_over_q1": "fraction",
        "q4_over_q3": "fraction",
        "warm_above_mk": "count",
        "density_table": "text",
        "least_outlet_gauge_10pa": "count",
        "least_water_mk": "count",
        "most_water_mk": "count",
        # for people
        "inlet_pipe_dn": "count",
        "outlet_pipe_dn": "count",
        "pressure_test_ratio": "fraction",
        "pressure_test_s": "count",
        "certificate_rounding_ppm": "count",
    },
    kinds.GAS: {
        **_BOTH,
        "qt_over_qmax": "fraction",
        "least_humidity_permille": "count",
        "most_humidity_permille": "count",
        "most_difference_mk": "count",
        # for people
        "soak_hours": "count",
        "tightness_ratio": "fraction",
        "most_pressure_loss_pa": "count",
    },
}
_ROWS = {
    "limits": {
        "class_tenths": "count",
        "from": "flow",
        "to": "flow",
        "limit_ppm": "count",
        "warm_limit_ppm": "count",
    },
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
_MAY_BE_EMPTY = ("air_temperature",)


@dataclass(frozen=True)
class Zone:
    """Limit of a class for flows from `low` up to but not including `high`; the highest zone includes it."""

    accuracy_class: int
    low: str
    high: str
    limit: Fraction
    warm_limit: Fraction


@dataclass(frozen=True)
class Point:
    """One flow of the plan: the named flow, the band allowed around it and the target, as factors of it."""

    at: str
    least: Fraction
    most: Fraction
    target: Fraction


@dataclass(frozen=True)
class SameSign:
    """Where all errors from flow `low` up have one sign: one within `share` of its limit, or all within `most`."""

    accuracy_class: int
    low: str
    rule: str
    share: Fraction
    most: Fraction


@dataclass(frozen=True)
class Pack:
    """A pack as loaded: canonical bytes, their SHA-256, and the values by name."""

    raw: bytes
    name: str
    medium: int
    values: Mapping[str, Any]
    digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", sha256(self.raw).digest())

    @classmethod
    def load(cls, raw: bytes) -> "Pack":
        """From canonical CBOR; BadPack says which field is wrong."""
        try:
            document = scan(raw, PACK_BYTES)
        except WireError as error:
            raise BadPack(f"the pack is not canonical CBOR: {error}") from None
        values = check(document)
        return cls(raw, document["name"], document["medium"], values)

    def number(self, name: str) -> int:
        """A whole number, in the unit its name ends in."""
        found: int = self.values[name]
        return found

    def fraction(self, name: str) -> Fraction:
        """A ratio or share."""
        return Fraction(*self.values[name])

    def flow(self, symbol: str, meter: MeterType) -> Fraction:
        """The named flow of a meter type, mL/h."""
        first, second = meter.flows
        if self.medium == kinds.GAS:
            named = {"qmax": Fraction(first), "qmin": Fraction(second)}
            named["qt"] = first * self.fraction("qt_over_qmax")
            return named[symbol]
        q1 = Fraction(first, second)
        named = {"q1": q1, "q3": Fraction(first)}
        named["q2"] = q1 * self.fraction("q2_over_q1")
        named["q4"] = first * self.fraction("q4_over_q3")
        return named[symbol]

    @cached_property
    def points(self) -> list[Point]:
        """Points in the order in which they run."""
        return [
            Point(row["at"], *(Fraction(*row[name]) for name in ("least", "most", "target")))
            for row in self.values["points"]
        ]

    def zones(self, accuracy_class: int) -> list[Zone]:
        """Zones of a class, lowest flow first; empty for a class that the pack does not know."""
        return [
            Zone(
                row["class_tenths"],
                row["from"],
                row["to"],
                Fraction(row["limit_ppm"], 1_000_000),
                Fraction(row["warm_limit_ppm"], 1_000_000),
            )
            for row in self.values["limits"]
            if row["class_tenths"] == accuracy_class
        ]

    def same_sign(self, accuracy_class: int) -> list[SameSign]:
        """Same-sign rules of a class."""
        return [
            SameSign(
                row["class_tenths"],
                row["from"],
                row["rule"],
                Fraction(*row["share"]),
                Fraction(row["most_ppm"], 1_000_000),
            )
            for row in self.values["same_sign"]
            if row["class_tenths"] == accuracy_class
        ]


def load_pack(name: str) -> Pack:
    """The shipped pack of that name, such as "jjg162"; BadPack where none has it."""
    path = files("meterseal_protocol.rules") / "packs" / f"{name}.cbor"
    if not name.isalnum() or not path.is_file():
        raise BadPack(f"no rule pack {name} ships with this version")
    return Pack.load(path.read_bytes())


def compile_pack(document: Any) -> bytes:
    """Canonical CBOR of a pack read from YAML; BadPack where it is not one."""
    check(document)
    return bytes(encode(document))


def check(document: Any) -> dict[str, Any]:
    """The bare values of a pack document by field, or BadPack."""
    if not isinstance(document, dict) or set(document) != set(HEAD):
        raise BadPack(f"a pack has exactly the fields {', '.join(HEAD)}")
    medium, values = document["medium"], document["values"]
    if not isinstance(document["name"], str) or not isinstance(document["edition"], str):
        raise BadPack("name and edition are text")
    if not isinstance(medium, int) or medium is True or medium not in SYMBOLS or not isinstance(values, dict):
        raise BadPack("medium is 1 (water) or 2 (gas), and values is a map")
    singles = _SINGLES[medium]
    _check_names(values, (*singles, *_ROWS), "the pack")
    found: dict[str, Any] = {
        name: _bare(values[name], {name: rule}, medium, name)[name] for name, rule in singles.items()
    }
    for name, row in _ROWS.items():
        if not isinstance(values[name], list) or not (values[name] or name in _MAY_BE_EMPTY):
            raise BadPack(f"{name} is a list of values")
        found[name] = [_bare(item, row, medium, name) for item in values[name]]
    _check_zones(found["limits"], medium)
    _check_table(found)
    return found


def _check_names(found: Mapping[str, Any], wanted: tuple[str, ...], where: str) -> None:
    for name in found:
        if name in wanted:
            continue
        stem = str(name).rpartition("_")[0]
        meant = [known for known in wanted if stem and known.startswith(f"{stem}_") and known not in found]
        hint = f"; its unit must be that of {meant[0]}" if meant else ""
        raise BadPack(f"{where} has an unknown field {name}{hint}")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise BadPack(f"{where} lacks {missing[0]}")


def _bare(item: Any, rules: Mapping[str, str], medium: int, name: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BadPack(f"{name} needs value, source and checked")
    _check_names(item, ("value", "source", "checked"), name)
    if not isinstance(item["source"], str) or not isinstance(item["checked"], bool):
        raise BadPack(f"{name}: source is text and checked is true or false")
    parts = {name: item["value"]} if list(rules) == [name] else item["value"]
    if not isinstance(parts, dict):
        raise BadPack(f"{name} is a map")
    _check_names(parts, tuple(rules), name)
    for part, rule in rules.items():
        if not _fits(parts[part], rule, medium):
            raise BadPack(f"{name}: {part} is not a {rule}")
    return parts


def _fits(value: Any, rule: str, medium: int) -> bool:
    if rule == "count":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if rule == "fraction":
        pair = isinstance(value, list) and len(value) == 2 and all(_fits(part, "count", 0) for part in value)
        return pair and value[1] > 0
    if rule == "flow":
        return value in SYMBOLS[medium]
    if rule == "rule":
        return value in (ONE_WITHIN, ALL_WITHIN)
    return isinstance(value, str)


def _check_zones(zones: list[dict[str, Any]], medium: int) -> None:
    lowest, highest = SYMBOLS[medium][0], SYMBOLS[medium][-1]
    for accuracy_class in sorted({zone["class_tenths"] for zone in zones}):
        at = lowest
        for zone in (zone for zone in zones if zone["class_tenths"] == accuracy_class):
            if zone["from"] != at:
                raise BadPack(
                    f"limits of class {accuracy_class} tenths have a gap or overlap: a zone starts at "
                    f"{zone['from']} where {at} was due"
                )
            at = zone["to"]
            if SYMBOLS[medium].index(at) <= SYMBOLS[medium].index(zone["from"]):
                raise BadPack(
                    f"limits of class {accuracy_class} tenths: the zone from {zone['from']} is empty"
                )
        if at != highest:
            raise BadPack(f"limits of class {accuracy_class} tenths have a gap from {at} to {highest}")


def _check_table(values: Mapping[str, Any]) -> None:
    if values.get("density_table", DENSITY_DIGEST.hex()) != DENSITY_DIGEST.hex():
        raise BadPack("the pack was made for another table of water density than this software has")
