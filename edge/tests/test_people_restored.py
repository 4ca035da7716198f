"""The people's file in a backup and back: who was put out stays out, and nobody is let in silently."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyotp
import pytest
from edge.tests.office import HASH, PASSWORD
from edge.tests.plant import Plant

from meterseal_edge.backup import back_up, manifest_path
from meterseal_edge.errors import BadBackup, NotTaken, PeopleFailed
from meterseal_edge.people import copied, credentials, sessions, trail_mark
from meterseal_edge.people.copied import people_path
from meterseal_edge.people.roll import FILE, NewAccount, Roll
from meterseal_edge.people.trail import BY_COMMAND, Trail, broken_at, open_trail
from meterseal_edge.people.trail_mark import MARK, peek
from meterseal_edge.restore import Restored, recount, restore
from meterseal_protocol.keys import PrivateKey
from meterseal_tools.edge_store import people_restored
from meterseal_wire.encode import encode
from meterseal_wire.scan import scan

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
BESIDE = ("", "-wal", "-shm")


class Factory(Plant):
    """A plant with people; what is done to them stands in the trail as the commands write it."""

    @property
    def people(self) -> Path:
        """The people's file."""
        return self.settings.folder / FILE

    @property
    def file(self) -> Path:
        """The backup."""
        return self.path.with_name("b")

    @contextmanager
    def trail(self) -> Iterator[Trail]:
        """As the desk and every command open it."""
        with closing((kept := open_trail(self.settings.folder, self.key)).roll):
            yield kept

    @property
    def key(self) -> PrivateKey:
        """The edge's."""
        return PrivateKey.load(self.settings.key)

    def does(self, what: str, work: Callable[[Roll], Any]) -> None:
        """One act."""
        with self.trail() as trail, trail.roll.together():
            work(trail.roll)
            trail.write(BY_COMMAND, what, {})

    def hires(self, name: str) -> None:
        """Somebody new."""
        self.does("person added", lambda roll: roll.add(NewAccount(name, ["verifier"], "", HASH, SECRET)))

    def removes(self, name: str) -> None:
        """Somebody goes."""
        self.does("person removed", lambda roll: roll.remove(roll.named(name)))

    def lose(self) -> None:
        """The disk forgets the people's file; the mark beside it stays."""
        for ending in BESIDE:
            self.people.with_name(f"{FILE}{ending}").unlink(missing_ok=True)

    def come_in(self) -> list[str]:
        """Who can log in with the password and code that they had on the day of the backup, some minutes later."""
        with self.trail() as trail:
            trail.roll.clock = lambda: 4_000_000_000.0
            code = pyotp.TOTP(SECRET).at(4_000_000_000)
            names = [account.name for account in trail.roll.accounts()]
            return [name for name in names if opens(trail.roll, name, code)]

    def said(self) -> list[str]:
        """The trail, oldest first; it holds."""
        with self.trail() as trail:
            assert broken_at(trail.roll, [self.key.public]) is None
            return [act.what for act in reversed(trail.page())]


def opens(roll: Roll, name: str, code: str) -> bool:
    """True if name, password and code are taken."""
    try:
        credentials.opens(roll, name, PASSWORD, code)
    except NotTaken:
        return False
    return True


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    """A factory with Li and Zhang; Li is logged in. A backup is made, then Zhang is removed."""
    found = Factory(tmp_path)
    found.open()
    found.work(1)
    found.close()
    for name in ("Li", "Zhang"):
        found.hires(name)
    found.does("login", lambda roll: sessions.begin(roll, roll.named("Li")))
    back_up(found.settings, found.file)
    found.removes("Zhang")
    return found


def put_back(factory: Factory) -> Restored:
    """The backup, restored; what became of the people is in it."""
    done = restore(factory.settings, factory.file)
    assert done.people is not None
    return done


def test_a_backup_has_the_people_without_their_sessions_for_one_users_eyes(factory: Factory) -> None:
    """Issue 6 point 2. A copy of a session would let in whoever reads the copy; names and secrets are in it, 0600."""
    path = people_path(factory.file)
    assert path.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM session").fetchone() == (0,)
        assert db.execute("SELECT name FROM account ORDER BY name").fetchall() == [("Li",), ("Zhang",)]
    with closing(sqlite3.connect(factory.people)) as db:
        [(csrf,)] = db.execute("SELECT csrf FROM session").fetchall()
    assert csrf.encode() not in path.read_bytes()
    assert recount(factory.settings, factory.file)[1] == []


def test_who_was_removed_since_stays_out_and_an_older_file_is_declared(factory: Factory) -> None:
    """decisions/0011: a restore into an older state is never silent. One act is missing, whichever it was."""
    factory.lose()
    people = put_back(factory).people
    assert people is not None
    assert (people.kept, people.declared, people.missing, people.closed) == (False, True, 1, 2)
    assert factory.come_in() == []
    assert factory.said() == ["person added"] * 2 + ["login", "people restored from an older file"]
    with factory.trail() as trail:
        told = json.dumps(trail.page()[0].about)
        assert json.loads(told) == {"acts": 3, "missing": 1, "closed": [1, 2]}
        assert copied.restored_lately(trail.roll)
    assert "缺少 1 条操作，2 个账号已关闭" in people_restored(people)
    assert "lacks 1 acts; 2 accounts are closed" in people_restored(people)


def test_a_closed_account_is_opened_by_a_person_with_a_shell_and_by_nothing_else(factory: Factory) -> None:
    """The cure that the restore names: `edge person reset`."""
    factory.lose()
    put_back(factory)
    factory.does("person reset", lambda roll: roll.reset(roll.named("Li"), HASH, SECRET))
    assert factory.come_in() == ["Li"]


