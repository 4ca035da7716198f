"""The attempt's payload: what a position says of itself when its meter answered and when it did not."""

from meterseal_fixture.attempt import Intent, attempt_payload
from meterseal_fixture.order import Order
from meterseal_fixture.plan import Plan
from meterseal_fixture.positions import Position, Reading
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.kinds import check_payload

BEACON = bytes(range(32))


def intent(tenant=""):
    positions = [Position(number, "DEMO.%d" % number, "T-1", bytes(8)) for number in (1, 2, 3)]
    positions[0].start = Reading(b"ABCDEFGH", 12565, b"raw")
    positions[2].start = Reading(b"abcdefgh", None, b"raw")
    plan = Plan(b"document", kinds.WATER, [])
    return Intent(
        Order(plan, kinds.VERIFY, (b"\x01\x02", tenant), positions),
        BEACON,
        (1000, 1, 2),
        (16000, 15990, 60, 0),
    )


def test_the_payload_is_of_its_kind_and_says_what_was_found():
    """kinds.py is the shape; the values are those given."""
    payload = attempt_payload(intent("ACME"), 7)
    check_payload(L.KIND_ATTEMPT, payload)
    assert (payload[L.COUNTER], payload[L.MODE], payload[L.TENANT]) == (7, 1, "ACME")
    assert (payload[L.BEACON], payload[L.OPERATOR]) == (BEACON, b"\x01\x02")
    assert (payload[L.CLOCK], payload[L.BENCH_CHECKS]) == ((1000, 1, 2), (16000, 15990, 60, 0))


def test_without_a_tenant_the_field_is_left_out():
    """kinds.py: tenant is optional."""
    assert L.TENANT not in attempt_payload(intent(), 1)


def test_a_meter_that_answered_was_read_by_bus_and_a_silent_one_was_named_by_hand():
    """Design section 5, kind attempt: how it was read, its address and start register where there are any."""
    read, silent, without_register = attempt_payload(intent(), 1)[L.POSITIONS]
    assert (read[L.READ_BY], read[L.ELECTRONIC_ADDRESS], read[L.START_REGISTER]) == (
        kinds.BY_BUS,
        b"ABCDEFGH",
        12565,
    )
    assert silent[L.READ_BY] == kinds.BY_HAND
    assert L.ELECTRONIC_ADDRESS not in silent and L.START_REGISTER not in silent
    assert without_register[L.READ_BY] == kinds.BY_BUS and L.START_REGISTER not in without_register
