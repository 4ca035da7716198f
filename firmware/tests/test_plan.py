"""Plan documents: read exactly, refused by name."""

from meterseal_fixture.errors import Refused
from meterseal_fixture.plan import read_plan
from meterseal_wire import labels as L
from meterseal_wire.digest import sha256
from meterseal_wire.encode import encode

RULES = bytes(range(32))
ROW = [2500000, 10, 100000, 2000, 1]
BANDS = [[2250000, 2500000], [25000, 27500]]


def document(**changes):
    fields = {L.MEDIUM: 1, L.RULES: RULES, L.PLAN_POINTS: [ROW, [25000, 5, 50000, 500, 3]]}
    for name, value in changes.items():
        fields[getattr(L, name)] = value
    return encode(fields)


def refused(raw):
    try:
        read_plan(raw)
    except Refused as why:
        return why.code
    return "accepted"


def test_a_plan_is_read_in_its_order_and_named_by_its_hash():
    """The contract's plan document: rows [flow, least counts, least volume, settle, repeats]; 1 + 3 steps."""
    plan = read_plan(document())
    assert plan.digest == sha256(document())
    assert [(index, repeat, point.flow) for index, repeat, point in plan.steps()] == [
        (0, 0, 2500000),
        (1, 0, 25000),
        (1, 1, 25000),
        (1, 2, 25000),
    ]
    first = plan.points[0]
    assert (first.least_counts, first.least_ul, first.settle_ms, first.repeats) == (10, 100000, 2000, 1)


def test_what_a_plan_leaves_out_is_the_reference_method_without_more():
    """Method 1; any mode; no run-in; no window."""
    plan = read_plan(document())
    assert (plan.method, plan.mode, plan.run_in) == (1, None, None)
    assert [point.window_ms for point in plan.points] == [0, 0]


def test_method_mode_run_in_and_stability_are_read():
    """spec/rules.md: 128 method, 24 mode, 129 run-in, 130 stability with a band for each point."""
    plan = read_plan(document(METHOD=2, MODE=3, RUN_IN=[2500000, 60000], STABILITY=[5000, 60000, BANDS]))
    assert (plan.method, plan.mode, plan.run_in) == (2, 3, (2500000, 60000))
    assert [point.band for point in plan.points] == [(2250000, 2500000), (25000, 27500)]
    assert [(point.window_ms, point.within_ms) for point in plan.points] == [(5000, 60000)] * 2


def test_plans_that_are_not_strict_cbor_are_refused():
    """RFC 8949 section 4.2.1: a byte too many, and the number 1 spelled as 18 01."""
    assert refused(document() + b"\x00") == "plan.malformed"
    assert (
        refused(document().replace(encode(L.MEDIUM) + b"\x01", encode(L.MEDIUM) + b"\x18\x01", 1))
        == "plan.malformed"
    )
    assert refused(b"") == "plan.malformed"


def test_plans_out_of_shape_are_refused():
    """Each differs in one field from a plan that is accepted."""
    assert refused(document()) == "accepted"
    for wrong in (
        {"MEDIUM": 3},
        {"MEDIUM": True},
        {"RULES": b"short"},
        {"PLAN_POINTS": []},
        {"PLAN_POINTS": [ROW] * 33},
        {"PLAN_POINTS": [ROW[:4]]},
        {"PLAN_POINTS": [[0, 10, 0, 0, 1]]},
        {"PLAN_POINTS": [[1, 0, 0, 0, 1]]},
        {"PLAN_POINTS": [[1, 1, -1, 0, 1]]},
        {"PLAN_POINTS": [[1, 1, 0, 0, 0]]},
        {"PLAN_POINTS": [[1, 1, 0, True, 1]]},
        {"NUMBER": 1},
        {"METHOD": 3},
        {"METHOD": True},
        {"MODE": 0},
        {"MODE": 4},
        {"RUN_IN": [0, 1000]},
        {"RUN_IN": [2500000]},
        {"RUN_IN": 60000},
        {"STABILITY": [5000, 60000]},
        {"STABILITY": [0, 60000, BANDS]},
        {"STABILITY": [5000, 4999, BANDS]},
        {"STABILITY": [5000, 60000, BANDS[:1]]},
        {"STABILITY": [5000, 60000, [[2500001, 2600000], BANDS[1]]]},
        {"STABILITY": [5000, 60000, [BANDS[0], [20000, 24999]]]},
        {"STABILITY": [5000, 60000, [BANDS[0], [20000]]]},
    ):
        assert refused(document(**wrong)) == "plan.malformed", wrong
