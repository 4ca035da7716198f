"""A static run that an ESP32-S3 counted by itself, before the judge: MicroPython, and counters that are doubles."""

import json
import os
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from firmware.tests.cpython.test_link import MICROPYTHON, ROOT

from meterseal_protocol.judge import Decision
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.rules import plan_for
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import WATER_BENCH, WATER_TYPE, fresh_keys, water_type_fields
from meterseal_wire import kinds, point
from meterseal_wire import labels as L

SCRIPT = Path(__file__).with_name("own_counters.py")
SECRET = bytes(31) + b"\x05"  # whole_bench's
FLAT = [[20_000, [1000, 1], 1500], [3_200_000, [1000, 1], 800]]
UL_A_PULSE, UL_A_STEP, PPM = 1000, 10_000, 1_000_000
RUN_S = 3600


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Grants, a beacon, and everything that the fixture signed entered."""
    found = Trial(keys=fresh_keys() | {WATER_BENCH: PrivateKey(SECRET)})
    found.regrant("type water", REGISTER_EXPONENT=-5)
    found.regrant("standard W1", CALIBRATION=FLAT)
    found.record.enter_grants()
    found.record.now_s += 60
    found.beacon = found.record.beacon().statement.identity
    plan = plan_for(found.pack, {**water_type_fields(), L.REGISTER_EXPONENT: -5}, point.STATIC)
    found.follow(plan)
    told = tmp_path_factory.mktemp("own") / "told.json"
    told.write_text(json.dumps({"beacon": found.beacon.hex(), "plan": plan.hex(), "type": WATER_TYPE}))
    command = [str(MICROPYTHON), "-X", "heapsize=1m", str(SCRIPT), str(told)]
    folders = ("protocol/src", "firmware/src", "firmware/tests")
    search = ":".join([".frozen", *(str(ROOT / folder) for folder in folders)])
    done = subprocess.run(
        command, env={**os.environ, "MICROPYPATH": search}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found.record.now_s += RUN_S
    for line in done.stdout.splitlines():
        statement, *evidence = [bytes.fromhex(part) for part in json.loads(line)]
        found.record.enter(statement, evidence)
    return found


def signed(trial: Trial, kind: int) -> dict[int, object]:
    """The payload of the one statement of a kind that the bench signed."""
    [found] = [entry.statement for entry in trial.record.pool if entry.statement.typ == kind]
    return found.payload


def test_the_boot_says_what_counted_and_how_well(trial: Trial) -> None:
    """capability.py: four units, milliseconds, the longest look 3.2 s, ten thousand pulses a second."""
    boot = signed(trial, L.KIND_BOOT)
    assert boot[L.BOARD] == "esp32s3/esp32s3-pcnt"
    assert boot[L.FRONT_ENDS] == [["esp32s3-pcnt", 4, 1000, 3200, 1, 10_000]]


def decided(trial: Trial, position: int) -> Decision:
    """The judge on the meter at a position, after everybody has signed off."""
    trial.meter = f"DEMO.1000000{position}"
    trial.signed.clear()
    return trial.decide()


def by_hand(trial: Trial, position: int) -> list[Fraction]:
    """E of each of a meter's rows in ppm: what the dial moved over what the reference gave, less one."""
    rows = signed(trial, L.KIND_RESULT)[L.POSITIONS][position - 1][L.POINTS]  # type: ignore[index]
    assert [(row[point.METHOD], row[point.METER_COUNTS]) for row in rows] == [(point.STATIC, 0)] * 3
    moved = [
        Fraction(row[point.REGISTER_DIFF] * UL_A_STEP, row[point.REF_COUNTS] * UL_A_PULSE) for row in rows
    ]
    return [(volume - 1) * PPM for volume in moved]


def test_a_meter_within_its_limits_is_granted_on_what_the_chip_counted(trial: Trial) -> None:
    """0.4 % fast at every flow; half of the 2 % that Q3 and Q2 have is 1 %, so one sign does not matter."""
    assert all(abs(error - 4_000) < 1_100 for error in by_hand(trial, 1))
    decision = decided(trial, 1)
    assert (decision.outcome, decision.reasons) == (kinds.GRANTED, ())


def test_one_beyond_them_is_refused_by_the_error_that_its_integers_make(trial: Trial) -> None:
    """2.7 % fast: beyond 2 % at Q3 and Q2, within 5 % at Q1. The reference is 0.15 K warmer than the meters, which is
    31 ppm of volume and left out by hand.
    """
    errors = by_hand(trial, 2)
    decision = decided(trial, 2)
    assert decision.outcome == kinds.REFUSED
    beyond = {numbers[0]: numbers for code, numbers in decision.reasons if code == "error.limit"}
    assert sorted(beyond) == [0, 1]
    for index, (_, _, error_ppm, limit_ppm) in beyond.items():
        assert limit_ppm == 20_000 and abs(error_ppm - errors[index]) <= 40
    assert {code for code, _ in decision.reasons} == {"error.limit", "error.same_sign"}
