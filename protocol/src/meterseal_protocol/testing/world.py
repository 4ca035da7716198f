"""Keys and grants of one root, one province, one maker, two benches, an edge and a registry.

The root signs the delegation and the grants of registry and rules; the province signs the rest. Every grant is
marked DEMO and holds over one window, so a test changes only what it is about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meterseal_protocol.keys import KeyRing, PrivateKey, PublicKey
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import Author, build

DAY_S = 86_400
START_S = 1_790_000_000
MAKER, SITE, ZHEJIANG = "DEMO", "YUHANG1", "33"
WATER_TYPE, GAS_TYPE = "2026F101-33", "2026F201-33"
WATER_BENCH, GAS_BENCH, EDGE, REGISTRY = "W1", "G1", "EDGE1", "REG-CN"
ISSUERS = {"root": "SAMR-DEMO", "province": "ZJ-DEMO"}
PEOPLE = {"verifier": kinds.VERIFIER, "checker": kinds.CHECKER, "approver": kinds.APPROVER}
ROLES = ("root", "province", "registry", "edge", WATER_BENCH, GAS_BENCH, *PEOPLE)
RULES = {"jjg162": sha256(b"jjg162"), "jjg577": sha256(b"jjg577")}
# Volume of a reference pulse in microlitres, the same at every calibrated flow, so that a test can reckon by hand.
WATER_PULSE_UL, GAS_PULSE_UL = 1_000, 10_000
METER_PULSE_UL = {kinds.WATER: 10_000, kinds.GAS: 100_000}
Part = tuple[str, int, dict[int, Any]]  # who signs, the kind of grant, its fields


def fresh_keys() -> dict[str, PrivateKey]:
    """A new key for every role."""
    return {role: PrivateKey.generate() for role in ROLES}


@dataclass
class World:
    """Keys by role and grants by name, parents first. `rules` are names and digests of the packs that count."""

    start_s: int = START_S
    rules: Mapping[str, bytes] = field(default_factory=lambda: dict(RULES))
    keys: dict[str, PrivateKey] = field(default_factory=fresh_keys)
    grants: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for role in ROLES:
            if role not in self.keys:
                self.keys[role] = PrivateKey.generate()
        self.window = (self.start_s - 30 * DAY_S, self.start_s + 1000 * DAY_S)
        self._number = 0
        self.grants = {name: self.grant(*parts) for name, parts in self._national().items()}
        parent = identity(self.grants["delegation"])
        for name, (_, kind, fields) in self._provincial().items():
            self.grants[name] = self.grant("province", kind, {L.PARENT: parent, **fields})

    @property
    def anchors(self) -> list[PublicKey]:
        """The root's public key: what is trusted from outside."""
        return [self.keys["root"].public]

    @property
    def anchors_file(self) -> bytes:
        """The same as a file: CBOR array of COSE_Key."""
        return bytes(encode([key.cose for key in self.anchors]))

    def ring(self, *roles: str) -> KeyRing:
        """Public keys of these roles; of all of them where none is named."""
        found = KeyRing()
        for role in roles or tuple(self.keys):
            found.add(self.keys[role].public)
        return found

    def author(self, role: str, subject: str = "test") -> Author:
        """Who signs in a role."""
        issuer = {**ISSUERS, "registry": REGISTRY, "edge": EDGE}.get(role, SITE)
        return Author(issuer, role if issuer == SITE else subject, self.keys[role])

    def grant(self, role: str, kind: int, fields: Mapping[int, Any]) -> bytes:
        """A grant of `kind` signed by `role`, numbered and with the world's window unless `fields` says otherwise."""
        self._number += 1
        payload = {L.GRANT: kind, L.NUMBER: self._number, L.WINDOW: self.window, L.DEMO: 1, **fields}
        return bytes(build(self.author(role, kinds.GRANT_NAMES[kind]), L.KIND_GRANT, payload))

    def cose(self, role: str) -> dict[int, Any]:
        """A role's public key as a grant names it."""
        return self.keys[role].public.cose

    def _national(self) -> dict[str, Part]:
        delegation = {
            L.SUBJECT_KEY: self.cose("province"),
            L.MEASURES: [kinds.TYPE_APPROVAL, kinds.ENTERPRISE_STANDARDS, kinds.TWO_IN_ONE, *range(7, 10)],
            L.TERRITORY: [ZHEJIANG],
            L.DEPTH: 1,
        }
        registry = {L.SUBJECT_KEY: self.cose("registry"), L.REGISTRY: REGISTRY}
        found: dict[str, Part] = {
            "delegation": ("root", kinds.DELEGATION, delegation),
            "registry": ("root", kinds.REGISTRY, registry),
        }
        for name, digest in self.rules.items():
            found[f"rules {name}"] = ("root", kinds.RULES, {L.RULES: digest, L.RULES_NAME: name})
        return found

    def _provincial(self) -> dict[str, Part]:
        found: dict[str, Part] = {
            "manufacturer": ("province", kinds.MANUFACTURER, manufacturer_fields()),
            "edge": (
                "province",
                kinds.EDGE,
                {L.SUBJECT_KEY: self.cose("edge"), L.EDGE: EDGE, L.SITE: SITE},
            ),
            "type water": ("province", kinds.TYPE, water_type_fields()),
            "type gas": ("province", kinds.TYPE, gas_type_fields()),
        }
        for bench, standard in ((WATER_BENCH, water_standard_fields()), (GAS_BENCH, gas_standard_fields())):
            found[f"standard {bench}"] = ("province", kinds.STANDARD, standard)
            found[f"fixture {bench}"] = ("province", kinds.FIXTURE, self.fixture_fields(bench))
        for person in PEOPLE:
            found[f"person {person}"] = ("province", kinds.PERSON, self.person_fields(person))
        return found

    def person_fields(self, person: str) -> dict[int, Any]:
        """What a person grant says: a key, one role, qualified for water and gas, at the maker's."""
        return {
            L.SUBJECT_KEY: self.cose(person),
            L.ROLES: [PEOPLE[person]],
            L.QUALIFICATION: [kinds.WATER, kinds.GAS],
            L.INSTITUTION: MAKER,
        }

    def fixture_fields(self, bench: str) -> dict[int, Any]:
        """What a fixture grant says of a bench: its key, eight positions, one standard, declared assurance."""
        return {
            L.SUBJECT_KEY: self.cose(bench),
            L.FIXTURE: bench,
            L.BENCH: f"BENCH-{bench}",
            L.SITE: SITE,
            L.POSITION_COUNT: 8,
            L.STANDARDS: [f"REF-{bench}"],
            L.ASSURANCE: 0,
        }


