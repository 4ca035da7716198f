"""The operator's order: what is accepted, and what is refused with which field's name."""

from meterseal_fixture.errors import Refused
from meterseal_fixture.order import read_order
from meterseal_wire import labels as L
from meterseal_wire.encode import encode

PLAN = encode({L.MEDIUM: 1, L.RULES: bytes(32), L.PLAN_POINTS: [[2500000, 10, 100000, 2000, 1]]})
SEAT = {"position": 2, "meter": "DEMO.12345678", "type": "2026F101-33", "bus": "7856341277041416"}


def order(**changes):
    fields = {
        "do": "run",
        "plan": PLAN.hex(),
        "mode": 1,
        "operator": "00ff",
        "tenant": "",
        "positions": [SEAT],
    }
    fields.update(changes)
    return fields


def seat(**changes):
    fields = dict(SEAT)
    fields.update(changes)
    return fields


def refused(fields, places=8):
    try:
        read_order(fields, places)
    except Refused as why:
        return why.code, why.detail
    return "accepted"


def test_an_order_is_read_and_its_positions_are_sorted():
    """The panel's contract; positions go into the attempt in ascending order."""
    found = read_order(order(positions=[SEAT, seat(position=1, meter="DEMO.2")], tenant="ACME"), 8)
    assert [one.number for one in found.positions] == [1, 2]
    assert found.positions[1].bus == bytes((0x78, 0x56, 0x34, 0x12, 0x77, 0x04, 0x14, 0x16))
    assert (found.mode, found.operator, found.tenant) == (1, b"\x00\xff", "ACME")


def test_each_field_out_of_shape_is_refused_by_its_name():
    """Each order differs in one field from one that is accepted."""
    assert refused(order()) == "accepted"
    for field, wrong in (
        ("plan", "zz"),
        ("plan", 5),
        ("mode", 4),
        ("mode", True),
        ("operator", "0" * 66),
        ("operator", "0g"),
        ("tenant", "A" * 17),
        ("positions", []),
        ("positions", [5]),
        ("positions", [{"position": 1}]),
        ("speed", 3),
    ):
        assert refused(order(**{field: wrong})) == ("order.field", field), (field, wrong)
    for field, wrong in (
        ("position", "1"),
        ("meter", ""),
        ("meter", "A" * 49),
        ("type", 5),
        ("bus", "78"),
        ("bus", "zz" * 8),
    ):
        assert refused(order(positions=[seat(**{field: wrong})])) == ("order.field", field), (field, wrong)


def test_a_position_or_meter_twice_or_beyond_the_bench_is_refused():
    """Eight places: 0 and 9 are none, and one place holds one meter."""
    assert refused(order(positions=[seat(position=0)])) == ("order.position", 0)
    assert refused(order(positions=[seat(position=9)])) == ("order.position", 9)
    assert refused(order(positions=[SEAT, seat(meter="DEMO.2")])) == ("order.position", 2)
    assert refused(order(positions=[SEAT, seat(position=3)])) == ("order.meter", "DEMO.12345678")


def test_a_plan_that_cannot_be_read_refuses_the_order():
    """A plan of two bytes of rubbish."""
    assert refused(order(plan="ffff"))[0] == "plan.malformed"
