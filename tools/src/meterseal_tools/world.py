"""The demo's people: a national root, a province, a maker, two benches, an edge and a registry, with fresh keys.

Every key is made here and written 0600; every grant is marked DEMO, so every certificate that rests on one says
so. Grants go to the registry in the order of `World.grants`, parents first.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.rules import load_pack
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

DAY_S = 86400
SITE = "YUHANG1"
MAKER = "DEMO"
ZHEJIANG = "33"
PEOPLE = {"verifier": kinds.VERIFIER, "checker": kinds.CHECKER, "approver": kinds.APPROVER}
ROLES = ("root", "province", "registry", "edge", "W1", "G1", *PEOPLE)
PACKS = {"W1": "jjg162", "G1": "jjg577"}


@dataclass(frozen=True)
class MeterType:
    """What a type approval says of a meter; `number` is the approval's number."""

    number: str
    medium: int
    nominal: int
    accuracy_class: int
    flows_ml_per_h: tuple[int, int]
    pulse_ul: int
    register_exponent: int
    bus_identity: bytes
    cycle_volume_ul: int = 0
    approved: bool = True


@dataclass(frozen=True)
class BenchPlan:
    """One bench: its fixture, medium, reference standard and calibration rows [flow, [ul, 1], U in ppm]."""

    fixture: str
    bench: str
    medium: int
    standard: str
    calibration: tuple[tuple[int, tuple[int, int], int], ...]
    positions: int = 8


WATER_FLOWS = (2_500_000, 100)  # Q3 2.5 m3/h, R 100
GAS_FLOWS = (6_000_000, 40_000)  # G4: qmax 6 m3/h, qmin 0.04 m3/h


def _water(number: str, exponent: int, bus_identity: str, approved: bool = True) -> MeterType:
    identity_bytes = bytes.fromhex(bus_identity)
    return MeterType(
        number, kinds.WATER, 20, 20, WATER_FLOWS, 10_000, exponent, identity_bytes, 10_000, approved
    )


def _gas(number: str, exponent: int, bus_identity: str) -> MeterType:
    return MeterType(
        number, kinds.GAS, 40, 15, GAS_FLOWS, 100_000, exponent, bytes.fromhex(bus_identity), 1_200_000
    )


# bus_identity: manufacturer, version, medium as the captured telegram of the same name transmits them.
TYPES = {
    "itron_cyble": _water("2026F101-33", -1, "77041416"),
    "itron_bm": _water("2026F102-33", -3, "77040e16"),
    "ram": _water("2026F103-33", -3, "2d480307"),
    "padpuls": _water("2026F104-33", -3, "24400107"),
    "waterstar": _water("2026F105-33", -3, "c5140006"),
    "siemens": _water("NONE-33", -3, "65329906", approved=False),
    "lgb": _gas("2026F201-33", -3, "e2304003"),
    "els": _gas("2026F202-33", -2, "93153303"),
}
BENCHES = (
    BenchPlan(
        "W1",
        "WATER-1",
        kinds.WATER,
        "REF-W1",
        (
            (20_000, (1000_400, 1000), 1500),
            (400_000, (1000_000, 1000), 800),
            (3_200_000, (999_700, 1000), 800),
        ),
    ),
    BenchPlan(
        "G1",
        "GAS-1",
        kinds.GAS,
        "REF-G1",
        ((30_000, (10_006, 1), 2500), (1_200_000, (10_000, 1), 1800), (7_000_000, (9_996, 1), 1800)),
    ),
)


@dataclass(frozen=True)
class World:
    """Keys by role, and signed grants parents first, each with a short name for people."""

    keys: dict[str, PrivateKey]
    grants: tuple[tuple[str, bytes], ...]

    @property
    def anchors(self) -> bytes:
        """The auditor's own trust: a CBOR array with the root's COSE_Key."""
        return encode([self.keys["root"].public.cose])


def make_world(folder: Path, now_s: int | None = None) -> World:
    """Fresh keys in `folder` (0600, never overwritten) and every grant the demo needs."""
    keys = {role: PrivateKey.generate() for role in ROLES}
    folder.mkdir(parents=True, exist_ok=True)
    for role in ("root", "province", "registry", "edge", *PEOPLE):
        keys[role].save(folder / f"{role}.key")
    now = int(time.time()) if now_s is None else now_s
    return World(keys, tuple(_Issuer(keys, now).all_grants()))


