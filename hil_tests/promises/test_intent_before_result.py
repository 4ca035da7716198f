"""Design section 1, item 2: a signed attempt exists before water flows, and every try ends in one statement."""

from hil_tests.conftest import Line
from meterseal_wire import kinds
from meterseal_wire import labels as L


def test_a_signed_attempt_comes_before_any_flow(line: Line, plan: bytes) -> None:
    """Item 2: the attempt is signed and kept first; only then does the device open the valve."""
    line.ready()
    assert line.dut.world.flow_now() == 0
    line.run(plan)
    events = [m["event"] for side, m in line.panel.transcript if side == "from" and "event" in m]
    assert events.index("attempt_signed") < events.index("flow_started") < events.index("result_signed")
    [attempt] = line.upstream.wait_for(L.KIND_ATTEMPT)
    assert len(attempt.payload[L.POSITIONS]) == 4


def test_no_run_starts_without_a_beacon(line: Line, plan: bytes) -> None:
    """Item 4: a test is not older than the beacon it cites, so without one there is no attempt."""
    line.dut.power.on()
    line.dut.order(plan)
    refusal = line.panel.wait(lambda message: "error" in message)
    assert refusal["error"] == "beacon.missing"
    assert refusal["zh"] and refusal["en"]
    assert line.upstream.of(L.KIND_ATTEMPT) == []


def test_the_stop_button_ends_in_a_signed_abandonment_with_counts(line: Line, endless_plan: bytes) -> None:
    """Item 2: cutting a run short is no way out; what was counted until then is signed."""
    line.ready()
    line.dut.order(endless_plan)
    line.panel.wait_event("flow_started")
    line.panel.wait(lambda message: any(p["state"] == "counting" for p in message.get("positions", [])))
    line.panel.stop()
    line.panel.wait_event("abandoned")
    [abandoned] = line.upstream.wait_for(L.KIND_ABANDONED)
    [attempt] = line.upstream.wait_for(L.KIND_ATTEMPT)
    assert abandoned.payload[L.ATTEMPT] == list(attempt.place)
    assert abandoned.payload[L.REASON] == kinds.OPERATOR
    assert [row[0] for row in abandoned.payload[L.RAW_COUNTS]] == [1, 2, 3, 4]
    assert line.dut.world.flow_now() == 0


def test_a_power_cut_while_counting_is_signed_as_abandoned_by_the_next_boot(
    line: Line, endless_plan: bytes
) -> None:
    """Section 6: attempts open at a break count as failed tries; the next epoch says so itself."""
    line.ready()
    line.dut.order(endless_plan)
    line.panel.wait_event("flow_started")
    line.dut.power.cut()
    assert line.dut.world.flow_now() == 0
    booted = line.ready(2)
    assert booted["epoch"] == 2
    [abandoned] = line.upstream.wait_for(L.KIND_ABANDONED)
    [attempt] = line.upstream.wait_for(L.KIND_ATTEMPT)
    assert abandoned.payload[L.ATTEMPT] == list(attempt.place)
    assert abandoned.payload[L.REASON] == kinds.POWER
    assert abandoned.place == (2, 1)


def test_nobody_sees_an_error_before_the_run_is_signed(line: Line, plan: bytes) -> None:
    """Item 2: until a point is signed nobody is shown its error; panel lines carry no counts and no error."""
    line.ready()
    line.run(plan)
    shown = {key for side, m in line.panel.transcript if side == "from" for key in m}
    rows = {
        key
        for side, m in line.panel.transcript
        if side == "from"
        for p in m.get("positions", [])
        for key in p
    }
    assert rows <= {"position", "state", "meter"}
    assert not shown & {"counts", "volume", "deviation", "ppm", "result"}
