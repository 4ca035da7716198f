"""What every family of reasons looks at: the governing stand, when it was, and the grants and rules that concern it.

Each part is None where its input is missing. A family then has nothing to say; whoever looks for the missing input
gives the reason. So one missing thing never shows up as ten.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from meterseal_protocol.evidence import Entry, Evidence
from meterseal_protocol.grant import Found, Grant, Grants, Interval
from meterseal_protocol.judge.history import Stand, governing, stands
from meterseal_protocol.judge.measured import Frame, Measured
from meterseal_protocol.judge.sightings import not_after_s
from meterseal_protocol.kept import kept, once
from meterseal_protocol.metrology import CalibrationRow, read_calibration
from meterseal_protocol.rules.meter_type import MeterType
from meterseal_protocol.rules.pack import Pack
from meterseal_protocol.uncertainty import Clock
from meterseal_protocol.variants import Resolved, resolved
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire.errors import WireError
from meterseal_wire.scan import scan

NOBODY = Found(None)


@dataclass(frozen=True)
class Case:
    """Evidence about one meter with the world it is judged in; everything else is derived, once."""

    evidence: Evidence
    grants: Grants
    packs: Sequence[Pack]
    at_s: int

    @kept
    def stands(self) -> list[Stand]:
        """Every attempt that names the meter."""
        return stands(self.evidence)

    @kept
    def tries(self) -> int:
        """How many of them count."""
        return sum(stand.tried for stand in self.stands)

    @kept
    def stand(self) -> Stand | None:
        """The one whose result governs."""
        return governing(self.stands)

    @kept
    def beacon(self) -> Entry | None:
        """The beacon that the governing attempt cites."""
        if self.stand is None:
            return None
        cited = self.stand.attempt.statement.payload[L.BEACON]
        beacons = self.evidence.of_kind(L.KIND_BEACON)
        return next((entry for entry in beacons if entry.statement.identity == cited), None)

    @kept
    def interval(self) -> Interval | None:
        """When the governing test happened."""
        if self.beacon is None or self.stand is None or self.stand.result is None:
            return None
        begin_s = self.beacon.statement.payload[L.TIME_S]
        not_after = not_after_s(self.stand.result, self.beacon, self.evidence, self.grants)
        return Interval(begin_s, not_after, self.beacon.leaf)

    @kept
    def attempt_by_s(self) -> int:
        """Second after which the governing attempt was not signed; for whoever has seen that there is one."""
        assert self.stand is not None
        if self.beacon is None:
            return self.stand.attempt.entered_s
        return not_after_s(self.stand.attempt, self.beacon, self.evidence, self.grants)

    # Grants over that interval.

    @kept
    def fixture(self) -> Found:
        """The fixture that signed the attempt, by its key."""
        if self.stand is None or self.interval is None:
            return NOBODY
        return self.grants.signer_of(kinds.FIXTURE, self.stand.attempt.key, self.interval)

    @kept
    def type_grant(self) -> Found:
        """The type that the attempt names, of the maker that the meter's id names."""
        if self.stand is None or self.interval is None:
            return NOBODY
        number, maker = self.stand.seat[L.TYPE], self.maker
        return self.grants.find(
            kinds.TYPE,
            lambda grant: (grant.payload[L.MAKER], grant.payload[L.TYPE]) == (maker, number),
            self.interval,
        )

    @property
    def maker(self) -> str:
        """Maker code of the meter's id."""
        return self.evidence.meter.partition(".")[0]

    @kept
    def type_line(self) -> Resolved:
        """The type with all that it inherits from the types it varies."""
        if self.type_grant.grant is None or self.interval is None:
            return Resolved(None)
        return resolved(self.grants, self.type_grant.grant, self.interval)

    @kept
    def meter_type(self) -> MeterType | None:
        """The type's numbers."""
        return MeterType.read(self.type_line.payload) if self.type_line.payload else None

    @kept
    def manufacturer(self) -> Found:
        """The maker's authorisation: one whose scope fits where there is one, else the newest."""
        if self.interval is None:
            return NOBODY
        fitting = self.grants.find(kinds.MANUFACTURER, self.in_scope, self.interval)
        return (
            fitting if fitting.grant else self.grants.find(kinds.MANUFACTURER, self._is_makers, self.interval)
        )

    def _is_makers(self, grant: Grant) -> bool:
        return bool(grant.payload[L.MAKER] == self.maker)

    def in_scope(self, grant: Grant) -> bool:
        """True if a manufacturer grant covers this medium, nominal size and site, as far as they are known."""
        if not self._is_makers(grant):
            return False
        scope = grant.payload
        if self.fixture.grant and self.fixture.grant.payload[L.SITE] not in scope[L.SITES]:
            return False
        if self.meter_type is None:
            return True
        least, most = scope[L.NOMINAL_RANGE]
        return self.meter_type.medium in scope[L.MEDIA] and least <= self.meter_type.nominal <= most

    @kept
    def standards(self) -> list[tuple[str, Found]]:
        """The measurement standards fitted to the fixture, by name."""
        if self.fixture.grant is None or self.interval is None:
            return []
        return [
            (name, self.grants.find(kinds.STANDARD, _named(name), self.interval))
            for name in self.fixture.grant.payload[L.STANDARDS]
        ]

    @kept
    def calibrations(self) -> list[tuple[Grant, tuple[CalibrationRow, ...]]]:
        """Calibration of each standard that is known."""
        known = [found.grant for _, found in self.standards if found.grant]
        return [(grant, calibration(grant)) for grant in known]

    @kept
    def rules_grant(self) -> Found:
        """The authority's act over the pack."""
        if self.pack is None or self.interval is None:
            return NOBODY
        digest = self.pack.digest
        return self.grants.find(kinds.RULES, lambda grant: grant.payload[L.RULES] == digest, self.interval)

    # Rules.

    @kept
    def plan_bytes(self) -> bytes | None:
        """The plan document, where it is there and has the hash that was signed."""
        if self.stand is None:
            return None
        attempt = self.stand.attempt.statement
        items = self.evidence.blobs.get(attempt.identity, ())
        return items[0] if items and sha256(items[0]).digest() == attempt.payload[L.PLAN] else None

    @kept
    def plan(self) -> dict[int, Any] | None:
        """The plan document as read: its medium and pack digest, or None where it is no plan."""
        if self.plan_bytes is None:
            return None
        return _plan(self.plan_bytes)

    @kept
    def pack(self) -> Pack | None:
        """The pack that the plan was made from, where the judge has it and it is for this medium."""
        if self.plan is None:
            return None
        digest, medium = self.plan.get(L.RULES), self.plan.get(L.MEDIUM)
        return next((pack for pack in self.packs if (pack.digest, pack.medium) == (digest, medium)), None)

    @kept
    def measured(self) -> list[Measured]:
        """The governing result's rows of the meter, with all that follows from them."""
        if self.stand is None or self.stand.outcome is None:
            return []
        clock = Clock(*self.stand.attempt.statement.payload[L.CLOCK])
        calibrations = [rows for _, rows in self.calibrations]
        frame = Frame(clock, self.pack, self.meter_type, calibrations)
        return [frame.measure(row) for row in self.stand.outcome[L.POINTS]]


@once
def calibration(grant: Grant) -> tuple[CalibrationRow, ...]:
    """Calibration of a standard grant, read once for it."""
    return read_calibration(grant.payload[L.CALIBRATION])


@lru_cache(maxsize=64)
def _plan(raw: bytes) -> dict[int, Any] | None:
    """A plan is shared by all meters of its type."""
    try:
        found = scan(raw)
    except WireError:
        return None
    return found if isinstance(found, dict) else None


def _named(name: str) -> Callable[[Grant], bool]:
    return lambda grant: bool(grant.payload[L.STANDARD] == name)
