"""Updates on real littlefs: what is staged starts only when it is whole, granted, for this board, and not older."""

import asyncio

from flash import Flash, Mounted
from slot_images import AUTHORITY, BOARD, SIGNER, Image, contents, staging, started

from meterseal_fixture import slots as machine
from meterseal_fixture import update
from meterseal_fixture.errors import FixtureError
from meterseal_fixture.signer.software_p256 import SoftwareSigner
from meterseal_fixture.slots import BAD, FILLING, NEXT, OLD, STARTS, TRY, Slots, here
from meterseal_fixture.update import SLOT_BYTES, Manifest, Staging, allowed, confirm_when_healthy
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.statement import Author, build

FIRST = Image("1")
NEVER = 1000


class Fixture:
    """`with Fixture() as root`: a board with version 1 in slot a, on littlefs."""

    def __enter__(self):
        self.mounted = Mounted(Flash(96), new=True)
        root = self.mounted.__enter__()
        FIRST.install(root + "/a")
        return root

    def __exit__(self, *why):
        self.mounted.__exit__(*why)


def code_of(call, *arguments):
    """(code, detail) of the error that a call ends in; fails where it ends well."""
    try:
        call(*arguments)
    except FixtureError as wrong:
        return wrong.code, str(wrong.detail)
    raise AssertionError("no error")


def staged(root, image, **more):
    """A Staging that has had every chunk of an image."""
    found = staging(started(root), **more)
    image.stage(found)
    return found


def refusal(image, manifest=None, grant=None, root_image=None):
    """The code and detail with which `finish` refuses; nothing may have changed by it."""
    with Fixture() as root:
        found = staged(root, root_image or image)
        why = code_of(found.finish, manifest or image.manifest, image.grant if grant is None else grant)
        assert started(root).running == "a" and found.slots.state == FILLING
        assert FIRST.lies_in(root + "/a")
        return why


def test_a_granted_version_starts_on_trial_and_is_good_once_confirmed():
    """The picture in slots.py: filling, verified, try, started, confirmed; the counter is then the new one's."""
    second = Image("2", counter=3)
    with Fixture() as root:
        staged(root, second).finish(second.manifest, second.grant)
        assert FIRST.lies_in(root + "/a") and second.lies_in(root + "/b")
        on_trial = started(root)
        assert (on_trial.running, on_trial.on_trial(), on_trial.counter) == ("b", True, 0)
        on_trial.confirm()
        after = started(root)
        assert (after.running, after.good, after.on_trial(), after.counter) == ("b", "b", False, 3)
        assert after.event() == ("update installed", "slot b counter 3 digest " + second.digest.hex())
        after.told()
        assert started(root).event() is None


def test_a_version_that_nobody_confirms_is_given_up_after_three_starts():
    """STARTS is 3; the start after the third is the old version's, which can tell; the counter stays."""
    second = Image("2", counter=3)
    with Fixture() as root:
        staged(root, second).finish(second.manifest, second.grant)
        names = [started(root).running for _ in range(STARTS + 2)]
        assert names == ["b", "b", "b", "a", "a"]
        back = started(root)
        assert (back.state, back.counter) == (BAD, 0)
        assert back.event() == ("update given up", "slot b counter 3 digest " + second.digest.hex())
        assert len(back.event()[0]) <= 32 and len(back.event()[1]) <= 200
        back.confirm()
        assert started(root).running == "a"


def test_the_next_version_goes_into_the_slot_that_is_free_by_then():
    """a, b, a again: the slot that runs is never the one that is filled; nothing of the older version stays."""
    with Fixture() as root:
        for number, name in ((2, "b"), (3, "a"), (4, "b")):
            extra = {"meterseal_wire/only%d.mpy" % number: b"x"}
            image = Image(str(number), counter=number, files=extra)
            before = contents(started(root).folder(started(root).good))
            staged(root, image).finish(image.manifest, image.grant)
            now = started(root)
            assert now.running == name and image.lies_in(now.folder(name))
            assert contents(now.folder(now.good)) == before
            now.confirm()
        assert started(root).counter == 4


