"""The application on real MicroPython, from its serial lines to the broker: what it signs, in which order, and when.

Signatures and hashes are checked with `cryptography`, hashlib and cbor2; figures against the meters' error curves.
"""

import hashlib
import json
from fractions import Fraction
from pathlib import Path

import pytest
from firmware.tests.cpython.conftest import APPROVAL, ERRORS_PPM, FLOWS, Bench
from firmware.tests.cpython.edge_side import EdgeSide, Read

from meterseal_tools.sim.catalogue import WATER_CALIBRATION
from meterseal_wire import kinds, point
from meterseal_wire import labels as L
from meterseal_wire.telegram.mbus_telegram import decode, volume
from meterseal_wire.tree import tree_hash

ROOT = Path(__file__).resolve().parents[3]


def run(bench: Bench, plan: bytes) -> tuple[Read, Read]:
    """One whole run: (attempt, result) as they arrived."""
    bench.order(plan)
    bench.panel.wait_event("result_signed", 60)
    return bench.edge.wait_for(L.KIND_ATTEMPT)[-1], bench.edge.wait_for(L.KIND_RESULT)[-1]


def firmware_digest() -> bytes:
    """The recipe at the head of startup.py, followed here."""
    digest = hashlib.sha256()
    for folder in (ROOT / "firmware/src/meterseal_fixture", ROOT / "protocol/src/meterseal_wire"):
        names = {
            str(path.relative_to(folder.parent)): path
            for path in folder.rglob("*")
            if path.suffix in (".py", ".mpy") and "__pycache__" not in path.parts
        }
        for name, path in sorted(names.items()):
            digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def test_the_first_statement_is_a_boot_that_says_what_runs(bench: Bench, edge: EdgeSide) -> None:
    """Design section 5: boot has the counter, the firmware's digest (recomputed here), board and clock; section 6:
    the first epoch is 1, seq 0, and cites nothing (32 zero bytes, chain.GENESIS).
    """
    bench.power()
    [boot] = edge.wait_for(L.KIND_BOOT)
    assert edge.fixture_key.verifies(boot.signed, boot.signature)
    assert (boot.place, boot.prev) == ((1, 0), bytes(32))
    assert boot.header[4] == edge.fixture_key.thumbprint[:8]
    assert boot.header[15] == {1: "W1", 2: "WATER-1"}
    assert boot.payload[L.FIRMWARE_DIGEST] == firmware_digest()
    assert boot.payload[L.COUNTER] == 0 and L.LAST_HEAD not in boot.payload
    assert boot.payload[L.BOARD] == "unix/sim-1"
    assert boot.payload[L.CLOCK] == [1_000_000, 1, 1]


def test_a_run_is_an_attempt_and_one_result_in_one_chain(bench: Bench, edge: EdgeSide, plan: bytes) -> None:
    """Design section 1 item 2 and section 6: every signature verifies, each statement cites the one before, and
    the panel hears of the attempt before water flows.
    """
    for position in (1, 2, 3):
        bench.meter(position)
    bench.power()
    attempt, result = run(bench, plan)
    chain = edge.chain()
    assert [found.typ for found in chain] == [L.KIND_BOOT, L.KIND_ATTEMPT, L.KIND_RESULT]
    for before, after in zip(chain, chain[1:], strict=False):
        assert after.prev == before.identity
    assert all(edge.fixture_key.verifies(found.signed, found.signature) for found in chain)
    assert result.payload[L.ATTEMPT] == list(attempt.place)
    events = [message["event"] for _, message in bench.panel.transcript if "event" in message]
    assert events == [
        "boot",
        "attempt_signed",
        "flow_started",
        "flow_started",
        "flow_started",
        "result_signed",
    ]


def test_the_attempt_names_plan_beacon_meters_and_registers(
    bench: Bench, edge: EdgeSide, plan: bytes
) -> None:
    """The attempt's hashes are those of the plan's bytes and of the beacon that was sent; address and register are
    the simulated meter's own.
    """
    meter = bench.meter(1)
    bench.power()
    beacon = edge.beacon(2)
    edge.send(beacon)
    bench.panel.wait(lambda message: message.get("beacon") == 2)
    start = meter.register(bench.rig.bench.clock.now())
    attempt, _ = run(bench, plan)
    payload = attempt.payload
    assert payload[L.PLAN] == hashlib.sha256(plan).digest() and attempt.evidence == (plan,)
    assert payload[L.BEACON] == hashlib.sha256(beacon).digest()
    assert (payload[L.COUNTER], payload[L.MODE]) == (1, kinds.VERIFY)
    assert payload[L.BENCH_CHECKS] == [160_000, 160_000, 60, 0]
    [position] = payload[L.POSITIONS]
    assert position[L.METER] == "DEMO.10000001"
    assert position[L.ELECTRONIC_ADDRESS] == meter.secondary_address
    assert (position[L.READ_BY], position[L.START_REGISTER]) == (kinds.BY_BUS, start)


