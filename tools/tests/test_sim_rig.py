"""The rig from outside: ptys opened as files, and a real MicroPython that is started and cut off.

The fixture here is a probe of a few lines run by the real interpreter, not the firmware: it shows what the rig does
to whatever runs. The firmware itself is driven in hil_tests.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path

import pytest

from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.catalogue import CATALOGUE
from meterseal_tools.sim.clock import ManualClock
from meterseal_tools.sim.errors import BadSetup, FixtureDied, NoAnswer
from meterseal_tools.sim.fixture import FirmwarePaths
from meterseal_tools.sim.rig import FixturePlace, Rig
from meterseal_tools.sim.specimens import good
from meterseal_wire import kinds

WIRE = Path(__file__).resolve().parents[2] / "protocol" / "src"
DEADLINE_S = 20
PROBE = """
import json, sys
from meterseal_wire.capture import line, words
settings = json.load(open(sys.argv[1]))
capture, panel = open(settings["capture"], "r+b"), open(settings["panel"], "r+b")
def tell(**what):
    panel.write(json.dumps(what) + "\\n")
tell(event="boot", positions=settings["positions"])
while True:
    order = json.loads(panel.readline())
    if order["do"] == "ask":
        capture.write(line(*order["words"]))
        tell(now="asked", words=words(capture.readline()))
    elif order["do"] == "status":
        tell(now="idle", order=order)
    elif order["do"] == "leave_unread":
        capture.write(line("T") * 50)
        tell(now="left")
    else:
        raise ValueError("told to " + order["do"])
"""


@pytest.fixture
def rig():
    """A water rig of two positions at a standing clock, one meter at position 1."""
    with Rig(BenchSpec(kinds.WATER, 2, ramp_ms=0), clock=ManualClock()) as made:
        made.mount(1, good(CATALOGUE["itron_bm"], "12082058", register=321))
        yield made


@pytest.fixture
def place(tmp_path):
    """Who the fixture is."""
    return FixturePlace(
        "W1", "YUHANG1", "WATER-1", tmp_path / "state", "127.0.0.1", 1883, "aa" * 64, "bb" * 64
    )


@pytest.fixture
def probe(rig, place, tmp_path):
    """Starts the probe on real MicroPython and waits for its first word."""
    (tmp_path / "probe.py").write_text(PROBE)
    settings = rig.write_settings(tmp_path / "settings.json", place)
    rig.start_fixture(settings, "256k", FirmwarePaths(tmp_path / "probe.py", (WIRE,)))
    assert rig.panel.wait_event("boot", DEADLINE_S)["positions"] == 2
    return rig


def ask(rig, *words):
    """The probe's answer to a question on the capture line."""
    rig.panel.send({"do": "ask", "words": words})
    return rig.panel.wait_now("asked", DEADLINE_S)["words"]


def opened(line):
    """The fixture's end of a rig's line, as a file without a buffer."""
    return Path(line.path).open("r+b", buffering=0)


def read_exactly(file, count):
    """`count` bytes from an unbuffered file, as a master with a deadline reads them."""
    found = b""
    with selectors.DefaultSelector() as selector:
        selector.register(file, selectors.EVENT_READ)
        while len(found) < count and selector.select(DEADLINE_S):
            found += file.read(count - len(found))
    return found


def test_a_meter_is_read_over_the_bus_line_by_whoever_opens_it(rig):
    """Selection by wildcard, E5; request, 66 bytes of the captured length; register 321 at its place in the frame."""
    with opened(rig.mbus_line) as line:
        line.write(bytes.fromhex("680B0B6873FD52FFFFFFFFFFFFFFFFBA16"))
        assert read_exactly(line, 1) == b"\xe5"
        line.write(bytes.fromhex("107BFD7816"))
        frame = read_exactly(line, 66)
    assert sum(frame[4:-2]) & 0xFF == frame[-2]
    assert frame[27:31] == (321).to_bytes(4, "little")


def test_the_lines_are_raw(rig):
    """CR, LF, Ctrl-C, Ctrl-D and FF pass unchanged: a request whose bytes hold them is answered, nothing is echoed."""
    with opened(rig.capture_line) as line:
        line.write(b"\r\x03\x04\xff\nT*FB81\r\n")
        answer = read_exactly(line, 9)
    assert answer.startswith(b"T 0*") and answer.endswith(b"\n")


def test_a_line_survives_being_closed_and_opened_again(rig):
    """Ten times: each time the next one who opens it is answered."""
    for _ in range(10):
        with opened(rig.capture_line) as line:
            line.write(b"T*FB81\n")
            assert read_exactly(line, 9).startswith(b"T 0*")


def test_the_settings_have_what_the_contract_names(rig, place, tmp_path):
    """Every key of the fixture's settings file, with this rig's paths."""
    found = json.loads(rig.write_settings(tmp_path / "settings.json", place).read_text())
    wanted = {"fixture", "site", "bench", "folder", "capture", "mbus", "panel", "host", "port", "positions"}
    assert set(found) == wanted | {"edge_key", "registry_key"}
    assert (found["capture"], found["positions"], found["port"]) == (rig.capture_line.path, 2, 1883)


def test_the_panel_row_of_a_mounted_meter_carries_its_id_and_bus_address(rig):
    """Contract: meter DEMO.<serial>, type number, 16 hex digits: id 12082058 low byte first, ACW, 0E, 16."""
    assert rig.position(1, "2026F102-33") == {
        "position": 1,
        "meter": "DEMO.12082058",
        "type": "2026F102-33",
        "bus": "5820081277040e16",
    }


