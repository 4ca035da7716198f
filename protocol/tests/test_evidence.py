"""Which entries speak about a meter: design section 6's chain, beacons, scope, picked by one pure rule."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterseal_protocol.evidence import Entry, Evidence, closes, names
from meterseal_protocol.evidence import select as choose
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.runs import Seat, plan_document
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.world import WATER_BENCH, World
from meterseal_wire import kinds
from meterseal_wire import labels as L

MINE, OTHER = Seat(1, "12082058"), Seat(2, "12082059")
PLAN = plan_document(bytes(32), [[2_500_000, 100, 1_000_000, 0, 1]])


class Story:
    """A record and one fixture, and a name for each entry, so that a test reads as a list of names."""

    def __init__(self) -> None:
        self.record = Record(World())
        self.fixture = ModelFixture(self.record.world.author(WATER_BENCH))
        self.beacon = self.record.beacon()
        self.named = {"beacon": self.beacon}

    def add(self, name: str, signed: Signed) -> Entry:
        """Enter what the fixture signed under a name."""
        self.named[name] = self.record.enter(signed.raw, signed.evidence)
        return self.named[name]

    def boot(self, name: str) -> None:
        """The next epoch."""
        self.add(name, self.fixture.boot())

    def attempt(self, name: str, *seats: Seat) -> tuple[int, int]:
        """Intent; its place."""
        place = self.add(name, self.fixture.attempt(seats, PLAN, self.beacon.statement.identity)).place
        return place[1], place[2]

    def chosen(self, meter: str = MINE.meter) -> set[str]:
        """Names of the entries that the rule picks."""
        picked = {entry.statement.identity for entry in self.record.evidence(meter).entries}
        return {name for name, entry in self.named.items() if entry.statement.identity in picked}


@pytest.fixture
def story() -> Story:
    """An empty record with a beacon in it."""
    return Story()


def run(story: Story, number: int, *seats: Seat) -> None:
    """An attempt and its result under numbered names."""
    story.attempt(f"attempt {number}", *seats)
    story.add(f"result {number}", story.fixture.result(seats))


def test_an_attempt_comes_with_its_chain_its_result_and_its_beacon(story: Story) -> None:
    """From the boot of the epoch up to what closed it; what came later in that epoch does not matter."""
    story.boot("boot")
    story.add("event", story.fixture.event("case.opened", "seal 1"))
    run(story, 1, MINE)
    story.add("later", story.fixture.event("case.opened", "seal 2"))
    assert story.chosen() == {"beacon", "boot", "event", "attempt 1", "result 1"}


def test_other_meters_runs_are_there_only_as_links_of_the_chain(story: Story) -> None:
    """A run before ours is needed to follow the chain; one after it is not."""
    story.boot("boot")
    run(story, 1, OTHER)
    run(story, 2, MINE, OTHER)
    run(story, 3, OTHER)
    assert story.chosen() == {"beacon", "boot", "attempt 1", "result 1", "attempt 2", "result 2"}
    assert story.chosen(OTHER.meter) == {"beacon", "boot"} | {
        f"{k} {n}" for k in ("attempt", "result") for n in (1, 2, 3)
    }


def test_a_run_closed_after_a_power_cut_brings_both_epochs_and_what_lies_between(story: Story) -> None:
    """Boots of later epochs that close it: here the second boot was cut short too, the third one signed the end."""
    story.boot("boot 1")
    place = story.attempt("attempt", MINE)
    story.add("last words", story.fixture.event("power.low", "9 V"))
    story.boot("boot 2")
    story.boot("boot 3")
    story.add("abandoned", story.fixture.abandoned(kinds.POWER, place))
    story.add("later", story.fixture.event("case.opened", "seal 2"))
    assert story.chosen() == {"beacon", "boot 1", "attempt", "last words", "boot 2", "boot 3", "abandoned"}


def test_the_boot_after_a_closed_run_is_there_because_it_says_which_head_was_held(story: Story) -> None:
    """A statement beyond the head that the next epoch cites is a fork: the judge must be able to see it."""
    story.boot("boot 1")
    run(story, 1, MINE)
    story.boot("boot 2")
    story.add("later", story.fixture.event("case.opened", "seal 2"))
    story.boot("boot 3")
    assert story.chosen() == {"beacon", "boot 1", "attempt 1", "result 1", "boot 2"}


def test_an_open_attempt_is_there_with_the_boot_that_broke_it(story: Story) -> None:
    """Attempts open at a break count as failed tries."""
    story.boot("boot 1")
    story.attempt("attempt", MINE)
    assert story.chosen() == {"beacon", "boot 1", "attempt"}
    story.boot("boot 2")
    assert story.chosen() == {"beacon", "boot 1", "attempt", "boot 2"}


def test_a_second_try_on_another_day_brings_its_own_beacon(story: Story) -> None:
    """Each attempt cites one; beacons that nobody cites stay out."""
    story.boot("boot")
    run(story, 1, MINE)
    story.named["unused beacon"] = story.record.beacon()
    story.beacon = story.named["beacon 2"] = story.record.beacon()
    run(story, 2, MINE)
    assert story.chosen() == {"beacon", "beacon 2", "boot", "attempt 1", "result 1", "attempt 2", "result 2"}


def test_two_statements_at_one_place_are_both_there(story: Story) -> None:
    """A fork is evidence: leaving one of the two out would hide it."""
    story.boot("boot")
    run(story, 1, MINE)
    twin = ModelFixture(story.fixture.author, epoch=1, seq=0, head=story.named["boot"].statement.identity)
    story.add("twin", twin.event("case.opened", "another history"))
    assert "twin" in story.chosen()


def test_only_the_newest_scope_of_the_meter_is_there(story: Story) -> None:
    """Design section 1, point 6: the registry's list up to a log size."""
    story.boot("boot")
    run(story, 1, MINE)
    story.named["scope 1"] = story.record.scope(MINE.meter)
    story.named["scope other"] = story.record.scope(OTHER.meter)
    story.named["scope 2"] = story.record.scope(MINE.meter)
    assert story.chosen() & {"scope 1", "scope other", "scope 2"} == {"scope 2"}