def test_points_carry_the_meters_errors(bench: Bench, plan: bytes) -> None:
    """E = V_i / V_ref - 1 with V_ref = volume per pulse * ref_counts * meter_ticks / ref_ticks (design section 5),
    against the error curve the meter was built with. Tolerance 100 ppm: gates of at least 0.144 s and two ticks of
    1 us at each of four edges are 56 ppm, water of 0.008 K difference 2 ppm, linear calibration the rest.
    """
    bench.meter(1)
    bench.power()
    _, result = run(bench, plan)
    rows = result.payload[L.POSITIONS][0][L.POINTS]
    assert [row[point.POINT] for row in rows] == [0, 1, 2]
    for row, flow, ppm in zip(rows, FLOWS, ERRORS_PPM, strict=True):
        assert row[point.METER_COUNTS] >= 10 and row[point.METHOD] == point.REFERENCE_METER
        assert row[point.FLOW_MIN_ML_PER_H] == row[point.FLOW_MAX_ML_PER_H] == flow
        reference = Fraction(row[point.REF_COUNTS] * row[point.METER_TICKS], row[point.REF_TICKS])
        error = row[point.METER_COUNTS] * 10_000 / (reference * calibrated(flow)) - 1
        assert abs(error * 10**6 - ppm) < 100, (flow, float(error * 10**6))


def calibrated(flow: int) -> Fraction:
    """Microlitres a reference pulse at a flow: the calibration rows, linear between."""
    for (low, below, _), (high, above, _) in zip(WATER_CALIBRATION, WATER_CALIBRATION[1:], strict=False):
        if low <= flow <= high:
            first, second = Fraction(*below), Fraction(*above)
            return first + (second - first) * (flow - low) / (high - low)
    raise AssertionError(flow)


def test_the_result_signs_the_telegrams_that_were_read(bench: Bench, plan: bytes) -> None:
    """The evidence root is the RFC 9162 tree over the leaves that came with it; the end telegram holds the end
    register, and the register moved by what the pulses say: 10 mL each, in litres, within one. This meter answers over
    three telegrams, the register in the last (DIF 1F; EN 13757-3).
    """
    bench.meter(4)
    bench.rig.slaves[4].leading = 2
    bench.power()
    attempt, result = run(bench, plan)
    assert result.payload[L.EVIDENCE_ROOT] == tree_hash(list(result.evidence))
    assert len(result.evidence) == 2
    [position] = result.payload[L.POSITIONS]
    end = position[L.END_REGISTER]
    telegram = result.evidence[1][result.evidence[1].index(b"\x68") :]
    assert volume(decode(telegram)) == (end, -3)
    moved = end - attempt.payload[L.POSITIONS][0][L.START_REGISTER]
    assert moved * 1000 >= sum(row[point.METER_COUNTS] * 10 for row in position[L.POINTS])


def test_a_silent_and_a_false_meter_leave_and_the_others_go_on(bench: Bench, plan: bytes) -> None:
    """Design section 13: position marked, operator told, others go on. Reasons by kinds: SILENT 1, IDENTITY 6."""
    bench.meter(1)
    bench.meter(2).silent = True
    bench.meter(3).shown_id = "99999999"
    bench.power()
    attempt, result = run(bench, plan)
    ended = {row[L.POSITION]: row.get(L.ENDED) for row in result.payload[L.POSITIONS]}
    assert ended == {1: None, 2: kinds.SILENT, 3: kinds.IDENTITY}
    assert [len(row[L.POINTS]) for row in result.payload[L.POSITIONS]] == [3, 0, 0]
    assert attempt.payload[L.POSITIONS][1][L.READ_BY] == kinds.BY_HAND
    told = {m["error"]: m["en"] for _, m in bench.panel.transcript if "error" in m}
    assert "Position 2" in told["meter.silent"] and "Position 3" in told["meter.identity"]


def test_damaged_lines_are_asked_again_and_change_nothing(bench: Bench, edge: EdgeSide, plan: bytes) -> None:
    """Two front end answers and two telegrams with a wrong check; the run still ends in a result."""
    bench.meter(1)
    bench.power()
    bench.rig.front_end.damage = 2
    bench.rig.slaves[1].faults.bad_checksums = 2
    _, result = run(bench, plan)
    assert L.ENDED not in result.payload[L.POSITIONS][0]