def manufacturer_fields() -> dict[int, Any]:
    """An authorised maker of water and gas meters, DN 15 to G6, installed untested in Zhejiang."""
    return {
        L.MAKER: MAKER,
        L.MEDIA: [kinds.WATER, kinds.GAS],
        L.NOMINAL_RANGE: [15, 60],
        L.SITES: [SITE],
        L.TERRITORY: [ZHEJIANG],
    }


def water_type_fields() -> dict[int, Any]:
    """DN 20, class 2, Q3 2.5 m3/h, R 100, 10 mL a pulse, register in litres."""
    return {
        **_type(WATER_TYPE, kinds.WATER),
        L.NOMINAL: 20,
        L.ACCURACY_CLASS: 20,
        L.FLOWS_ML_PER_H: [2_500_000, 100],
        L.CYCLE_VOLUME_UL: 10_000,
        L.BUS_IDENTITY: bytes.fromhex("2d480307"),
    }


def gas_type_fields() -> dict[int, Any]:
    """G4, class 1.5, qmax 6 m3/h, qmin 0.04 m3/h, 0.1 L a pulse, register in litres."""
    return {
        **_type(GAS_TYPE, kinds.GAS),
        L.NOMINAL: 40,
        L.ACCURACY_CLASS: 15,
        L.FLOWS_ML_PER_H: [6_000_000, 40_000],
        L.CYCLE_VOLUME_UL: 1_200_000,
        L.BUS_IDENTITY: bytes.fromhex("e2304003"),
    }


def _type(number: str, medium: int) -> dict[int, Any]:
    return {
        L.MAKER: MAKER,
        L.TYPE: number,
        L.MEDIUM: medium,
        L.METER_PULSE_UL: [METER_PULSE_UL[medium], 1],
        L.REGISTER_EXPONENT: -3,
        L.UPDATE_INTERVAL_MS: 0,
    }


def water_standard_fields() -> dict[int, Any]:
    """One mL a reference pulse from 20 L/h to 3.2 m3/h."""
    flows = ((20_000, 1500), (400_000, 800), (3_200_000, 800))
    return _standard(WATER_BENCH, [[flow, [WATER_PULSE_UL, 1], u_ppm] for flow, u_ppm in flows])


def gas_standard_fields() -> dict[int, Any]:
    """Ten mL a reference pulse from 30 L/h to 7 m3/h."""
    flows = ((30_000, 2500), (1_200_000, 1800), (7_000_000, 1800))
    return _standard(GAS_BENCH, [[flow, [GAS_PULSE_UL, 1], u_ppm] for flow, u_ppm in flows])


def _standard(bench: str, calibration: list[list[Any]]) -> dict[int, Any]:
    return {
        L.STANDARD: f"REF-{bench}",
        L.CALIBRATION: calibration,
        L.MANAGEMENT: 1,
        L.TRACEABILITY: ["DEMO: model reference"],
    }
