"""Updates and the power: littlefs on a chip that dies at every single write of staging, marking, starting, confirming.

A day: version 4 is staged into b, verified, and replaced before it ever starts: by version 2 with a file missing, which
must be refused, then by version 2 whole, which is confirmed. Then version 3 goes into a, nobody confirms it, and after
three starts version 2 is back.
"""

import gc
from hashlib import sha256

from flash import Flash, Mounted
from slot_images import AUTHORITY, BOARD, Image, contents, digest_of

from meterseal_fixture.errors import FixtureError, Refused
from meterseal_fixture.slots import FILLING, INSTALLED, OLD, STARTS, Slots
from meterseal_fixture.update import Manifest, Staging, _clear
from meterseal_fixture.whole import MANIFEST, whole_slot

BLOCKS = 48
FIRST, SECOND, THIRD, FOURTH = [Image(str(number), counter=number) for number in (1, 2, 3, 4)]
MISSING = "meterseal_wire/__init__.mpy"


def accept_all(_key, _message, _signature):
    """Signatures have their own tests, and a campaign has hundreds of them."""
    return True


class Hasty(Staging):
    """The planted fault: lets the slot start first, and takes it back when what lies there turns out to be wrong."""

    def finish(self, manifest, grant):
        digest = self.slots.digest
        self.slots.mark(Manifest(manifest).counter)
        self.slots.state, left = "filling", self.slots.left
        try:
            Staging.finish(self, manifest, grant)
        except Refused:
            self.slots.state, self.slots.left = "try", left
            self.slots.stage(digest)
            raise


class Careless(Staging):
    """A second one: clears a slot that may still start."""

    def begin(self, digest):
        if self.slots.digest != digest:
            _clear(self._folder())
        return Staging.begin(self, digest)


class Forgetful(Staging):
    """A third one: does not read back, so a slot without a file starts on trial."""

    def _check_files(self, _image):
        return None


def blind(slots):
    """A loader that does not look into the slots, as it was before: the planted faults show through it."""
    return slots.choose()


class Board:
    """What the loader starts, and the highest counter that was ever confirmed."""

    def __init__(self, root, kind, counter=0, look=whole_slot):
        self.root, self.kind, self.counter, self.look = root, kind, counter, look

    def start(self):
        """Start as the loader does, and check what would run: a whole version, and no counter below the highest."""
        name = self.look(Slots(self.root))
        assert name, "nothing starts"
        now = Slots(self.root, name)
        try:
            lying = contents(now.folder(name))
        except OSError:
            lying = {}
        raw = lying.pop(MANIFEST, b"")
        assert raw, "a mixture starts"
        whole = Manifest(raw)
        there = {path: (len(data), sha256(data).digest()) for path, data in lying.items()}
        assert there == whole.files and digest_of(lying) == whole.digest, "a mixture starts"
        assert whole.version in "1234"
        assert now.counter >= self.counter, "the counter went back"
        assert whole.counter >= now.counter, "an older version starts"
        return now, whole.version

    def stage(self, now, image, without=()):
        """Send and finish an image."""
        found = self.kind(now, BOARD, (AUTHORITY[0], accept_all), lambda: True)
        image.stage(found, without)
        found.finish(image.manifest, image.grant)

    def confirm(self, now):
        """Confirm; only what returned counts."""
        now.confirm()
        self.counter = Slots(self.root).counter

    def day(self, badly=False):
        """From whatever a cut left to the end of the day; `badly`: with the missing file first."""
        now, version = self.start()
        while version == "4":
            now, version = self.start()
        if badly:
            self.stage(now, FOURTH)
            try:
                self.stage(now, SECOND, (MISSING,))
                raise AssertionError("a slot without a file was accepted")
            except Refused:
                assert now.state == FILLING
        if version == "1":
            self.stage(now, SECOND)
            now, version = self.start()
            assert version == "2"
        if version == "2" and now.on_trial():
            self.confirm(now)
            now, version = self.start()
        if now.news == INSTALLED:
            now.told()
        if version == "2" and now.state in (OLD, FILLING):
            self.stage(now, THIRD)
        for _ in range(STARTS + 1):
            now, version = self.start()
        assert (version, now.event()[0], now.counter) == ("2", "update given up", 2), (version, now.event())