def test_a_file_that_is_whole_and_newer_than_the_backup_stays(factory: Factory) -> None:
    """Only the store was lost: nobody's removal is undone, nobody has to log in again."""
    before = factory.said()
    people = put_back(factory).people
    assert people is not None
    assert people.kept
    assert factory.come_in() == ["Li"]
    assert factory.said() == before
    with closing(sqlite3.connect(factory.people)) as db:
        assert db.execute("SELECT count(*) FROM session").fetchone() == (1,)
    assert "stays" in people_restored(people)


def test_a_backup_that_lacks_no_act_goes_on_with_sessions_ended_and_codes_spent(factory: Factory) -> None:
    """The mark shows that nothing was done since; a code that was seen before the restore opens nothing after it."""
    second = factory.path.with_name("b2")
    back_up(factory.settings, second)
    factory.lose()
    people = restore(factory.settings, second).people
    assert people is not None
    assert (people.kept, people.declared, people.missing) == (False, False, 0)
    with factory.trail() as trail:
        assert not opens(trail.roll, "Li", pyotp.TOTP(SECRET).now())
        assert not copied.restored_lately(trail.roll)
    assert factory.come_in() == ["Li"]
    assert factory.said()[-1] == "people restored"
    assert "lacks no act" in people_restored(people)


def by_hand(factory: Factory) -> None:
    """Somebody copies the backup's people into the folder."""
    factory.lose()
    shutil.copyfile(people_path(factory.file), factory.people)


@pytest.mark.parametrize("loss", ["older", "gone", "mark gone", "mark damaged"])
def test_nobody_logs_in_over_a_file_that_may_be_older_and_restore_is_the_cure(
    factory: Factory, loss: str
) -> None:
    """Detected at every opening, not only by `restore`; a backup of what is there, restored, declares it."""
    mark = factory.settings.folder / MARK
    steps: dict[str, Callable[[], Any]] = {
        "older": lambda: by_hand(factory),
        "gone": factory.lose,
        "mark gone": mark.unlink,
        "mark damaged": lambda: mark.write_bytes(mark.read_bytes()[::-1]),
    }
    steps[loss]()
    with pytest.raises(PeopleFailed, match="edge restore"):
        factory.said()
    file = factory.path.with_name("as it is")
    back_up(factory.settings, file)
    people = restore(factory.settings, file).people
    assert people is not None
    assert people.declared
    assert factory.come_in() == []


def test_on_a_new_machine_nobody_knows_what_is_missing_so_all_accounts_are_closed(factory: Factory) -> None:
    """No mark, no file: the backup counts as older."""
    factory.lose()
    (factory.settings.folder / MARK).unlink()
    people = put_back(factory).people
    assert people is not None
    assert (people.declared, people.missing, people.closed) == (True, None, 2)
    assert "lacks ? acts" in people_restored(people)


def test_people_that_somebody_put_into_a_backup_are_refused(factory: Factory) -> None:
    """The manifest's digest and the edge's signature over it cover the copy; the store's own part holds still."""
    path, manifest = people_path(factory.file), manifest_path(factory.file)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE account SET name = 'Mallory' WHERE name = 'Li'")
    with pytest.raises(BadBackup, match="is damaged"):
        put_back(factory)
    told = scan(manifest.read_bytes(), 4096)
    manifest.write_bytes(encode([*told[:3], bytes(32), told[4]]))
    with pytest.raises(BadBackup, match="does not hold"):
        put_back(factory)
    assert factory.come_in() == ["Li"]


def test_a_backup_from_before_restores_the_store_and_leaves_people_alone(factory: Factory) -> None:
    """A manifest of three items has no people."""
    manifest = manifest_path(factory.file)
    manifest.write_bytes(encode(scan(manifest.read_bytes(), 4096)[:3]))
    assert restore(factory.settings, factory.file).people is None
    assert factory.come_in() == ["Li"]


def test_verify_store_finds_an_act_that_was_changed(factory: Factory) -> None:
    """Beside the store's own faults, in one line."""
    with closing(sqlite3.connect(factory.people)) as db, db:
        db.execute("DROP TRIGGER act_stays")
        db.execute("UPDATE act SET at_s = 1 WHERE number = 2")
    [fault] = recount(factory.settings, factory.settings.folder / "edge.sqlite")[1]
    assert str(fault) == "people.sqlite: the people's trail is broken at act 2"


def test_the_mark_follows_what_is_committed_and_never_goes_back(factory: Factory) -> None:
    """An act that failed is not marked, or an honest file would look older; nor one that another process overtook."""
    folder = factory.settings.folder
    before = peek(folder)
    assert before is not None

    def fails(roll: Roll) -> None:
        Trail(roll, factory.key).write(BY_COMMAND, "login", {})
        raise NotTaken("edge.login", "no")

    with pytest.raises(NotTaken):
        factory.does("login", fails)
    assert peek(folder) == before
    trail_mark.advance(folder, trail_mark.Newest(before.number - 1, bytes(32)))
    assert peek(folder) == before
    assert len(factory.said()) == before.number


PLANTED: dict[str, tuple[object, str, Any]] = {
    "an older file is taken for whole": (trail_mark, "holds", lambda *_: True),
    "accounts stay open": (Roll, "reset", lambda *_: None),
    "the mark is forgotten": (trail_mark, "peek", lambda _: trail_mark.EMPTY),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_restore_that_lets_somebody_in_is_found(
    factory: Factory, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design section 1, idea 11: what the tests above assert fails with each of these."""
    monkeypatch.setattr(*PLANTED[name])
    factory.lose()
    put_back(factory)
    assert factory.come_in() == ["Li", "Zhang"]
