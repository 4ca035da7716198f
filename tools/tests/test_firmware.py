"""`meterseal firmware`: the same bytes from the same sources, and an image that real MicroPython mounts and starts."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from firmware.tests.cpython.conftest import Bench
from firmware.tests.cpython.edge_side import Broker, EdgeSide, wait_until
from typer.testing import CliRunner

from meterseal_tools.boards.image import BadImage, Image, load
from meterseal_tools.cli import app
from meterseal_tools.firmware import (
    FLASH,
    build,
    compare,
    file_system,
    files_of,
    loader,
    manifest,
    read_file_system,
    repository,
)
from meterseal_tools.sim.bench import BenchSpec
from meterseal_tools.sim.fixture import FirmwarePaths, interpreter
from meterseal_tools.sim.rig import Rig
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan

ROOT = repository()
SOURCES = ("firmware/src", "firmware/boards", "firmware/manifest.py", "protocol/src")
WAIT_S = 60
BROKEN = 74  # the unix board, when the application ends; a chip resets

# A RAM block device read from the file, mounted by VfsLfs2; then an update with the image's own files into slot b.
MOUNT = """
import json, os, sys
from hashlib import sha256
BLOCK = int(sys.argv[2])
class Flash:
    def __init__(self, raw):
        self.bytes = bytearray(raw)
    def readblocks(self, block, into, offset=0):
        start = block * BLOCK + offset
        into[:] = self.bytes[start:start + len(into)]
        return 0
    def writeblocks(self, block, data, offset=0):
        start = block * BLOCK + offset
        self.bytes[start:start + len(data)] = data
        return 0
    def ioctl(self, request, argument):
        if request == 6:
            self.bytes[argument * BLOCK:argument * BLOCK + BLOCK] = b"\\xff" * BLOCK
        return {4: len(self.bytes) // BLOCK, 5: BLOCK}.get(request, 0)
with open(sys.argv[1], "rb") as file:
    flash = Flash(file.read())
os.mount(os.VfsLfs2(flash, progsize=int(sys.argv[3])), "/board")
sys.path.insert(1, "/board/a")
from meterseal_fixture import update
found = {path: update.hash_of("/board/" + path).hex() for path in update.walk("/board")}
times = [os.stat("/board/" + path)[8] for path in found]
"""
UPDATE = """
import meterseal_fixture
from meterseal_fixture import slots
from meterseal_fixture.signer.software_p256 import SoftwareSigner, verify
from meterseal_wire import kinds, labels as L
from meterseal_wire.statement import Author, build
now = slots.here(meterseal_fixture.__file__)
with open("/board/a/manifest.cbor", "rb") as file:
    raw = file.read()
image = update.Manifest(raw)
pen = SoftwareSigner(bytes(31) + bytes([9]))
fields = {L.GRANT: kinds.FIRMWARE, L.NUMBER: 1, L.WINDOW: [0, 1], L.FIRMWARE_DIGEST: image.digest}
fields.update({L.FIRMWARE_VERSION: image.version, L.BOARD: image.board + "/sim-1", L.FIRMWARE_FLOOR: 0})
grant = build(Author("SAMR", "firmware", pen), L.KIND_GRANT, fields)
staging = update.Staging(now, image.board + "/sim-1", (pen.public_xy, verify), lambda: True)
staging.begin(image.digest)
for path in image.files:
    with open("/board/a/" + path, "rb") as file:
        staging.take(path, 0, file.read())
staging.finish(raw, grant)
chosen = slots.Slots("/board").choose()
same = sorted(update.walk("/board/a")) == sorted(update.walk("/board/b"))
print(json.dumps({"found": found, "times": times, "chosen": chosen, "same": same}))
"""


def run(*arguments: object) -> tuple[int, str]:
    """(exit code, output) of `meterseal firmware ...`."""
    done = CliRunner().invoke(app, ["firmware", *map(str, arguments)])
    return done.exit_code, done.output


def micropython(program: Path, *arguments: object, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program on real MicroPython, whose modules lie below `path`."""
    command = [str(interpreter()), "-X", "heapsize=16m", str(program), *map(str, arguments)]
    environment = {"MICROPYPATH": f".frozen:{path}"}
    return subprocess.run(
        command, env=environment, text=True, capture_output=True, timeout=WAIT_S, check=False
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every file of an image, image.bin and manifests too."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def copied(target: Path) -> Path:
    """The sources at another path, with the times of now."""
    for name in SOURCES:
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(ROOT / name, place)
    return target


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The unix board's image with counter 3; tests only read it."""
    return build(ROOT, "unix", tmp_path_factory.mktemp("image") / "out", 3)


@pytest.fixture
def own(image: Image, tmp_path: Path) -> Path:
    """A copy of it that a test may spoil."""
    shutil.copytree(image.folder, tmp_path / "own")
    return tmp_path / "own"


def test_the_same_sources_give_the_same_bytes_wherever_they_lie(image: Image, tmp_path: Path) -> None:
    """Built again in another folder, and from a copy of the sources at a longer path: every file is equal."""
    first = bytes_of(image.folder)
    assert bytes_of(build(ROOT, "unix", tmp_path / "again", 3).folder) == first
    far = copied(tmp_path / "a" / "much" / "longer" / "way")
    assert bytes_of(build(far, "unix", tmp_path / "far", 3).folder) == first
    assert len(first) > 60 and {"main.py", "manifest.cbor", "image.bin", "a/start.mpy"} <= set(first)


def test_no_path_of_this_machine_stands_in_an_image(image: Image) -> None:
    """mpy-cross -s: tracebacks name the path inside the slot, and nothing above it."""
    for name, data in bytes_of(image.folder).items():
        assert str(ROOT).encode() not in data and str(image.folder).encode() not in data, name
    assert b"meterseal_fixture/main.py" in (image.folder / "a/meterseal_fixture/main.mpy").read_bytes()


def test_the_digest_follows_the_recipe_at_the_head_of_startup(image: Image) -> None:
    """Computed here again: path, zero byte, SHA-256 of each .mpy of the two packages, in the order of the paths."""
    digest = sha256()
    slot = image.folder / "a"
    for package in ("meterseal_fixture", "meterseal_wire"):
        for path in sorted(
            (slot / package).rglob("*.mpy"), key=lambda path: path.relative_to(slot).as_posix()
        ):
            digest.update(
                path.relative_to(slot).as_posix().encode() + b"\0" + sha256(path.read_bytes()).digest()
            )
    assert digest.digest() == image.digest
    inner = scan((slot / "manifest.cbor").read_bytes())
    assert [inner[label] for label in (1, 2, 3, 5)] == [image.version, "unix", 3, image.digest]
    assert [row[0] for row in inner[4]] == sorted(set(bytes_of(slot)) - {"manifest.cbor"})


def test_a_changed_source_changes_the_digest(image: Image, tmp_path: Path) -> None:
    """One constant of the capture line; the loader, which is in no package, changes only its own file."""
    sources = copied(tmp_path / "sources")
    offer = sources / "firmware/src/meterseal_fixture/offer.py"
    offer.write_text(offer.read_text().replace("POLL_MS = 20", "POLL_MS = 21"))
    assert build(sources, "unix", tmp_path / "other", 3).digest != image.digest
    assert build(ROOT, "unix", tmp_path / "later", 4).digest == image.digest


@pytest.mark.parametrize("board", ["unix", "rp2350"])
def test_micropython_mounts_the_file_system_and_updates_from_it(
    image: Image, tmp_path: Path, board: str
) -> None:
    """Real VfsLfs2 over the file in RAM, with each port's program size: the same paths and hashes, no times; and the
    update of `update.py` takes the image's own files, whatever mpy-cross made of them, into slot b.
    """
    block, _, cache = FLASH[board]
    raw = image.folder / "image.bin"
    if board != "unix":
        raw = tmp_path / "other.bin"
        made = Image(image.folder, image.version, board, 3, image.files, image.digest)
        raw.write_bytes(file_system(made))
    program = tmp_path / "mount.py"
    program.write_text(MOUNT + UPDATE)
    done = micropython(program, raw, block, cache // 4)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["found"] == {file.path: file.sha256.hex() for file in image.files}
    assert set(said["times"]) == {0}
    assert (said["chosen"], said["same"]) == ("b", True)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A water bench, a broker, and the test in the edge's place."""
    broker = Broker(tmp_path)
    edge = EdgeSide(broker)
    with Rig(BenchSpec(kinds.WATER, 8)) as rig:
        yield Bench(rig, edge, tmp_path)
    edge.close()
    broker.stop()


def test_the_application_starts_from_the_image_and_its_boot_says_the_digest(own: Path, bench: Bench) -> None:
    """From end to end: the loader, slot a, compiled modules alone; the signed boot statement has the manifest's digest
    and version.
    """
    bench.power("1m", FirmwarePaths(own / "main.py", ()))
    [boot] = bench.edge.wait_for(L.KIND_BOOT)
    assert bench.edge.fixture_key.verifies(boot.signed, boot.signature)
    said = load(own)
    assert boot.payload[L.FIRMWARE_DIGEST] == said.digest
    assert boot.payload[L.FIRMWARE_VERSION] == said.version
    assert boot.payload[L.BOARD].partition("/")[0] == said.board


STAGE = """
import sys
from meterseal_fixture.slots import Slots
slots = Slots(sys.argv[1], "a")
slots.stage(bytes([7]) * 32)
slots.mark(5)
"""


def slot(folder: Path, start: str) -> None:
    """A slot of one file, and its manifest."""
    folder.mkdir()
    (folder / "start.py").write_text(start)
    image = Image(folder, "1", "unix", 0, tuple(files_of(folder)), bytes(32))
    (folder / "manifest.cbor").write_bytes(manifest(image))


@pytest.mark.parametrize(
    "ending", ["raise ValueError('broken')", "import sys\nsys.exit(1)", "import nowhere", ""]
)
def test_the_loader_gives_a_version_on_trial_three_starts(tmp_path: Path, ending: str) -> None:
    """The joined main.py alone, beside no package: b three times, whatever becomes of it, then a for good."""
    (tmp_path / "main.py").write_bytes(loader(ROOT))
    for name, last in (("a", ""), ("b", ending)):
        slot(tmp_path / name, f"print('slot {name}')\n{last}\n")
    (tmp_path / "stage.py").write_text(STAGE)
    assert micropython(tmp_path / "main.py").stdout == "slot a\n"
    done = micropython(tmp_path / "stage.py", tmp_path, path=f"{ROOT}/firmware/src:{ROOT}/protocol/src")
    assert done.returncode == 0, done.stderr
    lives = [micropython(tmp_path / "main.py") for _ in range(5)]
    assert [life.stdout.splitlines()[0] for life in lives] == ["slot b"] * 3 + ["slot a"] * 2
    assert [life.returncode for life in lives] == [1, 1, 1, 0, 0]


def test_a_version_on_trial_that_hears_no_edge_ends_by_itself_and_the_old_one_returns(
    own: Path, bench: Bench
) -> None:
    """The whole application from slot b, its broker gone, `trial_s` 1: three lives end by themselves with a sentence to
    the operator; the fourth is slot a's, goes on, and signs `update given up`.
    """
    bench.edge.broker.stop()
    shutil.copytree(own / "a", own / "b")
    (own / "stage.py").write_text(STAGE)
    assert micropython(own / "stage.py", own, path=f"{ROOT}/firmware/src:{ROOT}/protocol/src").returncode == 0
    settings = json.loads(bench.settings.read_text())
    bench.settings.write_text(json.dumps({**settings, "trial_s": 1}))
    for _ in range(3):
        life = bench.rig.start_fixture(bench.settings, "1m", FirmwarePaths(own / "main.py", ()))
        bench.panel.wait(lambda message: message.get("error") == "update.unheard", WAIT_S)
        wait_until(lambda life=life: life.ended() == BROKEN, "the end of the application")
        bench.rig.cut_power()
    bench.rig.start_fixture(bench.settings, "1m", FirmwarePaths(own / "main.py", ()))
    bench.panel.wait_event("boot")
    assert bench.panel.wait_event("noted")["name"] == "update given up"


def test_a_good_version_that_breaks_shows_why(tmp_path: Path) -> None:
    """No silent restart: the traceback of the good slot is what somebody at the board needs."""
    (tmp_path / "main.py").write_bytes(loader(ROOT))
    slot(tmp_path / "a", "raise ValueError('broken')\n")
    done = micropython(tmp_path / "main.py")
    assert done.returncode == 1 and "ValueError: broken" in done.stdout + done.stderr


def test_a_damaged_slot_is_not_run(tmp_path: Path) -> None:
    """One byte of start.py differs from the slot's manifest: what it would print is never printed. With no other slot
    the loader says in both languages what to do and ends with 1; with a whole one it starts that, now and later.
    """
    (tmp_path / "main.py").write_bytes(loader(ROOT))
    slot(tmp_path / "a", "print('slot a')\n")
    (tmp_path / "a/start.py").write_text("print('slot x')\n")
    done = micropython(tmp_path / "main.py")
    assert done.returncode == 1 and "slot" not in done.stdout.splitlines()[0]
    assert "没有一个槽完整" in done.stdout and "No slot is whole" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    slot(tmp_path / "b", "print('slot b')\n")
    (tmp_path / "b/start.py").write_text("print('slot b')\n")
    assert [micropython(tmp_path / "main.py").stdout for _ in range(2)] == ["slot b\n"] * 2


def test_the_loader_finds_a_flipped_byte_of_the_real_image(own: Path) -> None:
    """In a compiled module of the application: without the look the interpreter would have run it."""
    path = own / "a/meterseal_fixture/words.mpy"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    done = micropython(own / "main.py", "settings.json")
    assert done.returncode == 1 and "No slot is whole" in done.stdout


def test_build_and_show_print_the_same_table(tmp_path: Path) -> None:
    """Every file with size and hash, then version, board, counter and digests; a second build replaces the first."""
    out = tmp_path / "out"
    code, text = run("build", "--board", "unix", "--out", out, "--counter", 7)
    assert code == 0, text
    assert run("show", out) == (0, text)
    made = load(out)
    lines = dict(line.split(maxsplit=1) for line in text.splitlines() if line)
    assert lines["digest"] == made.digest.hex() and lines["counter"] == "7"
    assert lines["a/start.mpy"].split() == [
        str((out / "a/start.mpy").stat().st_size),
        sha256((out / "a/start.mpy").read_bytes()).hexdigest(),
    ]
    assert run("build", "--board", "unix", "--out", out, "--counter", 7) == (0, text)


@pytest.mark.parametrize("name", ["a/start.mpy", "main.py", "a/manifest.cbor", "image.bin", "manifest.cbor"])
def test_show_finds_a_flipped_byte_in_any_file(own: Path, name: str) -> None:
    """Exit code 65 and one sentence. Of image.bin only what lies in files counts: the rest is littlefs' own."""
    data = bytearray((own / name).read_bytes())
    data[data.index(b"meterseal_fixture/main.py") if name == "image.bin" else len(data) // 2] ^= 1
    (own / name).write_bytes(data)
    code, text = run("show", own)
    assert code == 65 and text.startswith("firmware show: ")


def test_a_slot_manifest_of_another_image_is_found(own: Path, tmp_path: Path) -> None:
    """The outer manifest agrees with it byte by byte, and yet it says another counter."""
    other = build(ROOT, "unix", tmp_path / "other", 9)
    inner = (other.folder / "a/manifest.cbor").read_bytes()
    (own / "a/manifest.cbor").write_bytes(inner)
    with pytest.raises(BadImage, match="another image"):
        compare(Image(own, other.version, "unix", 3, load(other.folder).files, other.digest))


def test_a_board_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Unknown, and known but not written: a sentence and exit code 64, and no folder is made."""
    code, text = run("build", "--board", "toaster", "--out", tmp_path / "out")
    assert code == 64 and "unix, esp32s3, rp2350" in text
    sources = copied(tmp_path / "sources")
    shutil.rmtree(sources / "firmware/boards/esp32s3", ignore_errors=True)
    with pytest.raises(BadImage, match="not written yet"):
        build(sources, "esp32s3", tmp_path / "out", 0)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    """Only an older image is replaced."""
    (tmp_path / "a").mkdir()
    (tmp_path / "thesis.txt").write_text("mine")
    code, text = run("build", "--board", "unix", "--out", tmp_path)
    assert code == 64 and "thesis.txt" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "thesis.txt"]


@pytest.mark.parametrize("board", sorted(FLASH))
def test_every_board_whose_sources_are_there_has_an_image(tmp_path: Path, board: str) -> None:
    """Its manifest.py says which modules lie beside the packages; start, board and manifest are in each. All boards
    share one digest: the packages are the same, and without native code so is what mpy-cross makes of them.
    """
    made = build(ROOT, board, tmp_path / "out", 1)
    compare(made)
    names = {file.path for file in made.files}
    assert {"main.py", "a/start.mpy", "a/board.mpy", "a/manifest.cbor"} <= names
    assert not {"a/main.mpy", "a/manifest.mpy", "a/boot.mpy"} & names
    assert made.digest == build(ROOT, "unix", tmp_path / "unix", 2).digest


def test_sources_that_cannot_be_built_are_named(tmp_path: Path) -> None:
    """A syntax error, a manifest that wants more than we know, a counter beyond the cell's 32 bits."""
    sources = copied(tmp_path / "sources")
    with pytest.raises(BadImage, match="counter"):
        build(sources, "unix", tmp_path / "out", 1 << 32)
    plan = sources / "firmware/src/meterseal_fixture/plan.py"
    plan.write_text("def (\n")
    with pytest.raises(BadImage, match="mpy-cross refuses"):
        build(sources, "unix", tmp_path / "out", 0)
    (sources / "firmware/boards/unix/manifest.py").write_text('require("aiohttp")\n')
    with pytest.raises(BadImage, match="require"):
        build(sources, "unix", tmp_path / "out", 0)


@pytest.mark.parametrize("raw", [b"", bytes(4096), b"\xff" * 8192])
def test_what_is_no_file_system_is_refused(raw: bytes) -> None:
    """Nothing, zeros, an erased chip."""
    with pytest.raises(BadImage, match="cannot be mounted"):
        read_file_system("unix", raw)
    with pytest.raises(BadImage, match="no board"):
        read_file_system("toaster", raw)
