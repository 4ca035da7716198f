"""Addresses under /log: the checkpoint and the tiles of the edge's log (C2SP tlog-tiles), read-only, for anybody."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from meterseal_edge.errors import NoSuchTile
from meterseal_edge.log import EdgeLog
from meterseal_edge.published import Published
from meterseal_protocol.errors import BadNote
from meterseal_protocol.tile import WIDTH, Tile

OCTETS = "application/octet-stream"
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
NOT_KEPT = {"cache-control": "no-store"}
Endpoint = Callable[[Request], Awaitable[Response]]


def log_routes(log: EdgeLog, published: Published | None) -> list[Route]:
    """Routes; without a log key there are tiles and no checkpoint of this form."""

    async def tile(request: Request) -> Response:
        try:
            wanted = Tile.parse(f"tile/{request.path_params['path']}")
            content = log.tile(wanted)
        except (BadNote, NoSuchTile) as error:
            return PlainTextResponse(f"{error}\n", 404, headers=NOT_KEPT)
        return Response(content, media_type=OCTETS, headers=FOR_EVER if wanted.width == WIDTH else NOT_KEPT)

    async def checkpoint(_request: Request) -> Response:
        if published is None:
            return PlainTextResponse(
                "this log has no key of its own; ask /checkpoint\n", 404, headers=NOT_KEPT
            )
        return PlainTextResponse(published.checkpoint(), headers=NOT_KEPT)

    return [Route("/log/checkpoint", checkpoint), Route("/log/tile/{path:path}", tile)]
