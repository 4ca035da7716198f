"""`meterseal flash` on simulated boards: real MicroPython in its raw REPL, through mpremote's own transport."""

import fcntl
import json
import os
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image as Picture
from tools.tests.board_bench import EXTRA, Bench, make_image, run, tree, write_manifest

from meterseal_tools import flash as command
from meterseal_tools.boards import records
from meterseal_tools.boards.flashing import flash
from meterseal_tools.boards.identity import at, fingerprint, make_key
from meterseal_tools.boards.image import BadImage, load
from meterseal_tools.boards.link import BoardLink
from meterseal_tools.boards.words import SENTENCES, BoardError
from meterseal_tools.sim.repl_chip import Chip


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


@pytest.fixture(autouse=True)
def nobody_plugs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command does not wait a minute for a board that no test will plug in again."""
    monkeypatch.setattr(command, "came_back", lambda _port: False)


def quiet(done: int, total: int) -> None:
    """No progress wanted."""


def lines(path: Path) -> list[dict[str, str]]:
    """The records in a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_three_boards_at_once_become_what_was_built(bench: Bench, image: Path, tmp_path: Path) -> None:
    """Byte for byte, with a record each, and the loader starts: every board was reset at the end."""
    boards = [bench.board(number) for number in (1, 2, 3)]
    kept = tmp_path / "boards.jsonl"
    ports = [part for board in boards for part in ("--port", board.port)]
    found = run("flash", image, *ports, "--records", kept)
    assert found.exit_code == 0, found.output
    assert all(tree(board.store.path) == tree(image) for board in boards)
    built = load(image)
    rows = sorted(lines(kept), key=lambda row: row["port"])
    assert [row["unique_id"] for row in rows] == [board.unique_id for board in boards]
    assert {(row["version"], row["digest"], row["outcome"], row["fingerprint"]) for row in rows} == {
        ("0.1.0", built.digest.hex(), "flashed", "")
    }


def test_a_second_run_sends_nothing(bench: Bench, image: Path) -> None:
    """Everything is there and right: `same`, and less than one file's bytes went over the cable."""
    board = bench.board()
    run("flash", image, "--port", board.port)
    board.plug_again()
    found = run("flash", image, "--port", board.port)
    assert found.exit_code == 0 and " same" in found.output
    assert board.faults.sent < EXTRA


def test_a_board_unplugged_midway_is_named_and_the_next_run_goes_on(bench: Bench, image: Path) -> None:
    """Exit 1, one sentence, no loader on the board; then only what was missing is sent."""
    first, other = bench.board(1), bench.board(2)
    first.faults.unplug_after = 18_000
    found = run("flash", image, "--port", first.port, "--port", other.port)
    assert found.exit_code == 1
    assert "gone" in found.output and "went away" in found.output and " flashed" in found.output
    there = tree(first.store.path)
    assert 0 < len([path for path in there if not path.endswith(".part")]) < len(tree(image))
    assert "main.py" not in there
    first.plug()
    assert run("flash", image, "--port", first.port).exit_code == 0
    assert tree(first.store.path) == tree(image)
    assert first.faults.sent < other.faults.sent  # which got everything


def test_a_board_plugged_in_again_while_we_wait_is_finished(bench: Bench, image: Path) -> None:
    """`wait` is asked once; the board is the same by its number, so the work goes on in the same run."""
    board = bench.board()
    board.faults.unplug_after = 18_000
    asked = []

    def wait(port: str) -> bool:
        asked.append(port)
        board.plug()
        return True

    done = flash(str(board.port), load(image), quiet, wait)
    assert (done.unique_id, done.outcome, asked) == (board.unique_id, "flashed", [str(board.port)])
    assert tree(board.store.path) == tree(image)


def test_another_board_on_the_port_is_not_taken_for_the_first(bench: Bench, image: Path) -> None:
    """Boards are known by their chip's number and not by their port."""
    board = bench.board()
    board.faults.unplug_after = 18_000

    def wait(port: str) -> bool:
        board.chip = Chip("ff" * 8)
        board.plug()
        return True

    with pytest.raises(BoardError, match="another board") as stopped:
        flash(str(board.port), load(image), quiet, wait)
    assert stopped.value.code == "other_board"


def test_a_cable_that_comes_loose_again_and_again_ends_the_work(bench: Bench, image: Path) -> None:
    """Five times back is the most; then a person has to look."""
    board = bench.board()
    asked = []

    def wait(port: str) -> bool:
        asked.append(port)
        board.plug()
        board.faults.unplug_after = 50
        return True

    board.faults.unplug_after = 50
    with pytest.raises(BoardError, match="went away"):
        flash(str(board.port), load(image), quiet, wait)
    assert len(asked) == 5


