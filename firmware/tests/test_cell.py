"""Two small files that outlive a cut: one of them is always whole."""

from doubles import Folder
from flash import Misdirected

from meterseal_fixture.cell import Cell
from meterseal_fixture.errors import NotKept


def content(path):
    with open(path, "rb") as file:
        return file.read()


def put(path, raw):
    with open(path, "wb") as file:
        file.write(raw)


def test_a_cell_gives_what_was_written_last_and_nothing_before():
    """Empty at first; then each value in turn, also to a reader that comes later."""
    with Folder() as path:
        cell = Cell(path + "/cell", 4)
        assert cell.read() == b""
        for value in (b"aaaa", b"bbbb", b"cccc", b"aaaa"):
            cell.write(value)
            assert cell.read() == value == Cell(path + "/cell", 4).read()


def test_a_write_leaves_the_newest_value_of_before_untouched():
    """Two files: the second write changes only the other one, the third only the first again."""
    with Folder() as path:
        cell = Cell(path + "/cell", 4)
        cell.write(b"aaaa")
        first = content(path + "/cell.1")
        cell.write(b"bbbb")
        assert content(path + "/cell.1") == first
        second = content(path + "/cell.0")
        cell.write(b"cccc")
        assert content(path + "/cell.0") == second and content(path + "/cell.1") != first


def test_a_write_torn_at_any_byte_gives_the_value_before():
    """8 bytes of turn, 4 of value, 4 of CRC: cut after 0 to 15 of them, the older value stands; after 16, the newer."""
    with Folder() as path:
        cell = Cell(path + "/cell", 4)
        cell.write(b"aaaa")
        cell.write(b"bbbb")
        raw = content(path + "/cell.0")
        assert len(raw) == 16
        for size in range(16):
            put(path + "/cell.0", raw[:size])
            assert Cell(path + "/cell", 4).read() == b"aaaa", size
        put(path + "/cell.0", raw)
        assert Cell(path + "/cell", 4).read() == b"bbbb"


def test_a_flipped_bit_gives_the_value_before_and_the_next_write_heals_it():
    """One bit of each byte of the newest file in turn; then a write lands on the damaged side and counts."""
    with Folder() as path:
        cell = Cell(path + "/cell", 4)
        cell.write(b"aaaa")
        cell.write(b"bbbb")
        raw = content(path + "/cell.0")
        for at in range(len(raw)):
            wrong = bytearray(raw)
            wrong[at] ^= 1 << (at % 8)
            put(path + "/cell.0", wrong)
            assert Cell(path + "/cell", 4).read() == b"aaaa", at
        Cell(path + "/cell", 4).write(b"cccc")
        assert Cell(path + "/cell", 4).read() == b"cccc"


def test_a_write_that_went_elsewhere_is_said():
    """Both files exist, the file system takes the write and changes neither: NotKept, and the value of before stays."""
    with Folder() as path:
        cell = Cell(path + "/cell", 4)
        cell.write(b"aaaa")
        cell.write(b"bbbb")
        with Misdirected(path) as astray:
            cell = Cell(astray + "/cell", 4)
            try:
                cell.write(b"cccc")
            except NotKept as wrong:
                assert wrong.code == "keep.not_kept" and cell.read() == b"bbbb"
            else:
                raise AssertionError("kept elsewhere")
        assert Cell(path + "/cell", 4).read() == b"bbbb"


def test_a_folder_that_is_gone_is_said():
    """No folder, no file: NotKept, and the value of before stays the one that is read."""
    with Folder() as path:
        cell = Cell(path + "/none/cell", 4)
        try:
            cell.write(b"aaaa")
        except NotKept as wrong:
            assert wrong.code == "keep.not_kept" and cell.read() == b""
        else:
            raise AssertionError("kept nowhere")
