"""The store and the power: littlefs on a chip that dies at every single write, with torn pages.

`make test` makes some thousand cuts; `make soak` goes on with other lives: firmware/tests/soak_power.py.
"""

import gc

from flash import Flash, Mounted, Written, offered

from meterseal_fixture.errors import FixtureError, QueueFull
from meterseal_fixture.keep import Keep

SIZES = (
    32768,
    1600,
    8192,
)  # capacity, segment, reserve: small, so that segments fill and go within a few records
LIVES = ((3, 300, 500), (4, 40, 900), (2, 900, 60))  # runs a day, bytes of evidence of attempt and result


class Witness:
    """Who saw what: what was returned, what was at least begun, and what custody and the epoch counter promised."""

    def __init__(self, life=0):
        # A life beyond the table is a mixture of its own.
        mixed = (1 + life % 5, 17 * life % 1200, 31 * life % 1300)
        self.runs, self.plan, self.evidence = LIVES[life] if life < len(LIVES) else mixed
        self.begun, self.kept = {}, {}
        self.covered, self.entered, self.asked, self.epoch = (0, -1), (0, -1), (0, -1), 0

    def live(self, keep):
        """A day of a fixture: a boot, then runs of two statements, custody for what stands before each run, receipts
        for what custody covered before.
        """
        epoch = keep.next_epoch()
        assert epoch > self.epoch, "an epoch was given out twice"
        self.epoch = epoch
        for place in keep.open_attempts() + [None]:
            self.write(keep, Written((epoch, self.next_seq(epoch)), closes=place, size=200))
        for _ in range(self.runs):
            attempt = self.write(keep, Written((epoch, self.next_seq(epoch)), opens=True, size=self.plan))
            result = Written((epoch, self.next_seq(epoch)), closes=attempt.number, size=self.evidence)
            for number in sorted(self.kept):
                if keep.entered() < number <= self.covered:
                    keep.enter(self.kept[number].identity)
                    self.entered = max(self.entered, keep.entered())
            self.asked = (epoch, attempt.number[1] - 1)
            keep.cover(epoch, attempt.number[1] - 1)
            self.covered = (epoch, attempt.number[1] - 1)
            self.write(keep, result)

    def next_seq(self, epoch):
        return sum(1 for number in self.begun if number[0] == epoch)

    def write(self, keep, written):
        self.begun[written.number] = written
        written.append(keep)
        self.kept[written.number] = written
        return written

    def check(self, keep):
        """AssertionError unless `keep`, as found after the cut, has everything that was ever returned."""
        covered, found = keep.covered(), {}
        assert covered >= self.covered, "custody was forgotten"
        assert covered <= self.asked, "custody was made up"
        assert self.entered <= keep.entered() <= covered, "receipts were forgotten or made up"
        for record in offered(keep):
            number = (record.epoch, record.seq)
            assert number in self.begun and self.begun[number].is_in(record), "never written: %d/%d" % number
            found[number] = record
        for number in self.kept:
            assert number <= self.asked or number in found, "lost: %d/%d" % number
        assert keep.count == len(found)
        head = keep.head()
        assert not self.kept or (head.epoch, head.seq) >= max(self.kept), "the head went back"
        assert keep.attempts() >= sum(1 for written in self.kept.values() if written.opens)
        closed = [written.closes for written in self.kept.values()]
        for place in keep.open_attempts():
            assert place in self.begun and place not in closed, "open again"
        for number, written in self.kept.items():
            if written.opens and number not in [one.closes for one in self.begun.values()]:
                assert number in keep.open_attempts(), "forgotten open"


class HastyWitness(Witness):
    """The planted fault: counts a record as kept, as a caller that acknowledges first, and only then writes it."""

    def write(self, keep, written):
        self.kept[written.number] = written
        return super().write(keep, written)


class HastyDeleter(Witness):
    """The planted fault: hands receipts to the store for what the registry never had, as one that deletes unasked."""

    def write(self, keep, written):
        super().write(keep, written)
        keep.enter(written.identity)
        return written


def cut(kind, at, torn, life=0):
    """Two days, the power going at write `at` of them; whether it went, and the witness' complaint or ''."""
    # A chip is 64 KiB in one piece. Left to itself the heap fills first, with the last cut's records all over it.
    gc.collect()
    flash, witness = Flash(), kind(life)
    with Mounted(flash, new=True) as path:
        flash.revive()
        flash.cut_at, flash.torn = at, torn
        try:
            for _ in range(2):
                witness.live(Keep(path, *SIZES))
        except (OSError, FixtureError):
            assert flash.dead
    went = flash.dead
    flash.revive()
    with Mounted(flash) as path:
        try:
            found = Keep(path, *SIZES)
            witness.check(found)
            witness.live(found)
            witness.check(Keep(path, *SIZES))
        except AssertionError as complaint:
            return went, str(complaint) or "assertion"
    return went, ""


def campaign(kind, torn, life=0):
    """(cuts made, complaints) for a cut at every write until the two days pass without one."""
    at, complaints = 1, []
    while True:
        went, complaint = cut(kind, at, torn, life)
        if complaint:
            complaints.append("life %d, torn %d, write %d: %s" % (life, torn, at, complaint))
        if not went:
            return at - 1, complaints
        at += 1


def test_no_kept_record_is_lost_at_any_of_two_thousand_writes_that_fail():
    """Cuts at every write of two days of three lives; the page is not written at all, by half, but for its last byte,
    or by half with zeros behind. Custody, receipts, epochs, head and attempts hold too.
    """
    cuts, complaints = 0, []
    for life in range(len(LIVES)):
        for torn in range(4):
            made, found = campaign(Witness, torn, life)
            cuts, complaints = cuts + made, complaints + found
    assert cuts >= 2000 and complaints == [], (cuts, complaints[:3])


def test_who_deletes_without_a_receipt_is_caught():
    """The planted fault: what was kept and never covered is gone, and the witness says so."""
    cuts, complaints = campaign(HastyDeleter, 0)
    assert len(complaints) == cuts + 1, (cuts, complaints[:3])


def test_who_acknowledges_before_writing_is_caught():
    """The same checks on the planted fault: every cut inside an append loses what was acknowledged. 14 of the 22 steps
    of the two days are appends and take most of the writes; the last round has no cut and no complaint.
    """
    cuts, complaints = campaign(HastyWitness, 0)
    assert cuts // 3 < len(complaints) < cuts, (cuts, len(complaints))
    assert all("lost" in complaint or "head" in complaint for complaint in complaints)


def test_after_many_cuts_in_a_row_the_store_still_holds():
    """A chip that loses its power 80 times, each time a few writes later in its day, is checked after each.

    Where its days are cut before custody comes for so long that the queue is full, the edge comes back and covers all.
    """
    flash, witness = Flash(), Witness()
    with Mounted(flash, new=True):
        pass
    for turn in range(80):
        flash.revive()
        with Mounted(flash) as path:
            keep = Keep(path, *SIZES)
            witness.check(keep)
            flash.cut_at, flash.torn = flash.writes + 1 + turn * 7 % 41, turn % 4
            try:
                witness.live(keep)
            except QueueFull:
                assert keep.full and not flash.dead
                flash.revive()
                witness.asked = max(witness.kept)
                keep.cover(*witness.asked)
                witness.covered = witness.asked
            except (OSError, FixtureError):
                assert flash.dead
    assert len(witness.kept) > 60
