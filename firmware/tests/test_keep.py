"""The queue on a folder of files: what is kept, found again, covered, freed, and what damage costs."""

import gc
import os

from doubles import Folder
from flash import Misdirected, Written, numbers, offered

from meterseal_fixture.errors import NotKept, QueueFull
from meterseal_fixture.keep import Keep
from meterseal_fixture.segment import FLASH_BLOCK

SEGMENT = FLASH_BLOCK
ROOM = 6 * SEGMENT  # capacity of the tests that run out of it
RESERVE = 2 * SEGMENT
LARGE = 1500  # evidence of this many bytes: with its statement two records fill a segment


def fill(keep, epoch, first, last, size=0):
    return [Written((epoch, seq), size=size).append(keep) for seq in range(first, last + 1)]


def segments(path):
    return sorted(name for name in os.listdir(path) if name.startswith("seg-"))


def content(path):
    with open(path, "rb") as file:
        return file.read()


def put(path, raw):
    with open(path, "wb") as file:
        file.write(raw)


def refuses(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return True
    return False


def test_an_empty_store_has_nothing():
    """No head, no attempt, nothing to offer, nothing covered, room."""
    with Folder() as path:
        keep = Keep(path)
        assert keep.head() is None and keep.next_after((0, -1)) is None and keep.identity_at(1, 0) is None
        assert (keep.count, keep.attempts(), keep.open_attempts(), keep.covered()) == (0, 0, [], (0, -1))
        assert keep.full is False


def test_what_is_kept_is_found_by_this_store_and_by_the_next():
    """Five records over two epochs, with and without evidence: bytes, order, identities and head are the same."""
    with Folder() as path:
        keep = Keep(path)
        kept = fill(keep, 1, 0, 2) + fill(keep, 3, 0, 1, size=700)
        for store in (keep, Keep(path)):
            found = offered(store)
            assert len(found) == 5 and all(one.is_in(record) for one, record in zip(kept, found))
            assert [store.identity_at(*one.number) for one in kept] == [one.identity for one in kept]
            assert [store.identity_at(*place) for place in ((1, 3), (2, 0), (3, 2), (0, 0))] == [None] * 4
            assert (store.head().epoch, store.head().seq, store.head().identity) == (3, 1, kept[-1].identity)
            assert store.count == 5 and store.damaged == 0


def test_an_undamaged_segment_is_continued_after_a_restart():
    """Three starts, one record each: one file, so that switching off each night fills no flash with small files."""
    with Folder() as path:
        for epoch in (1, 2, 3):
            Written((epoch, 0)).append(Keep(path))
        assert segments(path) == ["seg-00000001"] and numbers(Keep(path)) == [(1, 0), (2, 0), (3, 0)]


def test_a_record_cut_at_any_byte_is_passed_over_and_the_others_stay():
    """Truncated after each byte of the third record: two are found, the head is the second, and the next one that is
    kept goes to another segment and is found, in its order.
    """
    with Folder() as path, Folder() as other:
        keep = Keep(path)
        fill(keep, 1, 0, 1)
        start = os.stat(path + "/seg-00000001")[6]
        fill(keep, 1, 2, 2, size=30)
        raw = content(path + "/seg-00000001")
        for size in range(start, len(raw)):
            for name in os.listdir(other):
                os.remove(other + "/" + name)
            put(other + "/seg-00000001", raw[:size])
            found = Keep(other)
            assert numbers(found) == [(1, 0), (1, 1)] and found.head().seq == 1, size
            assert (found.damaged, found.count) == (1 if size > start else 0, 2), size
            Written((2, 0)).append(found)
            assert numbers(Keep(other)) == [(1, 0), (1, 1), (2, 0)], size
            assert content(other + "/seg-00000001")[:size] == raw[:size], "a torn record was edited"


def test_a_flipped_bit_costs_one_record():
    """One bit in each byte of the middle one of three, head, body or CRC: the two others are found, one is counted as
    damaged.
    """
    with Folder() as path:
        keep = Keep(path)
        fill(keep, 1, 0, 0)
        start = os.stat(path + "/seg-00000001")[6]
        fill(keep, 1, 1, 1)
        end = os.stat(path + "/seg-00000001")[6]
        fill(keep, 1, 2, 2)
        raw = content(path + "/seg-00000001")
        for at in range(start, end):
            wrong = bytearray(raw)
            wrong[at] ^= 1 << (at % 8)
            put(path + "/seg-00000001", wrong)
            found = Keep(path)
            assert numbers(found) == [(1, 0), (1, 2)], at
            assert (found.damaged, found.count, found.head().seq) == (1, 2, 2), at


def test_a_record_behind_a_damaged_head_is_found_wherever_it_begins():
    """The search reads 512 bytes at a time from the byte after the damaged head, so the mark of a record that begins
    512 bytes on lies half in one block, half in the next. Damaged records of 500 to 523 bytes, that one among them.
    """
    with Folder() as path, Folder() as other:
        Written((1, 0), size=300).append(Keep(path))
        base = os.stat(path + "/seg-00000001")[6] - 300
        lengths = []
        for length in range(500, 524):
            for old in os.listdir(other):
                os.remove(other + "/" + old)
            Written((1, 0), size=length - base).append(Keep(other))
            lengths.append(os.stat(other + "/seg-00000001")[6])
            Written((1, 1)).append(Keep(other))
            raw = bytearray(content(other + "/seg-00000001"))
            raw[0] ^= 1
            put(other + "/seg-00000001", raw)
            assert numbers(Keep(other)) == [(1, 1)], length
        assert 512 in lengths


def test_a_record_that_rots_while_the_store_is_open_is_skipped():
    """Its body changes under an open store: the offer goes on with the next, and the damage is counted."""
    with Folder() as path:
        keep = Keep(path)
        fill(keep, 1, 0, 2)
        raw = bytearray(content(path + "/seg-00000001"))
        raw[64 + 10] ^= 1
        put(path + "/seg-00000001", raw)
        assert numbers(keep) == [(1, 1), (1, 2)] and keep.damaged == 1


def test_foreign_files_do_not_disturb():
    """The key lies in the same folder; so may an editor's copy of a segment."""
    with Folder() as path:
        fill(Keep(path), 1, 0, 1)
        put(path + "/key", bytes(32))
        put(path + "/seg-00000001~", b"MS")
        put(path + "/seg-", b"")
        assert numbers(Keep(path)) == [(1, 0), (1, 1)]


def test_an_old_block_behind_the_newest_record_is_not_a_record():
    """A crashed file system may show an old file's content at a new one's end: numbers that do not grow are damage."""
    with Folder() as path:
        keep = Keep(path)
        fill(keep, 1, 0, 1)
        old = content(path + "/seg-00000001")
        put(path + "/seg-00000001", old + old)
        found = Keep(path)
        assert numbers(found) == [(1, 0), (1, 1)] and found.count == 2 and found.damaged == 2


def test_the_epoch_grows_is_persistent_before_use_and_never_goes_back():
    """1, 2, 3 over restarts without a record; above the head's when both cells are gone; above a damaged cell's."""
    with Folder() as path:
        assert [Keep(path).next_epoch() for _ in range(3)] == [1, 2, 3]
        Written((3, 0)).append(Keep(path))
        os.remove(path + "/epoch.0")
        os.remove(path + "/epoch.1")
        assert Keep(path).next_epoch() == 4
        Keep(path).cover(9, 0)
        assert Keep(path).next_epoch() == 10


def test_what_custody_covers_is_not_offered_but_stays():
    """Covered up to (1, 1) of four: two are pending and offered; nothing is removed, for there is room."""
    with Folder() as path:
        keep = Keep(path)
        kept = fill(keep, 1, 0, 3)
        keep.cover(1, 1)
        for store in (keep, Keep(path)):
            assert numbers(store) == [(1, 2), (1, 3)] and store.count == 2 and store.covered() == (1, 1)
            assert store.identity_at(1, 0) == kept[0].identity


def test_a_new_edge_is_offered_everything_that_no_receipt_covers():
    """Design section 6: a replacement edge starts empty, and custody of the old one died with it."""
    with Folder() as path:
        keep = Keep(path, edge=b"old")
        written = fill(keep, 1, 0, 5)
        keep.cover(1, 4)
        keep.enter(written[0].identity)
        keep.enter(written[1].identity)
        assert numbers(Keep(path, edge=b"old")) == [(1, 5)]
        other = Keep(path, edge=b"new")
        assert numbers(other) == [(1, 2), (1, 3), (1, 4), (1, 5)] and other.count == 4
        other.cover(1, 2)
        assert numbers(Keep(path, edge=b"new")) == [(1, 3), (1, 4), (1, 5)]


def test_receipts_delete_whole_segments_and_only_in_a_row():
    """Two records of 1.5 KiB fill a segment. A receipt out of turn waits; the newest record and open attempts stay."""
    with Folder() as path:
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        written = fill(keep, 1, 0, 5, LARGE)
        names = [one.identity for one in written]
        assert len(segments(path)) == 3
        assert [keep.enter(names[at]) for at in (1, 2, 3)] == [False, False, False] and keep.entered() == (
            0,
            -1,
        )
        assert len(segments(path)) == 3
        assert keep.enter(names[0]) and keep.entered() == (1, 3)
        assert len(segments(path)) == 1 and numbers(keep) == [(1, 4), (1, 5)]
        assert not keep.enter(bytes(32)) and not keep.enter(names[4]) and not keep.enter(names[5])
        again = Keep(path, ROOM, SEGMENT, RESERVE)
        assert again.entered() == (1, 5) and again.count == 0 and again.head().identity == names[5]


def test_an_open_attempt_is_not_deleted_though_it_has_a_receipt():
    """It must be closed in this store after a power cut."""
    with Folder() as path:
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        attempt = Written((1, 0), opens=True, size=LARGE).append(keep)
        others = fill(keep, 1, 1, 4, LARGE)
        for one in [attempt] + others[:3]:
            keep.enter(one.identity)
        assert len(segments(path)) == 3 and keep.open_attempts() == [(1, 0)]
        last = Written((1, 5), closes=(1, 0)).append(keep)
        assert keep.enter(others[3].identity) and keep.enter(last.identity) is False
        assert keep.open_attempts() == [] and len(segments(path)) == 1


def test_cover_never_goes_back():
    """(1, 2), then (1, 0) and (0, 7): still (1, 2); a higher epoch with a lower seq is further."""
    with Folder() as path:
        keep = Keep(path)
        fill(keep, 1, 0, 3)
        for place, after in (((1, 2), (1, 2)), ((1, 0), (1, 2)), ((0, 7), (1, 2)), ((2, 0), (2, 0))):
            keep.cover(*place)
            assert keep.covered() == after == Keep(path).covered()
        assert keep.count == 0


def test_only_covered_segments_go_oldest_first_and_only_for_room():
    """Six blocks, two records each: the thirteenth record takes the first segment's place, when custody covers it."""
    with Folder() as path:
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        fill(keep, 1, 0, 11, LARGE)
        assert len(segments(path)) == 6
        extra = Written((1, 12), size=LARGE)
        keep.cover(1, 0)
        assert refuses(QueueFull, extra.append, keep), "a segment went with an uncovered record in it"
        assert len(offered(keep)) == 11 and len(segments(path)) == 6
        keep.cover(1, 5)
        assert len(segments(path)) == 6, "removed without need"
        extra.append(keep)
        assert segments(path)[0] == "seg-00000002" and len(segments(path)) == 6
        for store in (keep, Keep(path, ROOM, SEGMENT, RESERVE)):
            assert numbers(store) == [(1, seq) for seq in range(6, 13)]
            assert store.identity_at(1, 1) is None and store.identity_at(1, 2) is not None


def test_full_leaves_a_reserve_in_which_a_run_is_closed():
    """Capacity six blocks, reserve two: with four full segments an attempt may still begin, with five not; who began
    with four can keep attempt and result. `free` is what is left before that: whole segments of one block each here.
    """
    with Folder() as path:
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        assert keep.free == ROOM - RESERVE
        fill(keep, 1, 0, 7, LARGE)
        assert len(segments(path)) == 4 and keep.full is False and keep.free == ROOM - RESERVE - 4 * SEGMENT
        attempt = Written((1, 8), opens=True, size=LARGE).append(keep)
        assert keep.full is True and keep.free < 0
        Written((1, 9), closes=attempt.number, size=LARGE).append(keep)
        assert keep.open_attempts() == [] and keep.full is True
        keep.cover(1, 9)
        assert keep.full is False


def test_an_open_attempt_is_not_freed_though_it_is_covered():
    """Its segment is the oldest: room is refused until a later statement closes it."""
    with Folder() as path:
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        attempt = Written((1, 0), opens=True, size=LARGE).append(keep)
        fill(keep, 1, 1, 10, LARGE)
        keep.cover(1, 10)
        closing = Written((1, 11), closes=attempt.number, size=LARGE)
        beyond = Written((1, 12), size=LARGE)
        assert keep.open_attempts() == [(1, 0)] == Keep(path).open_attempts()
        closing.append(Keep(path, ROOM + SEGMENT, SEGMENT, RESERVE))
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        assert keep.open_attempts() == []
        beyond.append(keep)
        assert segments(path)[0] == "seg-00000002"


def test_an_open_attempt_holds_its_segment():
    """All is covered and nothing closes the attempt in the first segment: the store is full and loses nothing."""
    with Folder() as path:
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        Written((1, 0), opens=True, size=LARGE).append(keep)
        fill(keep, 1, 1, 11, LARGE)
        keep.cover(1, 11)
        assert refuses(QueueFull, Written((1, 12), size=LARGE).append, keep)
        assert len(segments(path)) == 6


def test_the_newest_record_stays_though_only_torn_segments_follow_it():
    """The head is covered, and a torn segment is newer: with room for nothing else the head's segment still stays,
    for the next epoch must cite it.
    """
    with Folder() as path:
        fill(Keep(path, ROOM, SEGMENT, RESERVE), 1, 0, 1, LARGE)
        for name in ("2", "3", "4", "5", "6"):
            put(path + "/seg-0000000" + name, b"MS torn")
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        assert (keep.head().seq, keep.damaged) == (1, 5)
        keep.cover(1, 1)
        assert refuses(QueueFull, Written((2, 0), size=LARGE).append, keep)
        assert Keep(path).head().seq == 1


def test_attempts_are_counted_beyond_those_that_are_freed():
    """Three attempts, one each segment; two segments go: still three after a restart."""
    with Folder() as path:
        keep = Keep(path, ROOM, SEGMENT, RESERVE)
        for seq in (0, 2, 4):
            place = Written((1, seq), opens=True, size=LARGE).append(keep).number
            Written((1, seq + 1), closes=place, size=LARGE).append(keep)
        fill(keep, 1, 6, 11, LARGE)
        keep.cover(1, 11)
        fill(keep, 1, 12, 15, LARGE)
        assert segments(path)[0] == "seg-00000003"
        assert keep.attempts() == 3 == Keep(path).attempts()


def test_attempts_left_open_are_named_oldest_first_until_each_is_closed():
    """Two lost powers in a row: both attempts are open; closing the first leaves the second."""
    with Folder() as path:
        Written((1, 0), opens=True).append(Keep(path))
        Written((2, 0), opens=True).append(Keep(path))
        keep = Keep(path)
        assert keep.open_attempts() == [(1, 0), (2, 0)]
        Written((3, 0), closes=(1, 0)).append(keep)
        assert keep.open_attempts() == [(2, 0)] == Keep(path).open_attempts()


def test_a_record_too_large_for_a_parcel_is_refused_before_it_is_written():
    """The contract's parcel has at most 65536 bytes; a later record that fits is taken."""
    with Folder() as path:
        keep = Keep(path)
        assert refuses(NotKept, Written((1, 0), size=65536).append, keep)
        assert segments(path) == []
        one = Written((1, 0), size=64000).append(keep)
        assert one.is_in(Keep(path).next_after((0, -1)))


def test_after_a_write_that_failed_nothing_more_is_taken():
    """A folder stands in the segment's place, so the write fails. The store can't know what lies in flash then, and
    takes no record again until it was scanned anew.
    """
    with Folder() as path:
        keep = Keep(path)
        os.mkdir(path + "/seg-00000001")
        assert refuses(NotKept, Written((1, 0)).append, keep)
        os.rmdir(path + "/seg-00000001")
        assert refuses(NotKept, Written((1, 0)).append, keep) and segments(path) == []
        Written((1, 0)).append(Keep(path))
        assert numbers(Keep(path)) == [(1, 0)]


def test_a_write_that_went_elsewhere_is_not_taken_for_kept():
    """The file system says yes to every write, and the segment stays as it was: reading back tells."""
    with Folder() as path:
        fill(Keep(path), 1, 0, 1)
        with Misdirected(path) as astray:
            keep = Keep(astray)
            assert keep.count == 2
            assert refuses(NotKept, Written((1, 2)).append, keep)
            assert refuses(NotKept, Written((1, 2)).append, keep), "taken though the store is in doubt"
        assert numbers(Keep(path)) == [(1, 0), (1, 1)]


def test_a_record_that_does_not_stand_where_it_should_is_not_taken_for_kept():
    """The segment grew behind the store's back: by strange bytes, so the record lies further on; and by the very record
    that comes next, so it reads well and has something behind it.
    """
    with Folder() as path, Folder() as other:
        first, second = fill(Keep(path), 1, 0, 1)
        name, other_name = path + "/seg-00000001", other + "/seg-00000001"
        for grown in (b"strange", None):
            for old in os.listdir(other):
                os.remove(other + "/" + old)
            keep = Keep(other)
            first.append(keep)
            put(other_name, content(name) if grown is None else content(other_name) + grown)
            assert refuses(NotKept, second.append, keep), grown
            assert numbers(Keep(other))[0] == (1, 0)


def test_memory_holds_segments_not_records():
    """200 records more in one segment: the store grows by less than one word a record."""
    with Folder() as path:
        keep = Keep(path, segment_bytes=1 << 20)
        fill(keep, 1, 0, 9)
        gc.collect()
        before = gc.mem_alloc()
        for seq in range(10, 210):
            Written((1, seq)).append(keep)
        gc.collect()
        assert gc.mem_alloc() - before < 200 * 8
        assert keep.count == 210 == Keep(path, segment_bytes=1 << 20).count
