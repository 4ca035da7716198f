"""`meterseal flash` on a board that was updated in the field: one layout is left, and what the board keeps stays.

The cell is written and read by the firmware's own slots.py, in MicroPython, on the board's own folder.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.tests.board_bench import Bench, make_image, run, slots_say, tree

from meterseal_tools.boards import slot_cell
from meterseal_tools.boards.flashing import flash
from meterseal_tools.boards.image import load
from meterseal_tools.boards.slot_cell import SlotCell
from meterseal_tools.boards.words import BoardError
from meterseal_tools.sim.repl_board import ReplBoard

# As after two updates: version 2 in b was confirmed with the counter that is given, and a third in a is on trial.
UPDATED = """
slots.stage(bytes([7]) * 32)
slots.mark({counter})
slots.running = slots.choose()
slots.confirm()
slots.told()
slots.stage(bytes([8]) * 32)
slots.mark({counter} + 1)
slots.choose()
"""
SAYS = """
print((slots.good, slots.state, slots.left, slots.counter, slots.event()))
"""
OTHERS = {"key": b"k" * 32, "settings.json": b"{}", "q00000001": b"statements", "covered.0": b"cell"}


def updated(board: ReplBoard, counter: int = 3) -> Path:
    """The board's root, with both slots filled, version 2 good in b, and a queue, settings and a key in state/."""
    root = board.store.path
    for path in ("a/start.py", "b/start.py", "b/meterseal_wire/__init__.py", "main.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("old")
    (root / "state").mkdir()
    for name, content in OTHERS.items():
        (root / "state" / name).write_bytes(content)
    slots_say(root, UPDATED.format(counter=counter))
    return root


def kept(root: Path) -> dict[str, bytes]:
    """What lies in state/ beside the slots' cell."""
    return {path.name: path.read_bytes() for path in (root / "state").iterdir() if "slot." not in path.name}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Boards that are unplugged at the end."""
    found = Bench(tmp_path)
    yield found
    found.close()


def test_what_the_firmware_wrote_is_read_and_what_is_written_the_firmware_reads(tmp_path: Path) -> None:
    """Both ways over the same file: slots.py in MicroPython on one side, slot_cell.py on the other."""
    slots_say(tmp_path, UPDATED.format(counter=3))
    found = slot_cell.read({path: (tmp_path / path).read_bytes() for path in slot_cell.PATHS})
    # Eight writes: stage, mark, choose, confirm, told, stage, mark, choose; one of three starts on trial is used up.
    assert found == SlotCell("b/", "try", 2, 3, 8)
    assert (found.other, found.running) == ("a/", "a/")
    path, raw = found.flashed(9)
    (tmp_path / path).write_bytes(raw)
    assert ast.literal_eval(slots_say(tmp_path, SAYS)) == ("a", "old", 0, 9, None)


def test_a_damaged_side_leaves_the_other_and_two_leave_a_new_board(tmp_path: Path) -> None:
    """The promise of cell.py: a value or the one before it."""
    slots_say(tmp_path, UPDATED.format(counter=3))
    files = {path: (tmp_path / path).read_bytes() for path in slot_cell.PATHS}
    newest = slot_cell.PATHS[0]
    files[newest] = files[newest][:-1] + bytes([files[newest][-1] ^ 1])
    assert slot_cell.read(files) == SlotCell("b/", "try", 3, 3, 7)
    assert slot_cell.read({newest: files[newest][:-1]}) == slot_cell.read({}) == SlotCell()


def test_flashing_an_updated_board_leaves_one_layout(bench: Bench, tmp_path: Path) -> None:
    """Slot a is what was flashed and the good one, b is gone, the counter is the image's, state/ is as it was; and a
    second run finds nothing to do.
    """
    image = make_image(tmp_path / "image", counter=5)
    board = bench.board()
    root = updated(board)
    found = run("flash", image, "--port", board.port)
    assert found.exit_code == 0, found.output
    assert tree(root) == tree(image) and not (root / "b").exists()
    assert kept(root) == OTHERS
    assert ast.literal_eval(slots_say(root, SAYS)) == ("a", "old", 0, 5, None)
    board.plug_again()
    assert " same" in run("flash", image, "--port", board.port).output


def test_the_same_image_still_resets_a_slot_that_points_elsewhere(bench: Bench, tmp_path: Path) -> None:
    """Nothing differs in a, but the cell says b: the planted fault of looking at files alone would call it the same."""
    image = make_image(tmp_path / "image", counter=3)
    board = bench.board()
    run("flash", image, "--port", board.port)
    slots_say(board.store.path, UPDATED.format(counter=3))
    board.plug_again()
    assert " flashed" in run("flash", image, "--port", board.port).output
    assert ast.literal_eval(slots_say(board.store.path, SAYS))[:2] == ("a", "old")
    assert tree(board.store.path) == tree(image)


def test_an_image_below_the_floor_touches_nothing_unless_a_person_insists(
    bench: Bench, tmp_path: Path
) -> None:
    """The rollback counter never goes back by itself: exit 1, a sentence, no byte changed. --force-older lowers it."""
    image = make_image(tmp_path / "image", counter=2)
    board = bench.board()
    root = updated(board)
    before = tree(root)
    found = run("flash", image, "--port", board.port)
    assert found.exit_code == 1 and "2 < 3" in found.output and "--force-older" in found.output
    assert tree(root) == before and ast.literal_eval(slots_say(root, SAYS))[3] == 3
    board.plug_again()
    assert run("flash", image, "--port", board.port, "--force-older").exit_code == 0
    assert tree(root) == tree(image) and ast.literal_eval(slots_say(root, SAYS))[3] == 2


@pytest.mark.parametrize("after", [2_000, 2_700, 3_400, 4_100, 5_500, 18_000])
def test_unplugged_anywhere_it_starts_nothing_and_the_next_run_ends_well(
    bench: Bench, tmp_path: Path, after: int
) -> None:
    """While the loader, slot b, the cell and slot a change: either nothing was changed, or there is no loader. The
    floor never falls, and the next run leaves the same layout.
    """
    image = load(make_image(tmp_path / "image", counter=5))
    board = bench.board()
    root = updated(board)
    before = tree(root)
    board.faults.unplug_after = after
    with pytest.raises(BoardError, match="went away"):
        flash(str(board.port), image, lambda _done, _total: None, lambda _port: False)
    assert tree(root) == before or not (root / "main.py").exists()
    assert ast.literal_eval(slots_say(root, SAYS))[3] in (3, 5)
    assert kept(root) == OTHERS
    board.plug()
    flash(str(board.port), image, lambda _done, _total: None, lambda _port: False)
    assert tree(root) == tree(image.folder) and not (root / "b").exists()
    assert ast.literal_eval(slots_say(root, SAYS)) == ("a", "old", 0, 5, None)
