"""One run as JSON values for a page: everything that is held of it, and figures where a signed result gives them.

Fractions end here: what is compared was compared before, and a page gets whole numbers to show (ppm, mL/h, rounded
half away from zero) beside the answers. Of a training run no limit, outcome or reason is said, so that nothing on a
screen can be taken for a verdict. Of an abandoned run the counts are held and not shown: from them an error follows
that no result was signed for.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from meterseal_edge.runs import telegrams
from meterseal_edge.runs.catalogue import Listed
from meterseal_edge.runs.chain_links import Link, between, links
from meterseal_edge.runs.figures import Figures, shown_ppm
from meterseal_edge.runs.owed import missing, supervisors
from meterseal_edge.runs.plan_steps import plan_points
from meterseal_edge.runs.run import Run
from meterseal_edge.runs.views import Viewer, Views
from meterseal_protocol.grant import Reason
from meterseal_protocol.judge.measured import Measured
from meterseal_protocol.metrology import rounded
from meterseal_protocol.words import next_step, say
from meterseal_wire import kinds
from meterseal_wire import labels as L
from meterseal_wire import point as p

MODES = {kinds.VERIFY: "verify", kinds.TRAINING: "training", kinds.CHECK: "check"}
READ_BY = {kinds.BY_BUS: "bus", kinds.BY_MARK: "mark", kinds.BY_HAND: "hand"}
OUTCOMES = {kinds.PASSED: "passed", kinds.FAILED: "failed"}


def listed(run: Listed) -> dict[str, Any]:
    """A run as a line of a list."""
    return {
        "identity": run.identity.hex(),
        "leaf": run.leaf,
        "fixture": run.fixture,
        "tenant": run.tenant,
        "mode": MODES.get(run.mode, str(run.mode)),
        "state": run.state,
        "meters": run.meters,
        "received_s": run.received_s,
        "closed_s": run.closed_s,
    }


@dataclass(frozen=True)
class Drawing:
    """One run for one viewer."""

    views: Views
    run: Run
    viewer: Viewer

    @property
    def _training(self) -> bool:
        return self.run.listed.mode == kinds.TRAINING

    def whole(self) -> dict[str, Any]:
        """Everything."""
        run = self.run
        return {
            **listed(run.listed),
            "epoch": run.listed.epoch,
            "seq": run.listed.seq,
            "bytes_kept": run.attempt is not None,
            **self._intent(),
            **self._end(),
            "chain": [_link(link) for link in links(run, self.views.catalogue.store)],
            "between": between(run),
            "missing": missing(self.views, run.listed),
            "supervisors": supervisors(self.views, run.listed),
            "said": list(self.views.said(run.listed.identity)),
            "seats": self._seats(),
        }

    def curves(self) -> dict[str, Any]:
        """The curves of a signed run alone; none of a training run, and none before it is signed."""
        found = [] if self._training else self.views.figures(self.run)
        rows = [{"position": one.position, "meter": one.case.evidence.meter, **_curve(one)} for one in found]
        return {"identity": self.run.listed.identity.hex(), "positions": rows}

    def _intent(self) -> dict[str, Any]:
        if self.run.attempt is None:
            return {"plan": [], "operator": "", "checks": None, "plan_digest": "", "beacon": ""}
        said = self.run.attempt.statement.payload
        return {
            "plan": plan_points(self.run.plan),
            "plan_digest": said[L.PLAN].hex(),
            "beacon": said[L.BEACON].hex(),
            "operator": said[L.OPERATOR].hex(),
            "checks": list(said[L.BENCH_CHECKS]),
        }

    def _end(self) -> dict[str, Any]:
        found: dict[str, Any] = {"result": None, "reason": None, "conditions": None}
        if self.run.result is not None:
            found["result"] = self.run.result.statement.identity.hex()
            found["conditions"] = [list(spread) for spread in self.run.result.statement.payload[L.CONDITIONS]]
        elif self.run.closer is not None:
            reason = self.run.closer.statement.payload[L.REASON]
            found["reason"] = kinds.REASON_NAMES.get(reason, str(reason))
        return found

    def _seats(self) -> list[dict[str, Any]]:
        figures = {one.position: one for one in self.views.figures(self.run)}
        return [self._seat(seat, figures.get(seat[L.POSITION])) for seat in self.run.seats]

    def _seat(self, seat: Any, figures: Figures | None) -> dict[str, Any]:
        position = seat[L.POSITION]
        end = self.run.outcome(position) or {}
        ended = end.get(L.ENDED)
        address = seat.get(L.ELECTRONIC_ADDRESS)
        found = {
            "position": position,
            "meter": seat[L.METER],
            "type": seat[L.TYPE],
            "read_by": READ_BY.get(seat[L.READ_BY], str(seat[L.READ_BY])),
            "address": address.hex(" ") if address else None,
            "start": seat.get(L.START_REGISTER),
            "end": end.get(L.END_REGISTER),
            "ended": None if ended is None else kinds.REASON_NAMES.get(ended, str(ended)),
            "telegrams": [telegrams.shown(when, raw) for when, raw in self.run.telegrams(position)],
            "attempts": [listed(other) for other in self.views.others(seat[L.METER], self.viewer)],
        }
        return {**found, **(self._figures(figures) if figures else NO_FIGURES)}

    def _figures(self, one: Figures) -> dict[str, Any]:
        points = [_point(order, item) for order, item in enumerate(one.measured, 1)]
        if self._training:
            bare = [{**point, "limit_ppm": None, "within": None} for point in points]
            return {**NO_FIGURES, "points": bare, "curve": _curve(one)["curve"]}
        row = one.row
        return {
            **_curve(one),
            "points": points,
            "largest_ppm": row.largest_ppm if row and points else None,
            "reasons": [_reason(reason) for reason in one.reasons],
            "lacks": one.lacks,
        }


NO_FIGURES: dict[str, Any] = {
    "points": [],
    "curve": [],
    "band": [],
    "outcome": None,
    "largest_ppm": None,
    "reasons": [],
    "lacks": [],
}


def _curve(one: Figures) -> dict[str, Any]:
    return {
        "outcome": OUTCOMES[one.row.outcome] if one.row else None,
        "curve": [[rounded(flow), shown_ppm(error)] for flow, error in one.curve],
        "band": [[rounded(low), rounded(high), shown_ppm(limit)] for low, high, limit in one.band],
    }


def _point(order: int, item: Measured) -> dict[str, Any]:
    row = item.row
    raw = dict(zip(p.FIELDS, row, strict=True))
    return {
        "order": order,
        **{name: raw[name] for name in RAW},
        "flow_ml_per_h": rounded(item.flow),
        "error_ppm": shown_ppm(item.error),
        "limit_ppm": shown_ppm(item.limit),
        "within": _within(item.error, item.limit),
    }


RAW = [name for name in p.FIELDS if name not in {"flow_min_ml_per_h", "flow_max_ml_per_h"}]


def _within(error: Fraction | None, limit: Fraction | None) -> bool | None:
    return None if error is None or limit is None else abs(error) <= limit


def _reason(reason: Reason) -> dict[str, str]:
    code, numbers = reason
    said = {language: say(code, numbers, language) for language in ("zh", "en")}
    todo = {f"do_{language}": next_step(code, numbers, language) for language in ("zh", "en")}
    return {"code": code, **said, **todo}


def _link(link: Link) -> dict[str, Any]:
    return {
        "what": link.what,
        "epoch": link.epoch,
        "seq": link.seq,
        "identity": link.identity.hex(),
        "cites": link.cites.hex(),
        "holds": link.holds,
        "leaf": link.leaf,
        "entered": link.entered,
        "received_s": link.received_s,
    }
