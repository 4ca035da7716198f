"""`meterseal rig`: a bench alone on the desk."""

import signal
import subprocess
import sys
from pathlib import Path

from meterseal_tools.rig import describe, fill
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.rig import Rig
from meterseal_wire import kinds


def test_every_position_gets_a_meter_of_the_benchs_medium():
    """A gas bench of five: five meters, the two gas types in turn, five serials."""
    with Rig(BenchSpec(kinds.GAS, 5)) as rig:
        fill(rig, seed=3)
        meters = [rig.bench.meters[position] for position in range(1, 6)]
        assert {meter.data.medium for meter in meters} == {kinds.GAS}
        assert len({meter.serial for meter in meters}) == 5
        text = "\n".join(describe(rig))
    assert all(meter.secondary_address.hex() in text for meter in meters)


def test_twenty_positions_are_three_front_ends():
    """Seven each: three lines to name in `capture`; the third has six meters and the reference."""
    with Rig(BenchSpec(kinds.WATER, 20), fronts=3) as rig:
        assert describe(rig)[0].split()[1:] == [line.path for line in rig.capture_lines]
        assert [front.bench.channels for front in rig.fronts] == [8, 8, 7]


def test_more_positions_than_the_front_ends_have_are_refused():
    """22 on three front ends: 21 inputs beside the references."""
    code = "import typer; from meterseal_tools.rig import app; app()"
    command = [sys.executable, "-c", code, "--positions", "22", "--fronts", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "front ends" in done.stderr


def test_it_prints_lines_that_can_be_opened_and_ends_on_ctrl_c():
    """Started as a person would, asked once over the printed path, ended by SIGINT with exit code 0."""
    code = "import typer; from meterseal_tools.rig import app; app()"
    command = [sys.executable, "-c", code, "--medium", "gas", "--positions", "2", "--speed", "600"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline().split()
        assert first[0] == "capture"
        with Path(first[1]).open("r+b", buffering=0) as line:
            line.write(b"I*381D\n")
            assert line.read(8) == b"I sim-1 "
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
