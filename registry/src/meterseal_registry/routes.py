"""The registry over HTTP: Starlette routes around one `Record`. Errors are RFC 9457 problem details.

Handlers are plain functions: Starlette runs them in threads, and the record locks itself. Health alone is answered
outside those threads, so it answers while all of them wait for the log.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from meterseal_protocol.words import TABLE
from meterseal_registry import bulk
from meterseal_registry.entries import BUNDLE_BYTES, unpack
from meterseal_registry.errors import BadRequest, NotFound, RegistryError, TooLarge
from meterseal_registry.lookup import record_of
from meterseal_registry.record import Record
from meterseal_wire import labels as L
from meterseal_wire.encode import encode

CBOR = "application/cbor"
COSE = "application/cose"
CWT = "application/cwt"
STATUS_CWT = "application/statuslist+cwt"
PAGE_HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
NUMBER_DIGITS = 15
MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
Answer = Callable[[Record, Request, bytes], Response]


def make_app(record: Record) -> Starlette:
    """The application over one record."""
    routes = [Route(path, _bound(record, call), methods=[method]) for method, path, call in TABLE_OF_ROUTES]
    routes.append(Route("/healthz", get_health))
    return Starlette(routes=routes, exception_handlers={RegistryError: _problem, HTTPException: _no_route})


def _bound(record: Record, call: Answer) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = await _body(request)
        return await run_in_threadpool(call, record, request, body)

    return endpoint


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BUNDLE_BYTES:
            raise TooLarge(f"the body is over {BUNDLE_BYTES} bytes; send less at a time")
        parts.append(part)
    return b"".join(parts)


def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RegistryError)
    return problem(error.status, error.code, str(error))


def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    why = (
        f"{request.method} {request.url.path[:80]}: {error.detail}; the addresses stand in topics-and-http.md"
    )
    return problem(error.status_code, f"registry.{HTTPStatus(error.status_code).name.lower()}", why)


def problem(status: int, code: str, detail: str) -> Response:
    """RFC 9457 problem details; with the type about:blank the title is the status's own phrase (section 4.2.1)."""
    title = HTTPStatus(status).phrase
    content = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    return JSONResponse(content, status, media_type="application/problem+json")


def _now() -> int:
    return int(time.time())


def _hex(request: Request, name: str) -> bytes:
    text = request.path_params[name]
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadRequest(f"{text[:80]} is not hexadecimal") from None


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS):
        raise BadRequest(f"{text[:20]} is no {what}")
    return int(text)


def _size(request: Request) -> int | None:
    text = request.query_params.get("size")
    return None if text is None else _number(text, "number of leaves")


def post_entry(record: Record, _request: Request, body: bytes) -> Response:
    """Enter one statement: 201 with its receipt, 200 where it was entered before."""
    receipt, fresh = record.submit(body, _now())
    return Response(receipt, 201 if fresh else 200, media_type=COSE)


def post_bundle(record: Record, _request: Request, body: bytes) -> Response:
    """Enter a parcel; an array with a receipt or [code, why] for each item."""
    return Response(encode(record.bundle(unpack(body), _now())), media_type=CBOR)


def get_entry(record: Record, request: Request, _body: bytes) -> Response:
    """The bytes of an entry."""
    return Response(record.log.find(_hex(request, "identity")).raw, media_type=COSE)


def get_evidence(record: Record, request: Request, _body: bytes) -> Response:
    """The evidence items of an entry, in their order."""
    return Response(encode(list(record.log.find(_hex(request, "identity")).evidence)), media_type=CBOR)


def get_receipt(record: Record, request: Request, _body: bytes) -> Response:
    """A receipt against the tree of `size` leaves, now without it."""
    receipt = record.log.receipt(record.author, _hex(request, "identity"), _size(request))
    return Response(receipt, media_type=COSE)


def get_leaves(record: Record, request: Request, _body: bytes) -> Response:
    """Identities of the first `size` leaves."""
    size = _size(request)
    with record.log.lock:
        rows = record.log.rows[:size]
    return Response(encode({"size": len(rows), "leaves": [row.identity for row in rows]}), media_type=CBOR)


def get_checkpoint(record: Record, _request: Request, _body: bytes) -> Response:
    """The signed tree head of now."""
    return Response(record.log.checkpoint(record.author, _now()), media_type=COSE)


def get_beacon(record: Record, _request: Request, _body: bytes) -> Response:
    """The newest beacon."""
    return Response(record.beacon(_now()), media_type=COSE)


def get_grants(record: Record, _request: Request, _body: bytes) -> Response:
    """Every grant and withdrawal with its receipt, in the log's order."""
    found = [entry.statement for entry in record.log.catalogue.authority]
    pairs = [[item.raw, record.log.receipt(record.author, item.identity)] for item in found]
    return Response(encode(pairs), media_type=CBOR)


def get_rules(record: Record, request: Request, _body: bytes) -> Response:
    """The canonical bytes of a loaded rule pack."""
    digest = _hex(request, "digest")
    for pack in record.packs:
        if pack.digest == digest:
            return Response(pack.raw, media_type=CBOR)
    raise NotFound(f"no rule pack {digest.hex()[:16]}… is loaded here")


def get_scope(record: Record, request: Request, _body: bytes) -> Response:
    """The newest scope of a meter."""
    return Response(_newest(record, L.KIND_SCOPE, request.path_params["meter"]), media_type=COSE)


def get_decision(record: Record, request: Request, _body: bytes) -> Response:
    """The newest decision about a meter."""
    return Response(_newest(record, L.KIND_DECISION, request.path_params["meter"]), media_type=COSE)


