"""Runs by the shipped water pack, signed by a model fixture and taken in by a whole edge without a network."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from edge.tests.conftest import Box

from meterseal_protocol.rules import load_pack, plan_for
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.runs import TYPE_FIELDS, Seat, point
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan

PACK = load_pack("jjg162")
PLAN = plan_for(PACK, TYPE_FIELDS[kinds.WATER])
FLOWS = [row[0] for row in scan(PLAN)[L.PLAN_POINTS]]  # mL/h at Q3, Q2 and Q1, in the order in which they run
GOOD_PPM, BAD_PPM = (
    (-3_000, 4_000, -8_000),
    (25_000, 4_000, -8_000),
)  # class 2: 20 000 from Q2 up, below it 50 000
SERIAL = 12_345_670


def seat(position: int, errors_ppm: Sequence[int] = GOOD_PPM, **changes: Any) -> Seat:
    """A meter with these errors at the plan's points."""
    rows = [point(index, flow, ppm) for index, (flow, ppm) in enumerate(zip(FLOWS, errors_ppm, strict=True))]
    return Seat(**{"position": position, "serial": str(SERIAL + position), "points": rows, **changes})


@dataclass
class Bench:
    """A fixture that runs batches at an edge."""

    box: Box
    name: str = "W1"
    beacon: bytes = bytes(32)
    fixture: ModelFixture = field(init=False)

    def __post_init__(self) -> None:
        self.fixture = self.box.fixture(self.name)
        self.offer(self.fixture.signed[0])

    def offer(self, item: Signed) -> None:
        """To the edge, and durable there."""
        self.box.offer(item, fixture=self.name)

    def attempt(self, seats: Sequence[Seat], **changes: Any) -> Signed:
        """An attempt, durable at the edge."""
        found = self.fixture.attempt(seats, PLAN, self.beacon, **changes)
        self.offer(found)
        return found

    def run(self, *errors_ppm: Sequence[int], **changes: Any) -> tuple[Signed, Signed]:
        """An attempt and its result over as many meters as errors are given."""
        seats = [seat(number, errors) for number, errors in enumerate(errors_ppm, 1)]
        attempt = self.attempt(seats, **changes)
        result = self.fixture.result(seats)
        self.offer(result)
        return attempt, result
