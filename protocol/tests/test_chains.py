"""Which part of a fixture's chain concerns a meter, and what it signed twice. Places are written (epoch, seq)."""

import pytest

from meterseal_protocol.chains import Chains
from meterseal_protocol.entry import Entry
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.world import GAS_BENCH, WATER_BENCH, World, fresh_keys
from meterseal_wire import labels as L
from meterseal_wire.statement import build

KEYS = fresh_keys()
ALL = 1 << 30


class Log:
    """A record and the chains over it."""

    def __init__(self) -> None:
        self.record, self.chains = Record(World(keys=KEYS)), Chains()
        self.fixture = ModelFixture(self.record.world.author(WATER_BENCH))

    def add(self, raw: bytes) -> Entry:
        """Entered and chained."""
        entry = self.record.enter(raw)
        self.chains.add(entry)
        return entry

    def say(self, name: str = "note") -> Entry:
        """An event at the next place."""
        return self.add(self.fixture.event(name, "").raw)

    def boot(self) -> Entry:
        """The next epoch."""
        return self.add(self.fixture.boot().raw)

    def close(self, place: tuple[int, int]) -> Entry:
        """The attempt at that place is abandoned."""
        return self.add(self.fixture.abandoned(4, place).raw)

    def reach(self, attempts: list[Entry], closers: list[Entry], size: int = ALL) -> dict[int, int]:
        """Highest seq by epoch."""
        return {epoch: seq for (_, epoch), seq in self.chains.reach(attempts, closers, size).items()}


@pytest.fixture
def log() -> Log:
    """Empty."""
    return Log()


def test_the_reach_goes_up_to_the_attempt_and_to_what_closed_it(log: Log) -> None:
    """Attempt at (1, 1), closed at (1, 3), and an event at (1, 4)."""
    log.boot()
    attempt = log.say()
    log.say()
    closer = log.close((1, 1))
    log.say()
    assert log.reach([attempt], []) == {1: 1}
    assert log.reach([attempt], [closer]) == {1: 3}


def test_the_reach_takes_whole_epochs_between_the_two_and_one_boot_after(log: Log) -> None:
    """Opened in epoch 1, closed in epoch 3: all of 1 and 2, and the boot of 4."""
    log.boot()
    attempt = log.say()
    log.say()
    log.boot()
    log.say()
    log.boot()
    closer = log.close((1, 1))
    log.say()
    log.boot()
    log.say()
    assert log.reach([attempt], [closer]) == {1: 2, 2: 1, 3: 1, 4: 0}


def test_the_epoch_after_is_the_next_that_is_known(log: Log) -> None:
    """Epoch 2 was logged last: below that size, epoch 3 follows."""
    log.boot()
    attempt = log.say()
    second = log.fixture.boot()
    log.boot()
    before = log.record.tree.size
    log.add(second.raw)
    assert log.reach([attempt], [], before) == {1: 1, 3: 0}
    assert log.reach([attempt], []) == {1: 1, 2: 0}


def test_what_is_within_the_reach_is_all_of_it_and_nothing_of_another_key(log: Log) -> None:
    """The gas bench stands at the same places."""
    boot, first, second = log.boot(), log.say(), log.say()
    gas = ModelFixture(log.record.world.author(GAS_BENCH))
    log.add(gas.boot().raw)
    assert log.chains.within(log.chains.reach([first], [], ALL), ALL) == [boot, first]
    assert log.chains.within(log.chains.reach([second], [], ALL), first.leaf) == [boot]


def test_two_statements_at_one_place_are_forked(log: Log) -> None:
    """In log order; and only where both are below the size."""
    log.boot()
    clone = ModelFixture(log.fixture.author, 1, 0, log.fixture.head)
    first = log.say()
    second = log.add(clone.event("another", "").raw)
    assert log.chains.forked([first.key], ALL) == [[first, second]]
    assert log.chains.forked([first.key], second.leaf) == []
    assert log.chains.forked([bytes(32)], ALL) == []


def test_one_statement_that_is_logged_twice_is_no_fork(log: Log) -> None:
    """The same identity at two leaves."""
    log.boot()
    raw = log.fixture.event("note", "").raw
    first, again = log.add(raw), log.add(raw)
    assert first.statement.identity == again.statement.identity
    assert log.chains.forked([first.key], ALL) == []


def test_two_boots_behind_one_head_are_forked(log: Log) -> None:
    """Epochs 2 and 3 both follow (1, 0)."""
    one = log.boot()
    second = log.boot()
    payload = dict(second.statement.payload)
    third = log.add(build(log.fixture.author, L.KIND_BOOT, payload, (3, 0, one.statement.identity)))
    assert log.chains.forked([one.key], ALL) == [[second, third]]


def test_what_stands_in_no_chain_is_left_alone(log: Log) -> None:
    """A beacon has no place."""
    beacon = log.record.beacon()
    log.chains.add(beacon)
    assert log.chains.within({(beacon.key, 0): 9}, ALL) == []
