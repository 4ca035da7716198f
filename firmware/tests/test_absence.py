"""Network, broker or edge away: told once when it is noticed, one event when it is over, and nothing waits for it."""

from meterseal_fixture import absence
from meterseal_fixture.absence import EDGE, LINK, Absence
from meterseal_fixture.words import SENTENCES


class Clock:
    """The board's milliseconds, which come round at 2^30; in the place of the module `time`."""

    def __init__(self):
        self.now = (1 << 30) - 5000

    def ticks_ms(self):
        return self.now % (1 << 30)

    def ticks_diff(self, late, early):
        return (late - early + (1 << 29)) % (1 << 30) - (1 << 29)


class Station:
    """Idle or not, with a panel; `full` refuses to note."""

    def __init__(self):
        self.state, self.full = "idle", False
        self.told, self.noted = [], []
        self.panel = self

    def complain(self, code):
        self.told.append(code)

    def note(self, name, detail):
        if not self.full:
            self.noted.append((name, detail))
        return not self.full


class Story:
    """A station and its absence, looked at once a second. An absence is as long as from its first look to its last, one
    second less than its looks.
    """

    def __init__(self):
        self.clock, self.station = Clock(), Station()
        self.away = self._with_clock(Absence)

    def _with_clock(self, action):
        usual, absence.time = absence.time, self.clock
        try:
            return action()
        finally:
            absence.time = usual

    def look(self, times, state, unheard=False):
        for _ in range(times):
            self.clock.now += 1000
            self._with_clock(lambda: self.away.look(state, unheard, self.station))


def story(*looks):
    """The station after so many looks each: (looks, link state, unheard)."""
    found = Story()
    for one in looks:
        found.look(*one)
    return found.station


def test_a_network_that_is_back_within_a_minute_is_not_worth_a_word():
    """60 looks are 59 s."""
    station = story((5, "up", False), (60, "down", False), (5, "up", False))
    assert (station.told, station.noted) == ([], [])


def test_a_network_that_stays_away_is_told_once_and_noted_when_it_is_back():
    """One sentence, one event with the seconds; `joining` is not there yet."""
    station = story((5, "up", False), (50, "down", False), (40, "joining", False), (5, "up", False))
    assert (station.told, station.noted) == ([LINK], [(LINK, "89 s")])


def test_while_it_is_away_nothing_is_noted():
    """An absence has no length to sign before its end; how long it has been so far is known, past where the
    milliseconds come round, and nothing when it is over.
    """
    assert story((5, "up", False), (500, "down", False)).noted == []
    found = Story()
    found.look(5, "up")
    assert found.away.away_s == 0
    found.look(100001, "down")
    assert found.away.away_s == 100000
    found.look(1, "up")
    assert found.away.away_s == 0


def test_an_edge_that_confirms_nothing_is_another_absence_than_a_network():
    """The broker answers, but what was offered finds no custody: `edge.silent`."""
    station = story((5, "up", False), (70, "up", True), (5, "up", False))
    assert (station.told, station.noted) == ([EDGE], [(EDGE, "69 s")])


def test_the_event_waits_for_the_end_of_a_run_and_several_absences_are_one():
    """Two of 99 s while gates may be open; their sum when the station is idle."""
    found = Story()
    found.station.state = "running"
    for _ in range(2):
        found.look(10, "up")
        found.look(100, "down")
    found.look(10, "up")
    assert found.station.told == [LINK, LINK] and found.station.noted == []
    found.station.state = "idle"
    found.look(2, "up")
    assert found.station.noted == [(LINK, "198 s")]


def test_a_full_store_owes_the_event_until_there_is_room():
    """`note` refuses; it is asked again at every look, and once it is taken no more."""
    found = Story()
    found.station.full = True
    for looks, state in ((1, "up"), (80, "down"), (5, "up")):
        found.look(looks, state)
    assert found.station.noted == []
    found.station.full = False
    found.look(3, "up")
    assert found.station.noted == [(LINK, "79 s")]


def test_both_have_their_sentences():
    """Chinese and English."""
    assert all(SENTENCES[LINK]) and all(SENTENCES[EDGE])
