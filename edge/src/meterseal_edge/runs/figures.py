"""What follows from a signed run: every error against its limit, by the judge's own code and in exact fractions.

Nothing here decides. The registry judges with the log's order and everybody's grants; this is what the same functions
say with the grants and packs that the edge knows, at the time at which the result came here. People see it, and sign
what they see; the registry compares what they signed with what it computes.

Promise: without a signed result there is no number here, since there is nothing to compute it from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from meterseal_edge.keybook import Keybook
from meterseal_edge.runs.catalogue import Listed
from meterseal_edge.runs.run import Run
from meterseal_edge.standing import NOW, Standing
from meterseal_protocol.evidence import Evidence
from meterseal_protocol.grant import Grant, Grants, Interval, Reason
from meterseal_protocol.judge import sheet
from meterseal_protocol.judge.case import Case
from meterseal_protocol.judge.measured import Measured
from meterseal_protocol.judge.policy import drawn
from meterseal_protocol.kept import kept
from meterseal_protocol.metrology import ppm
from meterseal_protocol.rules.pack import Pack, Zone
from meterseal_protocol.signoff import Row
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p


@dataclass(frozen=True)
class RunCase(Case):
    """The judge's case over one run. Its time is when the result came: the edge has no log of beacons."""

    @kept
    def interval(self) -> Interval | None:
        """When the result came to this edge."""
        if self.stand is None or self.stand.result is None:
            return None
        return Interval(self.stand.result.entered_s, self.stand.result.entered_s, NOW)


@dataclass(frozen=True)
class Figures:
    """One meter of a signed run: its row as people sign it (None where it can't be computed), and why it failed."""

    case: RunCase
    position: int
    row: Row | None
    reasons: tuple[Reason, ...]

    @property
    def measured(self) -> list[Measured]:
        """Every point with what follows from it."""
        return self.case.measured

    @property
    def lacks(self) -> list[str]:
        """What is not known here and would be needed: plan, rules, type, fixture, standard."""
        case = self.case
        known = {
            "plan": case.plan,
            "rules": case.pack,
            "type": case.meter_type,
            "fixture": case.fixture.grant,
            "standard": case.calibrations,
        }
        return [name for name, value in known.items() if not value]

    @property
    def band(self) -> list[tuple[Fraction, Fraction, Fraction]]:
        """(from, to, limit) of the zones of the meter's class, flows in mL/h: what its errors are held against."""
        pack, meter = self.case.pack, self.case.meter_type
        if pack is None or meter is None or meter.medium != pack.medium:
            return []
        warm = self._is_warm(pack)
        return [
            (pack.flow(zone.low, meter), pack.flow(zone.high, meter), _limit(zone, warm))
            for zone in pack.zones(meter.accuracy_class)
        ]

    def _is_warm(self, pack: Pack) -> bool:
        above = pack.number("warm_above_mk") if pack.medium == kinds.WATER else None
        rows = [item.row for item in self.measured]
        return above is not None and bool(rows) and all(row[p.METER_TEMP_MK] > above for row in rows)

    @property
    def curve(self) -> list[tuple[Fraction, Fraction]]:
        """(flow, mean error) of each point of the plan, by flow."""
        by_point: dict[int, list[tuple[Fraction, Fraction]]] = {}
        for item in self.measured:
            if item.error is not None:
                by_point.setdefault(item.row[p.POINT], []).append((item.flow, item.error))
        means = [
            (
                Fraction(sum(flow for flow, _ in pairs), len(pairs)),
                Fraction(sum(e for _, e in pairs), len(pairs)),
            )
            for pairs in by_point.values()
        ]
        return sorted(means)


def _limit(zone: Zone, warm: bool) -> Fraction:
    return zone.warm_limit if warm else zone.limit


class Judge:
    """The grants and packs that the edge knows, and the figures that follow."""

    def __init__(self, keys: Keybook, packs: Sequence[Pack]) -> None:
        self.keys, self.packs = keys, list(packs)
        self.standing = Standing(keys.anchors, keys.grants)

    @property
    def grants(self) -> Grants:
        """The authority chain of all grants that were learnt so far."""
        return self.standing.grants

    def figures(self, run: Run) -> list[Figures]:
        """One for each position of a signed run, in the attempt's order; none before it is signed."""
        if run.result is None or run.attempt is None:
            return []
        entries = (run.attempt, run.result)
        blobs = {run.attempt.statement.identity: run.plan, run.result.statement.identity: run.evidence}
        found = []
        for seat in run.seats:
            evidence = Evidence(seat[L.METER], entries, run.result.leaf + 1, blobs)
            case = RunCase(evidence, self.grants, self.packs, run.result.entered_s)
            reasons = sheet.against(case)
            found.append(Figures(case, seat[L.POSITION], sheet.row(case), reasons))
        return found

    def may_sign(self, key: bytes | None, role: int, pack: Pack | None, now_s: int) -> bool:
        """True if a grant that holds now lets a key (thumbprint) sign in a role, for the medium of a pack."""
        if key is None or pack is None:
            return False
        now = Interval(now_s, now_s, NOW)
        if role == kinds.SUPERVISING:
            return self.grants.signer_of(kinds.SUPERVISOR, key, now).good

        def fits(grant: Grant) -> bool:
            said = grant.payload
            return grant.subject == key and role in said[L.ROLES] and pack.medium in said[L.QUALIFICATION]

        return self.grants.find(kinds.PERSON, fits, now).good

    def supervisors(self, maker: str, run: Listed) -> list[str]:
        """Names of a maker's supervisors whose grant holds when a run closes, and whose share draws it."""
        assert run.closed_s is not None
        then = Interval(run.closed_s, run.closed_s, NOW)
        return [
            grant.payload[L.SUPERVISOR]
            for grant in self.grants.of_kind(kinds.SUPERVISOR)
            if grant.payload[L.MAKER] == maker
            and drawn(grant.payload[L.SHARE], grant.subject, run.identity)
            and not self.grants.against(grant, then)
        ]

    def granted(self, key: bytes, now_s: int) -> list[dict[int, Any]]:
        """Payloads of the person and supervisor grants that name a key and hold now."""
        now = Interval(now_s, now_s, NOW)
        return [
            grant.payload
            for kind in (kinds.PERSON, kinds.SUPERVISOR)
            for grant in self.grants.of_kind(kind)
            if grant.subject == key and not self.grants.against(grant, now)
        ]


def shown_ppm(value: Fraction | None) -> int | None:
    """Parts per million to be shown; None stays None."""
    return None if value is None else ppm(value)