def test_while_on_trial_nothing_is_staged():
    """The other slot is the one to go back to; after the confirmation the same Staging may fill it."""
    second, third = Image("2"), Image("3")
    with Fixture() as root:
        staged(root, second).finish(second.manifest, second.grant)
        now = started(root)
        early = staging(now)
        assert code_of(early.begin, third.digest)[0] == "update.on_trial"
        assert FIRST.lies_in(root + "/a")
        now.confirm()
        third.stage(early)
        assert third.lies_in(root + "/a") and second.lies_in(root + "/b")


def test_every_pair_of_state_and_event_is_in_the_table_or_refused():
    """Style rule 5: only these fourteen pairs lead on; only `try` is started, and only `verified` leads there."""
    events = ("staged", "verified", "started", "given_up", "confirmed", "replaced", "needed", "damaged")
    pairs = [(state, event) for state in (machine.GOOD, OLD, FILLING, TRY, BAD) for event in events]
    assert sorted(pair for pair in pairs if pair in NEXT) == sorted(NEXT) and len(NEXT) == 14
    assert [pair for pair, then in NEXT.items() if then == TRY and pair[0] != TRY] == [(FILLING, "verified")]
    with Fixture() as root:
        for call in (lambda: Slots(root).mark(1), lambda: Slots(root)._step("confirmed")):
            try:
                call()
            except KeyError:
                continue
            raise AssertionError("out of order")


def test_nothing_is_written_or_verified_while_gates_count():
    """Design section 6: no flash write and no signature between the first and the last counted edge."""
    second, open_gates = Image("2"), []
    with Fixture() as root:
        found = staged(root, second, may_write=lambda: not open_gates)
        found.slots._cell.write = None  # whoever writes the cell now gets a TypeError
        open_gates.append(1)
        for call in (
            lambda: found.begin(bytes(32)),
            lambda: found.take("board.mpy", 0, b""),
            lambda: found.finish(second.manifest, second.grant),
        ):
            assert code_of(call)[0] == "update.counting"


def test_chunks_may_come_twice_but_not_out_of_order():
    """QoS 1 delivers at least once: the same bytes again change nothing. The refusal tells where to go on."""
    with Fixture() as root:
        found = staging(started(root))
        assert code_of(found.take, "board.mpy", 0, b"abc")[0] == "update.not_begun"
        assert found.begin(b"\x01" * 32) == {}
        assert found.take("board.mpy", 0, b"abc") == 3
        assert found.take("board.mpy", 0, b"abc") == 3 and found.take("board.mpy", 1, b"b") == 3
        assert code_of(found.take, "board.mpy", 4, b"e") == ("update.offset", "board.mpy 3")
        assert code_of(found.take, "board.mpy", 0, b"x") == ("update.offset", "board.mpy 3")
        assert found.take("board.mpy", 3, b"d") == 4
        assert contents(root + "/b") == {"board.mpy": b"abcd"}


def test_staging_goes_on_where_a_restart_left_it_and_begins_anew_for_another_image():
    """`begin` tells what is there of the same digest; of another digest nothing stays."""
    second = Image("2")
    with Fixture() as root:
        second.stage(staging(started(root)), without=("start.mpy",))
        again = staging(started(root))
        assert code_of(again.finish, second.manifest, second.grant)[0] == "update.not_begun"
        there = again.begin(second.digest)
        assert sorted(there) == [path for path in sorted(second.files) if path != "start.mpy"]
        assert there["board.mpy"] == 5
        second.stage(again)
        assert again.finish(second.manifest, second.grant).version == "2"
        assert staging(Slots(root, "a")).begin(b"\x02" * 32) == {}
        assert not any(path[:2] == "b/" for path in contents(root)) and started(root).running == "a"


