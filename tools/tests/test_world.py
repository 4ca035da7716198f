"""The demo's world: fresh keys in closed files, and grants that verify, parents first, all of them marked as demo."""

import stat
from pathlib import Path
from typing import Any

import pytest

from meterseal_protocol.evidence import Entry
from meterseal_protocol.grant import Grants, Interval, narrowed
from meterseal_protocol.holders import Holders
from meterseal_protocol.keys import KeyRing, PrivateKey, PublicKey
from meterseal_protocol.rules import load_pack
from meterseal_protocol.statement import Statement, read
from meterseal_protocol.verify import verify
from meterseal_tools.world import BENCHES, DAY_S, PACKS, ROLES, TYPES, World, make_world
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan

NOW_S = 1_795_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the keys go."""
    return tmp_path / "keys"


@pytest.fixture
def world(folder: Path) -> World:
    """A world made at NOW_S."""
    return make_world(folder, NOW_S)


def statements(world: World) -> dict[str, Statement]:
    """Grants by their short name, read."""
    return {name: read(raw) for name, raw in world.grants}


def only(world: World, kind: int) -> list[dict[int, Any]]:
    """Payloads of one kind of grant."""
    return [item.payload for item in statements(world).values() if item.payload[L.GRANT] == kind]


def test_keys_lie_in_files_for_their_owner_alone(folder: Path, world: World) -> None:
    """Rule: key files are 0600. The fixtures' own keys are saved with the fixtures, not here."""
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == [
        "approver.key",
        "checker.key",
        "edge.key",
        "province.key",
        "registry.key",
        "root.key",
        "verifier.key",
    ]
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert PrivateKey.load(path).public_xy == world.keys[path.stem].public_xy


def test_every_world_has_fresh_keys_for_every_role(world: World, tmp_path: Path) -> None:
    """Rule: the demo's keys are made fresh at each run."""
    other = make_world(tmp_path / "other", NOW_S)
    assert set(world.keys) == set(ROLES)
    both = [key.public_xy for each in (world, other) for key in each.keys.values()]
    assert len(set(both)) == 2 * len(ROLES)


def test_a_second_world_never_overwrites_the_first_ones_keys(folder: Path, world: World) -> None:
    """The folder has keys already: refused, and they stay as they were."""
    before = (folder / "root.key").read_bytes()
    with pytest.raises(Exception, match="never overwritten"):
        make_world(folder, NOW_S)
    assert (folder / "root.key").read_bytes() == before


def test_the_root_signs_national_grants_and_the_province_the_rest(world: World) -> None:
    """Contract: root signs delegation, registry, rules; province manufacturer, type, standard, fixture, edge."""
    national = {kinds.DELEGATION, kinds.REGISTRY, kinds.RULES}
    for raw in dict(world.grants).values():
        ring = KeyRing()
        kind = read(raw).payload[L.GRANT]
        ring.add(world.keys["root" if kind in national else "province"].public)
        assert verify(raw, ring).statement.kind == "grant"


def test_parents_come_first_and_nothing_waits(world: World) -> None:
    """Grants are submitted in this order: each must be believed when it comes, from the anchors file alone."""
    anchors = [PublicKey.from_cose(key) for key in scan(world.anchors)]
    holders = Holders(anchors)
    for name, raw in world.grants:
        assert holders.learn([raw]) == [], name
    found = {role: holders.kinds_of(key.thumbprint) for role, key in world.keys.items()}
    assert found == {
        "root": set(),
        "province": {kinds.DELEGATION},
        **{person: {kinds.PERSON} for person in ("verifier", "checker", "approver")},
        "registry": {kinds.REGISTRY},
        "edge": {kinds.EDGE},
        "W1": {kinds.FIXTURE},
        "G1": {kinds.FIXTURE},
    }


def test_every_grant_holds_for_a_test_of_today(world: World) -> None:
    """The protocol's own rule over authority: nothing speaks against any of them, a minute from now."""
    items = list(statements(world).values())
    signer = {name: world.keys[name].thumbprint for name in ("root", "province")}
    entries = [
        Entry(item, signer["province" if L.PARENT in item.payload else "root"], leaf, NOW_S)
        for leaf, item in enumerate(items)
    ]
    grants = Grants(entries, [world.keys["root"].public])
    today = Interval(NOW_S, NOW_S + 60, len(items))
    assert [grants.against(grant, today) for grant in grants.below(len(items))] == [[]] * len(items)