def test_a_fixture_is_real_micropython_by_name(probe):
    """What ps prints as its command, and the implementation's own answer on the line."""
    name = Path(f"/proc/{probe.fixture.pid}/comm").read_text().strip()
    assert name == "micropython"
    assert ask(probe, "I")[:3] == ["I", "sim-1", "3"]


def test_cutting_the_power_kills_the_fixture_and_closes_the_valve(probe):
    """Flow set, then cut: the process is gone by SIGKILL and nothing flows."""
    assert ask(probe, "F", 400_000) == ["F", "400000"]
    fixture = probe.fixture
    assert probe.bench.history.flow_at(0) == 400_000
    probe.cut_power()
    assert fixture.ended() == -9
    assert probe.bench.history.flow_at(probe.bench.clock.now()) == 0


def test_after_a_power_cut_the_same_fixture_starts_again_and_reads_nothing_old(probe):
    """Answers nobody read and a line to the dead fixture are gone; the next question gets its own answer."""
    probe.panel.send({"do": "leave_unread"})
    probe.panel.wait_now("left", DEADLINE_S)
    probe.cut_power()
    probe.panel.send({"do": "status"})
    probe.start_fixture()
    probe.panel.wait_event("boot", DEADLINE_S)
    assert ask(probe, "I")[0] == "I"
    assert probe.panel.status(DEADLINE_S)["order"] == {"do": "status"}


def test_gates_and_registers_outlive_a_power_cut(probe):
    """Bench and meters have their own power: 99 intervals of 10 mL/s after 10 s stay readable, register too."""
    ask(probe, "F", 400_000)
    ask(probe, "A", 3)
    probe.bench.clock.advance_s(90)
    before = ask(probe, "D", 3), ask(probe, "R"), probe.bench.meters[1].register(probe.bench.clock.now())
    probe.cut_power()
    probe.start_fixture()
    probe.panel.wait_event("boot", DEADLINE_S)
    assert ask(probe, "R") == before[1]
    assert int(before[1][2]) == 9999
    assert probe.bench.meters[1].register(probe.bench.clock.now()) == before[2] == 331


def test_a_run_is_asked_for_as_the_contract_says(probe):
    """The probe knows no run and dies of it; what it was told is in its last words and in the transcript."""
    probe.panel.run(b"\x01\x02", [probe.position(1, "T")], mode=2, operator=b"\x07", tenant="ACME")
    with pytest.raises(FixtureDied, match="told to run"):
        probe.panel.wait_event("attempt_signed", DEADLINE_S)
    side, message = probe.panel.transcript[-1]
    row = {"position": 1, "meter": "DEMO.12082058", "type": "T", "bus": "5820081277040e16"}
    wanted = {"do": "run", "plan": "0102", "mode": 2, "operator": "07", "tenant": "ACME", "positions": [row]}
    assert (side, message) == ("to", wanted)


def test_waiting_for_what_never_comes_ends_with_what_came_last(probe):
    """NoAnswer names the last messages."""
    probe.panel.status(DEADLINE_S)
    with pytest.raises(NoAnswer, match="idle"):
        probe.panel.wait_event("result_signed", 0.2)


def test_power_on_twice_or_without_settings_is_refused(rig, probe):
    """Each says what to do."""
    with pytest.raises(BadSetup, match="cut it first"):
        probe.start_fixture()
    with Rig(BenchSpec(kinds.GAS, 1)) as other, pytest.raises(BadSetup, match="settings file"):
        other.start_fixture()


def test_the_closed_bench_check_is_answered_when_the_clock_gets_there(rig):
    """Z 60 at a standing clock: asked first, moved on 60 s, then answered over the pty."""
    with opened(rig.capture_line) as line:
        line.write(b"Z 60*86F6\n")
        line.write(b"T*FB81\n")
        assert read_exactly(line, 9).startswith(b"T 0*")
        rig.bench.clock.advance_s(60)
        assert read_exactly(line, 26).startswith(b"Z 160000 160000 60 0*")


def test_a_fixture_dies_with_the_process_that_runs_its_rig(tmp_path):
    """The rig's process is killed by SIGKILL, so it can clean up nothing; the fixture, which looks at no line and so
    does not see them hang up, is gone all the same.
    """
    (tmp_path / "probe.py").write_text(
        PROBE.replace("while True:", "import time\ntime.sleep(60)\nwhile True:")
    )
    program = f"""
import sys, time
from pathlib import Path
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.fixture import FirmwarePaths
from meterseal_tools.sim.rig import FixturePlace, Rig
rig = Rig(BenchSpec(1, 1)).__enter__()
here = Path({str(tmp_path)!r})
settings = rig.write_settings(here / "s.json", FixturePlace("W1", "S", "B", here, "h", 1, "", ""))
rig.start_fixture(settings, "256k", FirmwarePaths(here / "probe.py", (Path({str(WIRE)!r}),)))
rig.panel.wait_event("boot", 20)
print(rig.fixture.pid, flush=True)
time.sleep(60)
"""
    search = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": search}
    ) as parent:
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}/comm").read_text().strip() == "micropython"
        parent.kill()
    until = time.monotonic() + DEADLINE_S
    while _runs(pid) and time.monotonic() < until:
        os.sched_yield()
    assert not _runs(pid)


def _runs(pid):
    """True while that process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