def _newest(record: Record, kind: int, meter: str) -> bytes:
    entry = record.log.catalogue.newest.get((kind, meter))
    if entry is None:
        raise NotFound(f"no {L.KIND_NAMES[kind]} of {meter[:80]} is on record")
    return entry.statement.raw


def get_certificate(record: Record, request: Request, _body: bytes) -> Response:
    """The newest certificate of a meter."""
    raw = record.certificates.newest(request.path_params["meter"])
    if raw is None:
        raise NotFound(f"{request.path_params['meter'][:80]} has no certificate")
    return Response(raw, media_type=CWT)


def get_status(record: Record, request: Request, _body: bytes) -> Response:
    """A signed status list, made now."""
    number = _number(request.path_params["number"], "number of a status list")
    return Response(record.statuses.status_list(number, _now()), media_type=STATUS_CWT)


def get_trust(record: Record, _request: Request, _body: bytes) -> Response:
    """A trust file, made now."""
    return Response(record.statuses.trust(_now()), media_type=CBOR)


def get_record(record: Record, request: Request, _body: bytes) -> Response:
    """A meter's public record as JSON."""
    return JSONResponse(record_of(record, request.path_params["meter"]))


def get_meters(record: Record, _request: Request, _body: bytes) -> Response:
    """The public records of every decided meter."""
    return JSONResponse([record_of(record, meter) for meter in record.decisions.meters()])


def get_keys(record: Record, _request: Request, _body: bytes) -> Response:
    """Public keys that verify certificates, with whose they are and when they held: what the page's check needs."""
    keys = [
        {
            "registry": found.name,
            "kid": found.key.kid.hex(),
            "alg": found.key.suite.alg,
            "x": found.key.xy[:32].hex(),
            "y": found.key.xy[32:].hex(),  # empty where the suite's keys have no y
            "windows": found.windows,
        }
        for found in record.statuses.registries()
    ]
    return JSONResponse({"keys": keys})


def get_words(_record: Record, _request: Request, _body: bytes) -> Response:
    """Every reason in words, for the pages."""
    return JSONResponse(TABLE)


def page(name: str) -> Answer:
    """A handler that serves one of the shipped pages."""
    text = files("meterseal_registry.pages").joinpath(name).read_text("utf-8")
    media = MEDIA.get(name.rpartition(".")[2])

    def serve(_record: Record, _request: Request, _body: bytes) -> Response:
        if media is None:
            return HTMLResponse(text, headers=PAGE_HEADERS)
        return Response(text, media_type=media, headers=PAGE_HEADERS)

    return serve


def post_check(record: Record, request: Request, body: bytes) -> Response:
    """Bulk check: a CSV as the whole body, answered as CSV, or as JSON where that is accepted."""
    meters = bulk.meters_in(bulk.decoded(body))
    territory = bulk.place(request.query_params.get("territory"))
    lines = bulk.answer(record, meters, territory, _now())
    if "json" in request.headers.get("accept", ""):
        return JSONResponse([vars(line) for line in lines])
    headers = {"content-disposition": 'attachment; filename="meterseal-check.csv"'}
    return Response(bulk.to_csv(lines), media_type="text/csv; charset=utf-8", headers=headers)


async def get_health(_request: Request) -> Response:
    """The service runs."""
    return JSONResponse({"ok": True})


def get_ready(record: Record, _request: Request, _body: bytes) -> Response:
    """The service can promise: the store answers, and a logged grant names this registry's key."""
    record.certificates.store.statuses()
    if not record.granted:
        why = "no logged grant names this registry's key: submit it to /entries"
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "registry.not_granted", why)
    return JSONResponse({"ok": True})


def get_metrics(record: Record, _request: Request, _body: bytes) -> Response:
    """Counts in the Prometheus text format."""
    issued = record.certificates.store.statuses()
    lines = [
        f"meterseal_registry_entries {record.log.size}",
        f"meterseal_registry_certificates {len(issued)}",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


TABLE_OF_ROUTES: list[tuple[str, str, Answer]] = [
    ("POST", "/entries", post_entry),
    ("POST", "/bundles", post_bundle),
    ("GET", "/entries/{identity}", get_entry),
    ("GET", "/entries/{identity}/evidence", get_evidence),
    ("GET", "/receipts/{identity}", get_receipt),
    ("GET", "/log/leaves", get_leaves),
    ("GET", "/checkpoint", get_checkpoint),
    ("GET", "/beacon", get_beacon),
    ("GET", "/grants", get_grants),
    ("GET", "/rules/{digest}", get_rules),
    ("GET", "/scopes/{meter}", get_scope),
    ("GET", "/decisions/{meter}", get_decision),
    ("GET", "/certificates/{meter}", get_certificate),
    ("GET", "/status/{number}", get_status),
    ("GET", "/trust", get_trust),
    ("GET", "/records", get_meters),
    ("GET", "/records/{meter}", get_record),
    ("GET", "/.well-known/meterseal", get_keys),
    ("GET", "/words", get_words),
    ("GET", "/m/{maker}/{serial}", page("check.html")),
    ("GET", "/01/{gtin}/21/{serial}", page("check.html")),
    ("GET", "/check.js", page("check.js")),
    ("GET", "/certificate.js", page("certificate.js")),
    ("GET", "/check.css", page("check.css")),
    ("GET", "/bulk.js", page("bulk.js")),
    ("GET", "/icon.svg", page("icon.svg")),
    ("GET", "/", page("bulk.html")),
    ("GET", "/check", page("bulk.html")),
    ("POST", "/check", post_check),
    ("GET", "/readyz", get_ready),
    ("GET", "/metrics", get_metrics),
]