def test_every_grant_is_marked_as_demo_and_numbered_once(world: World) -> None:
    """Contract: every grant of the demo carries DEMO: 1. Thirty days back, three years on."""
    payloads = [item.payload for item in statements(world).values()]
    assert {payload[L.DEMO] for payload in payloads} == {1}
    assert [payload[L.NUMBER] for payload in payloads] == list(range(1, len(payloads) + 1))
    assert {tuple(payload[L.WINDOW]) for payload in payloads} == {(NOW_S - 30 * DAY_S, NOW_S + 1095 * DAY_S)}


def test_provincial_grants_stay_within_the_delegation(world: World) -> None:
    """Narrow only: Zhejiang is 33 in GB/T 2260; types, standards, two-in-one, tenants, help and people."""
    (delegation,) = only(world, kinds.DELEGATION)
    assert (delegation[L.TERRITORY], delegation[L.MEASURES]) == (["33"], [1, 4, 5, 7, 8, 9])
    children = [item.payload for item in statements(world).values() if L.PARENT in item.payload]
    assert len(children) == 16  # maker, edge, seven types, three people, two standards, two fixtures
    assert all(narrowed(child, delegation) for child in children)


def test_the_manufacturer_may_make_what_the_demo_tests(world: World) -> None:
    """DN 20 and G4 (ten times the G number: 40) lie within 15 to 60, water and gas, at the one site."""
    (maker,) = only(world, kinds.MANUFACTURER)
    low, high = maker[L.NOMINAL_RANGE]
    assert (maker[L.MAKER], maker[L.SITES], maker[L.TERRITORY]) == ("DEMO", ["YUHANG1"], ["33"])
    assert all(low <= meter.nominal <= high and meter.medium in maker[L.MEDIA] for meter in TYPES.values())


def test_one_type_is_never_approved_and_the_others_are_as_the_catalogue_says(world: World) -> None:
    """Eight types, seven grants; each states medium, pulse, register and bus identity as the table has them."""
    granted = {payload[L.TYPE]: payload for payload in only(world, kinds.TYPE)}
    approved = {meter.number: meter for meter in TYPES.values() if meter.approved}
    assert len(TYPES) == 8 and granted.keys() == approved.keys() and "NONE-33" not in granted
    for number, payload in granted.items():
        meter = approved[number]
        assert payload[L.MEDIUM] == meter.medium
        assert payload[L.METER_PULSE_UL] == [meter.pulse_ul, 1]
        assert payload[L.REGISTER_EXPONENT] == meter.register_exponent
        assert payload[L.BUS_IDENTITY] == meter.bus_identity
        assert payload[L.FLOWS_ML_PER_H] == list(meter.flows_ml_per_h)


def test_benches_stand_on_standards_that_are_granted_and_calibrated_over_every_flow(world: World) -> None:
    """Water from Q1 = 25 L/h to Q3 = 2500 L/h; gas from qmin = 40 L/h to qmax = 6000 L/h; ascending rows."""
    standards = {payload[L.STANDARD]: payload for payload in only(world, kinds.STANDARD)}
    wanted = {kinds.WATER: (25_000, 2_500_000), kinds.GAS: (40_000, 6_000_000)}
    fixtures = {payload[L.FIXTURE]: payload for payload in only(world, kinds.FIXTURE)}
    for bench in BENCHES:
        (name,) = fixtures[bench.fixture][L.STANDARDS]
        flows = [row[0] for row in standards[name][L.CALIBRATION]]
        assert flows == sorted(flows)
        assert flows[0] <= wanted[bench.medium][0] and wanted[bench.medium][1] <= flows[-1]
        assert fixtures[bench.fixture][L.POSITION_COUNT] == 8


def test_rules_grants_name_the_packs_that_ship(world: World) -> None:
    """What makes a pack count is the grant over its digest."""
    named = {payload[L.RULES_NAME]: payload[L.RULES] for payload in only(world, kinds.RULES)}
    assert named == {name: load_pack(name).digest for name in PACKS.values()}
