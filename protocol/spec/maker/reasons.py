"""Subject judge, sixth part: reasons.toml, a row a case. Outcome, reasons and their numbers stand there by hand.

A step is a name and its arguments; `Steps` has a method for each. "hex:" begins a byte string, "key:" a role's key.
"""

import tomllib
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from maker.judges import given, judged_case, trial
from meterseal_protocol.judge.sheet import sheet
from meterseal_protocol.testing.fixture import ModelFixture
from meterseal_protocol.testing.people import mark, says
from meterseal_protocol.testing.runs import Seat
from meterseal_protocol.testing.trial import GOOD_PPM, Trial
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p
from meterseal_wire.scan import scan
from meterseal_wire.sign1 import identity
from meterseal_wire.statement import build

TABLE = Path(__file__).with_suffix(".toml")
OTHER = "87654321"
BATCH = [1_790_000_000, 1_790_000_300]
HEAD = {L.NUMBER: 7, L.MAKER: "DEMO", L.WINDOW: BATCH}


def seed() -> bytes:
    """The first of 0, 1, 2 ... in 32 bytes that draws the other meter and not ours, at a half: the hash's first bit."""
    return next(
        found
        for found in (number.to_bytes(32, "big") for number in count())
        if sha256(found + b"DEMO.12345678").digest()[0] >= 128
        and sha256(found + f"DEMO.{OTHER}".encode()).digest()[0] < 128
    )


class Tight(Seat):
    """A seat whose result carries a tightness test."""

    tightness: tuple[int, int, int]

    def in_result(self) -> dict[int, Any]:
        """With start and end pressure in 10 Pa, and seconds."""
        return {**super().in_result(), L.TIGHTNESS: list(self.tightness)}


class Steps:
    """What the rows of the table do to a trial."""

    def __init__(self, medium: int = kinds.WATER, rules: dict[str, Any] | None = None) -> None:
        self.trial = trial(medium, **(rules or {}))

    def bare(self, said: Any) -> Any:
        """Values of the table: "hex:" and "key:" strings as what they stand for, labels by their names."""
        if isinstance(said, str) and said.startswith("hex:"):
            return bytes.fromhex(said[4:])
        if isinstance(said, str) and said.startswith("key:"):
            return self.trial.world.cose(said[4:])
        return [self.bare(item) for item in said] if isinstance(said, list) else said

    def labelled(self, said: dict[str, Any]) -> dict[int, Any]:
        """Fields by their numbers."""
        return {getattr(L, name): self.bare(value) for name, value in said.items()}

    # --- before the log begins

    def regrant(self, name: str, changes: dict[str, Any]) -> None:
        """A grant with other fields."""
        self.trial.regrant(name, **{label: self.bare(value) for label, value in changes.items()})

    def drop(self, name: str) -> None:
        """A grant that nobody gave."""
        del self.trial.world.grants[name]

    def add(self, name: str, like: str, changes: dict[str, Any]) -> None:
        """A further grant, number 16, with the fields of another one and these."""
        world = self.trial.world
        fields = {**scan(scan(world.grants[like]).value[2]), **self.labelled(changes), L.NUMBER: 16}
        world.grants[name] = world.grant("province", fields[L.GRANT], fields)

    def firmware(self) -> None:
        """A grant of the model fixture's firmware, number 16."""
        world = self.trial.world
        said = {L.FIRMWARE_DIGEST: sha256(b"model firmware").digest(), L.FIRMWARE_VERSION: "0.1.0"}
        more = {L.BOARD: "model", L.FIRMWARE_FLOOR: 0, L.PARENT: identity(world.grants["delegation"])}
        world.grants["firmware"] = world.grant("province", kinds.FIRMWARE, {**said, **more})

    def supervisor(self, share: list[int]) -> None:
        """Whoever has the gas bench's key supervises the maker; grant 99."""
        world = self.trial.world
        del world.grants["fixture G1"]
        said = {L.SUBJECT_KEY: world.cose("G1"), L.SUPERVISOR: "INSTITUTE", L.MAKER: "DEMO"}
        more = {L.SHARE: share, L.NUMBER: 99}
        world.grants["supervisor"] = world.grant("root", kinds.SUPERVISOR, {**said, **more})

    def begin(self) -> None:
        """Grants, beacon, boot."""
        self.trial.begin()

    def wait(self, seconds: int) -> None:
        """The registry's clock goes on."""
        self.trial.record.now_s += seconds

    # --- the fixture

    def set(self, changes: dict[str, Any]) -> None:
        """The fixture's counter or clock is another one."""
        for name, value in changes.items():
            setattr(self.trial.fixture, name, tuple(value) if isinstance(value, list) else value)

    def beacon(self) -> None:
        """Attempts cite what is not on record."""
        self.trial.beacon = bytes(32)

    def boot(self) -> None:
        """The next epoch."""
        self.trial.enter(self.trial.fixture.boot())

    def boot_as(self, epoch: int, last: list[int]) -> None:
        """A boot of an epoch that names that last head."""
        found = self.trial
        payload = dict(found.record.of_kind(L.KIND_BOOT)[0].statement.payload)
        payload.update({L.LAST_HEAD: last, L.COUNTER: found.fixture.counter})
        self._boot(found.fixture, epoch, payload)

    def _boot(self, fixture: ModelFixture, epoch: int, payload: dict[int, Any]) -> None:
        raw = build(fixture.author, L.KIND_BOOT, payload, (epoch, 0, fixture.head))
        fixture.epoch, fixture.seq = epoch, 0
        fixture.head = self.trial.record.enter(raw).statement.identity
        self.trial.fixture = fixture

    def twins(self) -> None:
        """Epochs 2 and 3 both follow the head of epoch 1, and a run in each."""
        found, first = self.trial, self.trial.fixture
        twin = ModelFixture(first.author, first.epoch, first.seq, first.head, first.counter)
        self.boot()
        found.run()
        self._boot(twin, 3, dict(found.record.of_kind(L.KIND_BOOT)[-1].statement.payload))
        found.run()

    def cut(self, reason: int) -> None:
        """An attempt that is broken off."""
        self.trial.cut_short(reason)

    def close(self, epoch: int, seq: int) -> None:
        """A further result of the attempt at that place."""
        self.trial.enter(self.trial.fixture.result([self.trial.seat()], (epoch, seq)))

    def gap(self, entered: bool) -> None:
        """A run with an event between attempt and result, logged or not."""
        found = self.trial
        found.attempt()
        place = (found.fixture.epoch, found.fixture.seq)
        event = found.fixture.event("note", "the case was opened")
        if entered:
            found.enter(event)
        found.record.now_s += 180
        found.enter(found.fixture.result([found.seat()], place))

    def run(self, said: dict[str, Any] | None = None) -> None:
        """Attempt and result, with what the row says of the seat."""
        said = said or {}
        seats = [seat_of(self.trial, {**said, "extra": self.labelled(said.get("extra", {}))})]
        if "neighbour" in said:
            extra = {L.ELECTRONIC_ADDRESS: seats[0].address} if said["neighbour"] else {}
            seats.append(Seat(2, OTHER, points=seats[0].points, extra=extra))
        self.trial.run(*seats, **({"checks": said["checks"]} if "checks" in said else {}))

    # --- people and authorities

    def withdraw(self, name: str, from_s: int) -> None:
        """The province takes a grant back as from a second."""
        said = {L.STATEMENT: identity(self.trial.world.grants[name]), L.TAINTED_FROM_S: from_s}
        self._says("province", L.KIND_WITHDRAWAL, {**said, L.DETAIL: "found out", L.TIME_S: self.now_s})

    def commit(self, signer: str) -> None:
        """Half of the batch will be drawn."""
        self._says(signer, L.KIND_SAMPLING, {**HEAD, L.COMMITMENT: sha256(seed()).digest(), L.SHARE: [1, 2]})

    def reveal(self) -> None:
        """The seed, a second after the batch's end."""
        self.trial.record.now_s = BATCH[1] + 1
        self._says("province", L.KIND_SAMPLING, {**HEAD, L.SEED: seed()})

    def remeasure(self, outcome: int) -> None:
        """The registry enters a second measurement of the other meter."""
        said = {L.METER: f"DEMO.{OTHER}", L.RESULT: bytes(32), L.POSITION: 1, L.OUTCOME: outcome}
        more = {L.TIME_S: self.now_s, L.INSTITUTION: "ZJ-DEMO", L.NUMBER: 7}
        self._says("registry", L.KIND_REMEASUREMENT, {**said, **more})

    def mark(self, later_s: int) -> None:
        """Further marks, that name so many seconds after their entry."""
        found = self.trial
        row = sheet([found.record.evidence(found.meter)], found.record.grants(), found.packs)[0]
        found.enter(mark(found.world, row, self.now_s + later_s))

    @property
    def now_s(self) -> int:
        """The registry's clock."""
        return self.trial.record.now_s

    def _says(self, signer: str, kind: int, said: dict[int, Any]) -> None:
        self.trial.enter(says(self.trial.world, signer, kind, said))


