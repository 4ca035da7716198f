"""`meterseal verify-board`: the board's own hashes, and a dump of its flash, against what was built."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from littlefs import LittleFS
from tools.tests.board_bench import Bench, make_image, run, slots_say

from meterseal_tools.boards.image import load

# What happens to slot b, as the firmware's own slots.py is told: staged, verified, then one of these ends.
BEGUN = "slots.stage(bytes([7]) * 32)\nslots.mark(2)\n"
STEPS = {
    "try": BEGUN,
    "good": BEGUN + "slots.running = slots.choose()\nslots.confirm()\nslots.told()",
    "bad": BEGUN + "for _ in range(4):\n    slots.choose()",
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Boards that are unplugged at the end."""
    found = Bench(tmp_path)
    yield found
    found.close()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A built image."""
    return make_image(tmp_path / "image")


def flashed(bench: Bench, image: Path, blocks: int = 0) -> tuple[Path, Path]:
    """Port and store of a board that carries the image."""
    board = bench.board(blocks=blocks)
    assert run("flash", image, "--port", board.port).exit_code == 0
    return board.port, board.store.path


def test_a_flashed_board_is_the_same_and_shows_the_digest_twice(bench: Bench, image: Path) -> None:
    """Exit 0; the digest built and the one computed from the board's hashes are printed and equal."""
    port, _ = flashed(bench, image)
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 0 and "一致 the same" in found.output
    assert found.output.count(load(image).digest.hex()) == 2


@pytest.mark.parametrize(
    "path, kind",
    [
        ("a/meterseal_fixture/__init__.py", "changed"),
        ("a/hidden.py", "nobody built it"),
        ("b/start.py", "nobody built it"),
        ("boot.py", "nobody built it"),
    ],
)
def test_one_wrong_file_is_named(bench: Bench, image: Path, path: str, kind: str) -> None:
    """Changed without a change of size, or there and built by nobody: exit 1 and its name."""
    port, root = flashed(bench, image)
    target = root / path
    target.parent.mkdir(exist_ok=True)
    old = target.read_bytes() if target.exists() else b"x"
    target.write_bytes(bytes([old[0] ^ 1]) + old[1:])
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 1
    [line] = [line for line in found.output.splitlines() if line.startswith("  ")]
    assert line.split()[0] == path and kind in line


def test_a_missing_file_is_named_and_state_is_the_fixtures_own(bench: Bench, image: Path) -> None:
    """What lies in state/ is never judged."""
    port, root = flashed(bench, image)
    (root / "state").mkdir(exist_ok=True)
    (root / "state/settings.json").write_text("{}")
    assert run("verify-board", image, "--port", port).exit_code == 0
    (root / "a/meterseal_fixture/signer/curve_p256.py").unlink()
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 1 and "curve_p256.py  缺失 missing" in found.output


def test_a_dumped_littlefs_is_judged_without_the_board(bench: Bench, image: Path) -> None:
    """The flash that MicroPython wrote, read by littlefs-python: same; against another build: it differs."""
    _, store = flashed(bench, image, blocks=64)
    found = run("verify-board", image, "--image-file", store)
    assert found.exit_code == 0 and found.output.count(load(image).digest.hex()) == 2
    other = make_image(image.parent / "other", "0.2.0")
    found = run("verify-board", other, "--image-file", store)
    assert found.exit_code == 1 and "a/meterseal_fixture/__init__.py  不同 changed" in found.output


@pytest.mark.parametrize("content, why", [(b"x" * 5000, "blocks"), (b"x" * 8192, "no littlefs")])
def test_a_dump_that_is_none_is_one_sentence(image: Path, content: bytes, why: str) -> None:
    """Exit 74: nothing is said about the board."""
    path = image.parent / "flash.bin"
    path.write_bytes(content)
    found = run("verify-board", image, "--image-file", path)
    assert found.exit_code == 74 and why in found.stderr


