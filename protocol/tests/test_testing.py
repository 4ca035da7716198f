"""The public test doubles really sign, link, prove and decode: other suites stand on them."""

from fractions import Fraction

import pytest

from meterseal_protocol import receipt
from meterseal_protocol.errors import UnknownKey
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.statement import read
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.runs import (
    METER_TICKS,
    REFERENCE_PULSE_UL,
    Seat,
    plan_document,
    point,
    telegram,
)
from meterseal_protocol.testing.world import METER_PULSE_UL, ROLES, WATER_BENCH, World
from meterseal_protocol.verify import verify
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p
from meterseal_wire.chain import LINKED, Head, link
from meterseal_wire.digest import sha256
from meterseal_wire.scan import scan
from meterseal_wire.statement import Author
from meterseal_wire.telegram.mbus_telegram import decode, electronic_address, volume
from meterseal_wire.tree import tree_hash

SEATS = [Seat(1, "12082058", points=[point(0, 2_500_000, 500)], end_litres=110)]
PLAN = plan_document(bytes(32), [[2_500_000, 1000, 10_000_000, 5000, 1]])


def fixture(world: World) -> ModelFixture:
    """A fixture through two epochs: a run, a power cut in the second one, its abandonment."""
    made = ModelFixture(world.author(WATER_BENCH))
    made.boot()
    made.attempt(SEATS, PLAN, bytes(32))
    made.result(SEATS)
    made.attempt(SEATS, PLAN, bytes(32))
    place = made.epoch, made.seq
    made.boot()
    made.abandoned(kinds.POWER, place)
    made.event("case.opened", "seal 17")
    return made


def test_every_grant_of_the_world_verifies_under_its_signer() -> None:
    """Root signs the national ones, the province the rest; the DEMO mark is on all of them."""
    world = World()
    for name, raw in world.grants.items():
        signer = "root" if name in {"delegation", "registry", "rules jjg162", "rules jjg577"} else "province"
        assert verify(raw, world.ring(signer)).statement.payload[L.DEMO] == 1


def test_every_world_has_keys_of_its_own() -> None:
    """No secret is shared between two tests."""
    first, second = World(), World()
    assert set(first.keys) == set(ROLES)
    assert not {key.thumbprint for key in first.keys.values()} & {
        key.thumbprint for key in second.keys.values()
    }
    assert scan(first.anchors_file) == [first.keys["root"].public.cose]


def test_what_the_model_fixture_signs_is_one_chain() -> None:
    """Each statement links to the one before by the wire's own rule, across the power cut too."""
    world = World()
    held: Head | None = None
    for item in fixture(world).signed:
        statement = verify(item.raw, world.ring(WATER_BENCH)).statement
        assert statement.chain is not None
        assert link(held, statement.chain, statement.identity, None) == LINKED
        held = Head(statement.chain[0], statement.chain[1], statement.identity)
        assert item.identity == statement.identity


def test_evidence_is_what_digest_and_root_cover() -> None:
    """An attempt's plan, a result's leaves, in order."""
    _, attempt, result, *_ = fixture(World()).signed
    assert sha256(attempt.evidence[0]) == read(attempt.raw).payload[L.PLAN]
    assert tree_hash(list(result.evidence)) == read(result.raw).payload[L.EVIDENCE_ROOT]


@pytest.mark.parametrize("medium", [kinds.WATER, kinds.GAS])
@pytest.mark.parametrize("ppm", [-50_000, -1, 0, 1, 12_345])
def test_a_point_has_exactly_the_error_asked_for(medium: int, ppm: int) -> None:
    """Design section 5: V_ref = volume per pulse * ref_counts * meter_ticks / ref_ticks; E = V_meter / V_ref - 1."""
    row = point(0, 1_000_000, ppm, medium)
    reference = Fraction(
        REFERENCE_PULSE_UL[medium] * row[p.REF_COUNTS] * row[p.METER_TICKS], row[p.REF_TICKS]
    )
    metered = METER_PULSE_UL[medium] * row[p.METER_COUNTS]
    assert Fraction(metered) / reference - 1 == Fraction(ppm, 1_000_000)
    assert row[p.METER_TICKS] == METER_TICKS


def test_a_points_duration_is_its_volume_at_its_flow() -> None:
    """1000 counts of 10 mL are 10 L; at 2.5 m3/h that takes 14.4 s."""
    assert point(0, 2_500_000, 0)[p.DURATION_MS] == 14_400


def test_a_telegram_decodes_to_its_address_and_reading() -> None:
    """The wire's own decoder, which is held to libmbus elsewhere: 110 L are 110 of 10^-3 m3."""
    seat = SEATS[0]
    found = decode(telegram(seat.address, 110))
    assert volume(found) == (110, -3)
    assert electronic_address(found.identity) == seat.address
    assert found.identity.id == "12082058"


def test_a_silent_seat_has_no_address_and_no_leaves() -> None:
    """Named by hand, ended early, nothing read."""
    seat = Seat(2, "12082059", silent=True, ended=kinds.SILENT)
    assert L.ELECTRONIC_ADDRESS not in seat.in_attempt()
    assert seat.in_attempt()[L.READ_BY] == kinds.BY_HAND
    assert seat.in_result() == {L.POSITION: 2, L.POINTS: [], L.ENDED: kinds.SILENT}
    assert seat.leaves() == []


def test_the_record_proves_every_entry_it_took() -> None:
    """Receipts against one root, times and leaves as entered."""
    record = Record(World())
    record.enter_grants()
    record.beacon()
    record.now_s += 60
    record.enter_all(fixture(record.world).signed)
    record.scope(SEATS[0].meter)
    ring = record.world.ring("registry")
    for entry in record.pool:
        found = receipt.check(record.receipt(entry), entry.statement.identity, ring)
        assert (found.leaf, found.entered_s, found.root) == (entry.leaf, entry.entered_s, record.tree.root())


def test_the_records_scope_lists_attempts_and_what_closed_them() -> None:
    """Design section 1, point 6: here two attempts, a result and an abandonment; boots and events are not listed."""
    record = Record(World())
    made = fixture(record.world)
    entries = record.enter_all(made.signed)
    scope = record.scope(SEATS[0].meter).statement.payload
    wanted = {L.KIND_ATTEMPT, L.KIND_RESULT, L.KIND_ABANDONED}
    assert set(scope[L.ENTRIES]) == {e.statement.identity for e in entries if e.statement.typ in wanted}
    assert len(scope[L.ENTRIES]) == 4
    assert scope[L.LOG_SIZE] == len(entries)


def test_the_record_takes_nothing_from_a_stranger() -> None:
    """It verifies like a registry does."""
    record = Record(World())
    stranger = ModelFixture(Author("YUHANG1", "W1", PrivateKey.generate()))
    with pytest.raises(UnknownKey):
        record.enter_all([stranger.boot()])
