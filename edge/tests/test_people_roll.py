"""The file of people: whole or not at all, for one user's eyes, and names that can be erased."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from meterseal_edge.errors import NotTaken, PeopleFailed
from meterseal_edge.people import sessions
from meterseal_edge.people.roll import FILE, ROLES, NewAccount, Roll


@pytest.fixture
def roll(tmp_path: Path) -> Iterator[Roll]:
    """An empty roll."""
    with closing(Roll(tmp_path / FILE)) as found:
        yield found


def new(name: str = "Li", *roles: str) -> NewAccount:
    """An account to be."""
    return NewAccount(name, roles or ("verifier",), "", "hash", "SECRET")


def test_the_file_and_what_lies_beside_it_is_for_its_user_alone(tmp_path: Path) -> None:
    """House rule: keys and secrets 0600; a file that was readable before is closed."""
    path = tmp_path / FILE
    path.touch(0o644)
    with closing(Roll(path)) as roll:
        roll.add(new())
        found = list(tmp_path.glob(f"{FILE}*"))
        assert len(found) > 1
        assert {stat.S_IMODE(item.stat().st_mode) for item in found} == {0o600}


def test_a_person_is_found_by_name_and_number(roll: Roll) -> None:
    """Accounts stay over a restart, each with its roles."""
    added = roll.add(new("王芳", "verifier", "engineer"))
    assert roll.by_name("王芳") == roll.by_id(added.id) == roll.named("王芳") == added
    assert added.roles == ("verifier", "engineer")
    assert [account.name for account in roll.accounts()] == ["王芳"]
    assert roll.by_name("Li") is roll.by_id(99) is None


@pytest.mark.parametrize("name", ["", "  ", "x" * 33, "a\nb", "a\x1b[2J"])
def test_a_name_that_cannot_be_shown_is_refused(roll: Roll, name: str) -> None:
    """Names are printed in terminals and pages."""
    with pytest.raises(NotTaken, match="a name has 1 to 32 characters"):
        roll.add(new(name))


def test_a_name_twice_and_a_role_that_is_none_are_refused(roll: Roll) -> None:
    """A misspelled role must not become an account that can do nothing, silently."""
    roll.add(new())
    with pytest.raises(NotTaken, match="is there already"):
        roll.add(new())
    with pytest.raises(NotTaken, match=f"the roles are {', '.join(ROLES)}"):
        roll.add(new("Wang", "verifier", "king"))
    with pytest.raises(NotTaken, match="give one or more"):
        roll.add(NewAccount("Wang", (), "", "hash", "SECRET"))
    with pytest.raises(NotTaken, match="nobody here is called Wang"):
        roll.named("Wang")


def test_who_is_removed_leaves_no_name_and_no_session(roll: Roll, tmp_path: Path) -> None:
    """Design section 7, person: names live in an erasable table. The number is never given again."""
    account = roll.add(new("Somebody Unusual"))
    cookie, _ = sessions.begin(roll, account)
    roll.remove(account)
    with pytest.raises(NotTaken):
        sessions.find(roll, cookie)
    assert roll.all("SELECT * FROM session") == roll.accounts() == []
    assert roll.add(new("Next")).id > account.id


def test_what_is_done_together_is_there_as_a_whole_or_not_at_all(roll: Roll) -> None:
    """Nested blocks belong to the outermost: an error at the end takes back everything."""

    def fails() -> None:
        with roll.together():
            roll.add(new("Li"))
            with roll.together():
                roll.add(new("Wang"))
            raise NotTaken("edge.person", "no")

    with pytest.raises(NotTaken, match="no"):
        fails()
    assert roll.accounts() == []
    roll.add(new("Li"))
    assert [account.name for account in roll.accounts()] == ["Li"]


def test_an_interrupt_takes_back_too_and_the_roll_goes_on(roll: Roll) -> None:
    """SIGTERM in the middle of an act raises KeyboardInterrupt anywhere."""

    def interrupted() -> None:
        with roll.together():
            roll.add(new("Li"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert roll.accounts() == []
    assert roll.add(new("Wang")).name == "Wang"


def test_threads_do_not_step_into_each_others_transaction(roll: Roll) -> None:
    """Requests come on many threads; each one's block is whole."""
    seen: list[int] = []

    def work(number: int) -> None:
        with roll.together():
            before = len(roll.accounts())
            roll.add(new(f"P{number}"))
            seen.append(len(roll.accounts()) - before)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 8
    assert len(roll.accounts()) == 8


def test_another_process_may_have_it_open(tmp_path: Path) -> None:
    """`meterseal edge person add` works beside a running edge."""
    with closing(Roll(tmp_path / FILE)) as edge, closing(Roll(tmp_path / FILE)) as command:
        command.add(new())
        assert edge.named("Li").roles == ("verifier",)


def test_a_file_that_is_no_roll_is_one_sentence(tmp_path: Path) -> None:
    """Design section 13: says what and what to do."""
    (tmp_path / FILE).write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(PeopleFailed, match=r"people's file cannot be used: .*restore it"):
        Roll(tmp_path / FILE)


def test_a_disk_that_fails_takes_the_whole_block_back(roll: Roll, tmp_path: Path) -> None:
    """SQLite's own page limit stands for a full disk: SQLITE_FULL in the middle of a block."""
    [(pages,)] = roll.all("PRAGMA page_count")
    roll.all(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        with roll.together():
            for number in range(2000):
                roll.add(new(f"P{number}"))

    with pytest.raises(PeopleFailed, match="full"):
        fill()
    assert roll.accounts() == []
    with closing(sqlite3.connect(tmp_path / FILE)) as looked:
        assert looked.execute("PRAGMA integrity_check").fetchone() == ("ok",)
