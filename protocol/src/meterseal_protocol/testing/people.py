"""What the world's people sign: sign-offs over rows, marks, notices, corrections, and second measurements."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from meterseal_protocol.signoff import Row, payload
from meterseal_protocol.testing.fixture import Signed
from meterseal_protocol.testing.world import PEOPLE, World
from meterseal_wire import labels as L
from meterseal_wire.statement import build

SEAL = "SEAL-0001"


def sign_off(
    world: World, rows: Iterable[Row], time_s: int, roles: Mapping[str, int] | None = None
) -> list[Signed]:
    """One sign-off over all rows by each person in a role: {"verifier": 1, ...}; the world's three, where not said."""
    items = [row.encoded() for row in rows]
    return [
        says(world, person, L.KIND_SIGNOFF, payload(role, items, time_s), items)
        for person, role in (PEOPLE if roles is None else roles).items()
    ]


def mark(
    world: World, row: Row, time_s: int, seals: Sequence[str] = (SEAL,), person: str = "verifier"
) -> Signed:
    """Seal numbers fitted to the meter of a row."""
    said = {L.METER: row.meter, L.RESULT: row.result, L.POSITION: row.position}
    return says(world, person, L.KIND_MARKS, {**said, L.SEALS: list(seals), L.TIME_S: time_s})


def correction(
    world: World, person: str, replaced: bytes, time_s: int, instead: bytes | None = None
) -> Signed:
    """A statement is replaced by another, or taken back."""
    said: dict[int, Any] = {L.REPLACES: replaced, L.TIME_S: time_s, L.DETAIL: "a slip of the pen"}
    if instead is not None:
        said[L.REPLACEMENT] = instead
    return says(world, person, L.KIND_CORRECTION, said)


def says(world: World, role: str, kind: int, said: dict[int, Any], items: Sequence[bytes] = ()) -> Signed:
    """Any statement outside of a chain, signed by a role of the world."""
    return Signed(bytes(build(world.author(role), kind, said)), tuple(items))
