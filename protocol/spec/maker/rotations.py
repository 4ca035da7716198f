"""Subject judge, fourth part (chain.md, A new key): who signs for it, and what rests on that."""

from collections.abc import Callable, Iterator
from typing import Any

from maker.case import FixedKey
from maker.judges import GRANTED, REFUSED, closed_case, trial
from meterseal_protocol.testing.trial import Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L

NEXT = "G1"  # the key to which the bench W1 changes; a case has the keys of all roles


def granted() -> Trial:
    """The bench has a grant for its next key too."""
    found = trial()
    fields = {**found.world.fixture_fields("W1"), L.SUBJECT_KEY: found.world.cose(NEXT)}
    parent = found.record.enter(found.world.grants["delegation"]).statement.identity
    found.world.grants["fixture W1 next"] = found.world.grant(
        "province", kinds.FIXTURE, {L.PARENT: parent, **fields}
    )
    return found.begin()


def rotated(found: Trial, **said: Any) -> Trial:
    """The old key's last statement; the trial goes on under the new one."""
    heir = found.fixture.hand_over(FixedKey(NEXT), **said)
    found.enter(found.fixture.signed[-1])
    found.fixture = heir
    return found


def after(**said: Any) -> Trial:
    """Tested under the new key."""
    found = rotated(granted(), **said)
    found.enter(found.fixture.boot())
    return found.run()


CASES: tuple[tuple[str, str, Callable[[], Trial], str, set[str]], ...] = (
    ("after a rotation", "both keys signed", after, GRANTED, set()),
    (
        "a rotation signed by one key",
        "nobody hands a chain to a key that did not agree",
        lambda: after(COUNTERSIGNATURE=bytes(64)),
        REFUSED,
        {"chain.rotation"},
    ),
    (
        "before a rotation signed by one key",
        "what was logged before keeps its answer",
        lambda: rotated(granted().run(), COUNTERSIGNATURE=bytes(64)),
        GRANTED,
        set(),
    ),
)


def cases() -> Iterator[dict[str, Any]]:
    """Every case of this part."""
    for name, why, make, outcome, codes in CASES:
        yield closed_case(name, ("chain.md, A new key", why), make(), (outcome, codes))
