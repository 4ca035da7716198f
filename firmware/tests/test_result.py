"""Result and abandonment: means by hand, leaves in order, fields only where there is something to say."""

from hashlib import sha256

from meterseal_fixture.positions import Position, Reading
from meterseal_fixture.result import Conditions, Spread, abandoned_payload, leaves, result_payload
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.kinds import check_payload

ROW = (0, 0, 1, 10, 5000, 50, 5000, 0, 20000, 20150, 39999, 40000, 6000, 3600, 3601)


def positions():
    one, two, three = (Position(number, "DEMO.%d" % number, "T-1", bytes(8)) for number in (1, 2, 3))
    one.start, one.end, one.points = (
        Reading(b"ABCDEFGH", 100, b"start1"),
        Reading(b"ABCDEFGH", 103, b"end1"),
        [ROW],
    )
    two.end_early(kinds.SILENT)
    three.start, three.points = Reading(b"abcdefgh", 5, b"start3"), [ROW]
    three.end_early(kinds.NO_FLOW)
    return [one, two, three]


def spread(*values):
    found = Spread()
    for value in values:
        found.see(value)
    return found.row()


def test_a_spread_is_least_mean_and_greatest_in_whole_numbers():
    """By hand: (1+2)/2 = 1.5 rounds up to 2; (-1-2)/2 = -1.5 up to -1; (1+1+2)/3 = 1.33 is 1."""
    assert spread(1, 2) == (1, 2, 2)
    assert spread(-1, -2) == (-2, -1, -1)
    assert spread(2, 1, 1) == (1, 1, 2)
    assert spread(7) == (7, 7, 7)
    assert spread() == (0, 0, 0)


def test_leaves_stand_by_position_with_start_before_end():
    """The contract: leaf = CBOR [position, 0 start or 1 end, raw telegram]."""
    expected = [encode([1, 0, b"start1"]), encode([1, 1, b"end1"]), encode([3, 0, b"start3"])]
    assert leaves(positions()) == expected


def test_the_result_says_points_end_registers_and_why_a_position_ended():
    """kinds.py is the shape. Root of two leaves by RFC 9162 section 2.1.1: H(01 H(00 a) H(00 b))."""
    conditions = Conditions()
    conditions.see((20100, 10132), 600)
    conditions.see((20101, 10132), 602)
    payload = result_payload((4, 1), positions(), conditions, [b"a", b"b"])
    check_payload(L.KIND_RESULT, payload)
    first, second, third = payload[L.POSITIONS]
    assert (first[L.POINTS], first[L.END_REGISTER]) == ([ROW], 103) and L.ENDED not in first
    assert (second[L.POINTS], second[L.ENDED]) == ([], kinds.SILENT) and L.END_REGISTER not in second
    assert (third[L.POINTS], third[L.ENDED]) == ([ROW], kinds.NO_FLOW)
    assert payload[L.CONDITIONS] == ((20100, 20101, 20101), (10132, 10132, 10132), (600, 601, 602))
    left, right = sha256(b"\x00a").digest(), sha256(b"\x00b").digest()
    assert payload[L.EVIDENCE_ROOT] == sha256(b"\x01" + left + right).digest()


def test_an_abandonment_says_why_and_what_was_counted():
    """kinds.py is the shape: rows of position, meter counts, reference counts."""
    payload = abandoned_payload((4, 1), kinds.OPERATOR, [(1, 9, 47)])
    check_payload(L.KIND_ABANDONED, payload)
    assert (payload[L.ATTEMPT], payload[L.REASON], payload[L.RAW_COUNTS]) == ((4, 1), 4, [(1, 9, 47)])
