"""A rule pack: a regulation's numbers as data, each with its source and whether that source was checked.

YAML in, canonical CBOR out; the CBOR is what is loaded, hashed and named by a rules grant. The packs that ship are
drafts: what makes one count is the authority's grant over its digest.

Every value stands as {value, source, checked}. A field's name ends in its unit. Fractions are [numerator,
denominator]. Legal limits are `limits`; a maker's own tighter ones are `house_limits`, which no judge reads. What a
document must look like is schema.py's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from meterseal_protocol.errors import BadPack
from meterseal_protocol.kept import kept
from meterseal_protocol.ratio import ratio
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.schema import check
from meterseal_wire import kinds
from meterseal_wire.encode import encode
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

PACK_BYTES = 65536


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

    def __hash__(self) -> int:
        return hash(self.digest)

    @classmethod
    def load(cls, raw: bytes) -> "Pack":
        """From canonical CBOR; BadPack says which field is wrong."""
        try:
            document = scan(raw, PACK_BYTES)
        except WireError as error:
            raise BadPack(f"the pack is not canonical CBOR: {error}", "rules.field") from None
        values = check(document)
        return cls(raw, document["name"], document["medium"], values)

    def number(self, name: str) -> int:
        """A whole number, in the unit its name ends in."""
        found: int = self.values[name]
        return found

    def numbers(self, name: str) -> list[int]:
        """A list of whole numbers."""
        found: list[int] = self.values[name]
        return found

    def fraction(self, name: str) -> Fraction:
        """A ratio or share."""
        return ratio(*self.values[name])

    def flow(self, symbol: str, meter: MeterType) -> Fraction:
        """The named flow of a meter type, mL/h."""
        return _flows(self, *meter.flows)[symbol]

    @kept
    def points(self) -> list[Point]:
        """Points in the order in which they run."""
        return [
            Point(row["at"], *(ratio(*row[name]) for name in ("least", "most", "target")))
            for row in self.values["points"]
        ]

    def zones(self, accuracy_class: int) -> list[Zone]:
        """Zones of a class, lowest flow first; empty for a class that the pack does not know."""
        return [
            Zone(
                row["class_tenths"],
                row["from"],
                row["to"],
                ratio(row["limit_ppm"], 1_000_000),
                ratio(row["warm_limit_ppm"], 1_000_000),
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
                ratio(*row["share"]),
                ratio(row["most_ppm"], 1_000_000),
            )
            for row in self.values["same_sign"]
            if row["class_tenths"] == accuracy_class
        ]


@lru_cache(maxsize=256)
def _flows(pack: Pack, first: int, second: int) -> Mapping[str, Fraction]:
    """Every named flow of the types with these two flows."""
    if pack.medium == kinds.GAS:
        return {
            "qmax": ratio(first),
            "qmin": ratio(second),
            "qt": first * pack.fraction("qt_over_qmax"),
        }
    q1 = ratio(first, second)
    return {
        "q1": q1,
        "q2": q1 * pack.fraction("q2_over_q1"),
        "q3": ratio(first),
        "q4": first * pack.fraction("q4_over_q3"),
    }


def load_pack(name: str) -> Pack:
    """The shipped pack of that name, such as "jjg162"; BadPack where none has it."""
    path = files("meterseal_protocol.rules") / "packs" / f"{name}.cbor"
    if not name.isalnum() or not path.is_file():
        raise BadPack(f"no rule pack {name} ships with this version")
    return Pack.load(path.read_bytes())


def shipped() -> list[str]:
    """Names of the packs that ship with this version."""
    found = (files("meterseal_protocol.rules") / "packs").iterdir()
    return sorted(path.name.removesuffix(".cbor") for path in found if path.name.endswith(".cbor"))


def compile_pack(document: Any) -> bytes:
    """Canonical CBOR of a pack read from YAML; BadPack where it is not one."""
    check(document)
    return bytes(encode(document))
