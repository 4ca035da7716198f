"""Design section 13: a silent meter, a damaged line or a lost supply has a defined end, and the others go on."""

from hil_tests.conftest import Line
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.point import METER_COUNTS


def positions(line: Line) -> dict[int, dict[int, object]]:
    """The one result's positions by number."""
    [result] = line.upstream.wait_for(L.KIND_RESULT)
    return {one[L.POSITION]: one for one in result.payload[L.POSITIONS]}


def test_a_silent_meter_leaves_and_the_others_are_tested(line: Line, plan: bytes) -> None:
    """Section 13: meter silent: position marked, operator told, others go on."""
    line.dut.world.silence(2)
    line.ready()
    line.run(plan)
    found = positions(line)
    assert found[2][L.ENDED] == kinds.SILENT
    assert [len(found[n][L.POINTS]) for n in (1, 3, 4)] == [3, 3, 3]
    complaints = [m["error"] for side, m in line.panel.transcript if side == "from" and "error" in m]
    assert "meter.silent" in complaints


def test_bad_checksums_on_the_bus_are_asked_again(line: Line, plan: bytes) -> None:
    """EN 13757-2: a master repeats a request whose answer fails its checksum."""
    line.dut.world.damage_telegrams(1, 1)
    line.ready()
    line.run(plan)
    assert all(L.ENDED not in one for one in positions(line).values())


def test_damaged_front_end_lines_change_no_count(line: Line, plan: bytes) -> None:
    """capture.py: a line with a bad check is dropped and asked again; the counts are the bench's own."""
    line.ready()
    line.dut.world.damage_lines(3)
    line.run(plan)
    for one in positions(line).values():
        assert all(point[METER_COUNTS] >= 10 for point in one[L.POINTS])


def test_a_supply_that_fails_is_signed_as_no_flow(line: Line, plan: bytes) -> None:
    """Section 1 item 2: no flow is on the short list of reasons; the run ends in a signed statement that says so."""
    line.ready()
    line.dut.world.lose_flow()
    line.dut.order(plan)
    line.panel.wait_event("abandoned", 60)
    [abandoned] = line.upstream.wait_for(L.KIND_ABANDONED)
    assert abandoned.payload[L.REASON] == kinds.NO_FLOW
    assert all(meter == reference == 0 for _, meter, reference in abandoned.payload[L.RAW_COUNTS])


def test_a_line_of_nonsense_on_the_panel_gets_one_sentence(line: Line, plan: bytes) -> None:
    """Section 13: wrong input gets one sentence that says what and what to do, in both languages."""
    line.ready()
    line.panel.send({"do": "dance"})
    answer = line.panel.wait(lambda message: "error" in message)
    assert answer["zh"] and answer["en"]
    line.run(plan)