def test_misuse_and_what_cannot_be_read_have_their_own_codes(image: Path) -> None:
    """64 for the call and the image, 74 for a board or a dump that is not there."""
    assert run("verify-board", image).exit_code == 64
    assert run("verify-board", image / "a", "--port", "x").exit_code == 64
    assert run("verify-board", image, "--port", "/dev/none").exit_code == 74
    assert run("verify-board", image, "--image-file", "/dev/none.bin").exit_code == 74


def updated(root: Path, folder: Path, state: str) -> Path:
    """Put another version into slot b with its manifest and let the firmware's own slots.py say what is `state`; gives
    the image.
    """
    image = make_image(folder, "0.2.0", 2)
    shutil.copytree(image / "a", root / "b")
    slots_say(root, STEPS[state])
    return image


def test_after_an_update_the_slot_that_starts_is_compared(bench: Bench, image: Path, tmp_path: Path) -> None:
    """Slot b is good: the newer image is the same and the older one differs; a is shown as the version before."""
    port, root = flashed(bench, image)
    newer = updated(root, tmp_path / "newer", "good")
    found = run("verify-board", newer, "--port", port)
    assert found.exit_code == 0, found.output
    assert "starts   b/" in found.output and "counter 2" in found.output
    assert "other slot a/ 旧版本 the version before" in found.output
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 1 and "b/meterseal_fixture/__init__.py  不同 changed" in found.output


def test_on_trial_the_new_version_starts_and_the_good_one_is_the_other(
    bench: Bench, image: Path, tmp_path: Path
) -> None:
    """A slot on trial is what the next start takes."""
    port, root = flashed(bench, image)
    newer = updated(root, tmp_path / "newer", "try")
    found = run("verify-board", newer, "--port", port)
    assert found.exit_code == 0 and "b/ 试运行 on trial" in found.output
    assert "a/ 可回退 the one to go back to" in found.output


def test_the_other_slot_is_told_and_judged_by_its_own_manifest_alone(
    bench: Bench, image: Path, tmp_path: Path
) -> None:
    """Given up: version, whole and digest are told, and the board is the same. A file that its manifest does not name
    is extra; one that is damaged makes it not whole, and judges nothing of what starts.
    """
    port, root = flashed(bench, image)
    newer = updated(root, tmp_path / "newer", "bad")
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 0 and load(newer).digest.hex() in found.output
    assert "other slot b/ 已放弃 given up: 0.2.0, counter 2, 完整 whole" in found.output
    (root / "b/meterseal_fixture/__init__.py").write_bytes(b"VERSION = '0.2.1'\n")
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 0 and "不完整 not whole" in found.output
    (root / "b/evil.py").write_text("x")
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 1 and "b/evil.py  多余 nobody built it" in found.output


def test_an_update_under_way_is_told_and_not_judged(bench: Bench, image: Path) -> None:
    """While slot b is filled it has no manifest: its files are no one's fault."""
    port, root = flashed(bench, image)
    (root / "b").mkdir()
    (root / "b/board.mpy").write_bytes(b"half")
    slots_say(root, "slots.stage(bytes([7]) * 32)")
    found = run("verify-board", image, "--port", port)
    assert found.exit_code == 0 and "other slot b/ 正在接收 an update under way: ?" in found.output


def test_a_dump_of_an_updated_board_is_read_the_same_way(bench: Bench, image: Path, tmp_path: Path) -> None:
    """A littlefs whose cell names b and whose b is the image: the same, without the board."""
    board = bench.board()
    run("flash", image, "--port", board.port)
    newer = updated(board.store.path, tmp_path / "newer", "good")
    system = LittleFS(block_size=4096, block_count=256)
    for path in sorted(board.store.path.rglob("*")):
        name = path.relative_to(board.store.path).as_posix()
        if path.is_dir():
            system.makedirs(name, exist_ok=True)
        else:
            with system.open(name, "wb") as file:
                file.write(path.read_bytes())
    (tmp_path / "flash.bin").write_bytes(bytes(system.context.buffer))
    found = run("verify-board", newer, "--image-file", tmp_path / "flash.bin")
    assert found.exit_code == 0 and "starts   b/" in found.output