def test_a_damaged_transfer_is_noticed_and_sent_again(bench: Bench, image: Path) -> None:
    """One byte of the loader's base64 changes on the cable; the board's hash differs, the second try is right."""
    board = bench.board()
    board.faults.damage = b"aW1wb3J0IH"  # "import " as base64, in the loader alone
    board.faults.instead = b"I"
    seen: list[tuple[int, int]] = []
    done = flash(str(board.port), load(image), lambda *step: seen.append(step), lambda _port: False)
    assert board.faults.damage == b""
    assert done.outcome == "flashed" and tree(board.store.path) == tree(image)
    sizes = [file.size for file in load(image).files]
    assert seen[0] == (0, sum(sizes)) and seen[-1] == (sum(sizes), sum(sizes)) and seen == sorted(seen)


def test_a_cable_that_damages_everything_stops_the_board(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three wrong hashes: the temporary file goes, the old content stays, and the sentence names the file."""
    board = bench.board()
    with BoardLink(str(board.port)) as link:
        link.put("x.py", b"old")
        real = link.hash
        monkeypatch.setattr(link, "hash", lambda path: bytes(32) if path.endswith(".part") else real(path))
        with pytest.raises(BoardError, match=r"x\.py arrived damaged"):
            link.put("x.py", b"new")
    assert tree(board.store.path) == {"x.py": b"old"}


def test_a_full_board_says_so_and_keeps_no_torn_file(bench: Bench, image: Path) -> None:
    """A real littlefs of eight blocks: ENOSPC is one sentence, exit 1."""
    (image / "a/big.py").write_bytes(b"#" * 40_000)
    write_manifest(image)
    board = bench.board(blocks=8)
    found = run("flash", image, "--port", board.port)
    assert found.exit_code == 1 and "no room left" in found.output
    with BoardLink(str(board.port)) as link:
        assert not [path for path in link.sizes() if path.endswith(".part")]


def test_what_nobody_built_goes_from_the_slot_and_is_named_elsewhere(bench: Bench, image: Path) -> None:
    """An old module and boot.py go; a module beside the loader, which would be imported first, needs a person."""
    board = bench.board()
    root = board.store.path
    (root / "a").mkdir()
    (root / "a/old.py").write_text("x")
    (root / "boot.py").write_text("x")
    assert run("flash", image, "--port", board.port).exit_code == 0
    assert tree(root) == tree(image)
    (root / "hashlib.py").write_text("x")
    board.plug_again()
    found = run("flash", image, "--port", board.port)
    assert found.exit_code == 1 and "hashlib.py (extra)" in found.output


def test_a_board_with_a_key_gets_a_label_whose_code_is_the_fingerprint(
    bench: Bench, image: Path, tmp_path: Path
) -> None:
    """The PNG's QR, read by another library, and the text hold the thumbprint that the record holds."""
    board = bench.board()
    run("flash", image, "--port", board.port)
    with BoardLink(str(board.port)) as link:
        name = records.thumbprint(make_key(at(link)))
    kept = tmp_path / "boards.jsonl"
    found = run("flash", image, "--port", board.port, "--records", kept)
    assert found.exit_code == 0 and fingerprint(name) in found.output
    assert lines(kept)[0]["fingerprint"] == name.hex()
    label = tmp_path / "labels" / board.unique_id
    with Picture.open(label.with_suffix(".png")) as picture:
        [code] = zxingcpp.read_barcodes(picture)
    assert code.text == name.hex().upper()
    text = label.with_suffix(".txt").read_text()
    assert board.unique_id in text and name.hex() in text.replace(" ", "").replace("\n", "")
    held = tree(board.store.path) | {"key": (board.store.path / "state/key").read_bytes()}
    assert held.pop("key") and held == tree(image)


def test_a_port_that_is_not_there_or_in_use_is_one_sentence(
    bench: Bench, image: Path, tmp_path: Path
) -> None:
    """Exit 1: the board failed, not the call. The lock is pyserial's own."""
    board = bench.board()
    with board.port.open("r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = run("flash", image, "--port", board.port, "--port", tmp_path / "no")
    assert found.exit_code == 1
    assert "is in use by another program" in found.output and "there is no port" in found.output


def test_a_port_without_micropython_is_named(tmp_path: Path) -> None:
    """Something silent is on the line: the link gives up and says what to check."""
    master, slave = os.openpty()
    tty.setraw(slave)
    try:
        with pytest.raises(BoardError, match=r"nothing on .* answers as MicroPython"):
            BoardLink(os.ttyname(slave), 0.05).__enter__()
    finally:
        os.close(master)
        os.close(slave)


def test_a_board_that_goes_away_while_asked_is_gone(bench: Bench) -> None:
    """Whatever the operating system reports, it is the same sentence."""
    board = bench.board()
    with BoardLink(str(board.port)) as link:
        board.unplug()
        for act in (link.sizes, link.start):
            with pytest.raises(BoardError, match="went away"):
                act()


def test_an_error_on_the_board_is_told_in_its_own_last_line(bench: Bench) -> None:
    """No traceback: the sentence ends with what the board said."""
    board = bench.board()
    with BoardLink(str(board.port)) as link:
        with pytest.raises(BoardError, match=r"says: OSError: \[Errno 2\] ENOENT"):
            link.hash("nothing")
        assert link.sizes() == {}


def test_an_answer_that_is_no_literal_is_refused(bench: Bench) -> None:
    """A program of the board that prints of itself is not mistaken for an answer."""
    board = bench.board()
    with BoardLink(str(board.port)) as link, pytest.raises(BoardError, match="an answer that is none"):
        link.ask("print('what is this?')")


@pytest.mark.parametrize(
    "damage, why",
    [
        ("a/meterseal_fixture/__init__.py", "is not what the manifest says"),
        ("manifest.cbor", "is no manifest"),
    ],
)
def test_a_damaged_image_is_refused_before_any_board_is_touched(image: Path, damage: str, why: str) -> None:
    """Exit 64 and one sentence in each language; the port does not even exist."""
    (image / damage).write_bytes(b"damaged")
    found = run("flash", image, "--port", "/dev/none")
    assert found.exit_code == 64 and why in found.stderr and "镜像" in found.stderr


def test_an_image_may_name_nothing_outside_its_slot(image: Path) -> None:
    """A manifest that would write into the fixture's state, or above the root, is refused."""
    (image / "state").mkdir()
    (image / "state/key").write_bytes(bytes(32))
    with pytest.raises(BadImage, match="'state/key'"):
        load(write_manifest(image))


def test_an_image_whose_file_or_digest_is_missing_is_refused(image: Path) -> None:
    """A file that the manifest names must be there."""
    (image / "main.py").unlink()
    with pytest.raises(BadImage, match=r"main\.py is named by the manifest and missing"):
        load(image)
    with pytest.raises(BadImage, match="there is no "):
        load(image / "a/meterseal_wire")


def test_neither_port_nor_all_is_misuse(image: Path) -> None:
    """Both, too."""
    assert run("flash", image).exit_code == 64
    assert run("flash", image, "--port", "x", "--all").exit_code == 64


@dataclass
class Usb:
    """A port as pyserial lists it."""

    device: str
    vid: int | None


def test_all_means_boards_and_not_converters(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An M-Bus converter behind a CP210x is never sent Ctrl-C; with no board there it is misuse."""
    ports = [Usb("/dev/ttyUSB0", 0x10C4), Usb("/dev/ttyS0", None)]
    monkeypatch.setattr(command, "comports", lambda: ports)
    found = run("flash", image, "--all")
    assert found.exit_code == 64 and "no board is plugged in" in found.stderr
    boards = [Usb("/dev/ttyACM1", 0x303A), Usb("/dev/ttyACM0", 0x2E8A)]
    assert command.board_ports(ports + boards) == ["/dev/ttyACM0", "/dev/ttyACM1"]


def test_the_step_before_is_shown_and_not_run(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The esptool is a person's own program: its command is printed; without it there is one sentence."""
    monkeypatch.setattr(command.shutil, "which", lambda _name: None)
    found = run("flash", image, "--port", "/dev/ttyACM0", "--base", "esp.bin")
    assert found.exit_code == 64 and "esptool is not installed" in found.stderr
    monkeypatch.setattr(command.shutil, "which", lambda name: f"/bin/{name}")
    found = run("flash", image, "--port", "/dev/ttyACM0", "--base", "esp.bin")
    assert found.exit_code == 0
    assert "/bin/esptool --port /dev/ttyACM0 write-flash --erase-all 0x0 esp.bin" in found.output
    assert "BOOTSEL" in run("flash", image, "--port", "/dev/ttyACM0", "--base", "rp2.uf2").output


def test_every_sentence_is_said_in_two_languages() -> None:
    """The same things are filled in, and nothing is left open."""
    for code in SENTENCES:
        error = BoardError(code, "COM7", "this")
        assert ("COM7" in error.zh) == ("COM7" in str(error)) and "{" not in error.both
        assert any("一" <= letter <= "鿿" for letter in error.zh)
