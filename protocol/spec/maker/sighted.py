"""Subject judge, third part (checkpoint.md, Sightings): a registry that was away, and who had seen the test meanwhile.

In each log the beacon is cited in time and the registry enters attempt and result fifteen days later, where its pack
lets a beacon be fourteen days old. Without a sighting that holds it is refused as stale.
"""

from collections.abc import Callable, Iterator
from typing import Any

from maker.case import FixedKey
from maker.judges import GRANTED, REFUSED, closed_case, trial
from meterseal_protocol.merkle import leaf_hash
from meterseal_protocol.note_key import TIMED, NoteSigner
from meterseal_protocol.testing.people import says
from meterseal_protocol.testing.trial import Trial
from meterseal_protocol.testing.watched import Watched
from meterseal_wire import labels as L
from meterseal_wire.suites import ED25519

AWAY_S = 15 * 86_400
STALE = {"time.beacon_stale"}


def key(name: str) -> FixedKey:
    """The same each time."""
    return FixedKey(name, ED25519)


class Seen(Watched):
    """A trial whose edge has a log that is watched. Grants are not entered yet."""

    def __init__(self) -> None:
        self.trial = trial()
        super().__init__(self.trial.world, self.trial.fixture, make=key)


def away() -> Seen:
    """Tested while the registry was away. The beacon is of `second(0)`."""
    found = Seen()
    found.trial.begin()
    found.trial.record.now_s += AWAY_S
    found.trial.run()
    return found


def second(log: Seen, after_s: int) -> int:
    """So many seconds after the beacon."""
    found: int = log.trial.record.of_kind(L.KIND_BEACON)[0].statement.payload[L.TIME_S]
    return found + after_s


def by(log: Seen, times: dict[str, int]) -> dict[str, int]:
    """Witnesses and how many seconds after the beacon they signed."""
    return {name: second(log, after_s) for name, after_s in times.items()}


def seen(times: dict[str, int], index: int = -1) -> Trial:
    """Cosigned so, and brought to the registry."""
    log = away()
    log.trial.enter(log.seen(by(log, times), index))
    return log.trial


def stranger() -> Trial:
    """One witness, and a key without a grant."""
    log = away()
    log.signers["x"] = NoteSigner("witness.example/x", key("witness x"), TIMED)
    log.trial.enter(log.seen(by(log, {"a": 100, "x": 100})))
    return log.trial


def another_tree() -> Trial:
    """The tree that both cosigned has another last leaf."""
    log = away()
    note = log.note(by(log, {"a": 100, "b": 120}), [*log.leaves[:-1], leaf_hash(bytes(32))])
    log.trial.enter(log.sighting(log.trial.fixture.signed[-1].identity, note))
    return log.trial


def granted_late() -> Trial:
    """One of the two got its grant after the beacon."""
    log = Seen()
    late = log.trial.world.grants.pop("witness b")
    log.trial.begin()
    log.trial.record.enter(late)
    log.trial.record.now_s += AWAY_S
    log.trial.run()
    log.trial.enter(log.seen(by(log, {"a": 100, "b": 120})))
    return log.trial


def withdrawn() -> Trial:
    """One of the two is withdrawn, from the second at which the registry logged the sighting."""
    log = away()
    log.trial.enter(log.seen(by(log, {"a": 100, "b": 120})))
    record = log.trial.record
    name = next(e for e in record.pool if e.statement.payload.get(L.WITNESS) == "witness.example/b")
    said = {L.STATEMENT: name.statement.identity, L.TAINTED_FROM_S: record.now_s, L.TIME_S: record.now_s}
    log.trial.enter(says(log.trial.world, "root", L.KIND_WITHDRAWAL, {**said, L.DETAIL: "key lost"}))
    return log.trial


def in_time() -> Trial:
    """The registry was there; its own second is earlier than the witnesses'."""
    log = Seen()
    log.trial.begin().run()
    log.trial.enter(log.seen(by(log, {"a": 1000, "b": 1000})))
    return log.trial


CASES: tuple[tuple[str, int, str, Callable[[], Trial], str, set[str]], ...] = (
    (
        "seen while the registry was away",
        11,
        "two of two",
        lambda: seen({"a": 100, "b": 120}),
        GRANTED,
        set(),
    ),
    ("seen later than it was logged", 10, "the earlier one counts", in_time, GRANTED, set()),
    ("seen by one of two", 12, "the edge's grant asks for two", lambda: seen({"a": 100}), REFUSED, STALE),
    ("seen by a stranger", 12, "no grant names the key", stranger, REFUSED, STALE),
    ("seen by a witness granted too late", 12, "nobody is authorised later", granted_late, REFUSED, STALE),
    ("seen by a witness withdrawn by then", 12, "its key may be anybody's", withdrawn, REFUSED, STALE),
    ("seen in another tree", 14, "the path leads to another root", another_tree, REFUSED, STALE),
    ("seen before its beacon", 14, "nobody can have", lambda: seen({"a": -1, "b": -1}), REFUSED, STALE),
    (
        "seen as an earlier link",
        13,
        "the boot was seen, which cites neither attempt nor result",
        lambda: seen({"a": 100, "b": 120}, 0),
        REFUSED,
        STALE,
    ),
)


def cases() -> Iterator[dict[str, Any]]:
    """Every case of this part."""
    for name, number, why, make, outcome, codes in CASES:
        words = f"checkpoint.md, Sightings, {number}", why
        yield closed_case(name, words, make(), (outcome, codes))
