"""One meter's whole way in a few lines: grants, beacon, boot, attempt, result, scope, decision.

A good trial is granted. A test changes one thing before `begin` (a grant), in `run` (a seat, an attempt), or
between (time, what is entered), and looks at the reasons.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from meterseal_protocol.judge import Decision, decide
from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.keys import PrivateKey
from meterseal_protocol.rules import Pack, load_pack, plan_for
from meterseal_protocol.rules.pack import PACK_BYTES, compile_pack
from meterseal_protocol.testing.fixture import ModelFixture, Signed
from meterseal_protocol.testing.people import mark, sign_off
from meterseal_protocol.testing.record import Record
from meterseal_protocol.testing.runs import TYPE_FIELDS, Seat, point
from meterseal_protocol.testing.world import GAS_BENCH, MAKER, WATER_BENCH, World, fresh_keys
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity

SERIAL = "12345678"
GOOD_PPM = (-3_000, 4_000, -8_000)
ROWS = ("limits", "house_limits", "points", "same_sign", "air_temperature", "limited_use")
TO_BEACON_S, TO_ATTEMPT_S, TO_RESULT_S = 60, 60, 180


def with_values(pack: Pack, changes: Mapping[str, Any]) -> Pack:
    """The pack with other values, bare and to be confirmed; lists of rows are given as lists."""
    document = scan(pack.raw, PACK_BYTES)
    for name, value in changes.items():
        kept = {"source": "to be confirmed", "checked": False}
        rows = [{"value": row, **kept} for row in value] if name in ROWS else {"value": value, **kept}
        document["values"][name] = rows
    return Pack.load(compile_pack(document))


class Trial:
    """A water or gas meter on its bench, in a world of its own.

    The packs are the shipped ones; `rules` replaces bare values in the medium's own, such as {"most_tries": 3}.
    `keys` by role make a trial that is the same each time. With `people` each governing result is signed off in every
    role and marked, with what the judge itself computes; without, nobody says anything.
    """

    def __init__(
        self,
        medium: int = kinds.WATER,
        serial: str = SERIAL,
        rules: Mapping[str, Any] | None = None,
        keys: Mapping[str, PrivateKey] | None = None,
        people: bool = True,
    ) -> None:
        self.medium, self.serial, self.people = medium, serial, people
        self.signed: set[bytes] = set()
        self.packs = [load_pack("jjg162"), load_pack("jjg577")]
        own = 0 if medium == kinds.WATER else 1
        self.packs[own] = with_values(self.packs[own], rules or {})
        rules_named = {pack.name: pack.digest for pack in self.packs}
        self.world = World(rules=rules_named, keys=dict(keys or fresh_keys()))
        self.record = Record(self.world)
        self.bench = WATER_BENCH if medium == kinds.WATER else GAS_BENCH
        self.pack = self.packs[own]
        self.fixture = ModelFixture(self.world.author(self.bench))
        self.meter = f"{MAKER}.{serial}"
        self.beacon = b""
        self.litres = 100  # what the meter's register shows
        self.follow(plan_for(self.pack, TYPE_FIELDS[medium]))

    def follow(self, plan: bytes) -> None:
        """Run by this plan document; `flows` are its flows in mL/h."""
        self.plan = plan
        self.flows: list[int] = [row[0] for row in scan(plan)[L.PLAN_POINTS]]

    def regrant(self, name: str, **changes: Any) -> None:
        """Sign one of the world's grants anew with changed fields, `TERRITORY=[...]`; None takes a field out."""
        old = scan(scan(self.world.grants[name]).value[2])
        fields = {**old, **{getattr(L, label): value for label, value in changes.items()}}
        role = "province" if L.PARENT in old else "root"
        kept = {label: value for label, value in fields.items() if value is not None}
        self.world.grants[name] = self.world.grant(role, kept[L.GRANT], kept)
        if name == "delegation":
            self._hang_below(identity(self.world.grants[name]))

    def _hang_below(self, parent: bytes) -> None:
        for name, raw in self.world.grants.items():
            if L.PARENT in scan(scan(raw).value[2]):
                self.regrant(name, PARENT=parent)

    def begin(self) -> "Trial":
        """Enter every grant, then a beacon; boot the fixture."""
        self.record.enter_grants()
        self.record.now_s += TO_BEACON_S
        self.beacon = self.record.beacon().statement.identity
        self.enter(self.fixture.boot())
        return self

    def seat(self, errors_ppm: Sequence[int] = GOOD_PPM, **changes: Any) -> Seat:
        """The meter at position 1 with its errors at the plan's points; `changes` are Seat's fields."""
        rows = [
            point(index, flow, ppm, self.medium)
            for index, (flow, ppm) in enumerate(zip(self.flows, errors_ppm, strict=True))
        ]
        own = {"position": 1, "serial": self.serial, "medium": self.medium, "points": rows}
        return Seat(**{**own, "start_litres": self.litres, **changes})

    def attempt(self, *seats: Seat, **changes: Any) -> Signed:
        """Sign and enter an attempt over these seats, or over the good one."""
        self.record.now_s += TO_ATTEMPT_S
        found = self.fixture.attempt(seats or (self.seat(),), self.plan, self.beacon, **changes)
        self.enter(found)
        return found

    def run(self, *seats: Seat, **changes: Any) -> "Trial":
        """An attempt and its result, entered."""
        seats = seats or (self.seat(),)
        self.attempt(*seats, **changes)
        self.record.now_s += TO_RESULT_S
        self.enter(self.fixture.result(seats))
        self.litres = max([self.litres, *(seat.end for seat in seats if seat.serial == self.serial)])
        self.sign()
        return self

    def sign(self) -> None:
        """Sign-offs and marks of the governing result, if it has none yet and its errors can be computed."""
        rows = (
            sheet([self.record.evidence(self.meter)], self.record.grants(), self.packs) if self.people else []
        )
        for row in rows:
            if row.result not in self.signed:
                self.signed.add(row.result)
                for item in (
                    *sign_off(self.world, [row], self.record.now_s),
                    mark(self.world, row, self.record.now_s),
                ):
                    self.enter(item)

    def cut_short(self, reason: int, counts: Sequence[Sequence[int]] = ((1, 10, 100),)) -> "Trial":
        """An attempt that is abandoned after these raw counts, entered."""
        self.attempt()
        place = (self.fixture.epoch, self.fixture.seq)
        self.enter(self.fixture.abandoned(reason, place, counts))
        return self

    def enter(self, item: Signed) -> None:
        """Into the log, with its evidence."""
        self.record.enter(item.raw, item.evidence)

    def decide(self, at_s: int | None = None) -> Decision:
        """What people say, a fresh scope, then the decision over all that the log has."""
        self.sign()
        self.record.scope(self.meter)
        return self.judge(at_s)

    def judge(self, at_s: int | None = None) -> Decision:
        """The decision without a new scope."""
        asked = self.record.now_s if at_s is None else at_s
        return decide(self.record.evidence(self.meter), self.record.grants(), self.packs, asked)

    def codes(self, at_s: int | None = None) -> set[str]:
        """Codes of the decision's reasons."""
        return {code for code, _ in self.decide(at_s).reasons}
