"""Twenty positions over three front ends, from the operator's order to what is signed, on real MicroPython."""

from fractions import Fraction

import pytest
from firmware.tests.cpython.conftest import ERRORS_PPM, FLOWS, Bench
from firmware.tests.cpython.edge_side import EdgeSide

from meterseal_tools.sim.part import Part
from meterseal_wire import kinds, point
from meterseal_wire import labels as L

TWENTY = pytest.mark.parametrize("bench", [(20, 3)], indirect=True, ids=["twenty"])
MILLION = 1_000_000


@TWENTY
def test_each_of_twenty_meters_has_its_own_error_on_three_clocks(
    bench: Bench, edge: EdgeSide, plan: bytes
) -> None:
    """The meters err by ERRORS_PPM at FLOWS by construction. The crystals are 400 and -350 ppm off and hours apart, and
    that does not show: 100 ppm is what ticks and temperature explain (test_application.py). The boot names all three.
    """
    for position in range(1, 21):
        bench.meter(position)
    bench.power()
    bench.order(plan)
    bench.panel.wait_event("result_signed", 120)
    [boot], [result] = edge.wait_for(L.KIND_BOOT), edge.wait_for(L.KIND_RESULT)
    eight, seven = (["sim-1", channels, MILLION, 1, 1, 10_000] for channels in (8, 7))
    assert boot.payload[L.BOARD] == "unix/3*sim-1"
    assert boot.payload[L.FRONT_ENDS] == [eight, eight, seven]
    assert boot.payload[L.CLOCK] == [MILLION, 1, 1]
    found = {row[L.POSITION]: row[L.POINTS] for row in result.payload[L.POSITIONS]}
    assert sorted(found) == list(range(1, 21))
    for rows in found.values():
        for row, flow, ppm in zip(rows, FLOWS, ERRORS_PPM, strict=True):
            assert abs(error_ppm(bench, row, flow) - ppm) < 100


def error_ppm(bench: Bench, row: list[int], flow: int) -> Fraction:
    """E = V_i / V_ref - 1 of a row (design section 5), with the reference that the rig was built with."""
    reference = Fraction(row[point.REF_COUNTS] * row[point.METER_TICKS], row[point.REF_TICKS])
    passed = reference * bench.rig.bench.reference.ul_per_pulse(flow)
    return (row[point.METER_COUNTS] * 10_000 / passed - 1) * MILLION


@TWENTY
def test_a_reference_that_one_front_end_does_not_see_ends_its_positions_alone(
    bench: Bench, edge: EdgeSide, plan: bytes
) -> None:
    """The third one's cable to the reference is out: position 15 ends with a fault, an event says which were its."""
    for position in (1, 8, 15):
        bench.meter(position)
    part = bench.rig.fronts[2].bench
    assert isinstance(part, Part)
    part.lost_reference = True
    bench.power()
    bench.order(plan)
    bench.panel.wait_event("result_signed", 120)
    [result], [event] = edge.wait_for(L.KIND_RESULT), edge.wait_for(L.KIND_EVENT)
    assert [row.get(L.ENDED) for row in result.payload[L.POSITIONS]] == [None, None, kinds.FAULT]
    assert [len(row[L.POINTS]) for row in result.payload[L.POSITIONS]] == [3, 3, 0]
    assert event.payload == {L.EVENT: "reference.part", L.DETAIL: "positions 15 16 17 18 19 20"}
    assert any(message.get("error") == "reference.part" for _, message in bench.panel.transcript)
