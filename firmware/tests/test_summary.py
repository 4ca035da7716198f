"""A start reads summaries and the newest segment; without summaries, or with wrong ones, it finds the very same."""

import builtins
import os

from doubles import Folder
from flash import Written, numbers

from meterseal_fixture.keep import Keep
from meterseal_fixture.segment import FLASH_BLOCK

SEGMENT = FLASH_BLOCK
SIZES = (64 * SEGMENT, SEGMENT, 2 * SEGMENT)
LARGE = 1500  # two records fill a segment


def filled(path, records):
    """A store of so many records in one epoch, one attempt open at (1, 3)."""
    keep = Keep(path, *SIZES)
    for seq in range(records):
        Written((1, seq), opens=seq == 3, size=LARGE).append(keep)
    return keep


def story(keep):
    """All that a start must know."""
    head = keep.head()
    return (
        (head.epoch, head.seq, head.identity),
        keep.count,
        keep.attempts(),
        keep.open_attempts(),
        numbers(keep),
    )


def files(path, prefix):
    return sorted(name for name in os.listdir(path) if name.startswith(prefix))


def test_a_start_with_summaries_finds_what_a_start_without_finds():
    """19 records in 10 segments: nine summaries. Gone, torn or of another segment, they change nothing."""
    with Folder() as path:
        told = story(filled(path, 19))
        assert (len(files(path, "seg-")), len(files(path, "sum-"))) == (10, 9)
        assert told[1:4] == (19, 1, [(1, 3)]) and story(Keep(path, *SIZES)) == told
        first, second = files(path, "sum-")[:2]
        with open(path + "/" + second, "rb") as file:
            other = file.read()
        for wrong in (b"", other[:-1], other[:40], bytes(len(other)), other):
            with open(path + "/" + first, "wb") as file:
                file.write(wrong)
            assert story(Keep(path, *SIZES)) == told, wrong
        for name in files(path, "sum-"):
            os.remove(path + "/" + name)
        assert story(Keep(path, *SIZES)) == told


def test_a_summary_of_a_segment_that_has_grown_or_shrunk_is_not_believed():
    """A power cut between summary and next segment: the segment goes on growing, and only its own bytes count."""
    with Folder() as path:
        filled(path, 3)
        [name] = files(path, "sum-")
        old = name.replace("sum-", "seg-")
        with open(path + "/" + old, "rb") as file:
            raw = file.read()
        with open(path + "/" + old, "wb") as file:
            file.write(raw[:-10])
        keep = Keep(path, *SIZES)
        assert keep.damaged == 1 and numbers(keep) == [(1, 0), (1, 2)]


def test_a_start_reads_no_more_of_a_long_queue_than_of_a_short_one():
    """Bytes read at a start, the files of full segments left out of it: 4 records and 60."""

    def read_at_start(records):
        with Folder() as path:
            filled(path, records)
            opened = []
            real = builtins.open

            def noting(name, *rest):
                opened.append(name.rsplit("/", 1)[-1])
                return real(name, *rest)

            module = __import__("meterseal_fixture.keep").keep
            module.open = noting
            try:
                Keep(path, *SIZES)
            finally:
                del module.open
            return [name for name in opened if name.startswith("seg-")]

    assert len(read_at_start(4)) == len(read_at_start(60)) == 1


def test_what_goes_takes_its_summary_along():
    """Receipts for everything: one segment is left, and no summary of what is gone."""
    with Folder() as path:
        keep = Keep(path, *SIZES)
        for one in [Written((1, seq), size=LARGE).append(keep) for seq in range(8)]:
            keep.enter(one.identity)
        assert len(files(path, "seg-")) == 1 and files(path, "sum-") == []