def test_a_slot_has_room_for_a_bounded_image():
    """SLOT_BYTES: the queue's flash is not an image's."""
    with Fixture() as root:
        found = staging(started(root))
        found.begin(b"\x01" * 32)
        assert code_of(found.take, "board.mpy", 0, bytes(SLOT_BYTES + 1))[0] == "update.large"


def test_only_paths_of_compiled_modules_are_taken():
    """A path out of the slot, a hidden folder that the digest would not see, or a source that would come first."""
    for path in ("board.mpy", "meterseal_fixture/signer/x_1.mpy", "meterseal_wire/__init__.mpy"):
        assert allowed(path), path
    for path in (
        "",
        "/a/board.mpy",
        "../a/board.mpy",
        "a/../b.mpy",
        "a//b.mpy",
        ".mpy",
        "a/.mpy",
        "board.py",
        "manifest.cbor",
        "_x/a.mpy",
        ".x/a.mpy",
        "a/b/c/d/e.mpy",
        "B.mpy",
        "b\\c.mpy",
        "b.mpy\x00",
        7,
    ):
        assert not allowed(path), path
    with Fixture() as root:
        found = staging(started(root))
        found.begin(b"\x01" * 32)
        assert code_of(found.take, "../a/board.mpy", 0, b"x") == ("update.path", "../a/board.mpy")


def test_only_the_authoritys_firmware_grant_counts():
    """Another key, another kind of grant, a flipped bit, or the grant of another version."""
    second = Image("2")
    assert (
        refusal(second, grant=Image("2", signer=SoftwareSigner(bytes(31) + b"\x08")).grant)[0]
        == "update.grant"
    )
    assert refusal(second, grant=second.grant[:-1] + b"\x00")[0] == "update.grant"
    assert refusal(second, grant=b"")[0] == "update.grant"
    assert refusal(second, grant=Image("2", FIRMWARE_VERSION="3").grant) == ("update.grant", "version")
    assert refusal(second, grant=Image("3").grant)[0] == "update.grant"


def test_a_grant_of_another_kind_is_none():
    """An edge grant that the same authority signed (labels of its kind) names no firmware."""
    fields = {L.GRANT: kinds.RULES, L.NUMBER: 1, L.WINDOW: [0, 1], L.RULES: bytes(32), L.RULES_NAME: "x"}
    other = build(Author("SAMR", "rules", SIGNER), L.KIND_GRANT, fields)
    assert refusal(Image("2"), grant=other) == ("update.grant", "grant %d" % kinds.RULES)


def test_manifest_and_grant_must_name_what_was_staged():
    """Digests: of the grant, of the manifest, of the begun image, and of the files by the recipe of startup.py."""
    second, third = Image("2"), Image("2", files={"meterseal_wire/__init__.mpy": b"other"})
    assert refusal(second, grant=third.grant)[0] == "update.digest"
    assert refusal(third, root_image=second)[0] == "update.digest"
    lying = Image("2")
    lying.fields[5] = b"\x05" * 32
    grant = Image("2", FIRMWARE_DIGEST=b"\x05" * 32).grant
    lying.digest = b"\x05" * 32
    assert refusal(lying, encode(lying.fields), grant)[0] == "update.digest"


def test_another_board_is_refused():
    """The grant names the whole board text of the boot statement, the manifest its first half."""
    assert refusal(Image("2"), grant=Image("2", BOARD="unix/sim-2").grant)[0] == "update.board"
    other = Image("2")
    other.fields[2] = "esp32s3"
    assert refusal(other, encode(other.fields))[0] == "update.board"


def test_an_older_counter_or_one_below_the_grants_floor_is_refused():
    """Never back: the counter that was confirmed, and the floor that the authority set. Equal is allowed."""
    assert refusal(Image("2", counter=4, floor=5)) == ("update.rollback", "5")
    with Fixture() as root:
        for image in (Image("2", counter=7, floor=7), Image("3", counter=7)):
            staged(root, image).finish(image.manifest, image.grant)
            started(root).confirm()
        old = Image("4", counter=6)
        assert code_of(staged(root, old).finish, old.manifest, old.grant) == ("update.rollback", "7")


