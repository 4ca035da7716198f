"""What the loader looks at before every start: the slot's files against its manifest, and where it turns to."""

from flash import Flash, Mounted
from slot_images import Image, staging, started

from meterseal_fixture import slots as machine
from meterseal_fixture.errors import NotKept
from meterseal_fixture.slots import BAD, OLD, Slots
from meterseal_fixture.whole import MANIFEST, counter_of, whole_slot
from meterseal_wire.encode import encode

FIRST, SECOND = Image("1", counter=1), Image("2", counter=2)
LAST = "meterseal_wire/__init__.mpy"


class Board:
    """`with Board() as root`: version 1 in slot a, the good one; with `two`, version 2 on trial in b."""

    def __init__(self, two=False, files=None):
        self.two, self.image = two, Image("2", counter=2, files=files)

    def __enter__(self):
        self.mounted = Mounted(Flash(96), new=True)
        root = self.mounted.__enter__()
        FIRST.install(root + "/a")
        if self.two:
            update = staging(started(root))
            self.image.stage(update)
            update.finish(self.image.manifest, self.image.grant)
        return root

    def __exit__(self, *why):
        self.mounted.__exit__(*why)


def confirmed(root):
    """Version 2 in b becomes the good one."""
    now = started(root)
    now.confirm()
    now.told()


def change(path, at=None, data=None):
    """Flip a bit of a file's byte, or replace its content."""
    with open(path, "rb") as file:
        raw = bytearray(file.read())
    if at is not None:
        raw[at] ^= 1
    with open(path, "wb") as file:
        file.write(raw if data is None else data)


def test_a_whole_slot_has_its_manifests_counter():
    """The figures of the manifest that was built here with the wire's own encoder, counters of one to five bytes."""
    for counter in (0, 23, 24, 255, 256, 65535, 65536, 0xFFFFFFFF):
        image = Image("9", counter=counter)
        with Board() as root:
            image.install(root + "/b")
            assert counter_of(root + "/b") == counter


def test_a_flipped_bit_in_any_file_is_found():
    """First, middle and last byte of every file, and of the manifest every byte: not whole, and never an exception."""
    with Board() as root:
        slot = root + "/a"
        for path in sorted(FIRST.files):
            for at in (0, len(FIRST.files[path]) // 2, -1):
                change(slot + "/" + path, at)
                assert counter_of(slot) is None, path
                change(slot + "/" + path, at)
        assert counter_of(slot) == 1


def test_a_manifest_that_is_cut_or_flipped_is_never_believed_and_never_raises():
    """Cut before each byte it is none. A flipped bit may change version, board, digest or counter, which are not the
    loader's to judge: the files must then still be the manifest's.
    """
    with Board() as root:
        path = root + "/a/" + MANIFEST
        for size in range(len(FIRST.manifest)):
            change(path, data=FIRST.manifest[:size])
            assert counter_of(root + "/a") is None, size
        files = FIRST.manifest.find(b"\x04\x85")  # key 4 and the array of five rows
        end = FIRST.manifest.rfind(b"\x05\x58\x20")
        assert 0 < files < end
        for at in range(files, end):
            change(path, data=FIRST.manifest)
            change(path, at)
            found = counter_of(root + "/a")
            assert found is None or _only_a_size_changed(path), at


def _only_a_size_changed(path):
    # A row's second item, which the hash makes superfluous.
    with open(path, "rb") as file:
        raw = file.read()
    changed = [at for at in range(len(raw)) if raw[at] != FIRST.manifest[at]]
    row = FIRST.manifest.rfind(b".mpy", 0, changed[0])
    return 4 <= changed[0] - row <= 6


def test_what_is_no_manifest_is_not_whole():
    """Other types, other depths, an endless nesting: all of them None."""
    with Board() as root:
        for raw in (
            encode([]),
            encode({1: "2"}),
            encode({3: 1, 4: 7}),
            encode({3: 1, 4: [["board.mpy", 5]]}),
            encode({3: 1, 4: [[1, 2, 3]]}),
            encode({3: "x", 4: []}),
            b"\x9b" + b"\xff" * 8,
            b"\xfb" + bytes(8),
            b"\x81" * 4000,
            FIRST.manifest + b"\x00",
        ):
            change(root + "/a/" + MANIFEST, data=raw)
            assert counter_of(root + "/a") is None, raw[:20]


def test_a_file_more_or_less_is_found():
    """A module that nobody named could be imported before the others."""
    with Board() as root:
        with open(root + "/a/hashlib.mpy", "wb") as file:
            file.write(b"x")
        assert counter_of(root + "/a") is None
    with Board() as root:
        less = Image("1", counter=1)
        del less.files[LAST]
        less.install(root + "/b")
        assert counter_of(root + "/b") is None and counter_of(root + "/c") is None


def test_a_damaged_version_on_trial_is_left_for_the_good_one():
    """Each start on trial is used up without running it; then it is given up, and that is told."""
    with Board(two=True) as root:
        change(root + "/b/" + LAST, 0)
        assert [started(root).running for _ in range(machine.STARTS + 1)] == ["a"] * (machine.STARTS + 1)
        assert (started(root).state, started(root).event()[0]) == (BAD, "update given up")


def test_a_damaged_good_slot_gives_way_to_the_version_before():
    """Same counter floor: the other one is the good one from then on, the event says so, and an update may fill the
    damaged slot again.
    """
    with Board(two=True) as root:
        confirmed(root)
        again = Image("1", counter=2)
        again.install(root + "/a")
        change(root + "/b/" + LAST, 0)
        now = started(root)
        assert (now.running, now.good, now.state, now.counter, now.on_trial()) == ("a", "a", BAD, 2, False)
        assert now.event() == ("slot damaged", "slot b damaged, slot a started instead")
        now.told()
        assert started(root).event() is None
        third = Image("3", counter=2)
        update = staging(started(root))
        third.stage(update)
        update.finish(third.manifest, third.grant)
        assert started(root).running == "b" and third.lies_in(root + "/b")


def test_a_version_below_the_floor_does_not_come_back_by_damage():
    """The counter never goes back: who damages the good slot does not get the older version to run. Nothing starts."""
    with Board(two=True) as root:
        confirmed(root)
        change(root + "/b/" + LAST, 0)
        assert started(root).running == "" and Slots(root).good == "b"
        change(root + "/b/" + LAST, 0)
        assert started(root).running == "b"


def test_two_damaged_slots_start_nothing():
    """On trial, and after it."""
    with Board(two=True) as root:
        change(root + "/a/" + LAST, 0)
        change(root + "/b/" + LAST, 0)
        assert [started(root).running for _ in range(5)] == [""] * 5


def test_a_good_slot_that_is_damaged_while_the_other_is_given_up_starts_that_one():
    """It was whole and granted, and a fixture that runs can be mended over the link."""
    with Board(two=True) as root:
        for _ in range(machine.STARTS + 1):
            started(root)
        change(root + "/a/" + LAST, 0)
        now = started(root)
        assert (now.running, now.good, now.state) == ("b", "b", BAD)


def test_a_cell_that_cannot_be_written_starts_no_other_slot():
    """What starts must be what the cell says; so it stops, and the next start asks again."""
    with Board(two=True) as root:
        confirmed(root)
        Image("1", counter=2).install(root + "/a")
        change(root + "/b/" + LAST, 0)
        found = Slots(root)

        def refuse(_value):
            raise NotKept("keep.not_kept", "slot")

        found._cell.write = refuse
        assert whole_slot(found) == ""
        assert (Slots(root).good, Slots(root).state) == ("b", OLD)