def test_another_fixtures_statements_at_the_same_places_stay_out(story: Story) -> None:
    """A place is (key, epoch, seq)."""
    story.boot("boot")
    run(story, 1, MINE)
    gas = ModelFixture(story.record.world.author("G1"))
    story.add("gas boot", gas.boot())
    story.add("gas event", gas.event("case.opened", "seal"))
    assert not story.chosen() & {"gas boot", "gas event"}


def test_entries_at_or_beyond_the_log_size_do_not_exist(story: Story) -> None:
    """The same inputs give the same decision in ten years: later entries never change what was picked."""
    story.boot("boot")
    run(story, 1, MINE)
    size, before = story.record.tree.size, story.record.evidence(MINE.meter)
    run(story, 2, MINE)
    record = story.record
    assert choose(MINE.meter, record.pool, size, record.blobs) == before
    assert record.evidence(MINE.meter) != before


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_pool_does_not_matter(shuffler: Random) -> None:
    """Pure over a set: whoever holds the same entries picks the same evidence."""
    story = Story()
    story.boot("boot")
    run(story, 1, OTHER)
    run(story, 2, MINE)
    record = story.record
    pool = list(record.pool)
    shuffler.shuffle(pool)
    assert choose(MINE.meter, pool, len(pool), record.blobs) == record.evidence(MINE.meter)


def test_blobs_of_the_chosen_statements_keep_their_order(story: Story) -> None:
    """A result's leaves stand under its root in order; those of statements that were not picked are left out."""
    story.boot("boot")
    run(story, 1, MINE)
    run(story, 2, OTHER)
    evidence = story.record.evidence(MINE.meter)
    result = story.named["result 1"].statement.identity
    assert evidence.blobs[result] == tuple(MINE.leaves())
    assert set(evidence.blobs) == {result, story.named["attempt 1"].statement.identity}


def test_entries_of_a_kind_come_in_log_order(story: Story) -> None:
    """What the judge walks."""
    story.boot("boot")
    run(story, 1, MINE)
    run(story, 2, MINE)
    found = story.record.evidence(MINE.meter).of_kind(L.KIND_ATTEMPT)
    assert found == [story.named["attempt 1"], story.named["attempt 2"]]


def test_nothing_is_known_about_an_unknown_meter(story: Story) -> None:
    """An empty list, not an error."""
    story.boot("boot")
    run(story, 1, OTHER)
    assert story.record.evidence("DEMO.99999999") == Evidence("DEMO.99999999", (), story.record.tree.size, {})


def test_names_and_closes_say_whom_an_entry_concerns(story: Story) -> None:
    """Two small questions that the registry's scope asks as well."""
    story.boot("boot")
    run(story, 1, MINE)
    attempt, result = story.named["attempt 1"], story.named["result 1"]
    assert names(attempt, MINE.meter)
    assert not names(attempt, OTHER.meter)
    assert closes(result) == attempt.place


def test_what_is_held_for_a_meter_does_not_grow_with_the_fixtures_life() -> None:
    """A fixture that opens an epoch now and then (spec/chain.md): 40 statements in each of five, and of the meter that
    is tested in the last one there are that epoch up to its result, and the boots of the month.
    """
    trial = Trial().begin()
    for _ in range(4):
        for number in range(39):
            trial.enter(trial.fixture.event("tick", str(number)))
        trial.enter(trial.fixture.boot())
    trial.run()
    assert trial.decide().outcome == kinds.GRANTED
    own = [entry for entry in trial.record.evidence(trial.meter).entries if entry.statement.chain]
    places = sorted(entry.statement.chain[:2] for entry in own)  # type: ignore[index]
    assert places == [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 1), (5, 2)]