def seat_of(found: Trial, said: dict[str, Any]) -> Seat:
    """The seat that a row describes: errors and dial, then points, then what the seat itself says."""
    seat = found.seat(said.get("errors", (0, 4_000, -8_000) if "dial" in said else GOOD_PPM))
    rows = [list(row) for row in seat.points]
    if "dial" in said:
        litres, row = said["dial"], rows[0]
        row[p.METHOD], row[p.METER_COUNTS] = p.STATIC, 0
        row[p.REGISTER_DIFF], row[p.REF_COUNTS] = litres, litres * 1000
        row[p.DURATION_MS] = litres * 3_600_000_000 // row[p.FLOW_MIN_ML_PER_H]
        seat.end_litres = seat.start_litres + litres + 20
    if "again" in said:
        again = [list(row) for row in found.seat(said["again"]).points]
        for row in again:
            row[p.REPEAT] = 1
        rows = [row for pair in zip(rows, again, strict=True) for row in pair]
    if "point" in said:
        index, fields = said["point"]
        for name, value in fields.items():
            rows[index][getattr(p, name)] = value
    if "twice" in said:
        rows.append(rows[said["twice"]])
    kept = {
        "end_litres": said.get("end", seat.end_litres),
        "extra": said["extra"],
        "ended": said.get("ended"),
    }
    whole = (seat.position, seat.serial, seat.medium, seat.start_litres)
    made = (Tight if "tightness" in said else Seat)(*whole, points=rows[: said.get("keep")], **kept)
    if isinstance(made, Tight):
        made.tightness = said["tightness"]
    return made


def cases() -> Iterator[dict[str, Any]]:
    """Every case of the table."""
    for name, rule, why, outcome, reasons, changes, steps in tomllib.loads(TABLE.read_text("utf-8"))["cases"]:
        at_s = changes.pop("at_s", None)
        made = Steps(**changes)
        for step, *arguments in steps:
            getattr(made, step)(*arguments)
        made.trial.sign()
        made.trial.record.scope(made.trial.meter)
        log = given(made.trial)
        if at_s is not None:
            log["at_s"] = at_s
        yield judged_case(name, (rule, why), log, (outcome, reasons))
