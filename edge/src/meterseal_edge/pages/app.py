"""Starlette application of the edge: the page at `/` with its `/events`, the runs, and for machines `/api/summary`,
`/checkpoint`, `/healthz` and `/readyz`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from meterseal_edge.pages.live import Live
from meterseal_edge.pages.run_pages import run_routes
from meterseal_edge.pages.statics import HEADERS, static_routes
from meterseal_edge.runs.views import Everybody, Viewer, Views
from meterseal_edge.state import State
from meterseal_edge.store.contract import Store

TICK_S = 0.25
HEARTBEAT_TICKS = 40
RETRY_MS = 1000
BEAT = "event: beat\ndata:\n\n"
SIGN_SCRIPT = "/sign.js"


def everybody(_request: Request) -> Viewer:
    """Nobody logs in: everybody sees everything."""
    return Everybody()


@dataclass(frozen=True)
class Site:
    """What the pages show beside state and store: the runs (None: no pages of runs), who looks, and more routes.

    Where `more` has a /sign.js, the page of a run loads it; its place is `<section id="sign">`.
    """

    views: Views | None = None
    viewer: Callable[[Request], Viewer] = everybody
    more: Sequence[BaseRoute] = field(default=())

    @property
    def signs(self) -> bool:
        """True if a route serves the panel with which people sign."""
        return any(isinstance(route, Route) and route.path == SIGN_SCRIPT for route in self.more)


PLAIN = Site()


def make_app(state: State, store: Store, checkpoint: Callable[[], bytes], site: Site = PLAIN) -> Starlette:
    """The application over a state and a store, which it only reads, and a signer of checkpoints."""
    live = Live(state, store, site.views)

    async def api(request: Request) -> Response:
        await asyncio.to_thread(live.follow)
        return JSONResponse(await asyncio.to_thread(live.summary, site.viewer(request)), headers=HEADERS)

    async def events(request: Request) -> Response:
        stream = changes(request, live, site.viewer)
        return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)

    async def tree_head(_request: Request) -> Response:
        return Response(checkpoint(), media_type="application/cose", headers=HEADERS)

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(_request: Request) -> Response:
        facts = state.snapshot()
        ready = bool(facts["broker"] and facts["accepting"])
        return JSONResponse(
            {"ready": ready, "broker": facts["broker"], "store": facts["accepting"]}, 200 if ready else 503
        )

    routes = {"/api/summary": api, "/events": events, "/checkpoint": tree_head}
    routes |= {"/healthz": healthz, "/readyz": readyz}
    own = [*static_routes(), *(Route(path, endpoint) for path, endpoint in routes.items())]
    if site.views is not None:
        own += run_routes(site.views, site.viewer, site.signs)
    return Starlette(routes=[*own, *site.more])


async def changes(request: Request, live: Live, viewer: Callable[[Request], Viewer]) -> AsyncIterator[str]:
    """One event at once and after each change, at most four a second. Each ten seconds without one the content is
    made again, since receipts come without a word: it is sent where it differs, else a beat.

    Who looks is asked again for each event: a session that has ended sees no more than somebody without one.
    """
    sent, quiet, before = (-1, -1), 0, dict[str, Any]()
    yield f"retry: {RETRY_MS}\n\n"
    while not await request.is_disconnected():
        if live.due():
            await asyncio.to_thread(live.follow)
        quiet += 1
        if live.version != sent or quiet % HEARTBEAT_TICKS == 0:
            sent, quiet = live.version, 0
            told = await asyncio.to_thread(live.summary, viewer(request))
            moment = told.pop("now_s")
            yield BEAT if told == before else _event({**told, "now_s": moment})
            before = told
        await asyncio.sleep(TICK_S)


def _event(told: dict[str, Any]) -> str:
    return f"data: {json.dumps(told, ensure_ascii=False)}\n\n"
