"""The store and the power: littlefs on a chip that dies at every single write, with torn pages."""

import gc

from flash import Flash, Mounted, Written, offered

from meterseal_fixture.errors import FixtureError
from meterseal_fixture.keep import Keep

SIZES = (
    32768,
    1600,
    8192,
)  # capacity, segment, reserve: small, so that segments fill and go within a few records
RUNS = 3


class Witness:
    """Who saw what: what was returned, what was at least begun, and what custody and the epoch counter promised."""

    def __init__(self):
        self.begun, self.kept = {}, {}
        self.covered, self.epoch = (0, -1), 0

    def live(self, keep):
        """A day of a fixture: a boot, then runs of two statements, custody for the one before the last."""
        epoch = keep.next_epoch()
        assert epoch > self.epoch, "an epoch was given out twice"
        self.epoch = epoch
        for place in keep.open_attempts() + [None]:
            self.write(keep, Written((epoch, self.next_seq(epoch)), closes=place, size=200))
        for _ in range(RUNS):
            attempt = self.write(keep, Written((epoch, self.next_seq(epoch)), opens=True, size=300))
            result = Written((epoch, self.next_seq(epoch)), closes=attempt.number, size=500)
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
        for record in offered(keep):
            number = (record.epoch, record.seq)
            assert number in self.begun and self.begun[number].is_in(record), "never written: %d/%d" % number
            found[number] = record
        for number in self.kept:
            assert number <= covered or number in found, "lost: %d/%d" % number
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


def cut(kind, at, torn):
    """Two days, the power going at write `at` of them; whether it went, and the witness' complaint or ''."""
    # A chip is 64 KiB in one piece. Left to itself the heap fills first, with the last cut's records all over it.
    gc.collect()
    flash, witness = Flash(), kind()
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


def campaign(kind, torn, step):
    """(cuts made, complaints) for a cut at every `step`-th write until the two days pass without one."""
    at, complaints = 1, []
    while True:
        went, complaint = cut(kind, at, torn)
        if complaint:
            complaints.append("write %d: %s" % (at, complaint))
        if not went:
            return at // step, complaints
        at += step


def test_no_acknowledged_record_is_lost_at_any_write_that_fails():
    """Cuts at every write of two days; the page is not written at all. Custody, epochs, head and attempts hold too."""
    cuts, complaints = campaign(Witness, 0, 1)
    assert cuts > 100 and complaints == [], complaints[:3]


def test_no_acknowledged_record_is_lost_to_torn_pages():
    """The same with a half page, with all but its last byte, and with a half page and zeros behind it."""
    for torn in (1, 2, 3):
        cuts, complaints = campaign(Witness, torn, 1)
        assert cuts > 100 and complaints == [], (torn, complaints[:3])


def test_who_acknowledges_before_writing_is_caught():
    """The same checks on the planted fault: every cut inside an append loses what was acknowledged. 14 of the 22 steps
    of the two days are appends and take most of the writes; the last round has no cut and no complaint.
    """
    cuts, complaints = campaign(HastyWitness, 0, 1)
    assert cuts // 3 < len(complaints) < cuts, (cuts, len(complaints))
    assert all("lost" in complaint or "head" in complaint for complaint in complaints)


def test_after_many_cuts_in_a_row_the_store_still_holds():
    """A chip that loses its power 60 times, each time a few writes later in its day, is checked after each."""
    flash, witness = Flash(), Witness()
    with Mounted(flash, new=True):
        pass
    for turn in range(60):
        flash.revive()
        with Mounted(flash) as path:
            keep = Keep(path, *SIZES)
            witness.check(keep)
            flash.cut_at, flash.torn = flash.writes + 1 + turn * 7 % 41, turn % 4
            try:
                witness.live(keep)
            except (OSError, FixtureError):
                assert flash.dead
    assert len(witness.kept) > 60