def test_every_file_must_be_there_with_its_size_and_hash_and_none_more():
    """One that is missing, one byte that differs, one too long, and one that nobody named."""
    second = Image("2")
    flipped = Image("2")
    flipped.files["meterseal_wire/__init__.mpy"] = b"wirf 2"
    longer = Image("2")
    longer.files["meterseal_wire/__init__.mpy"] += b"x"
    more = Image("2")
    more.files["meterseal_wire/more.mpy"] = b"x"
    less = Image("2")
    del less.files["meterseal_wire/__init__.mpy"]
    for lie in (flipped, longer, less):
        assert refusal(second, root_image=lie) == ("update.file", "meterseal_wire/__init__.mpy")
    assert refusal(second, root_image=more) == ("update.file", "meterseal_wire/more.mpy")


def test_what_the_digest_does_not_cover_must_not_change():
    """The granted digest is over the two packages. Another board file, another start, or a third module beside them
    would run under a digest that says nothing of it.
    """
    for lie in ({"start.mpy": b"evil!"}, {"board.mpy": b"evil!"}, {"asyncio.mpy": b"evil!"}):
        image = Image("2", files=lie)
        assert image.digest == Image("2").digest
        assert refusal(image)[0] == "update.beside"


def test_a_manifest_is_read_strictly():
    """Bytes, types, order of paths, paths, and nothing more than five fields."""
    good = Image("2").fields
    assert Manifest(encode(good)).files["board.mpy"][0] == 5
    rows = good[4]
    changes = (
        {1: ""},
        {1: 2},
        {2: b"unix"},
        {3: -1},
        {3: True},
        {3: 1 << 32},
        {4: list(reversed(rows))},
        {4: rows[:1] + rows},
        {4: [["../x.mpy", 1, bytes(32)]]},
        {4: [["x.mpy", 1, bytes(31)]]},
        {4: [["x.mpy", 1]]},
        {4: 7},
        {5: bytes(31)},
        {6: 1},
    )
    for change in changes:
        fields = dict(good)
        fields.update(change)
        assert code_of(Manifest, encode(fields))[0] == "update.manifest", change
    for raw in (b"", b"\xff", encode([]), encode(7), encode(good) + b"\x00", encode({1: "2"})):
        assert code_of(Manifest, raw)[0] == "update.manifest", raw


def test_an_application_that_does_not_run_from_a_slot_takes_no_update():
    """Paths as MicroPython's __file__ gives them: on a board, below a folder, and from the sources."""
    found = here("/b/meterseal_fixture/__init__.mpy")
    assert (found.root, found.running) == ("", "b")
    assert here("x/y/a/meterseal_fixture/__init__.mpy").root == "x/y"
    assert here("firmware/src/meterseal_fixture/__init__.py") is None
    assert code_of(Staging, None, BOARD, AUTHORITY, lambda: True)[0] == "update.no_slots"
    assert code_of(Staging, Slots(""), BOARD, AUTHORITY, lambda: True)[0] == "update.no_slots"


class Wire:
    """A link that is up after so many looks, and down again after `until`; it brought something after `hears`."""

    def __init__(self, looks, hears, until=NEVER):
        self.looks, self.hears, self.until, self.now = looks, hears, until, 0

    @property
    def state(self):
        self.now += 1
        return "up" if self.looks < self.now <= self.until else "joining"

    def answered(self):
        return self.now > self.hears


def healthy(root, wire, busy=0):
    """What the slots are after the wait; how often it was asked whether the bench is idle; how it ended."""
    asked = []

    def idle():
        asked.append(1)
        return len(asked) > busy

    pace, update.LOOK_MS = update.LOOK_MS, 0
    now, ended = started(root), ""
    try:
        told = asyncio.run(confirm_when_healthy(now, wire, wire.answered, idle, 50))
        assert told == (now.good == "b")
    except FixtureError as over:
        ended = over.code
    finally:
        update.LOOK_MS = pace
    return now, len(asked), ended


