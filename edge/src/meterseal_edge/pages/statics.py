"""Files that browsers are given as they lie here, and the headers of every answer. No build step: what is served is
what is in the repository.
"""

from collections.abc import Awaitable, Callable
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MEDIA = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
SCRIPTS = (
    "words.js",
    "run_words.js",
    "page.js",
    "chart.js",
    "bench.js",
    "live.js",
    "runs.js",
    "run.js",
    "evidence.js",
)
NAMES = {
    "/": "live.html",
    "/icon.svg": "icon.svg",
    "/live.css": "live.css",
    "/run.css": "run.css",
    **{f"/{name}": name for name in SCRIPTS},
    "/vendor/uPlot.js": "vendor/uPlot.iife.min.js",
    "/vendor/uPlot.css": "vendor/uPlot.min.css",
}
Endpoint = Callable[[Request], Awaitable[Response]]


def text(name: str) -> str:
    """A file of this package."""
    return files("meterseal_edge.pages").joinpath(name).read_text("utf-8")


def page(name: str, without: str = "") -> Endpoint:
    """An endpoint that always answers with a file of this package, less a part of it where one is said."""
    content, media_type = text(name), MEDIA[name.rpartition(".")[2]]
    if without:
        content = content.replace(without, "")

    async def serve(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers=HEADERS)

    return serve


def static_routes() -> list[Route]:
    """Every file in NAMES."""
    return [Route(path, page(name)) for path, name in NAMES.items()]
