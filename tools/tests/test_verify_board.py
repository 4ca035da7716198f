"""`meterseal verify-board`: the board's own hashes, and a dump of its flash, against what was built."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.tests.board_bench import Bench, make_image, run

from meterseal_tools.boards.image import load


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
    (root / "state").mkdir()
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
