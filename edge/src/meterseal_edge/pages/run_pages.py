"""Pages and answers about runs: `/runs` and `/api/runs` list them, `/run/{identity}` and `/api/run/{identity}` show
one with all its evidence, `/api/run/{identity}/curves` its curves alone. All read-only.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from meterseal_edge.errors import StoreFailed
from meterseal_edge.pages.statics import HEADERS, page
from meterseal_edge.runs.catalogue import PAGE, Listed, Wanted
from meterseal_edge.runs.drawn import Drawing, listed
from meterseal_edge.runs.owed import lacking, missing, supervisors
from meterseal_edge.runs.views import Viewer, Views

IDENTITY = re.compile("[0-9a-f]{64}")
SIGN = '<script src="/sign.js" defer></script>\n'
Ask = Callable[[Request], Viewer]
Drawn = Callable[[Drawing], dict[str, Any]]


def run_routes(views: Views, viewer: Ask, signs: bool = False) -> list[Route]:
    """Routes over the runs that `viewer` says may be seen; `signs`: the server has a /sign.js, so load it."""

    async def runs(request: Request) -> Response:
        return await _answer(lambda: _list(views, _wanted(request), viewer(request)))

    def one(draw: Drawn) -> Callable[[Request], Any]:
        async def run(request: Request) -> Response:
            return await _answer(lambda: _one(views, request.path_params["identity"], viewer(request), draw))

        return run

    return [
        Route("/runs", page("runs.html")),
        Route("/run/{identity}", page("run.html", "" if signs else SIGN)),
        Route("/api/runs", runs),
        Route("/api/run/{identity}", one(Drawing.whole)),
        Route("/api/run/{identity}/curves", one(Drawing.curves)),
    ]


async def _answer(ask: Callable[[], dict[str, Any] | None]) -> Response:
    """What `ask` gives, reckoned beside the event loop: a list can be long, and twenty meters have many points."""
    try:
        found = await asyncio.to_thread(ask)
    except StoreFailed as error:
        return JSONResponse({"code": error.code, "why": str(error)}, 503, headers=HEADERS)
    if found is None:
        return JSONResponse({"code": "edge.run", "why": "no such run here"}, 404, headers=HEADERS)
    return JSONResponse(found, headers=HEADERS)


def _wanted(request: Request) -> Wanted:
    asked = request.query_params
    before = asked.get("before", "")
    return Wanted(
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
        fixture=asked.get("fixture", ""),
        tenant=asked.get("tenant", ""),
        meter=asked.get("meter", "").strip().upper(),
        signed=asked.get("lacks", "") == "signoff",
    )


def _page(views: Views, wanted: Wanted) -> tuple[list[Listed], int | None]:
    found = views.catalogue.page(wanted)
    return found, found[-1].leaf if len(found) == PAGE else None


def _list(views: Views, wanted: Wanted, viewer: Viewer) -> dict[str, Any]:
    left = views.follow()
    seen = views.may_see(viewer)
    wanted = replace(wanted, tenants=seen)
    found, after = lacking(views, wanted) if wanted.signed else _page(views, wanted)
    rows = [
        {**listed(run), "missing": missing(views, run), "supervisors": supervisors(views, run)}
        for run in found
    ]
    return {
        "runs": rows,
        "next": after,
        "left": left,
        "tenants": [name for name in seen if name],
        "whole": viewer.sees(""),
    }


def _one(views: Views, identity: str, viewer: Viewer, draw: Drawn) -> dict[str, Any] | None:
    if not IDENTITY.fullmatch(identity):
        return None
    run = views.find(bytes.fromhex(identity), viewer)
    if run is None:
        views.follow()
        run = views.find(bytes.fromhex(identity), viewer)
    return None if run is None else draw(Drawing(views, run, viewer))