def test_it_is_confirmed_when_the_edge_was_heard_and_never_in_a_run():
    """A link that is up at once, or after ten looks, and brings something then or later; a run for five looks."""
    second = Image("2", counter=1)
    for wire, busy in ((Wire(0, 0), 0), (Wire(10, 0), 0), (Wire(0, 49), 0), (Wire(0, 0), 5)):
        with Fixture() as root:
            staged(root, second).finish(second.manifest, second.grant)
            now, asked, ended = healthy(root, wire, busy)
            assert (now.good, now.counter, asked, ended) == ("b", 1, busy + 1, "")
            assert started(root).running == "b"


def test_a_version_that_hears_nobody_does_not_confirm_itself_and_goes_back():
    """No link; a link that brings nothing; one that brought something and is down; one that is heard too late. Each
    start of the trial ends the application by itself after its 50 seconds; the start after the third is the old
    version's.
    """
    second = Image("2", counter=1)
    for looks, hears, until in ((NEVER, NEVER, NEVER), (0, NEVER, NEVER), (0, 5, 5), (60, 0, NEVER)):
        with Fixture() as root:
            staged(root, second).finish(second.manifest, second.grant)
            for _ in range(STARTS):
                now, asked, ended = healthy(root, Wire(looks, hears, until))
                assert (now.running, now.good, now.counter, asked) == ("b", "a", 0, 1)
                assert ended == "update.unheard"
            back = started(root)
            assert (back.running, back.state, back.counter) == ("a", BAD, 0)
            assert back.event()[0] == "update given up"


def test_a_trial_that_is_over_waits_for_the_end_of_a_run_and_listens_meanwhile():
    """Busy for 20 looks after the 50: it ends then. The edge comes back in that time: it is confirmed after all."""
    second = Image("2", counter=1)
    for hears, good, ended in ((NEVER, "a", "update.unheard"), (60, "b", "")):
        with Fixture() as root:
            staged(root, second).finish(second.manifest, second.grant)
            now, asked, how = healthy(root, Wire(0, hears), 20)
            assert (now.good, asked, how) == (good, 21, ended)


def test_the_suite_finds_a_trial_that_confirms_itself_and_one_that_never_ends():
    """Two planted faults. One takes the time's end for health: the version stays though it heard nobody. The other
    waits on for ever: nothing would restart the board.
    """

    async def trusting(slots, _link, _answered, _idle, _trial_s):
        slots.confirm()
        return True

    async def patient(_slots, _link, _answered, _idle, _trial_s):
        return False

    for planted in (trusting, patient):
        real, globals()["confirm_when_healthy"] = confirm_when_healthy, planted
        try:
            test_a_version_that_hears_nobody_does_not_confirm_itself_and_goes_back()
        except AssertionError:
            continue
        finally:
            globals()["confirm_when_healthy"] = real
        raise AssertionError("a planted fault was not found")


def test_a_start_that_hears_the_edge_saves_a_version_whose_edge_was_down():
    """Two starts without the edge, the third with it: confirmed, and no start on trial is counted any more."""
    second = Image("2", counter=1)
    with Fixture() as root:
        staged(root, second).finish(second.manifest, second.grant)
        for wire in (Wire(NEVER, NEVER), Wire(NEVER, NEVER), Wire(3, 3)):
            healthy(root, wire)
        assert [started(root).running for _ in range(STARTS + 1)] == ["b"] * (STARTS + 1)


def test_a_good_version_has_nothing_to_confirm():
    """No trial, or no slots: the wait ends at once and writes nothing."""
    with Fixture() as root:
        now, asked, _ = healthy(root, Wire(0, 0))
        assert (now.good, asked) == ("a", 0) and "state/slot.1" not in contents(root)
    assert not asyncio.run(confirm_when_healthy(None, None, None, None, 1))