def test_two_meters_of_one_address_leave_and_the_third_goes_on(bench: Bench, plan: bytes) -> None:
    """Design section 13: two meters answer at once; both are told and left out (FAULT, 7), others go on."""
    bench.meter(1)
    twin = bench.meter(2, register=654_321)
    twin.serial = twin.shown_id = "10000001"
    bench.meter(3)
    bench.power()
    rows = [bench.rig.position(position, APPROVAL) for position in (1, 2, 3)]
    rows[1]["meter"] = "DEMO.10000002"
    bench.panel.run(plan, rows)
    bench.panel.wait_event("result_signed", 60)
    [result] = bench.edge.wait_for(L.KIND_RESULT)
    assert [row.get(L.ENDED) for row in result.payload[L.POSITIONS]] == [kinds.FAULT, kinds.FAULT, None]
    told = [message["en"] for _, message in bench.panel.transcript if message.get("error") == "meter.damaged"]
    assert [sentence[:10] for sentence in told] == ["Position 1", "Position 2"]


def test_when_no_meter_answers_nothing_is_begun(bench: Bench, edge: EdgeSide, plan: bytes) -> None:
    """No try begins before a pulse could be counted: no attempt is signed, the next order is accepted."""
    meter = bench.meter(1)
    meter.silent = True
    bench.power()
    bench.order(plan)
    bench.panel.wait(lambda message: message.get("error") == "meters.none")
    assert bench.panel.status()["now"] == "idle" and not edge.of(L.KIND_ATTEMPT)
    meter.silent = False
    run(bench, plan)


def test_stop_while_meters_are_read_begins_nothing(bench: Bench, edge: EdgeSide, plan: bytes) -> None:
    """Before the attempt there is nothing to abandon: no statement, the panel says who stopped."""
    for position in (1, 2, 3):
        bench.meter(position).silent = True
    bench.meter(4)
    bench.power()
    bench.order(plan)
    bench.panel.wait(lambda message: any(row["state"] == "reading" for row in message.get("positions", ())))
    bench.panel.stop()
    bench.panel.wait(lambda message: message.get("error") == "run.stopped")
    assert bench.panel.status()["now"] == "idle" and not edge.of(L.KIND_ATTEMPT)


def test_a_dead_pulse_ends_its_position_with_no_flow(bench: Bench, plan: bytes) -> None:
    """NO_FLOW is 2; its row shows that the reference counted, so a judge can tell a dead meter from a dry pipe."""
    bench.meter(1)
    bench.meter(2).dead_pulse = True
    bench.power()
    _, result = run(bench, plan)
    good, dead = result.payload[L.POSITIONS]
    assert (len(good[L.POINTS]), L.ENDED in good) == (3, False)
    assert dead[L.ENDED] == kinds.NO_FLOW
    [row] = dead[L.POINTS]
    assert row[point.METER_COUNTS] == 0 and row[point.REF_COUNTS] > 0


def test_the_operators_stop_closes_the_valve_and_is_signed(
    bench: Bench, edge: EdgeSide, long_plan: bytes
) -> None:
    """Design section 1 item 2: abandoned, reason OPERATOR (4), with raw counts; the valve is closed."""
    bench.meter(1)
    bench.power()
    bench.order(long_plan)
    bench.panel.wait_event("flow_started")
    bench.panel.wait(lambda message: any(row["state"] == "counting" for row in message.get("positions", ())))
    bench.panel.stop()
    bench.panel.wait_event("abandoned")
    [abandoned] = edge.wait_for(L.KIND_ABANDONED)
    assert (abandoned.payload[L.ATTEMPT], abandoned.payload[L.REASON]) == ([1, 1], kinds.OPERATOR)
    [[position, _, reference]] = abandoned.payload[L.RAW_COUNTS]
    assert position == 1 and reference >= 0
    assert bench.rig.bench.history.flows[-1] == 0
    assert bench.panel.status()["now"] == "idle"


def test_power_lost_in_a_run_opens_an_epoch_that_says_so(
    bench: Bench, edge: EdgeSide, plan: bytes, long_plan: bytes
) -> None:
    """Design sections 1 and 6: the next boot is epoch 2, cites the attempt as last head, and abandons it for POWER
    (5); the counter goes on; then a good run is attempt number 2.
    """
    bench.meter(1)
    bench.power()
    bench.order(long_plan)
    bench.panel.wait_event("flow_started")
    [attempt] = edge.wait_for(L.KIND_ATTEMPT)
    bench.rig.cut_power()
    assert bench.power()["epoch"] == 2
    boot, abandoned = edge.wait_for(L.KIND_BOOT, 2)[1], edge.wait_for(L.KIND_ABANDONED)[0]
    assert (boot.place, boot.prev) == ((2, 0), attempt.identity)
    assert (boot.payload[L.LAST_HEAD], boot.payload[L.COUNTER]) == ([1, 1], 1)
    assert (abandoned.place, abandoned.prev) == ((2, 1), boot.identity)
    assert (abandoned.payload[L.ATTEMPT], abandoned.payload[L.REASON]) == ([1, 1], kinds.POWER)
    second, _ = run(bench, plan)
    assert second.payload[L.COUNTER] == 2


