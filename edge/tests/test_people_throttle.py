"""How often the door may be tried."""

import pytest

from meterseal_edge.errors import NotTaken
from meterseal_edge.people import throttle
from meterseal_edge.people.throttle import FIRST_WAIT_S, FORGOTTEN_S, FREE, MOST_WAIT_S, Throttle

NAME, HERE = "name Li", "address 10.0.0.7"


class Door:
    """A throttle with its clock."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.throttle = Throttle(lambda: self.now_s)

    def fails(self, *subjects: str) -> None:
        """An attempt that nothing follows is a failure."""
        self.throttle.begin(subjects or (NAME, HERE))

    def must_wait(self, *subjects: str) -> bool:
        """True if the next attempt is refused."""
        try:
            self.fails(*subjects)
        except NotTaken as error:
            return error.code == "edge.wait"
        return False


@pytest.fixture
def door() -> Door:
    """A door that nobody tried."""
    return Door()


def test_five_failures_are_free_and_each_further_one_doubles_the_wait(door: Door) -> None:
    """Said at the head of throttle.py; 15 s, 30 s, 60 s ... up to 15 minutes."""
    for _ in range(FREE):
        door.fails()
    for wait_s in (15, 30, 60, 120, 240, 480, 900, 900):
        door.now_s += wait_s - 1
        assert door.must_wait()
        door.now_s += 1
        door.fails()


def test_waiting_is_said_in_seconds_and_does_not_count_as_an_attempt(door: Door) -> None:
    """Who knocks while waiting does not make it longer."""
    for _ in range(FREE):
        door.fails()
    for _ in range(20):
        with pytest.raises(NotTaken, match=f"try again in {FIRST_WAIT_S + 1} s"):
            door.fails()
    door.now_s += FIRST_WAIT_S
    door.fails()


def test_a_name_waits_from_every_address_and_an_address_with_every_name(door: Door) -> None:
    """Many names from one place, one name from many places: both are tried by whoever guesses."""
    for number in range(FREE):
        door.fails(NAME, f"address {number}")
    assert door.must_wait(NAME, "address new")
    for number in range(FREE):
        door.fails(f"name {number}", HERE)
    assert door.must_wait("name new", HERE)
    assert not door.must_wait("name new", "address new")


def test_getting_in_forgets_the_names_failures_and_not_the_addresss(door: Door) -> None:
    """Somebody who has one account must not be able to guess at others without end."""
    for _ in range(FREE - 1):
        door.fails()
    door.throttle.begin((NAME, HERE))
    door.throttle.passed(NAME, HERE)
    assert not door.must_wait(NAME, "address other")
    assert not door.must_wait("name Wang", HERE)
    assert door.must_wait("name Zhao", HERE)


def test_a_shared_terminal_at_which_everybody_gets_in_never_waits(door: Door) -> None:
    """A shift of forty people logs in at one screen."""
    for number in range(40):
        subjects = (f"name {number}", HERE)
        door.throttle.begin(subjects)
        door.throttle.passed(*subjects)
    assert not door.must_wait("name 41", HERE)


def test_many_at_once_gain_nothing(door: Door) -> None:
    """An attempt counts from its beginning: of a hundred that begin before one has ended, five go through."""
    begun = sum(not door.must_wait() for _ in range(100))
    assert begun == FREE


def test_what_was_quiet_for_an_hour_is_forgotten(door: Door) -> None:
    """A slip of the finger each day must not add up."""
    for _ in range(FREE):
        door.fails()
    door.now_s += FORGOTTEN_S
    for _ in range(FREE):
        door.fails()
    assert door.must_wait()
    assert MOST_WAIT_S < FORGOTTEN_S


def test_memory_is_bounded_and_the_oldest_goes_first(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million names tried from a million addresses."""
    monkeypatch.setattr(throttle, "REMEMBERED", 10)
    for number in range(1000):
        door.fails(f"name {number}", f"address {number}")
    assert len(door.throttle._failures) == 10
    assert "name 999" in door.throttle._failures
