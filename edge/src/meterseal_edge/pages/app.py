"""Starlette application of the edge: the page at `/` with its `/events`, and for machines `/api/summary`,
`/checkpoint`, `/healthz` and `/readyz`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from meterseal_edge.errors import StoreFailed
from meterseal_edge.state import State
from meterseal_edge.store.contract import Store

TICK_S = 0.25
HEARTBEAT_TICKS = 40
RETRY_MS = 1000
MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    content = files("meterseal_edge.pages").joinpath(name).read_text("utf-8")

    async def serve(_request: Request) -> Response:
        return Response(content, media_type=MEDIA[name.rpartition(".")[2]], headers=HEADERS)

    return serve


NAMES = {
    "/": "live.html",
    "/live.css": "live.css",
    "/live.js": "live.js",
    "/words.js": "words.js",
    "/icon.svg": "icon.svg",
}
PAGES = {path: _page(name) for path, name in NAMES.items()}


def summary(state: State, store: Store) -> dict[str, Any]:
    """The page's whole content as JSON values; counts are null while the store can't be read."""
    try:
        counts: tuple[int | None, ...] = store.counts()
    except StoreFailed:
        counts = (None, None, None)
    return {**state.snapshot(), **dict(zip(("durable", "entered", "quarantined"), counts, strict=True))}


def make_app(
    state: State, store: Store, checkpoint: Callable[[], bytes], more: Sequence[Route] = ()
) -> Starlette:
    """The application over a state and a store, which it only reads, and a signer of checkpoints."""

    async def api(_request: Request) -> Response:
        return JSONResponse(summary(state, store), headers=HEADERS)

    async def events(request: Request) -> Response:
        stream = changes(request, state, store)
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

    routes = {**PAGES, "/api/summary": api, "/events": events, "/checkpoint": tree_head}
    routes |= {"/healthz": healthz, "/readyz": readyz}
    return Starlette(routes=[*(Route(path, endpoint) for path, endpoint in routes.items()), *more])


async def changes(request: Request, state: State, store: Store) -> AsyncIterator[str]:
    """One event at once and after each change, at most four a second; a beat each ten seconds when all is quiet."""
    sent, quiet = -1, 0
    yield f"retry: {RETRY_MS}\n\n"
    while not await request.is_disconnected():
        if state.version != sent:
            sent, quiet = state.version, 0
            yield f"data: {json.dumps(summary(state, store), ensure_ascii=False)}\n\n"
        elif (quiet := quiet + 1) % HEARTBEAT_TICKS == 0:
            yield "event: beat\ndata:\n\n"
        await asyncio.sleep(TICK_S)