def test_only_sound_custody_frees(bench: Bench, edge: EdgeSide, plan: bytes) -> None:
    """Design section 6: the fixture checks signature, key and head. Four that are wrong free none of the three
    statements; the sound one frees all; the beacon behind each shows that the wrong one was read before.
    """
    bench.meter(1)
    bench.power()
    _, result = run(bench, plan)
    wrong = [
        edge.custody(result, signer=edge.registry_key),
        edge.custody(result, named=edge.edge_key.thumbprint),
        edge.custody(result, head=bytes(32)),
        edge.custody(result)[:-1] + b"\x00",
    ]
    for number, statement in enumerate(wrong, 2):
        edge.send(statement, edge.beacon(number))
        assert (
            bench.panel.wait(lambda message, number=number: message.get("beacon") == number)["pending"] == 3
        )
    edge.send(edge.custody(result))
    assert bench.panel.wait_event("custody")["seq"] == 2
    assert bench.panel.status()["pending"] == 0


def test_a_beacon_of_another_key_is_not_believed(bench: Bench, edge: EdgeSide) -> None:
    """A beacon signed by the edge's key, then one by the registry's: only the second is shown."""
    bench.power()
    edge.send(edge.beacon(7, edge.edge_key), edge.beacon(3))
    assert bench.panel.wait(lambda message: message.get("beacon") not in (None, 1))["beacon"] == 3


def test_without_a_beacon_no_run_starts(bench: Bench, edge: EdgeSide, plan: bytes) -> None:
    """Design section 1 item 4: an attempt cites a beacon, so without one there is none."""
    bench.meter(1)
    bench.rig.start_fixture(bench.settings)
    bench.panel.wait_event("boot")
    bench.order(plan)
    refusal = bench.panel.wait(lambda message: "error" in message)
    assert refusal["error"] == "beacon.missing"
    assert bench.panel.status()["now"] == "idle" and not edge.of(L.KIND_ATTEMPT)


def test_what_was_kept_without_a_broker_is_offered_when_it_is_back(
    bench: Bench, edge: EdgeSide, plan: bytes
) -> None:
    """Design section 1 item 3: the broker dies in the run; the run ends, and the result arrives afterwards."""
    bench.meter(1)
    bench.power()
    bench.order(plan)
    bench.panel.wait_event("attempt_signed")
    edge.broker.stop()
    bench.panel.wait_event("result_signed", 60)
    edge.broker.start()
    [result] = edge.wait_for(L.KIND_RESULT)
    assert edge.fixture_key.verifies(result.signed, result.signature)


@pytest.mark.parametrize(
    "line,code",
    [
        ("not json", "line.malformed"),
        ("[1]", "line.malformed"),
        ('{"do": "dance"}', "order.unknown"),
        ('{"do": "stop"}', "order.idle"),
        ('{"do": "run"}', "order.field"),
    ],
)
def test_bad_lines_get_one_sentence_in_two_languages(bench: Bench, line: str, code: str) -> None:
    """The panel's contract: an error is a code, one sentence in Chinese and one in English; nothing is signed."""
    booted = bench.power()
    bench.rig.panel_line.send(line.encode() + b"\n")
    answer = bench.panel.wait(lambda message: "error" in message)
    assert answer["error"] == code
    assert answer["zh"].endswith("。") and answer["en"].endswith(".")
    assert bench.panel.status()["seq"] == booted["seq"]


def test_a_second_order_is_refused_while_one_runs(bench: Bench, long_plan: bytes) -> None:
    """One run at a time."""
    bench.meter(1)
    bench.power()
    bench.order(long_plan)
    bench.panel.wait_event("attempt_signed")
    bench.order(long_plan)
    assert bench.panel.wait(lambda message: "error" in message)["error"] == "order.busy"


def test_no_panel_or_live_line_shows_an_error_figure(bench: Bench, edge: EdgeSide, plan: bytes) -> None:
    """Design section 1 item 2: until a point is signed nobody is shown its error. Fields of every line are the
    contract's own.
    """
    bench.meter(1)
    bench.power()
    run(bench, plan)
    status = {
        "now",
        "point",
        "of",
        "positions",
        "epoch",
        "seq",
        "pending",
        "free",
        "link",
        "beacon",
        "heap",
        "heap_code",
        "check",
        "tray",
        "mode",
    }
    event = {"event", "epoch", "seq", "counter", "attempt", "point", "of", "ml_per_h", "reason"}
    lines = [message for side, message in bench.panel.transcript if side == "from"]
    for message in [*lines, *(json.loads(raw) for raw in edge.live)]:
        assert set(message) <= (event if "event" in message else status), message
        for row in message.get("positions", ()):
            assert set(row) == {"position", "state"}
