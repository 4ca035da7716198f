"""Lines of a factory that does not exist: keys, grants, and chains of really signed statements.

A line is protocol-true: a boot, then runs of an attempt with its plan and a result with the meters' telegrams, each
citing the one before. Everything is made before the clock starts, so a bench measures the box and not the signing.
"""

from collections.abc import Sequence

from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.runs import Seat, plan_document, point
from meterseal_protocol.testing.world import SITE, World
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.encode import encode
from meterseal_wire.sign1 import identity

FLOWS_ML_PER_H = (2_375_000, 40_000, 27_000)
PARCEL_BYTES = 60_000  # an edge takes 65 536
PLAN = plan_document(bytes(32), [[flow, 100, 1_000_000, 1000, 1] for flow in FLOWS_ML_PER_H])
POINTS = [point(index, flow, 1000) for index, flow in enumerate(FLOWS_ML_PER_H)]


class Line:
    """One fixture: its name, its key's thumbprint, and its parcels in order, each with the place that it ends at."""

    def __init__(self, world: World, name: str, positions: int = 1, a_message: int = 10) -> None:
        self.name, self.key = name, world.keys[name].thumbprint
        self.positions, self.a_message = positions, a_message
        self.parcels: list[tuple[bytes, int]] = []
        self.statements = 0
        self._fixture = ModelFixture(world.author(name, SITE))

    def make(self, statements: int) -> None:
        """Sign so many more, or one beyond: a boot where there is none yet, and runs of `positions` meters."""
        fixture, fixture.signed = self._fixture, []
        if fixture.epoch == 0:
            fixture.boot()
        while len(fixture.signed) < statements:
            seats = self._seats(fixture.counter)
            fixture.attempt(seats, PLAN, bytes(32))
            fixture.result(seats)
        self.parcels += packed(fixture.signed, self.a_message, self.statements)
        self.statements += len(fixture.signed)

    def _seats(self, run: int) -> list[Seat]:
        serials = range(run * self.positions, (run + 1) * self.positions)
        return [Seat(place, f"{serial:08}", points=POINTS) for place, serial in enumerate(serials, 1)]


def factory_world(count: int) -> World:
    """A world with `count` lines named L1, L2 ... beside its own two benches."""
    world = World()
    parent = identity(world.grants["delegation"])
    for name in line_names(count):
        world.keys[name] = PrivateKey.generate()
        fields = world.fixture_fields(name)
        world.grants[f"fixture {name}"] = world.grant("province", kinds.FIXTURE, {L.PARENT: parent, **fields})
    return world


def line_names(count: int) -> list[str]:
    """L1, L2 and so on."""
    return [f"L{number}" for number in range(1, count + 1)]


def packed(signed: Sequence[Signed], a_message: int, before: int) -> list[tuple[bytes, int]]:
    """Statements with their evidence as parcels of at most `a_message`, each with how many there are up to its end."""
    found: list[tuple[bytes, int]] = []
    held: list[list[bytes]] = []
    size = 0
    for number, one in enumerate(signed, before):
        item = [one.raw, *one.evidence]
        weight = sum(map(len, item))
        if held and (len(held) == a_message or size + weight > PARCEL_BYTES):
            found.append((encode(held), number))
            held, size = [], 0
        held.append(item)
        size += weight
    return [*found, (encode(held), before + len(signed))]