def fresh():
    """A chip with version 1 in slot a, to be copied."""
    flash = Flash(BLOCKS)
    with Mounted(flash, new=True) as root:
        FIRST.install(root + "/a")
    return bytes(flash.bytes)


def cut(new, kind, at, torn, look):
    """A day, the power going at write `at`; whether it went, and the complaint or ''."""
    gc.collect()
    flash = Flash(BLOCKS)
    flash.bytes[:] = new
    flash.cut_at, flash.torn = at, torn
    counter, complaint = 0, ""
    with Mounted(flash) as root:
        board = Board(root, kind, 0, look)
        try:
            board.day(badly=True)
        except (OSError, FixtureError):
            assert flash.dead
        except AssertionError as why:
            complaint = "" if flash.dead else str(why)
        counter = board.counter
    went = flash.dead
    flash.revive()
    with Mounted(flash) as root:
        try:
            Board(root, kind, counter, look).day()
        except (AssertionError, FixtureError) as why:
            complaint = complaint or str(why) or "assertion"
    return went, complaint


def campaign(kind, torn, look=whole_slot):
    """(cuts made, complaints) for a cut at every write until a day passes without one."""
    new, at, complaints = fresh(), 1, []
    while True:
        went, complaint = cut(new, kind, at, torn, look)
        if complaint:
            complaints.append("write %d: %s" % (at, complaint))
        if not went:
            return at - 1, complaints
        at += 1


def test_after_a_cut_at_any_write_a_whole_version_starts_and_the_day_can_end():
    """Every write of staging, clearing, marking, starting, confirming and giving up; the page is not written at all.
    Without the loader's look, so that staging holds by itself, and with it.
    """
    for look in (blind, whole_slot):
        cuts, complaints = campaign(Staging, 0, look)
        assert cuts > 150 and complaints == [], (cuts, complaints[:3])


def test_the_same_with_torn_pages():
    """Half a page, all but its last byte, half a page and zeros, at every write; the loader looks in the last."""
    for torn, look in ((1, blind), (2, blind), (3, whole_slot)):
        cuts, complaints = campaign(Staging, torn, look)
        assert cuts > 150 and complaints == [], (torn, cuts, complaints[:3])


def test_who_lets_a_slot_start_before_it_is_verified_is_caught():
    """The planted fault takes its mark back, so only a cut between both shows it: few complaints, and each of them a
    mixture that starts.
    """
    cuts, complaints = campaign(Hasty, 0, blind)
    assert complaints and len(complaints) < cuts // 5, (cuts, len(complaints))
    assert all("mixture" in complaint for complaint in complaints), complaints[:3]


def test_who_clears_a_slot_that_may_still_start_is_caught():
    """The planted fault in version 4's end: every cut while it is cleared leaves half of it on trial."""
    cuts, complaints = campaign(Careless, 0, blind)
    assert complaints and len(complaints) < cuts // 5, (cuts, len(complaints))
    assert all("mixture" in complaint for complaint in complaints), complaints[:3]


def test_who_does_not_read_back_is_caught_without_any_cut():
    """The day itself sends an image without one file: a finish that does not look accepts it."""
    _, complaint = cut(fresh(), Forgetful, 0, 0, blind)
    assert "accepted" in complaint or "mixture" in complaint, complaint


def test_a_loader_that_looks_starts_no_mixture_even_then():
    """The same two faults, and whole.py before every start: no mixture starts after any cut."""
    for kind in (Hasty, Careless):
        cuts, complaints = campaign(kind, 0)
        assert cuts > 150 and not any("mixture" in complaint for complaint in complaints), complaints[:3]