class _Issuer:
    def __init__(self, keys: dict[str, PrivateKey], now_s: int) -> None:
        self.keys = keys
        self.window = [now_s - 30 * DAY_S, now_s + 3 * 365 * DAY_S]
        self.number = 0
        self.province = b""

    def sign(self, role: str, kind: int, fields: dict[int, Any], parent: bytes = b"") -> bytes:
        self.number += 1
        payload = {L.GRANT: kind, L.NUMBER: self.number, L.WINDOW: self.window, L.DEMO: 1, **fields}
        if parent:
            payload[L.PARENT] = parent
        issuer = {"root": "SAMR-DEMO", "province": "ZJ-DEMO"}[role]
        return build(Author(issuer, kinds.GRANT_NAMES[kind], self.keys[role]), L.KIND_GRANT, payload)

    def key_of(self, role: str) -> dict[int, Any]:
        return self.keys[role].public.cose

    def all_grants(self) -> list[tuple[str, bytes]]:
        found = self.national()
        self.province = identity(found[0][1])
        return found + self.provincial()

    def national(self) -> list[tuple[str, bytes]]:
        delegation = {
            L.SUBJECT_KEY: self.key_of("province"),
            L.MEASURES: [kinds.TYPE_APPROVAL, kinds.ENTERPRISE_STANDARDS, kinds.TWO_IN_ONE, *range(7, 10)],
            L.TERRITORY: [ZHEJIANG],
            L.DEPTH: 1,
        }
        registry = {L.SUBJECT_KEY: self.key_of("registry"), L.REGISTRY: "REG-CN"}
        found = [
            ("delegation to the province", self.sign("root", kinds.DELEGATION, delegation)),
            ("registry", self.sign("root", kinds.REGISTRY, registry)),
        ]
        for name in PACKS.values():
            rules = {L.RULES: load_pack(name).digest, L.RULES_NAME: name}
            found.append((f"rules {name}", self.sign("root", kinds.RULES, rules)))
        return found

    def by_province(self, kind: int, fields: dict[int, Any]) -> bytes:
        return self.sign("province", kind, fields, self.province)

    def provincial(self) -> list[tuple[str, bytes]]:
        manufacturer = {
            L.MAKER: MAKER,
            L.MEDIA: [kinds.WATER, kinds.GAS],
            L.NOMINAL_RANGE: [15, 60],
            L.SITES: [SITE],
            L.TERRITORY: [ZHEJIANG],
        }
        edge = {L.SUBJECT_KEY: self.key_of("edge"), L.EDGE: "EDGE1", L.SITE: SITE}
        found = [
            (f"manufacturer {MAKER}", self.by_province(kinds.MANUFACTURER, manufacturer)),
            ("edge EDGE1", self.by_province(kinds.EDGE, edge)),
        ]
        approved = (meter for meter in TYPES.values() if meter.approved)
        found += [
            (f"type {meter.number}", self.by_province(kinds.TYPE, type_fields(meter))) for meter in approved
        ]
        for person, role in PEOPLE.items():
            found.append((f"person {person}", self.by_province(kinds.PERSON, self.person(person, role))))
        for bench in BENCHES:
            found.append((f"standard {bench.standard}", self.by_province(kinds.STANDARD, _standard(bench))))
            found.append((f"fixture {bench.fixture}", self.by_province(kinds.FIXTURE, self.fixture(bench))))
        return found

    def person(self, person: str, role: int) -> dict[int, Any]:
        return {
            L.SUBJECT_KEY: self.key_of(person),
            L.ROLES: [role],
            L.QUALIFICATION: [kinds.WATER, kinds.GAS],
            L.INSTITUTION: "DEMO factory",
        }

    def fixture(self, bench: BenchPlan) -> dict[int, Any]:
        return {
            L.SUBJECT_KEY: self.key_of(bench.fixture),
            L.FIXTURE: bench.fixture,
            L.BENCH: bench.bench,
            L.SITE: SITE,
            L.POSITION_COUNT: bench.positions,
            L.STANDARDS: [bench.standard],
            L.ASSURANCE: 0,
        }


def type_fields(meter: MeterType) -> dict[int, Any]:
    """A type approval's fields as the grant states them."""
    return {
        L.MAKER: MAKER,
        L.TYPE: meter.number,
        L.MEDIUM: meter.medium,
        L.NOMINAL: meter.nominal,
        L.ACCURACY_CLASS: meter.accuracy_class,
        L.FLOWS_ML_PER_H: list(meter.flows_ml_per_h),
        L.METER_PULSE_UL: [meter.pulse_ul, 1],
        L.REGISTER_EXPONENT: meter.register_exponent,
        L.CYCLE_VOLUME_UL: meter.cycle_volume_ul,
        L.UPDATE_INTERVAL_MS: 0,
        L.BUS_IDENTITY: meter.bus_identity,
    }


def _standard(bench: BenchPlan) -> dict[int, Any]:
    return {
        L.STANDARD: bench.standard,
        L.CALIBRATION: [[flow, list(volume), u_ppm] for flow, volume, u_ppm in bench.calibration],
        L.MANAGEMENT: 1,
        L.TRACEABILITY: ["DEMO: simulated reference, no certificate"],
    }
